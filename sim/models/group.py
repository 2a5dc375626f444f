"""Consumer groups of a topic: who has which partition, what has become of each message, and the books."""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

from sim.models.clock import Signal
from sim.models.context import Context
from sim.models.outcomes import DROPPED, EXPIRED, LOST, QUEUED, SKIPPED
from sim.models.topic import Message, Topic
from sim.policies.assignor import range_assign
from sim.spec.service import Consume
from sim.vocabulary import EventKind, MessageEnd, Stage

MEMBER = "busy member"  # how the series of a member begins; its number follows
MOST_WATCHED = 256  # members of a group with a series of their own: beyond it the time series would outgrow the run


class Member(Protocol):
    """A consumer, as its group knows it (`models/consumer.py`)."""

    spec: Consume
    partitions: list[GroupPartition]
    batch: deque[Delivery]  # polled and not committed
    belongs: bool  # to the group, as far as the coordinator knows
    idle: bool  # waits for something to poll
    holding: bool  # partitions, and is up
    holding_area: float  # the integral of that, less the time when it began

    def hold(self, owns: bool) -> None:
        """It has partitions from now on, or none."""

    def fetch(self, message: Message) -> None:
        """A record has become readable while a fetch was waiting."""

    def wake_up(self) -> None:
        """Poll again."""

    def busy_until(self, now: float) -> float:
        """Seconds in which it was processing a batch."""


class Delivery(Signal):
    """One message on its way through one group; as an event, the end of its delay in a retry topic."""

    __slots__ = ("count", "end", "failures", "flow", "how", "message", "partition")

    def __init__(self, message: Message, partition: GroupPartition):
        super().__init__(partition.due)
        self.message = message
        self.partition = partition
        self.count = 0  # deliveries
        self.failures = 0
        self.how = QUEUED
        self.end = math.nan
        group = partition.group
        recorder = group.recorder
        self.flow = recorder.follow(message.request, message.flow, group.name_index)
        recorder.note(message.request, self.flow, Stage.LAG, group.name_index)


class GroupPartition:
    """One partition as one group sees it."""

    __slots__ = ("committed", "group", "offline", "out_of_range", "owner", "readable", "retries")

    def __init__(self, group: Group):
        self.group = group
        self.owner: Member | None = None
        self.readable: deque[Delivery] = deque()  # not polled yet
        self.retries: deque[Delivery] = deque()  # due in a retry topic, not polled yet
        self.committed = False  # whether the group has a committed offset here
        self.offline = False  # nobody leads it
        self.out_of_range = False  # what was to be read next is deleted

    def due(self, delivery: Delivery) -> None:
        """The delay in the retry topic is over."""
        del self.group.delayed[delivery]
        self.group.note(delivery, Stage.LAG)
        self.retries.append(delivery)
        self.notify(delivery.message)

    def notify(self, message: Message) -> None:
        """There is something to poll."""
        if self.owner is not None and self.owner.idle:
            self.owner.fetch(message)


