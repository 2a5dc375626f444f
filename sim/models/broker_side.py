"""Groups of which the broker decides who is to have what (KIP-848, group.protocol: consumer).

Not modelled: the assignors of a client under this protocol, and members of the classic one in the same group.
"""

from __future__ import annotations

import math

from sim.models.clock import Signal
from sim.models.draws import Draw
from sim.models.group import Group
from sim.models.membership import Coordinator, ManagedConsumer, Session
from sim.policies.assignor import assign_numbers
from sim.policies.base import noise
from sim.spec.membership import Membership
from sim.vocabulary import EventKind


class BrokerSide(Coordinator):
    """The coordinator of a group under KIP-848: it decides, and each member comes to its part by itself.

    At a heartbeat a member hears what it is to give up, does so at its next poll, and says so at once; what is free it
    gets at a heartbeat, too. Nobody waits for anybody who does not have what it is to get.
    """

    def __init__(self, group: Group, spec: Membership, session_timeout: float, phase: Draw):
        super().__init__(group, spec, session_timeout, phase)
        self.targets: dict[Session, list[int]] = {}
        self.settled = True

    def come(self, consumer: ManagedConsumer) -> Session:
        """A new member, which gets what is free at once."""
        session = self.enrol(consumer)
        self.begin(session)
        return session

    def give_up(self, session: Session) -> None:
        """It is no member any more: what it had is free."""
        del self.sessions[session]
        session.consumer.lose(session)
        session.consumer.disown()
        self.begin(None)

    def begin(self, initiator: Session | None) -> None:
        """Decide anew who is to have what; members hear of it at their heartbeats."""
        members = sorted(self.sessions, key=lambda session: session.consumer.number)
        claims = [self.targets.get(session) or self._owned(session) for session in members]
        if self.settled:
            self.settled = False
            group = self.group
            group.recorder.event(EventKind.REBALANCE_BEGAN, group.name, group.topic.name, len(members))
        dealt = assign_numbers(self.spec.strategy, claims, len(self.group.partitions))
        self.targets = dict(zip(members, dealt, strict=True))
        for session in members:
            if session is initiator:
                self.env.wake(Signal.calling(self._beat, session))
            else:
                self._beat_later(session)

    def _beat_later(self, session: Session) -> None:
        beat = self.spec.beat
        wait = beat - math.fmod(self.env.now - session.began, beat)
        if wait < noise(self.env.now):  # it is time for one now, which has just been
            wait += beat
        self.env.hold(Signal(lambda _: self._beat(session)), wait)

    def _beat(self, session: Session) -> None:
        """Its heartbeat is answered: it is to give something up, or gets what is free, or is where it is to be."""
        if session not in self.sessions or session.dead or session not in self.targets:
            return
        target, owned = self.targets[session], self._owned(session)
        if any(index not in target for index in owned):
            session.notified = True
            session.consumer.look_up()
            return
        partitions = self.group.partitions
        free = [index for index in target if partitions[index].owner is None]
        if free:
            session.consumer.own([partitions[index] for index in sorted({*owned, *free})])
            session.consumer.take_up()
        if len(owned) + len(free) < len(target):
            self._beat_later(session)
        self._look()

    def join(self, session: Session) -> None:
        """It polls, gives up what it is to give up, and says so."""
        if session not in self.targets:
            return
        partitions, target = self.group.partitions, self.targets[session]
        for index in self._owned(session):
            if index not in target:
                partitions[index].owner = None
        session.consumer.own([partitions[index] for index in self._owned(session)])
        self.rounds += 1
        way = session.consumer.fetch_hop.travel(self.rounds, 0)
        self.env.hold(Signal(lambda _: self._beat(session)), way)

    def _look(self) -> None:
        """Whether all is where it is to be."""
        there = all(self._owned(session) == sorted(its) for session, its in self.targets.items())
        if there and not self.settled:
            self.settled = True
            group = self.group
            group.recorder.event(EventKind.PARTITIONS_ASSIGNED, group.name, group.topic.name, len(self.sessions))


def coordinator_of(group: Group, spec: Membership, session_timeout: float, phase: Draw) -> Coordinator:
    """The coordinator that its protocol asks for."""
    kind = BrokerSide if spec.protocol == "consumer" else Coordinator
    return kind(group, spec, session_timeout, phase)
