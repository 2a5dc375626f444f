"""Groups that rebalance as Kafka's classic protocol does: who is a member, who notices what and when, and what stands
still.

A rebalance begins when a member comes, leaves, or is given up: its session has timed out since its last heartbeat, or
it has handled one batch for longer than `max_poll_interval`. Every member hears of it at its next heartbeat and joins
when it polls next, that is, when it has committed the batch in hand. When all have joined, and those who are dead have
been given up, the assignment takes two round trips (SyncGroup, OffsetFetch), and the new owners poll. Under `eager` a
member owns nothing from when it joins until then. Under `cooperative` it goes on; what is to move to another is given
up at the end of the first round, and dealt out at the end of a second.

A dynamic member that comes back is another one: until the session of the one that died has timed out, the group waits
for that one, too. A static member has its identity, and its partitions, back. A run begins with a group that is
assigned.

Not modelled: groups that read several topics rebalance topic by topic; subscriptions that change; heartbeats that are
lost or held up by a frozen process or a cut wire; coordinators that fail over.
"""

from __future__ import annotations

import math
from collections import deque

from sim.models.clock import CONTROL, TIMER, Signal
from sim.models.consumer import Consumer
from sim.models.draws import Draw
from sim.models.group import Delivery, Group, GroupPartition
from sim.models.host import Host
from sim.models.link import Hop
from sim.models.outcomes import OK
from sim.models.sequence import StepSequence
from sim.models.task import Activity, Replica, Task
from sim.policies.assignor import assign_numbers
from sim.spec.membership import Membership
from sim.spec.service import Consume
from sim.vocabulary import EventKind

STABLE, JOINING, SYNCING = range(3)
INITIAL_DELAY = 3.0  # s; group.initial.rebalance.delay.ms: of a group that was empty
ONE_WAYS = 4  # of SyncGroup and OffsetFetch, there and back


class Session:
    """One membership: from when a consumer joined the group for the first time until the group has given it up."""

    __slots__ = ("began", "consumer", "dead", "had", "joined", "notified")

    def __init__(self, consumer: ManagedConsumer, began: float):
        self.consumer = consumer
        self.began = began  # s; from then on it sends heartbeats
        self.dead = False  # and the group does not know it yet
        self.had: list[int] = []  # partitions, until the present round began
        self.joined = False  # in the present round
        self.notified = False  # that there is one


