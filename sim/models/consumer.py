"""Consumer groups: members poll their partitions, process one record after the other, and commit after each batch.

Members are static (`group.instance.id`), unless the group says how it rebalances (`membership.py`): one that crashes
keeps its partitions until the session times out, one that comes back has them back. A record that fails goes to the
next retry topic, its offset (and so what was processed before it) committed at once, or is redelivered in place.

Not modelled: without `membership` the pause of a rebalance, heartbeats and max.poll.interval; fetch sizes, automatic
commits in the background, transactions (exactly once), lag of commits behind processing within a batch.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from sim.chance.chain import link_chain
from sim.chance.keyed import stream_number
from sim.models.clock import CONTROL, Signal
from sim.models.ending import stop_thread
from sim.models.group import PROCESSED, QUEUED, Delivery, Group, GroupPartition
from sim.models.host import Host
from sim.models.link import Hop
from sim.models.outcomes import OK, REFUSED
from sim.models.sequence import StepSequence
from sim.models.task import Activity, Process, Replica, Task
from sim.models.topic import Message
from sim.spec.service import Consume
from sim.spec.sites import consumer_name
from sim.vocabulary import MessageEnd, Stage

DONE_WITH = (OK, REFUSED)  # outcomes of the steps that no redelivery follows
DEAD_LETTERED = int(MessageEnd.DEAD_LETTERED)


class Consumer:
    """One consumer: a thread of its own in a replica of its service."""

    def __init__(
        self, group: Group, service: Host, replica: Replica, spec: Consume, steps: StepSequence, fetch_hop: Hop
    ):
        self.group = group
        self.env = group.env
        self.service = service
        self.replica = replica
        self.spec = spec
        self.steps = steps
        self.partitions: list[GroupPartition] = []
        self.first = 0  # the partition at which the next poll begins
        self.batch: deque[Delivery] = deque()  # polled and not committed
        self.idle = False
        self.belongs = not replica.absent  # to the group, as far as the coordinator knows
        self.up = False
        self.leaving = False  # when what it has polled is over
        self.died = False  # with its replica, and has forgotten where it was
        self.owns = False  # partitions, as the group has dealt them out
        self.holding = False  # partitions, and is up
        self.holding_area = 0.0
        self.busy_area = 0.0
        self.processing = False
        self.closing = False  # it stops when its batch is committed
        self.evicted = False  # from its group, while it handles a batch: others have that now
        self.fetch_hop = fetch_hop
        name = consumer_name(service.name, group.name, group.topic.name)
        self.salt = stream_number(name) >> 33  # of the draws of error faults
        group.members.append(self)
        self.task = Task(None, 0, 0, None, replica)
        if not replica.absent:
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
        self.env.wake(self.task)

    def stop(self) -> None:
        """It is dead, or refuses: what it polled and did not commit will be delivered again."""
        self.died = self.died or self.replica.down
        if not self.up:
            return
        self.up = self.leaving = False
        self.hold(self.owns)
        stop_thread(self.task)
        if self.processing:
            self._rest()
        self.idle = self.closing = False
        self.give_back()
        self.service.drained(self.replica)

    def close(self) -> None:
        """Stop in order: what it has in hand is handled and committed first."""
        if not self.up:
            return
        self.closing = True
        if not self.processing:
            self.stop()

    def stop_soon(self) -> None:
        """Stop as soon as nothing runs in its thread."""
        self.env.schedule(Signal(self._stop_now))

    def _stop_now(self, _: object) -> None:
        if self.closing:
            self.stop()

    def give_back(self) -> None:
        """What it polled and did not commit is to be read again."""
        for delivery in reversed(self.batch):
            if delivery.how == PROCESSED:
                delivery.how, delivery.end = QUEUED, math.nan
            partition = delivery.partition
            from_retry_topic = delivery.failures and self.spec.retry_topic is not None
            (partition.retries if from_retry_topic else partition.readable).appendleft(delivery)
            self.group.note(delivery, Stage.LAG)
        batch, self.batch = self.batch, deque()
        for delivery in batch:  # the partition may have moved to another member while this one was at it
            delivery.partition.notify(delivery.message)

    def begin_session_timeout(self) -> None:
        """It has crashed: its partitions move when its session times out, unless it is back before."""
        task = self.task  # of the life that has ended: one who comes back and dies again has a session of its own

        def expire(_: object) -> None:
            if self.replica.down and self.belongs and self.task is task:
                self.belongs = False
                self.group.rebalance()

        self.env.schedule(Signal(expire), CONTROL, self.spec.session_timeout)

    def leave(self) -> None:
        """Leave the group when what is polled is over: its partitions move at once, not when a session times out."""
        if not self.up:
            return
        self.leaving = True
        if not self.processing:
            stop_thread(self.task)
            self._leave()

    def _leave_now(self, _: object) -> None:
        if self.leaving:
            stop_thread(self.task)
            self._leave()

    def _leave(self) -> None:
        self.up = self.leaving = self.idle = False
        self.hold(self.owns)
        self.belongs = False
        self.group.rebalance()
        self.service.drained(self.replica)

    def rejoin(self) -> None:
        """It polls again, and has its partitions back if the group had given it up."""
        self.start()
        if not self.belongs:
            self.belongs = True
            self.group.rebalance()

    def hold(self, owns: bool) -> None:
        """It has partitions from now on, or none, or has come up or gone down."""
        self.owns = owns
        holding = owns and self.up
        if holding != self.holding:
            self.holding = holding
            self.holding_area += -self.env.now if holding else self.env.now

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
            self.env.hold(self.task, delay)
        else:
            self.wake_up()

    def wake_up(self) -> None:
        """Poll again."""
        self.idle = False
        self.env.wake(self.task)

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
            if self.leaving:
                self.env.schedule(Signal(self._leave_now))
                yield
            if self.closing:
                self.stop_soon()
                yield

    def _rest(self) -> None:
        """The batch is over, one way or another."""
        self.processing = False
        self.busy_area += self.env.now
        self.group.busy -= 1
        self.group.busy_area += self.env.now

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
        while True:
            outcome = yield from self._deliver(task, delivery)
            if self.evicted:  # the record is no longer its own
                return OK
            if outcome in DONE_WITH:
                delivery.how, delivery.end = PROCESSED, self.env.now
                if self.spec.idempotent:
                    self.group.known.add(delivery.message.event)
                return OK
            delivery.failures += 1
            if self.spec.retry_topic is not None:
                self._move_to_retry_topic(delivery, self.spec.retry_topic.delays)
                return OK
            if delivery.count >= self.spec.max_deliveries:
                delivery.how, delivery.end = DEAD_LETTERED, self.env.now
                return OK
            self.env.go_on_at_once(task)

    def _deliver(self, task: Task, delivery: Delivery) -> Activity:
        """Once more: the outcome of the steps."""
        group, message = self.group, delivery.message
        delivery.count += 1
        group.delivered += 1
        if delivery.count > 1:
            group.redelivered += 1
        task.request = message.request
        task.chain = link_chain(message.chain, 0, delivery.count - 1)
        task.path = link_chain(message.path, 0, 0)
        task.degraded = False
        task.flow = delivery.flow
        outcome = OK
        if not (self.spec.idempotent and message.event in group.known):
            if self.service.error_faults:
                outcome = self.service.error_fault_hits(task, self.salt)
            if not outcome:
                outcome = yield from self.steps.run(task)
        task.flow = -1
        return outcome

    def _move_to_retry_topic(self, delivery: Delivery, delays: Sequence[float]) -> None:
        """To the next one, where it waits; behind the last there are dead letters."""
        self.batch.remove(delivery)
        self._commit_before(delivery)
        if delivery.failures > len(delays):
            self.group.end(delivery, DEAD_LETTERED)
        else:
            self.group.delayed[delivery] = None
            self.group.note(delivery, Stage.RETRY_TOPIC)
            self.env.hold(delivery, delays[delivery.failures - 1])

    def _commit_before(self, failed: Delivery) -> None:
        """Commit at a record that moves on to the next retry topic: an offset, so what was processed before it in its
        topic has ended too.
        """
        failed.partition.committed = True
        for delivery in list(self.batch):
            # Of the partition itself, or of one of its retry topics.
            of_its_topic = delivery.partition is failed.partition and delivery.failures == failed.failures - 1
            if of_its_topic and delivery.how == PROCESSED:
                self.batch.remove(delivery)
                self.group.end(delivery, PROCESSED)

    def _commit(self) -> None:
        """Commit the batch: its messages have ended for the group."""
        for delivery in self.batch:
            delivery.partition.committed = True
            self.group.end(delivery, delivery.how)
        self.batch = deque()
