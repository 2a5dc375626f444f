"""Replicas of the partitions of a log, and followers that are behind: the models' own topics, over rows of this engine.

Who leads, who is in sync and what is lost with a leader is decided rarely (`models/logs/replicated.py`). What a record
comes by is machine code (`leaders.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sim.compiled import calendar, consumers, leaders, transactions
from sim.compiled.codes import LOST
from sim.compiled.retention import GroupOfTopic
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.logs import Copy as CopyRow
from sim.compiled.rows.logs import GroupPartition as GroupPartitionRow
from sim.compiled.rows.logs import Partition as PartitionRow
from sim.compiled.rows.logs import Topic as TopicRow
from sim.compiled.rows.logs import (
    copies,
    deliveries,
    group_of,
    group_partitions,
    groups,
    lacks,
    members,
    messages,
    partitions,
    topics,
)
from sim.compiled.topics import replication_time
from sim.compiled.views import of_row
from sim.models.logs.replicated import ReplicatedTopic

if TYPE_CHECKING:
    from sim.compiled.machine import Machine
    from sim.compiled.nodes import BrokerView
    from sim.compiled.rows.state import State

Model = Any  # of the models, whose parts are exchanged for views


class TopicView(ReplicatedTopic):
    """A topic with replicas."""

    lost: int = of_row()  # records that were acknowledged and are gone
    looks: bool = of_row()  # whether there is a look to come at who is behind

    partitions: list[Model]  # views of them

    def __init__(self, machine: Machine, broker: BrokerView, model: Model):
        self.machine, self.at = machine, machine.wiring.topic_at[model]
        self.env: Model = broker.env
        self.recorder: Model = machine.elasticity.recorder
        self.broker, self.name, self.spec = broker, model.name, model.spec
        first, row = self.row.first, self.row
        self.partitions = [PartitionView(self, first + partition.index, partition) for partition in model.partitions]
        its = range(row.first_group, row.first_group + row.groups)
        self.groups: list[Model] = [GroupView(machine, group_of(self.s)[group]) for group in its]
        row.look = machine.control.membership.order(lambda: self._look(None), lasting=True)

    @property
    def s(self) -> State:
        """The state of the run."""
        return self.machine.s

    @property
    def row(self) -> TopicRow:
        """Its row."""
        return topics(self.s)[self.at]

    # -- what differs from the models: rows ----------------------------------------------------------------------------

    def replication_time(self, entity: int, chain: int) -> float:
        """Seconds until a follower has a record, unless its disk is slow."""
        return float(replication_time(self.s, self.at, entity, chain))

    def _make_room(self) -> None:
        if self.s.must_grow:
            self.machine.grow()

    def _look_later(self) -> None:
        leaders.look_at_replicas_later(self.s, self.at)

    def _send(self, partition: Model, copy: Model, end: int, delay: float) -> None:  # noqa: ARG002 - the row knows
        self._make_room()
        leaders.ship(self.s, copy.place, end, float(delay))

    def advance(self, partition: Model) -> None:
        """The high watermark goes to where all in-sync replicas are."""
        self._make_room()
        leaders.advance(self.s, partition.place)

    def _leave_waiting(self, messages: Iterable[Model]) -> None:
        for message in messages:
            leaders.leave_waiting(self.s, message)

    def _cut_off(self, partition: Model, first: int) -> None:
        self._make_room()
        leaders.cut_off(self.s, partition.place, first)


class PartitionView:
    """A partition with a leader and followers."""

    end: int = of_row()  # the next offset
    mark: int = of_row()  # the high watermark
    epoch: int = of_row()  # the term of who leads, or led last

    def __init__(self, topic: TopicView, place: int, model: Model):
        self.machine, self.place, self.index = topic.machine, place, model.index
        self.appointed, self.term, self.known = model.appointed, 0, True
        first = self.row.first_copy
        self.copies = {node: CopyView(self.machine, first + index, node) for index, node in enumerate(model.copies)}

    @property
    def row(self) -> PartitionRow:
        """Its row."""
        return partitions(self.machine.s)[self.place]

    @property
    def leader(self) -> int | None:
        """The node that leads."""
        led = self.row.leader
        return next((copy.node for copy in self.copies.values() if copy.place == led), None)

    @leader.setter
    def leader(self, leader: int | None) -> None:
        """From now on."""
        self.row.leader = self.copies[leader].place if leader is not None else NOBODY

    @property
    def in_sync(self) -> InSync:
        """The nodes that are in sync."""
        return InSync(self)

    @in_sync.setter
    def in_sync(self, those: Sequence[int]) -> None:
        """From now on."""
        for node, copy in self.copies.items():
            copy.row.in_sync = node in those
        self.row.in_sync = len(those)

    @property
    def unreadable(self) -> list[int]:
        """The messages that are not in all in-sync replicas, by their places."""
        s, found = self.machine.s, []
        message = self.row.first
        while message >= 0:
            found.append(message)
            message = messages(s)[message].next
        return found


class InSync:
    """The in-sync replicas of a partition."""

    def __init__(self, partition: PartitionView):
        self.partition = partition

    def __contains__(self, node: int) -> bool:
        return node in self.partition.copies and self.partition.copies[node].row.in_sync

    def __len__(self) -> int:
        return self.partition.row.in_sync

    def remove(self, node: int) -> None:
        """It is in sync no more."""
        self.partition.copies[node].row.in_sync = False
        self.partition.row.in_sync -= 1


class CopyView:
    """One replica of one partition."""

    end: int = of_row()  # the first offset that it lacks
    due: float = of_row()  # when it has what is under way to it, s
    life: int = of_row()  # changes when what is under way to it does not come any more

    def __init__(self, machine: Machine, place: int, node: int):
        self.machine, self.place, self.node = machine, place, node

    @property
    def row(self) -> CopyRow:
        """Its row."""
        return copies(self.machine.s)[self.place]

    def is_new_to_leader(self, now: float) -> None:
        """What it lacks counts from now on."""
        lack = self.row.first
        while lack >= 0:
            lacks(self.machine.s)[lack].written = now
            lack = lacks(self.machine.s)[lack].next

    @property
    def lacks(self) -> Lacks:
        """The records that it does not have."""
        return Lacks(self)


class Lacks:
    """The records that a replica does not have."""

    def __init__(self, copy: CopyView):
        self.copy = copy

    def __bool__(self) -> bool:
        row = self.copy.row
        return row.end < partitions(self.copy.machine.s)[row.partition].end

    def __getitem__(self, _first: int) -> tuple[int, float]:
        """The offset of the first of them, and when it was written: nobody asks for another, nor of one out of sync."""
        lack = lacks(self.copy.machine.s)[self.copy.row.first]
        return lack.offset, lack.written

    def clear(self) -> None:
        """It has all there is."""
        while self.copy.row.first >= 0:
            leaders.drop_lack(self.copy.machine.s, self.copy.place)


class GroupView(GroupOfTopic):
    """A group, as the nodes of its topic know it."""

    def _partition(self, index: int) -> GroupPartitionRow:
        s = self.machine.s
        return group_partitions(s)[groups(s)[self.group].first + index]

    def set_offline(self, index: int, offline: bool) -> None:
        """Nobody leads a partition from now on, or somebody does: who waits for its records gets them."""
        s, partition = self.machine.s, self._partition(index)
        partition.offline = offline
        partition.obstructed = offline or partition.out_of_range
        waiting = partition.waiting.first >= 0 or partition.retries.first >= 0
        if offline or not waiting or partition.owner < 0 or not members(s)[partition.owner].idle:
            return
        members(s)[partition.owner].idle = False
        calendar.make_ready(s, members(s)[partition.owner].task)

    def lose(self, index: int, first: int) -> None:
        """Records from this offset on are lost that nobody has polled."""
        s, place = self.machine.s, groups(self.machine.s)[self.group].first + index
        for delivery in self._line(self._partition(index).unstable.first):
            if self._offset(delivery) >= first:
                self._make_room()
                transactions.lose_unstable(s, delivery)
        for delivery in self._waiting(place):
            if self._offset(delivery) >= first:
                self._make_room()
                consumers.end_unpolled(s, delivery, LOST)

    def _line(self, delivery: int) -> list[int]:
        found = []
        while delivery >= 0:
            found.append(delivery)
            delivery = deliveries(self.machine.s)[delivery].next
        return found

    def _make_room(self) -> None:
        if self.machine.s.must_grow:
            self.machine.grow()
