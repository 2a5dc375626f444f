"""At most so many at once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policies.bulkhead import enter, leave, new_bulkhead
from sim.spec.policy import Bulkhead


def test_full_is_full_until_someone_leaves():
    row = new_bulkhead(Bulkhead(max_concurrent_calls=2))
    assert [enter(row) for _ in range(3)] == [1, 1, 0]
    leave(row)
    assert [enter(row), enter(row)] == [1, 0]


def test_it_knows_how_long_one_may_wait():
    assert new_bulkhead(Bulkhead(max_concurrent_calls=2, max_wait="50ms")).max_wait == 0.05


@settings(deadline=None)
@given(st.lists(st.booleans()), st.integers(1, 5))
def test_never_more_than_the_limit_are_inside(steps, limit):
    row, inside = new_bulkhead(Bulkhead(max_concurrent_calls=limit)), 0
    for coming in steps:
        if coming:
            assert enter(row) == (inside < limit)
            inside += inside < limit
        elif inside:
            leave(row)
            inside -= 1
        assert row.inside == inside
