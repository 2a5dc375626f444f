"""Consumer groups: members poll their partitions, process one record after the other, and commit after each batch.

Members are static (`group.instance.id`), unless the group says how it rebalances (`membership.py`): one that crashes
keeps its partitions until the session times out, one that comes back has them back. A record that fails goes to the
next retry topic, its offset (and so what was processed before it) committed at once, or is redelivered in place.

What was handled and not committed is handled again after a crash; what was committed and not handled (`commit: before`)
is lost.

Without `fetch` a poll takes what there is.

Not modelled: without `membership` the pause of a rebalance, heartbeats and max.poll.interval; the time that a commit
takes, asynchronous commits that fail.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

from sim.models.clock import CONTROL, Signal
from sim.models.ending import stop_thread
from sim.models.fetching import Fetching
from sim.models.group import Delivery, Group, GroupPartition
from sim.models.handler import DONE_WITH, Handler
from sim.models.host import Host
from sim.models.link import Hop
from sim.models.outcomes import DEAD_LETTERED, LOST, OK, PROCESSED, QUEUED
from sim.models.sequence import StepSequence
from sim.models.task import Activity, Process, Replica, Task
from sim.models.topic import Message
from sim.spec.service import Consume
from sim.spec.sites import consumer_name
from sim.vocabulary import Stage


class Consumer(Handler):
    """One consumer: a thread of its own in a replica of its service."""

    def __init__(
        self, group: Group, service: Host, replica: Replica, spec: Consume, steps: StepSequence, fetch_hop: Hop
    ):
        name = consumer_name(service.name, group.name, group.topic.name)
        super().__init__(group.env, group, service, replica, spec, steps, name)
        self.group = group
        self.partitions: list[GroupPartition] = []
        self.first = 0  # the partition at which the next poll begins
        self.batch: deque[Delivery] = deque()  # polled and not committed
        self.fresh: list[Delivery] = []  # of these, what the last poll gave
        self.commits = spec.commit.when if spec.commit is not None else "batch"
        self.commit_interval = spec.commit.interval if spec.commit is not None else 0.0
        self.next_commit = self.commit_interval  # s; of automatic ones
        self.looks = False  # somebody will, when it is time for that
        self.transacted: Callable[[Task, Delivery], Activity] | None = None  # how a record is handled in a transaction
        self.gone: Callable[[], None] | None = None  # what becomes of the one that is open when it dies
        self.fetches = Fetching(self, spec.fetch) if spec.fetch is not None else None
        self.idle = False
        self.belongs = not replica.absent  # to the group, as far as the coordinator knows
        self.up = False
        self.leaving = False  # when what it has polled is over
        self.died = False  # with its replica, and has forgotten where it was
        self.owns = False  # partitions, as the group has dealt them out
        self.holding = False  # partitions, and is up
        self.holding_area = 0.0
        self.closing = False  # it stops when its batch is committed
        self.evicted = False  # from its group, while it handles a batch: others have that now
        self.fetch_hop = fetch_hop
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
        self.next_commit = self.env.now + self.commit_interval
        if self.fetches is not None:
            self.fetches.begin()
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
        if self.gone is not None:
            self.gone()
        if self.processing:
            self._rest()
        if self.closing and not self.replica.down:
            self._commit_handled()
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
        """What it polled and did not commit is to be read again; what it committed and did not handle is lost."""
        if self.commits == "before":
            batch, self.batch = self.batch, deque()
            for delivery in batch:
                self.group.end(delivery, LOST)
            return
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
        self._commit_handled()
        self.up = self.leaving = self.idle = self.closing = False
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

    def fetch(self, message: Message) -> None:
        """A record has become readable while a fetch was waiting: it comes after one hop."""
        if self.fetches is not None and not self.fetches.enough():
            return
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
        while True:
            if self.replica.hung:
                yield from self.service.thaw(task, self.replica)
            yield from self.reach_broker(task)
            yield from self._join()
            self._poll()
            if not self.fresh:
                self._be_idle()
                yield
                continue
            self._begin()
            yield from self._handle_batch(task)
            self._rest()
            if self.leaving:
                self.env.schedule(Signal(self._leave_now))
                yield
            if self.closing:
                self.stop_soon()
                yield

    def _join(self) -> Activity:
        """A static member belongs to its group without a word."""
        return OK
        yield

    def _handle_batch(self, task: Task) -> Activity:
        """Handle what was polled, and commit before, after, or between."""
        if self.commits == "before":
            for delivery in self.fresh:
                delivery.partition.committed = True
        for delivery in self.fresh:
            yield from self._process(task, delivery)
            if self.commits == "before":
                self._end_handled(delivery)
            elif self.commits == "record" or self.transacted is not None:
                yield from self.reach_broker(task)
                if not self.evicted:
                    self._end_handled(delivery)
        if self.commits == "batch" and self.transacted is None:
            yield from self.reach_broker(task)
            if not self.evicted:  # else CommitFailedException
                self._commit()
        self.evicted = False
        return OK

    def reach_broker(self, task: Task) -> Activity:
        """As soon as the broker is there."""
        broker, wire = self.group.topic.broker, self.fetch_hop.wire
        while broker.down or wire.cuts:
            broker.waiting.append(task)
            yield
        return OK

    def _end_handled(self, delivery: Delivery) -> None:
        """A record is handled, and committed."""
        if delivery in self.batch:  # else it has moved to a retry topic, or was given back
            self.batch.remove(delivery)
            delivery.partition.committed = True
            self.group.end(delivery, delivery.how)

    def _be_idle(self) -> None:
        """It waits for something to fetch; a poll that gives nothing commits, too."""
        self.idle = True
        if self.fetches is not None:
            self.fetches.be_patient()
        self._commit_later()

    def _commit_later(self) -> None:
        """What is handled and not committed is, when it is time."""
        if self.batch and not self.looks:
            self.looks = True
            self.env.hold(Signal(self._look_at_commit), max(0.0, self.next_commit - self.env.now))

    def _look_at_commit(self, _: object) -> None:
        self.looks = False
        if self.up and not self.processing:
            self._commit_in_poll()
            self._commit_later()

    def _commit_in_poll(self) -> None:
        """The automatic commit of a poll, when it is time."""
        if self.up and not self.processing and self.env.now >= self.next_commit:
            self._commit_handled()

    def _commit_handled(self) -> None:
        """Under automatic commits: what is handled is committed."""
        if self.commits == "automatic":
            self.next_commit = self.env.now + self.commit_interval
            self._commit()

    def _poll(self) -> None:
        """Up to max_poll_records, due retries first, partition after partition in turn."""
        if self.commits == "automatic":
            self._commit_in_poll()
        partitions = self.partitions
        room = self.spec.max_poll_records
        fresh = self.fresh = []
        closed = self.fetches.closed() if self.fetches is not None else ()
        for turn in range(len(partitions)):
            partition = partitions[(self.first + turn) % len(partitions)]
            if partition.owner is not self or partition.offline:
                continue
            if partition.out_of_range:
                self.group.back_in_range(partition, self)
            for waiting in (partition.retries, partition.readable) if partition not in closed else (partition.retries,):
                while waiting and room:
                    fresh.append(waiting.popleft())
                    room -= 1
        self.batch.extend(fresh)
        if self.fetches is not None:
            self.fetches.polled()
        if partitions:
            self.first = (self.first + 1) % len(partitions)

    def _process(self, task: Task, delivery: Delivery) -> Activity:
        """Deliver one record until it has ended or moved to a retry topic."""
        while True:
            outcome = yield from (self.transacted or self.deliver)(task, delivery)
            if self.evicted:  # the record is no longer its own
                return OK
            if outcome in DONE_WITH:
                delivery.how, delivery.end = PROCESSED, self.env.now
                self.remember(delivery.message)
                return OK
            delivery.failures += 1
            if self.spec.retry_topic is not None:
                self._move_to_retry_topic(delivery, self.spec.retry_topic.pauses)
                return OK
            if delivery.count >= self.spec.max_deliveries:
                delivery.how, delivery.end = DEAD_LETTERED, self.env.now
                return OK
            self.env.go_on_at_once(task)

    def deliver(self, task: Task, delivery: Delivery) -> Activity:
        """Once more: the outcome of the steps."""
        group = self.group
        delivery.count += 1
        group.delivered += 1
        if delivery.count > 1:
            group.redelivered += 1
        return self.handle(task, delivery.message, delivery.count - 1, delivery.flow)

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