class Coordinator:
    """The coordinator of one group."""

    def __init__(self, group: Group, spec: Membership, session_timeout: float, phase: Draw):
        self.group = group
        self.phase = phase  # of the heartbeats of a member, as a share of their interval
        self.env = group.env
        self.spec = spec
        self.eager = spec.protocol == "eager"
        self.session_timeout = session_timeout
        self.sessions: dict[Session, None] = {}
        self.state = STABLE
        self.again = False  # somebody came or went while the assignment was under way
        self.rounds = 0

    # -- who comes and goes ------------------------------------------------------------------------------------------

    def enrol(self, consumer: ManagedConsumer) -> Session:
        """A new member, whose heartbeats come at times of its own."""
        session = Session(consumer, self.beats_since(consumer))
        self.sessions[session] = None
        return session

    def beats_since(self, consumer: ManagedConsumer) -> float:
        """A time in the past interval from which on its heartbeats are counted, s: nothing keeps those of a group in
        step.
        """
        consumer.lives += 1
        return self.env.now - self.phase(consumer.number, consumer.lives) * self.spec.beat

    def come(self, consumer: ManagedConsumer) -> Session:
        """A consumer joins a group that runs: all members have to."""
        was_empty = not self.sessions
        session = self.enrol(consumer)
        self.begin(session)
        if was_empty:
            self.env.hold(Signal(lambda _: self.join(session)), INITIAL_DELAY)
        else:
            self.join(session)
        return session

    def miss(self, session: Session) -> None:
        """Its process has died, which the group hears when its session times out after its last heartbeat."""
        session.dead = True
        beat = self.spec.beat
        last = session.began + math.floor((self.env.now - session.began) / beat) * beat
        due = max(last + self.session_timeout, self.env.now)

        def expire(_: object) -> None:
            if session.dead and session in self.sessions:
                self.give_up(session)

        self.env.schedule(Signal(expire), CONTROL, due - self.env.now)

    def give_up(self, session: Session) -> None:
        """It is no member any more: what it had is anybody's, and whoever is left has to share it."""
        del self.sessions[session]
        session.consumer.lose(session)
        if self.state == STABLE:
            self.begin(None)
        self.again = self.again or self.state == SYNCING
        self._look()

    # -- a round -----------------------------------------------------------------------------------------------------

    def begin(self, initiator: Session | None) -> None:
        """All members have to join, each when its next heartbeat has told it so."""
        if self.state != STABLE:
            self.again = self.again or self.state == SYNCING
            return
        self.state = JOINING
        self.group.recorder.event(EventKind.REBALANCE_BEGAN, self.group.name, self.group.topic.name, len(self.sessions))
        beat, now = self.spec.beat, self.env.now
        for session in self.sessions:
            if session is not initiator and not session.dead:
                wait = beat - math.fmod(now - session.began, beat)
                self.env.hold(Signal.calling(self._notify, session), wait)

    def _notify(self, session: Session) -> None:
        if self.state == JOINING and session in self.sessions and not session.joined and not session.dead:
            session.notified = True
            session.consumer.look_up()

    def join(self, session: Session) -> None:
        """It polls, and so joins."""
        if self.state == JOINING and session in self.sessions and not session.joined:
            session.joined = True
            session.had = self._owned(session)
            if self.eager:
                session.consumer.revoke()
            self._look()

    def _look(self) -> None:
        """Whether all have joined that are known."""
        if self.state != JOINING:
            return
        if not self.sessions:
            self.state = STABLE
        elif all(session.joined for session in self.sessions):
            self.state = SYNCING
            self.rounds += 1
            hop = next(iter(self.sessions)).consumer.fetch_hop
            delay = math.fsum(hop.travel(self.rounds, way) for way in range(ONE_WAYS))
            self.env.hold(Signal(self._assign), delay)

    def _assign(self, _: object) -> None:
        """The assignment has come to all members."""
        self.state = STABLE
        members = sorted(self.sessions, key=lambda session: session.consumer.number)
        for session in members:
            session.joined = session.notified = False
        moving = self._deal(members)
        for session in members:
            session.consumer.take_up()
        group = self.group
        group.recorder.event(EventKind.PARTITIONS_ASSIGNED, group.name, group.topic.name, len(members))
        again, self.again = self.again, False
        if moving or again:
            self.begin(None)
            for session in moving:
                self.join(session)

    def _owned(self, session: Session) -> list[int]:
        partitions = self.group.partitions
        return [index for index, partition in enumerate(partitions) if partition.owner is session.consumer]

    def _deal(self, members: list[Session]) -> list[Session]:
        """Make the new owners owners; the members that had to give something up for another, who waits for a second
        round.
        """
        partitions = self.group.partitions
        owned = [self._owned(session) for session in members]
        claims = [session.had for session in members] if self.eager else owned
        target = assign_numbers(self.spec.strategy, claims, len(partitions))
        moving = []
        for session, had, gets in zip(members, owned, target, strict=True):
            gone = [index for index in had if index not in gets]
            for index in gone:
                partitions[index].owner = None
            if gone:
                moving.append(session)
        left = {index for had, gets in zip(owned, target, strict=True) for index in had if index not in gets}
        for session, gets in zip(members, target, strict=True):
            session.consumer.own([partitions[index] for index in gets if index not in left])
        return moving


