"""Consumer groups: members poll their partitions, process one record after the other, and commit after each batch.

Members are static (`group.instance.id`): one that crashes keeps its partitions until the session times out, one that comes back has
them back. A record that fails goes to the next retry topic, its offset (and so what was processed before it) committed at once, or is
redelivered in place.

Not modelled: the pause of a rebalance, heartbeats and max.poll.interval, fetch sizes, automatic commits in the background,
transactions (exactly once), lag of commits behind processing within a batch.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from sim.chance.chain import link_chain
from sim.chance.keyed import stream_number
from sim.models.clock import Signal
from sim.models.ending import stop_thread
from sim.models.task import Activity, Process, Task
from sim.policies.assignor import range_assign
from sim.spec.sites import consumer_name
from sim.vocabulary import MessageEnd, Outcome, Stage

if TYPE_CHECKING:
    from sim.models.service import Service
    from sim.models.site import StepSequence
    from sim.models.task import Replica
    from sim.models.topic import Message, Topic
    from sim.models.world import World
    from sim.spec.service import Consume

DONE_WITH = (int(Outcome.OK), int(Outcome.REFUSED))  # outcomes of the steps that no redelivery follows
PROCESSED, DEAD_LETTERED, SKIPPED, QUEUED = int(MessageEnd.PROCESSED), int(MessageEnd.DEAD_LETTERED), int(MessageEnd.SKIPPED), int(MessageEnd.QUEUED)

MEMBER = "busy member"  # how the series of a member begins; its number follows
MOST_WATCHED = 256  # members of a group with a series of their own: beyond it the time series would outgrow the run


class Delivery(Signal):
    """One message on its way through one group; as an event of the clock it is the end of its delay in a retry topic."""

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
        recorder = group.world.recorder
        self.flow = recorder.follow(message.request, message.flow, group.name_index)
        recorder.note(message.request, self.flow, Stage.LAG, group.name_index)


class GroupPartition:
    """One partition as one group sees it."""

    __slots__ = ("committed", "group", "owner", "readable", "retries")

    def __init__(self, group: Group):
        self.group = group
        self.owner: Member | None = None
        self.readable: deque[Delivery] = deque()  # not polled yet
        self.retries: deque[Delivery] = deque()  # due in a retry topic, not polled yet
        self.committed = False  # whether the group has a committed offset here

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

    def __init__(self, world: World, name: str, topic: Topic):
        self.world = world
        self.env = world.env
        self.name = name
        self.topic = topic
        self.component = f"{name} {topic.name}"
        self.name_index = world.recorder.name(name)
        self.partitions = [GroupPartition(self) for _ in topic.partitions]
        self.members: list[Member] = []
        self.ended = [0] * len(MessageEnd)
        self.lag = 0
        self.delivered = 0
        self.redelivered = 0
        self.delayed: dict[Delivery, None] = {}  # in a retry topic, not due yet
        self.known: set[tuple[int, int]] = set()  # (order, publishing site) of what is processed already, for idempotent consumers
        watch = world.recorder.watch
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
        """A series for each of those that can hold partitions at once, where they are not too many: one of them may be full while the others are idle."""
        if min(len(self.members), len(self.partitions)) > 1 and len(self.members) <= MOST_WATCHED:
            for index, member in enumerate(self.members):
                self.world.recorder.watch(self.component, f"{MEMBER} {index}", "mean", member.busy_until)

    def readable(self, message: Message) -> None:
        """A record has become readable."""
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

    def reset_offset(self, partition: GroupPartition, member: Member) -> None:
        """auto_offset_reset of one who does not know its place here, where the group has committed nothing: `latest` starts at the end."""
        if member.spec.auto_offset_reset == "latest" and not partition.committed:
            while partition.readable:
                self.end(partition.readable.popleft(), SKIPPED)

    def note(self, delivery: Delivery, kind: Stage) -> None:
        """What becomes of a delivery from now on, where spans are kept."""
        self.world.recorder.note(delivery.message.request, delivery.flow, kind, self.name_index)

    def end(self, delivery: Delivery, how: int) -> None:
        """The message has ended for this group: its row is written."""
        if delivery.how == QUEUED:
            delivery.how = how
            delivery.end = self.env.now
        self.ended[delivery.how] += 1
        self.lag -= 1
        self.note(delivery, Stage.END)
        self.write(delivery)
        delivery.message.request.done()

    def write(self, delivery: Delivery) -> None:
        """Append the row of a message."""
        message = delivery.message
        self.world.message_row(message, self.name_index, delivery.end, delivery.count, delivery.how)

    def unended(self) -> list[Delivery]:
        """Readable messages that have not ended, found by looking: waiting, delayed, or in a batch."""
        found = [delivery for partition in self.partitions for delivery in (*partition.readable, *partition.retries)]
        found += [delivery for member in self.members for delivery in member.batch]
        return found + list(self.delayed)

    def count_unended(self) -> int:
        """How many those are."""
        return len(self.unended())


class Member:
    """One consumer: a thread of its own in a replica of its service."""

    def __init__(self, group: Group, service: Service, replica: Replica, spec: Consume, steps: StepSequence):
        self.group = group
        self.world = group.world
        self.service = service
        self.replica = replica
        self.spec = spec
        self.steps = steps
        self.partitions: list[GroupPartition] = []
        self.first = 0  # the partition at which the next poll begins
        self.batch: deque[Delivery] = deque()  # polled and not committed
        self.idle = False
        self.belongs = True  # to the group, as far as the coordinator knows
        self.up = False
        self.died = False  # with its replica, and has forgotten where it was
        self.owns = False  # partitions, as the group has dealt them out
        self.holding = False  # partitions, and is up
        self.holding_area = 0.0
        self.busy_area = 0.0
        self.processing = False
        self.fetch_hop = self.world.network.hops(group.topic.broker.name, service.name, f"{service.name}/{group.component}")[0]
        self.salt = stream_number(consumer_name(service.name, group.name, group.topic.name)) >> 33  # of the draws of error faults
        group.members.append(self)
        self.start()

    def start(self) -> None:
        """Begin to poll; also after a crash or an outage."""
        if self.up:
            return
        self.up = True
        self.hold(self.owns)
        if self.died:
            self.died = False
            for partition in self.partitions:
                if partition.owner is self:
                    self.group.reset_offset(partition, self)
        self.batch = deque()
        self.idle = False
        self.task = Task(None, 0, 0, None, self.replica)
        self.task.own_thread = True
        self.task.begin(self._live(self.task))
        self.world.env.wake(self.task)

    def stop(self) -> None:
        """It is dead, or refuses: what it polled and did not commit will be delivered again."""
        self.died = self.died or self.replica.down
        if not self.up:
            return
        self.up = False
        self.hold(self.owns)
        stop_thread(self.task)
        if self.processing:
            self._rest()
        self.idle = False
        for delivery in reversed(self.batch):
            if delivery.how == PROCESSED:
                delivery.how, delivery.end = QUEUED, math.nan
            partition = delivery.partition
            from_retry_topic = delivery.failures and self.spec.retry_topic is not None
            (partition.retries if from_retry_topic else partition.readable).appendleft(delivery)
            self.group.note(delivery, Stage.LAG)
        batch, self.batch = self.batch, deque()
        for delivery in batch:
            delivery.partition.notify(delivery.message)  # the partition may have moved to another member while this one was at it

    def hold(self, owns: bool) -> None:
        """It has partitions from now on, or none, or has come up or gone down."""
        self.owns = owns
        holding = owns and self.up
        if holding != self.holding:
            self.holding = holding
            self.holding_area += -self.world.env.now if holding else self.world.env.now

    def busy_until(self, now: float) -> float:
        """Seconds in which it was processing a batch."""
        return self.busy_area + (now if self.processing else 0.0)

    def fetch(self, message: Message) -> None:
        """A record has become readable while a fetch was waiting: it comes after one hop."""
        self.idle = False
        hop = self.fetch_hop
        # What is lost is sent again until it comes (TCP); where nothing can come, `_live` waits.
        delay = 0.0 if hop.wire.cuts else hop.travel(message.request.id, message.chain)
        if delay > 0.0:
            self.world.env.hold(self.task, delay)
        else:
            self.wake_up()

    def wake_up(self) -> None:
        """Poll again."""
        self.idle = False
        self.world.env.wake(self.task)

    def _live(self, task: Task) -> Process:
        """poll, process, commit, for ever."""
        group = self.group
        broker = group.topic.broker
        wire = self.fetch_hop.wire
        while True:
            if self.replica.hung:
                yield from self.service.thaw(task, self.replica)
            while broker.down or wire.cuts:
                broker.waiting.append(task)
                yield
            self._poll()
            if not self.batch:
                self.idle = True
                yield
                continue
            self.processing = True
            self.busy_area -= group.env.now
            group.busy += 1
            group.busy_area -= group.env.now
            for delivery in list(self.batch):
                yield from self._process(task, delivery)
            while broker.down or wire.cuts:
                broker.waiting.append(task)
                yield
            self._commit()
            self._rest()

    def _rest(self) -> None:
        """The batch is over, one way or another."""
        self.processing = False
        self.busy_area += self.world.env.now
        self.group.busy -= 1
        self.group.busy_area += self.world.env.now

    def _poll(self) -> None:
        """Up to max_poll_records, due retries first, partition after partition in turn."""
        partitions = self.partitions
        room = self.spec.max_poll_records
        for turn in range(len(partitions)):
            partition = partitions[(self.first + turn) % len(partitions)]
            if partition.owner is not self:
                continue
            for waiting in (partition.retries, partition.readable):
                while waiting and room:
                    self.batch.append(waiting.popleft())
                    room -= 1
        if partitions:
            self.first = (self.first + 1) % len(partitions)

    def _process(self, task: Task, delivery: Delivery) -> Activity:
        """Deliver one record until it has ended or moved to a retry topic."""
        group = self.group
        message = delivery.message
        request = message.request
        event = (request.id, message.site)
        while True:
            delivery.count += 1
            group.delivered += 1
            if delivery.count > 1:
                group.redelivered += 1
            task.request = request
            task.chain = link_chain(message.chain, 0, delivery.count - 1)
            task.path = link_chain(message.path, 0, 0)
            task.degraded = False
            task.flow = delivery.flow
            if self.spec.idempotent and event in group.known:
                outcome = 0
            else:
                outcome = self.service.error_fault_hits(task, self.salt) if self.service.error_faults else 0
                if not outcome:
                    outcome = yield from self.steps.run(task)
            task.flow = -1
            if outcome in DONE_WITH:
                delivery.how, delivery.end = PROCESSED, self.world.env.now
                if self.spec.idempotent:
                    group.known.add(event)
                return 0
            delivery.failures += 1
            if self.spec.retry_topic is None:
                if delivery.count >= self.spec.max_deliveries:
                    delivery.how, delivery.end = DEAD_LETTERED, self.world.env.now
                    return 0
                self.world.env.go_on_at_once(task)
                continue
            self.batch.remove(delivery)
            self._commit_before(delivery)
            delays = self.spec.retry_topic.delays
            if delivery.failures > len(delays):
                group.end(delivery, DEAD_LETTERED)
            else:
                group.delayed[delivery] = None
                group.note(delivery, Stage.RETRY_TOPIC)
                self.world.env.hold(delivery, delays[delivery.failures - 1])
            return 0

    def _commit_before(self, failed: Delivery) -> None:
        """Commit at a record that moves on to the next retry topic: an offset, so what was processed before it in its topic has ended too."""
        failed.partition.committed = True
        for delivery in list(self.batch):
            same_topic = delivery.partition is failed.partition and delivery.failures == failed.failures - 1  # the partition, or one of its retry topics
            if same_topic and delivery.how == PROCESSED:
                self.batch.remove(delivery)
                self.group.end(delivery, PROCESSED)

    def _commit(self) -> None:
        """Commit the batch: its messages have ended for the group."""
        for delivery in self.batch:
            delivery.partition.committed = True
            self.group.end(delivery, delivery.how)
        self.batch = deque()
