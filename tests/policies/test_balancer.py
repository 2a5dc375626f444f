"""Which replica a caller picks."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policies.balancer import new_balancer, pick

KINDS = ["round_robin", "random", "least_request", "power_of_two", "two_choices"]


def picks(kind, loads, up, count=12, seed=1):
    row, chance = new_balancer(kind), random.Random(seed)
    return [pick(row, loads, up, len(up), chance.random(), chance.random()) for _ in range(count)]


def test_round_robin_goes_round_those_that_are_up():
    assert picks("round_robin", [0] * 3, [1, 1, 1], 5) == [0, 1, 2, 0, 1]
    assert picks("round_robin", [0] * 4, [0, 1, 0, 1], 4) == [1, 3, 1, 3]


def test_round_robin_may_begin_anywhere_and_survives_a_smaller_fleet():
    row = new_balancer("round_robin", 4)
    assert [pick(row, [], [1] * 5, 5, 0.5, 0.5) for _ in range(2)] == [4, 0]
    row.next = 7
    assert pick(row, [], [1] * 3, 3, 0.5, 0.5) == 0


@pytest.mark.parametrize("up", [[1, 1, 1, 1], [0, 1, 1, 1], [1, 0, 0, 1], [0, 0, 1, 0]])
@pytest.mark.parametrize("kind", ["random", "power_of_two", "two_choices"])
def test_chance_is_equal_among_those_that_are_up(kind, up):
    counts = Counter(picks(kind, [0, 0, 0, 0], up, 20_000))
    assert set(counts) == {i for i in range(4) if up[i]}
    assert all(count == pytest.approx(20_000 / sum(up), rel=0.06) for count in counts.values())


def test_least_request_takes_the_least_loaded():
    assert set(picks("least_request", [3, 1, 2], [1, 1, 1])) == {1}
    assert set(picks("least_request", [3, 1, 2], [1, 0, 1])) == {2}


def test_least_request_does_not_herd_where_loads_are_equal():
    assert picks("least_request", [0, 0, 0], [1, 1, 1], 6) == [0, 1, 2, 0, 1, 2]
    assert picks("least_request", [1, 1, 1], [1, 0, 1], 4) == [0, 2, 0, 2]


def test_power_of_two_takes_the_less_loaded_of_two_picks_and_the_first_of_equals():
    row, loads, up = new_balancer("power_of_two"), [2, 1, 1], [1, 1, 1]
    assert pick(row, loads, up, 3, 0.1, 0.5) == 1
    assert pick(row, loads, up, 3, 0.5, 0.1) == 1
    assert pick(row, loads, up, 3, 0.9, 0.5) == 2
    assert pick(row, loads, up, 3, 0.1, 0.2) == 0


def test_power_of_two_of_two_hosts_takes_the_busier_one_time_in_four():
    assert Counter(picks("power_of_two", [5, 0], [1, 1], 20_000))[0] / 20_000 == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(st.data())
def test_only_a_replica_that_is_up_is_picked_and_always_one_where_there_is_one(kind, data):
    up = data.draw(st.lists(st.integers(0, 1), max_size=6))
    loads = data.draw(st.lists(st.integers(0, 3), min_size=len(up), max_size=len(up)))
    row = new_balancer(kind, data.draw(st.integers(0, 8)))
    for _ in range(4):
        u1, u2 = data.draw(st.floats(2**-53, 1 - 2**-53)), data.draw(st.floats(2**-53, 1 - 2**-53))
        chosen = pick(row, loads, up, len(up), u1, u2)
        assert up[chosen] == 1 if any(up) else chosen == -1


def test_two_choices_are_never_the_same_one():
    """Of two replicas it sees both, and always takes the less loaded; of three the busiest is never taken, and the idle one two times in three."""
    assert set(picks("two_choices", [5, 0], [1, 1], 2000)) == {1}
    found = Counter(picks("two_choices", [0, 1, 2], [1, 1, 1], 30_000))
    assert found[2] == 0
    assert found[0] / 30_000 == pytest.approx(2 / 3, abs=0.01)


def test_of_two_equal_choices_the_second_is_taken_and_one_that_stands_alone_is_the_only_one():
    row, up = new_balancer("two_choices"), [1, 0, 1, 1]
    assert pick(row, [1, 0, 1, 1], up, 4, 0.1, 0.1) == 2  # 0, and of 2 and 3 the first
    assert pick(row, [1, 0, 1, 1], up, 4, 0.1, 0.9) == 3
    assert pick(row, [0, 0, 1, 1], up, 4, 0.1, 0.9) == 0
    assert pick(row, [9, 0, 0, 0], [1, 0, 0, 0], 4, 0.5, 0.5) == 0
    assert pick(row, [0, 0], [0, 0], 2, 0.5, 0.5) == -1