class ManagedConsumer(Consumer):
    """A consumer that heartbeats, joins, and may be given up by its group."""

    def __init__(
        self,
        group: Group,
        service: Host,
        replica: Replica,
        spec: Consume,
        steps: StepSequence,
        fetch_hop: Hop,
        coordinator: Coordinator,
    ):
        self.coordinator = coordinator
        self.number = len(group.members)  # by which members are sorted
        self.lives = 0
        self.session: Session | None = coordinator.enrol(self) if not replica.absent else None
        self.apart = False  # it waits for its assignment
        self.polled = 0.0  # s; when it polled last
        self.patience = Signal(self._look_at_batch)
        self.armed = False
        self.in_hand: deque[Delivery] = deque()  # of the last poll, what is not handled yet
        super().__init__(group, service, replica, spec, steps, fetch_hop)

    # -- life --------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """It is dead, or refuses, which the group does not know; one that closes says so, unless it is static."""
        was_up, leaves = self.up, self.closing and not self.coordinator.spec.static
        super().stop()
        if was_up:
            self.let_go()
            self.tell_group(leaves)

    def tell_group(self, leaves: bool) -> None:
        """It has stopped: the group hears so now, or misses it."""
        self.apart = False
        if self.session is None:
            return
        if leaves:
            self.coordinator.give_up(self.session)
        else:
            self.coordinator.miss(self.session)

    def leave(self) -> None:
        """Close when the batch in hand is committed."""
        self.close()

    def begin_session_timeout(self) -> None:
        """It began when it stopped."""

    def rejoin(self) -> None:
        """It is back: a static member has its identity, a dynamic one is new."""
        if self.up:
            return
        session = self.session
        static = self.coordinator.spec.static and session is not None and session in self.coordinator.sessions
        if static and session is not None:
            session.dead = False
            session.began = self.coordinator.beats_since(self)
            self.start()
            if self.coordinator.state == JOINING and not session.joined:
                session.notified = True
            return
        self.evicted = False
        if session is not None and session in self.coordinator.sessions:
            self.disown()  # what the one had that died, this one does not know
        self.start()
        self.session = self.coordinator.come(self)

    # -- what the coordinator says -----------------------------------------------------------------------------------

    def look_up(self) -> None:
        """There is a rebalance: who waits in `poll` joins at once, whoever handles a batch when it is done."""
        if self.idle:
            self.wake_up()

    def own(self, partitions: list[GroupPartition]) -> None:
        """These are its own now; of those that are new it reads from the committed offset on."""
        for partition in partitions:
            if partition.owner is not self:
                partition.owner = self
                self.group.reset_offset(partition, self)
        self.partitions = partitions
        self.hold(bool(partitions))

    def revoke(self) -> None:
        """It gives up all that it has, until it is assigned something."""
        self.disown()
        self.partitions = []
        self.hold(False)

    def disown(self) -> None:
        """Nothing is its own any more."""
        for partition in self.group.partitions:
            if partition.owner is self:
                partition.owner = None

    def take_up(self) -> None:
        """It has its assignment."""
        if self.apart:
            self.apart = False
            self.env.wake(self.task)
        elif self.idle and any(partition.readable or partition.retries for partition in self.partitions):
            self.wake_up()

    def lose(self, session: Session) -> None:
        """The group has given it up. What it has in hand it goes on to handle, for nobody: others are given
        that, too, unless it was committed before.
        """
        if session is not self.session:
            return  # of an earlier life
        self.session = None
        self.revoke()
        if self.up and self.processing and self.commits != "before":
            self.evicted = True
            self.keep_in_hand()
            self.give_back()

    def keep_in_hand(self) -> None:
        """Something may still come of the requests of what it goes on to handle."""
        for delivery in self.in_hand:
            delivery.message.request.alive += 1

    def let_go(self) -> None:
        """What it had in hand when it was given up is over with it."""
        if self.evicted:
            for delivery in self.in_hand:
                delivery.message.request.done()
        self.evicted = False
        self.in_hand.clear()

    # -- polling -----------------------------------------------------------------------------------------------------

    def _join(self) -> Activity:
        """Join the round that it was told of; under `eager` wait for what comes of it."""
        self.enter()
        while self.stands_still:
            self.apart = True
            yield
        return OK

    def enter(self) -> None:
        """Join the round that it was told of. One that was given up is new."""
        if self.session is None:
            self.session = self.coordinator.come(self)
        elif self.session.notified:
            self._commit_handled()  # ConsumerCoordinator.onJoinPrepare
            self.coordinator.join(self.session)
            self.session.notified = False

    @property
    def stands_still(self) -> bool:
        """It has joined, and has given all up until it is assigned something."""
        return self.coordinator.eager and self.session is not None and self.session.joined

    def _process(self, task: Task, delivery: Delivery) -> Activity:
        """Handle one record, which is in hand no longer then."""
        outcome = yield from super()._process(task, delivery)
        self.in_hand.popleft()
        if self.evicted:
            delivery.message.request.done()
        return outcome

    def _begin(self) -> None:
        super()._begin()
        self.in_hand.extend(self.fresh)
        now = self.polled = self.env.now
        if not self.armed:
            self.armed = True
            self.env.late(self.patience, TIMER, now + self.coordinator.spec.max_poll_interval)

    def _look_at_batch(self, _: object) -> None:
        """Leave the group when the batch in hand takes too long; a static member is given up when its session ends."""
        self.armed = False
        if not self.processing or self.session is None:
            return
        due = self.polled + self.coordinator.spec.max_poll_interval
        if due > self.env.now:
            self.armed = True
            self.env.late(self.patience, TIMER, due)
        elif self.coordinator.spec.static:
            self.coordinator.miss(self.session)
        else:
            self.coordinator.give_up(self.session)
