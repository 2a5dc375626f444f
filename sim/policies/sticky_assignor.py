"""Kafka's sticky assignment: as even as can be, and then as little moved as can be.

Where all members subscribe to the same topics, members keep up to their quota of what they had and what is left is
dealt out in a circle (ConstrainedAssignmentBuilder). Where they do not, see `general_sticky_assignor.py`. Source:
AbstractStickyAssignor of apache/kafka (3.5 to 4.x), its walks through hash maps included. Left out: racks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

TopicPartition = tuple[str, int]
Owned = dict[str, list[TopicPartition]]


class Claim(NamedTuple):
    """What a member subscribes to, and says that it had."""

    member: str
    topics: tuple[str, ...]
    owned: tuple[TopicPartition, ...]
    generation: int


class Claims(NamedTuple):
    """The claims of all members, put together."""

    owned: Owned  # each partition at one member, in the order in which Java walks through members
    contested: set[TopicPartition]  # that two members of one generation claim


def settle(partitions: Mapping[str, int], claims: Sequence[Claim]) -> Claims:
    """Who had what: of two who claim a partition the one of the later generation; of one generation, none."""
    owned: Owned = {}
    contested: set[TopicPartition] = set()
    owner: dict[TopicPartition, Claim] = {}
    for claim in claims:
        owned[claim.member] = []
        for partition in claim.owned:
            if partition[1] >= partitions.get(partition[0], 0):
                continue  # there is no such partition any more
            other = owner.get(partition)
            if other is None or claim.generation > other.generation:
                owned[claim.member].append(partition)
            if other is not None and claim.generation >= other.generation:
                if partition in owned[other.member]:
                    owned[other.member].remove(partition)
                if claim.generation == other.generation:
                    contested.add(partition)
            if other is None or claim.generation >= other.generation:
                owner[partition] = claim
    return Claims(owned, contested)


class ConstrainedAssignment:
    """All members subscribe to the same topics."""

    def __init__(self, partitions: Mapping[str, int], claims: Claims):
        self.partitions = partitions
        self.claims = claims
        count = sum(partitions.values())
        members = len(claims.owned)
        self.least = count // members
        self.most = -(-count // members)
        self.full_expected = count % members  # members that get one more than `least`
        self.full = 0
        self.below: list[str] = []  # members with less than `least`
        self.at_least: list[str] = []  # members with just `least`, of which some may get one more
        self.assignment: Owned = {member: [] for member in claims.owned}

    def build(self) -> Owned:
        """Keep, then fill up."""
        for member, owned in self.claims.owned.items():
            its = [partition for partition in owned if partition not in self.claims.contested]
            self._keep(member, sorted(its, key=lambda partition: (partition[1], partition[0])))
        taken = {partition for its in self.assignment.values() for partition in its}
        free = [
            (topic, number)
            for topic in sorted(self.partitions)
            for number in range(self.partitions[topic])
            if (topic, number) not in taken
        ]
        self._deal(free)
        return self.assignment

    def _keep(self, member: str, owned: list[TopicPartition]) -> None:
        if len(owned) < self.least:
            self.assignment[member] = owned
            self.below.append(member)
        elif len(owned) >= self.most and self.full < self.full_expected:
            self.full += 1
            if self.full == self.full_expected:
                self.at_least = []
            self.assignment[member] = owned[: self.most]
        else:
            self.assignment[member] = owned[: self.least]
            if self.full < self.full_expected:
                self.at_least.append(member)

    def _deal(self, free: Sequence[TopicPartition]) -> None:
        """In a circle to those with less than `least`; what is left then one each to those who have just that."""
        below, at_least = sorted(self.below), deque(sorted(self.at_least))
        turn = 0
        for partition in free:
            if not below:
                self.assignment[at_least.popleft()].append(partition)
                continue
            turn %= len(below)
            member = below[turn]
            its = self.assignment[member]
            its.append(partition)
            if len(its) == self.least:
                del below[turn]
                at_least.append(member)
            else:
                turn += 1
