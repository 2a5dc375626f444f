"""Which member of a consumer group reads which partitions: the assignors of Kafka's client, decision by decision.

`range`, `roundrobin`, `sticky` and `cooperative-sticky` are those of `partition.assignment.strategy`, with several
topics, subscriptions that differ, and static members. Plain Python only: rebalances are rare.
Sources: RangeAssignor, RoundRobinAssignor, CooperativeStickyAssignor and, in `sticky_assignor.py`,
AbstractStickyAssignor of apache/kafka (clients, 3.5 to 4.x). Left out: racks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from sim.policies.general_sticky_assignor import GeneralAssignment
from sim.policies.java import hash_of_text, in_map_order
from sim.policies.sticky_assignor import Claim, ConstrainedAssignment, TopicPartition, settle

Assignment = dict[str, list[TopicPartition]]
"""GroupMember id -> its (topic, partition)s, in the order in which Kafka lists them."""

STRATEGIES = ("range", "roundrobin", "sticky", "cooperative-sticky")


class GroupMember(NamedTuple):
    """A member of a group, as its leader knows it when it assigns."""

    id: str
    topics: tuple[str, ...]  # it subscribes to
    instance_id: str | None = None  # group.instance.id: a static member has one
    owned: tuple[TopicPartition, ...] = ()  # what it says that it had
    generation: int = -1  # in which it had that; -1: it does not say


def assign(strategy: str, partitions: Mapping[str, int], members: Sequence[GroupMember]) -> Assignment:
    """What every member gets. `partitions`: topic -> how many there are; members in the order in which they joined.

    KeyError: no such strategy.
    """
    return _ASSIGNORS[strategy](partitions, members)


def in_order(members: Sequence[GroupMember]) -> list[GroupMember]:
    """Static members by their instance id, then the others by their member id (MemberInfo.compareTo)."""
    return sorted(members, key=lambda member: (member.instance_id is None, member.instance_id or member.id))


def assign_ranges(partitions: Mapping[str, int], members: Sequence[GroupMember]) -> Assignment:
    """Topic by topic, contiguous partitions for each member; the first members have one more."""
    assignment: Assignment = {member.id: [] for member in members}
    ordered = in_order(members)
    for topic in sorted({topic for member in members for topic in member.topics} & set(partitions)):
        readers = [member for member in ordered if topic in member.topics]
        for member, numbers in zip(readers, range_assign(len(readers), partitions[topic]), strict=True):
            assignment[member.id] += [(topic, number) for number in numbers]
    return assignment


def assign_round_robin(partitions: Mapping[str, int], members: Sequence[GroupMember]) -> Assignment:
    """All partitions, by topic and number, one at a time to the members in a circle; who does not subscribe is
    passed over.
    """
    assignment: Assignment = {member.id: [] for member in members}
    ordered = in_order(members)
    turn = 0
    for topic in sorted({topic for member in members for topic in member.topics} & set(partitions)):
        for number in range(partitions[topic]):
            while topic not in ordered[turn % len(ordered)].topics:
                turn += 1
            assignment[ordered[turn % len(ordered)].id].append((topic, number))
            turn += 1
    return assignment


def assign_sticky(partitions: Mapping[str, int], members: Sequence[GroupMember]) -> Assignment:
    """As even as can be, and then as little moved as can be; what moves is in the answer at once (eager)."""
    if not members:
        return {}
    by_id = {member.id: member for member in members}
    claims = [_claim(by_id[name]) for name in in_map_order(by_id, hash_of_text)]
    known = {topic for member in members for topic in member.topics} & set(partitions)
    there = {topic: partitions[topic] for topic in sorted(known)}
    settled = settle(there, claims)
    if all(set(claim.topics) == set(claims[0].topics) for claim in claims):
        return ConstrainedAssignment(there, settled).build()
    return GeneralAssignment(there, settled.owned, claims).build()


def assign_cooperatively(partitions: Mapping[str, int], members: Sequence[GroupMember]) -> Assignment:
    """The same of the cooperative protocol: what another still owns is left out of the answer, and given in the next
    round, when its owner has given it up.
    """
    assignment = assign_sticky(partitions, members)
    claimed = Counter((partition, member.generation) for member in members for partition in member.owned)
    contested = {partition for (partition, _), claims in claimed.items() if claims > 1}
    revoked = {partition for member in members for partition in member.owned if partition not in assignment[member.id]}
    for member in members:
        assignment[member.id] = [
            partition
            for partition in assignment[member.id]
            if partition not in contested and (partition in member.owned or partition not in revoked)
        ]
    return assignment


def range_assign(members: int, partitions: int) -> list[list[int]]:
    """The partitions of member 0, 1, ... of one topic: contiguous, the first `partitions % members` members have one
    more. Without members: nothing.
    """
    share, extra = divmod(partitions, members) if members else (0, 0)
    firsts = [member * share + min(member, extra) for member in range(members + 1)]
    return [list(range(first, last)) for first, last in pairwise(firsts)]


def assign_numbers(strategy: str, owned: Sequence[Sequence[int]], partitions: int) -> list[list[int]]:
    """The partitions of member 0, 1, ... of one topic, of which each had those in `owned`. Without members: nothing.

    A cooperative strategy answers where all is to end up, and not what the first round gives. `uniform`, that of the
    broker (KIP-848), is as even and moves as little as `sticky`; which of several members gives one up may differ.
    """
    names = [f"member-{number:06d}" for number in range(len(owned))]
    members = [
        GroupMember(name, ("",), name, tuple(("", partition) for partition in its), 1)
        for name, its in zip(names, owned, strict=True)
    ]
    strategy = "sticky" if strategy in ("cooperative-sticky", "uniform") else strategy
    assignment = assign(strategy, {"": partitions}, members)
    return [sorted(partition for _, partition in assignment[name]) for name in names]


def _claim(member: GroupMember) -> Claim:
    return Claim(member.id, member.topics, member.owned, member.generation)


_ASSIGNORS = {
    "range": assign_ranges,
    "roundrobin": assign_round_robin,
    "sticky": assign_sticky,
    "cooperative-sticky": assign_cooperatively,
}
