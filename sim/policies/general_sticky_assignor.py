"""Kafka's sticky assignment where members subscribe to different topics: partitions move one by one towards balance.

Source: GeneralAssignmentBuilder and PartitionMovements in AbstractStickyAssignor of apache/kafka (3.5 to 4.x). Left
out: racks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from sim.policies.java import hash_of_text, in_map_order
from sim.policies.sticky_assignor import Claim, Owned, TopicPartition


def hash_of_partition(partition: TopicPartition) -> int:
    """TopicPartition.hashCode, as an unsigned 32-bit number."""
    topic, number = partition
    return (31 * (31 + number) + hash_of_text(topic)) & 0xFFFFFFFF


class Before(NamedTuple):
    """Who had a partition in an earlier generation."""

    member: str
    generation: int


class Movements:
    """Which partitions have moved from whom to whom: who gets one back rather gets what had moved the other way."""

    def __init__(self) -> None:
        self.pairs: dict[TopicPartition, tuple[str, str]] = {}

    def move(self, partition: TopicPartition, old: str, new: str) -> None:
        """It moves."""
        source, _ = self.pairs.pop(partition, (old, old))
        if source != new:
            self.pairs[partition] = (source, new)

    def rather(self, partition: TopicPartition, old: str, new: str) -> TopicPartition:
        """What is to be moved in its place."""
        source = self.pairs[partition][0] if partition in self.pairs else old
        back = [other for other, pair in self.pairs.items() if other[0] == partition[0] and pair == (new, source)]
        return in_map_order(back, hash_of_partition)[0] if back else partition


class GeneralAssignment:
    """Not all members subscribe to the same topics."""

    def __init__(self, partitions: Mapping[str, int], owned: Owned, claims: Sequence[Claim]):
        self.partitions = partitions
        self.claims = claims
        self.current: Owned = {member: list(its) for member, its in owned.items()}
        self.topics = {
            claim.member: [topic for topic in dict.fromkeys(claim.topics) if topic in partitions] for claim in claims
        }
        self.readers = {
            topic: [claim.member for claim in claims if topic in claim.topics] for topic in sorted(partitions)
        }
        self.owner = {partition: member for member, its in self.current.items() for partition in its}
        self.all = [
            (topic, number)
            for topic in sorted(partitions, key=lambda topic: (len(self.readers[topic]), topic))
            for number in range(partitions[topic])
        ]
        self.movements = Movements()
        self.before = self._before()
        self.must_revoke = False

    def build(self) -> Owned:
        """Keep what may be kept, assign what is free, and balance."""
        for member, its in self.current.items():
            kept = [partition for partition in its if partition[0] in self.topics[member]]
            self.must_revoke = self.must_revoke or len(kept) < len(its)
            self.current[member] = kept
        assigned = {partition for its in self.current.values() for partition in its}
        self._balance([partition for partition in self.all if partition not in assigned])
        return self.current

    def _before(self) -> dict[TopicPartition, Before]:
        latest = max(claim.generation for claim in self.claims)
        before: dict[TopicPartition, Before] = {}
        for claim in self.claims:
            if claim.generation < latest:
                for partition in claim.owned:
                    if partition not in before or claim.generation > before[partition].generation:
                        before[partition] = Before(claim.member, claim.generation)
        return before

    def _balance(self, free: list[TopicPartition]) -> None:
        fresh = not any(self.current.values())
        for partition in free:
            member = self._least(partition[0])
            if member is not None:
                self.current[member].append(partition)
                self.owner[partition] = member
        movable = {topic for topic, readers in self.readers.items() if len(readers) >= 2}
        fixed = {
            member: self.current.pop(member) for member in list(self.current) if not self._takes_part(member, movable)
        }
        was = {member: list(its) for member, its in self.current.items()}
        if not self.must_revoke:
            self._reassign([partition for partition in free if partition[0] in movable])
        moved = self._reassign([partition for partition in self.all if partition[0] in movable])
        if not fresh and moved and _unevenness(self.current) >= _unevenness(was):
            self.current = was
        self.current.update(fixed)

    def _order(self) -> list[str]:
        """Members, those with the fewest partitions first."""
        return sorted(self.current, key=lambda member: (len(self.current[member]), member))

    def _least(self, topic: str) -> str | None:
        return next((member for member in self._order() if topic in self.topics[member]), None)

    def _can_get(self, member: str) -> int:
        return sum(self.partitions[topic] for topic in self.topics[member])

    def _takes_part(self, member: str, movable: set[str]) -> bool:
        """Whether it can still get some, or has some that another can have."""
        its = self.current[member]
        return len(its) < self._can_get(member) or any(topic in movable for topic, _ in its)

    def _is_balanced(self) -> bool:
        order = self._order()
        if not order or len(self.current[order[0]]) >= len(self.current[order[-1]]) - 1:
            return True
        holder = {partition: member for member, its in self.current.items() for partition in its}
        for member in order:
            count = len(self.current[member])
            if count == self._can_get(member):
                continue
            for topic in self.topics[member]:
                for number in range(self.partitions[topic]):
                    other = holder.get((topic, number), member)
                    if other != member and count + 1 < len(self.current[other]):
                        return False
        return True

    def _reassign(self, movable: Sequence[TopicPartition]) -> bool:
        """Move partitions as long as that improves the balance; whether any was moved."""
        moved = False
        while True:
            again = False
            for partition in movable:
                if self._is_balanced():
                    break
                again = self._improve(partition) or again
            moved = moved or again
            if not again:
                return moved

    def _improve(self, partition: TopicPartition) -> bool:
        count = len(self.current[self.owner[partition]])
        before = self.before.get(partition)
        if before is not None and before.member in self.current and count > len(self.current[before.member]) + 1:
            self._give(partition, before.member)
            return True
        if any(count > len(self.current[other]) + 1 for other in self.readers[partition[0]] if other in self.current):
            new = self._least(partition[0])
            assert new is not None
            self._give(partition, new)
            return True
        return False

    def _give(self, partition: TopicPartition, new: str) -> None:
        partition = self.movements.rather(partition, self.owner[partition], new)
        old = self.owner[partition]
        self.movements.move(partition, old, new)
        self.current[old].remove(partition)
        self.current[new].append(partition)
        self.owner[partition] = new


def _unevenness(assignment: Owned) -> int:
    """The sum of the differences between all pairs of members."""
    return sum(abs(len(one) - len(other)) for one, other in combinations(assignment.values(), 2))
