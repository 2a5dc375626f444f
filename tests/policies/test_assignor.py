"""Kafka's assignors."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.policies.assignor import GroupMember, assign, assign_numbers, range_assign


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


def test_decisions_recorded_from_a_real_client():
    """60 groups, as kafka-python 3.0.12 decides; where subscriptions differ, and with static members."""
    recorded = json.loads((Path(__file__).parent / "kafka_assignments.json").read_text())["cases"]
    assert len(recorded) == 60
    for case in recorded:
        members = [GroupMember(name, tuple(topics), instance) for name, topics, instance in case["members"]]
        for strategy, assigned in case["assigned"].items():
            ours = assign(strategy, case["partitions"], members)
            assert {name: sorted(map(list, its)) for name, its in ours.items()} == assigned


def member(name, owned=(), topics=("t",), **more):
    return GroupMember(name, topics, owned=tuple(owned), generation=1, **more)


def test_round_robin_passes_over_who_does_not_subscribe():
    """The example in the documentation of RoundRobinAssignor."""
    partitions = {"t0": 1, "t1": 2, "t2": 3}
    members = [GroupMember("C0", ("t0",)), GroupMember("C1", ("t0", "t1")), GroupMember("C2", ("t0", "t1", "t2"))]
    assert assign("roundrobin", partitions, members) == {
        "C0": [("t0", 0)],
        "C1": [("t1", 0)],
        "C2": [("t1", 1), ("t2", 0), ("t2", 1), ("t2", 2)],
    }


def test_static_members_stand_in_the_order_of_their_instances_and_before_dynamic_ones():
    """AbstractPartitionAssignor.MemberInfo.compareTo: a member id is made anew at each start, an instance id is not."""
    members = [GroupMember("a", ("t",)), GroupMember("z", ("t",), "i-2"), GroupMember("y", ("t",), "i-1")]
    assert assign("range", {"t": 3}, members) == {"a": [("t", 2)], "z": [("t", 1)], "y": [("t", 0)]}


def test_when_a_member_goes_sticky_moves_only_what_it_had():
    """The second example in the documentation of StickyAssignor: round robin would keep 3 of 6 partitions, sticky 5."""
    partitions = {"t0": 1, "t1": 2, "t2": 3}
    members = [
        member("C1", [("t1", 0), ("t1", 1)], ("t0", "t1")),
        member("C2", [("t2", 0), ("t2", 1), ("t2", 2)], ("t0", "t1", "t2")),
    ]
    assert assign("sticky", partitions, members) == {
        "C1": [("t1", 0), ("t1", 1), ("t0", 0)],
        "C2": [("t2", 0), ("t2", 1), ("t2", 2)],
    }


def test_under_cooperative_sticky_a_newcomer_gets_nothing_before_its_owner_has_given_it_up():
    owned = [("t", 0), ("t", 1), ("t", 2), ("t", 3)]
    first = assign("cooperative-sticky", {"t": 4}, [member("a", owned), member("b")])
    assert first == {"a": owned[:2], "b": []}
    second = assign("cooperative-sticky", {"t": 4}, [member("a", owned[:2]), member("b")])
    assert second == {"a": owned[:2], "b": owned[2:]}


def test_what_two_claim_goes_to_the_later_generation_and_what_two_claim_of_one_to_neither_at_once():
    old = GroupMember("old", ("t",), owned=(("t", 0), ("t", 1)), generation=1)
    new = GroupMember("new", ("t",), owned=(("t", 0),), generation=2)
    assert assign("sticky", {"t": 2}, [old, new]) == {"old": [("t", 1)], "new": [("t", 0)]}


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=6), st.integers(1, 12), st.randoms(use_true_random=False))
def test_sticky_assignments_are_even_and_move_no_more_than_they_must(shares, count, luck):
    """The fewest moves of an even assignment: whoever has too many gives up the excess, where the larger quotas stand with those
    who had the most.
    """
    numbers = list(range(count))
    luck.shuffle(numbers)
    owned = []
    for share in shares:
        owned.append(numbers[:share])
        numbers = numbers[share:]
    assigned = assign_numbers("sticky", owned, count)
    sizes = [len(its) for its in assigned]
    assert sorted(partition for its in assigned for partition in its) == list(range(count))
    assert max(sizes) - min(sizes) <= 1
    least, extra = divmod(count, len(shares))
    had = sorted((len(its) for its in owned), reverse=True)
    most_kept = sum(min(its, least + (rank < extra)) for rank, its in enumerate(had))
    assert sum(len(set(its) & set(was)) for its, was in zip(assigned, owned, strict=True)) == most_kept