class Group:
    """One consumer group of one topic: its offsets, members and books."""

    def __init__(self, context: Context, name: str, topic: Topic):
        self.env = context.env
        self.recorder = context.recorder
        self.name = name
        self.topic = topic
        self.component = f"{name} {topic.name}"
        self.name_index = context.recorder.name(name)
        self.partitions = [GroupPartition(self) for _ in topic.partitions]
        self.members: list[Member] = []
        self.ended = [0] * len(MessageEnd)
        self.lag = 0
        self.delivered = 0
        self.redelivered = 0
        self.delayed: dict[Delivery, None] = {}  # in a retry topic, not due yet
        self.unstable: list[deque[Message]] | None = (
            None  # of who reads committed records: those from an open transaction on
        )
        self.known: set[tuple[int, int]] = set()  # events that are processed already, for idempotent consumers
        watch = context.recorder.watch
        watch(self.component, "lag", "level", lambda _: self.lag)
        watch(self.component, "delivered", "total", lambda _: self.delivered)
        watch(self.component, "redelivered", "total", lambda _: self.redelivered)
        self.busy = 0  # members that process a batch now
        self.busy_area = 0.0
        watch(self.component, "busy", "mean", lambda now: self.busy_area + self.busy * now)
        watch(self.component, "workers", "mean", self._members_at_work)
        topic.groups.append(self)

    def _members_at_work(self, now: float) -> float:
        """Integral of the members that are up and hold partitions: nobody else can do anything."""
        return sum(member.holding_area + (now if member.holding else 0.0) for member in self.members)

    def watch_members(self) -> None:
        """A series for each of those that can hold partitions at once, where they are not too many: one of them may be
        full while the others are idle.
        """
        if min(len(self.members), len(self.partitions)) > 1 and len(self.members) <= MOST_WATCHED:
            for index, member in enumerate(self.members):
                self.recorder.watch(self.component, f"{MEMBER} {index}", "mean", member.busy_until)

    def readable(self, message: Message) -> None:
        """A record has become readable, at least for who reads uncommitted ones."""
        if self.unstable is not None:
            self.unstable[message.partition.index].append(message)
            self.settle(message.partition.index)
        else:
            self._deliver(message)

    def settle(self, index: int) -> None:
        """What is before the first record of an open transaction is stable; those of aborted ones are passed over."""
        if self.unstable is None:
            return
        waiting = self.unstable[index]
        while waiting and (waiting[0].transaction is None or not waiting[0].transaction.open):
            message = waiting.popleft()
            if message.transaction is not None and not message.transaction.committed:
                self.end_unread(message, DROPPED)
            else:
                self._deliver(message)

    def read_committed(self) -> None:
        """Records of open transactions are not for this group."""
        self.unstable = [deque() for _ in self.partitions]

    def _deliver(self, message: Message) -> None:
        partition = self.partitions[message.partition.index]
        partition.readable.append(Delivery(message, partition))
        self.lag += 1
        partition.notify(message)

    def assign(self) -> None:
        """Deal the partitions out to the members that are there (Kafka's range assignor)."""
        members = [member for member in self.members if member.belongs]
        owners = [partition.owner for partition in self.partitions]
        for partition in self.partitions:
            partition.owner = None
        if not members:
            for member in self.members:
                member.hold(False)
            return
        for member in self.members:
            if not member.belongs:
                member.hold(False)
        for member, indices in zip(members, range_assign(len(members), len(self.partitions)), strict=True):
            member.partitions = [self.partitions[index] for index in indices]
            member.hold(bool(indices))
            for index in indices:
                self.partitions[index].owner = member
                if owners[index] is not member:
                    self.reset_offset(self.partitions[index], member)
            if member.idle and any(partition.readable or partition.retries for partition in member.partitions):
                member.wake_up()

    def rebalance(self) -> None:
        """Deal the partitions out again."""
        self.assign()
        members = sum(member.belongs for member in self.members)
        self.recorder.event(EventKind.PARTITIONS_ASSIGNED, self.name, self.topic.name, members)

    def reset_offset(self, partition: GroupPartition, member: Member) -> None:
        """auto_offset_reset of one who does not know its place here, where the group has committed nothing: `latest`
        starts at the end.
        """
        if member.spec.auto_offset_reset == "latest" and not partition.committed:
            while partition.readable:
                self.end(partition.readable.popleft(), SKIPPED)

    # -- what befalls the log ----------------------------------------------------------------------------------------

    def end_unread(self, message: Message, how: int) -> None:
        """A record that nobody could read has ended."""
        self.lag += 1
        self.end(Delivery(message, self.partitions[message.partition.index]), how)

    def set_offline(self, index: int, offline: bool) -> None:
        """Nobody leads a partition from now on, or somebody does: who waits for its records gets them."""
        partition = self.partitions[index]
        partition.offline = offline
        waiting = partition.readable or partition.retries
        if not offline and waiting and partition.owner is not None and partition.owner.idle:
            partition.owner.wake_up()

    def lose(self, index: int, first: int) -> None:
        """Records from this offset on are lost that nobody has polled."""
        partition = self.partitions[index]
        if self.unstable is not None:
            for message in [message for message in self.unstable[index] if message.offset >= first]:
                self.unstable[index].remove(message)
                self.end_unread(message, LOST)
        kept = deque[Delivery]()
        for delivery in partition.readable:
            if delivery.message.offset >= first:
                self.end(delivery, LOST)
            else:
                kept.append(delivery)
        partition.readable = kept

    def delete_before(self, index: int, first: int) -> None:
        """Records before this offset are deleted, also those that nobody has polled."""
        partition = self.partitions[index]
        while partition.readable and partition.readable[0].message.offset < first:
            self.end(partition.readable.popleft(), EXPIRED)
            partition.out_of_range = True

    def drop(self, index: int, offsets: set[int]) -> None:
        """These records were replaced by later ones of their key."""
        partition = self.partitions[index]
        kept = deque[Delivery]()
        for delivery in partition.readable:
            if delivery.message.offset in offsets:
                self.end(delivery, DROPPED)
            else:
                kept.append(delivery)
        partition.readable = kept

    def back_in_range(self, partition: GroupPartition, member: Member) -> None:
        """auto_offset_reset of one whose next record is deleted: `latest` goes on at the end."""
        partition.out_of_range = False
        if member.spec.auto_offset_reset == "latest":
            while partition.readable:
                self.end(partition.readable.popleft(), SKIPPED)

    def note(self, delivery: Delivery, kind: Stage) -> None:
        """What becomes of a delivery from now on, where spans are kept."""
        self.recorder.note(delivery.message.request, delivery.flow, kind, self.name_index)

    def end(self, delivery: Delivery, how: int) -> None:
        """The message has ended for this group: its row is written."""
        if delivery.how == QUEUED:
            delivery.how = how
            delivery.end = self.env.now
        self.ended[delivery.how] += 1
        self.lag -= 1
        self.note(delivery, Stage.END)
        delivery.message.write(self.recorder, self.name_index, delivery.end, delivery.count, delivery.how)
        delivery.message.request.done()

    def unended(self) -> list[Delivery]:
        """Readable messages that have not ended, found by looking: waiting, delayed, or in a batch."""
        found = [delivery for partition in self.partitions for delivery in (*partition.readable, *partition.retries)]
        found += [delivery for member in self.members for delivery in member.batch]
        return found + list(self.delayed)

    def count_unended(self) -> int:
        """How many those are."""
        return len(self.unended()) + sum(len(waiting) for waiting in self.unstable or ())

    def write_unended(self) -> None:
        """Append their rows; also of what was processed and not committed, which would be delivered again."""
        for delivery in self.unended():
            delivery.message.write(self.recorder, self.name_index, math.nan, delivery.count, QUEUED)
        for waiting in self.unstable or ():
            for message in waiting:
                message.write(self.recorder, self.name_index, math.nan, 0, QUEUED)
