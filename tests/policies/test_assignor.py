"""Kafka's range assignor."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policies.assignor import range_assign


def test_oracle_15_the_first_member_has_one_more():
    assert range_assign(2, 3) == [[0, 1], [2]]


def test_members_beyond_the_partitions_have_nothing():
    assert range_assign(4, 2) == [[0], [1], [], []]


def test_without_members_nothing_is_assigned():
    assert range_assign(0, 3) == []


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 200))
def test_every_partition_has_one_member_and_shares_differ_by_one_at_most(members, partitions):
    parts = range_assign(members, partitions)
    assert [partition for part in parts for partition in part] == list(range(partitions))
    sizes = [len(part) for part in parts]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] - sizes[-1] <= 1
