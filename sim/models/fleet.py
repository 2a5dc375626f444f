"""The replicas of a service that come and go: how one starts, is ready, drains and is gone.

There is a place for each that there can be at once, made with the world, so that balancers, guards, consumers and books
know all of them from the beginning; one that is absent is down, and nobody is sent to it.

    absent --start--> starting --after its start-up time--> ready --drain--> draining --empty, or grace over--> absent

Where its service is in a node pool, one that no node has room for is pending before it starts (`models/node_pool.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sim.models.clock import CONTROL, Signal
from sim.models.host import Host
from sim.models.site import System
from sim.models.task import Replica
from sim.spec.service import Service as Spec
from sim.vocabulary import EventKind

ABSENT, STARTING, READY, DRAINING, PENDING = range(5)
THERE = (PENDING, STARTING, READY)  # what counts as a replica of those wanted


class Slot:
    """The place of one replica."""

    __slots__ = ("empties_from", "phase", "ready_at", "replica", "since", "starts", "turn", "version", "weight")

    def __init__(self, replica: Replica, phase: int):
        self.replica = replica
        self.phase = phase
        self.since = 0.0  # s; when it last began to start
        self.ready_at = 0.0  # s
        self.starts = 0
        self.version: Version | None = None  # None: what there was before any deployment
        self.weight: float = 1  # what it costs, of what it cost at first
        self.turn = 0  # counts its phases: what was scheduled in an earlier one is stale
        self.empties_from = 0.0  # s; before then it takes what is on its way to it, empty or not

    @property
    def is_ready(self) -> bool:
        """It serves, and is sent requests."""
        return self.phase == READY and not self.replica.down


class Version(Protocol):
    """What a deployment brings (`models/release.py`)."""

    slow: float
    errors: Any
    tally: Any


class Rolling(Protocol):
    """A deployment that is under way (`models/rollout.py`, `models/release.py`)."""

    @property
    def looks_after_both(self) -> bool:
        """Whether it alone says how many there are of either version; else all that are there count as those wanted."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be done."""

    def go_on(self) -> None:
        """Do what may be done now."""


class Nodes(Protocol):
    """The nodes of a pool (`models/node_pool.py`)."""

    def place(self, fleet: Fleet, slot: Slot) -> bool:
        """Whether a node has room for it; else it is begun when one has."""

    def leave(self, fleet: Fleet, slot: Slot) -> None:
        """It is gone, or waits no longer."""


class Fleet:
    """All of them, and how many are wanted."""

    def __init__(self, system: System, host: Host, spec: Spec, nodes: Nodes | None = None):
        self.env = system.env
        self.recorder = system.recorder
        self.system = system
        self.host = host
        self.spec = spec
        self.nodes = nodes  # None: there is room for all
        self.cores = spec.asks_for  # thousandths of a core: what each of them asks a node for
        self.wanted = spec.replicas
        self.slots = [Slot(replica, ABSENT if replica.absent else READY) for replica in host.replicas]
        self.rollout: Rolling | None = None  # while old replicas give way to new ones
        self.is_balanced = False  # by a deployment, in this moment: nobody else starts any
        self.version: Version | None = None  # of those that are started now
        self.hidden: Version | None = None  # of which callers know nothing yet
        self.admission: Callable[[Slot], None] | None = None  # is told of each that is begun (`vertical_scaler.py`)
        self.start_time = system.sampler(spec.start.time, f"{host.name}.start")
        self.paid: float = spec.replicas  # those that are there, starting and draining ones too
        self.paid_area = 0.0
        host.keep_track()
        host.drained = self.look_soon
        watch = self.recorder.watch
        watch(host.name, "replicas_wanted", "level", lambda _: self.wanted)
        watch(host.name, "replicas_paid", "mean", lambda now: self.paid_area + self.paid * now)

    def of(self, *phases: int) -> list[Slot]:
        """The places in one of these phases."""
        return [slot for slot in self.slots if slot.phase in phases]

    def scale(self, wanted: int) -> None:
        """So many replicas from now on."""
        self.wanted = wanted
        self.recorder.event(EventKind.SCALED, self.host.name, value=wanted)
        self.fill()
        if self.rollout is not None and self.rollout.looks_after_both:
            return
        there = self.of(*THERE)
        # As a ReplicaSet: first those on no node, then those that are not ready, then those that were ready last.
        there.sort(key=lambda slot: (slot.phase != PENDING, slot.is_ready, -slot.ready_at, -slot.replica.index))
        for slot in there[: max(0, len(there) - wanted)]:
            self.drain(slot)

    def fill(self) -> None:
        """Start those that are wanted and not there, as far as there are places."""
        if self.rollout is not None:
            self.go_on_rolling()
        elif not self.is_balanced:
            self.start_more(self.wanted - len(self.of(*THERE)), self.version)

    def start_more(self, count: int, version: Version | None) -> None:
        """So many of a version, as far as there are places."""
        for slot in self.of(ABSENT)[: max(0, count)]:
            slot.version = version
            self.start(slot)

    def roll(self, rollout: Rolling) -> None:
        """Old replicas give way to new ones from now on, after what is under way of that kind."""
        self.show_hidden()
        self.rollout = rollout
        self.go_on_rolling()

    def go_on_rolling(self) -> None:
        """Whatever has changed may let it go on."""
        rollout, self.rollout = self.rollout, None  # what it does here changes things, too
        if rollout is not None:
            self.is_balanced = rollout.looks_after_both
            rollout.go_on()
            self.is_balanced = False
            self.rollout = None if rollout.is_over else rollout

    def show_hidden(self) -> None:
        """Callers know of all that serve, from now on."""
        for slot in self.of(READY) if self.hidden is not None else ():
            if slot.version is self.hidden and slot.is_ready:
                self.host.enlist(slot.replica)
        self.hidden = None

    # -- the life of one -------------------------------------------------------------------------------------------

    def start(self, slot: Slot) -> None:
        """It is begun, or waits until a node has room for it."""
        if self.admission is not None:
            self.admission(slot)
        if self.nodes is None or self.nodes.place(self, slot):
            self.begin(slot)
        else:
            self._turn(slot, PENDING, EventKind.REPLICA_PENDING)

    def begin(self, slot: Slot) -> None:
        """It has its place: it is pulled, started and found ready."""
        slot.starts += 1
        slot.since = self.env.now
        self._pay(slot.weight)
        self._turn(slot, STARTING, EventKind.REPLICA_STARTING)
        self._later(slot, self.start_time(slot.replica.index, slot.starts), self._be_ready)

    def drain(self, slot: Slot) -> None:
        """Nobody is sent to it any more. What is inside goes on until the grace is over."""
        replica = slot.replica
        if not slot.is_ready:
            self.stop(slot)
            return
        self.host.delist(replica)
        replica.draining = True
        slot.empties_from = self.env.now + self.spec.drain.pre_stop
        self._turn(slot, DRAINING, EventKind.REPLICA_DRAINING)
        self._later(slot, self.spec.drain.grace, self.stop)
        if self.spec.drain.pre_stop < self.spec.drain.grace:
            self._later(slot, self.spec.drain.pre_stop, lambda its: self.look_whether_empty(its.replica))
        self.host.leave_groups(replica)

    def look_soon(self, replica: Replica) -> None:
        """Something inside of a draining replica has ended: when all that it wakes has had its turn, look."""
        if replica.draining:
            self.env.schedule(Signal(lambda _: self.look_whether_empty(replica)), CONTROL)

    def look_whether_empty(self, replica: Replica) -> None:
        """Perhaps it was the last."""
        slot = self.slots[replica.index]
        if slot.phase != DRAINING or self.env.now < slot.empties_from:
            return
        if self.host.is_done(replica):
            self.stop(slot)

    def stop(self, slot: Slot) -> None:
        """It is gone, and what is still inside is cut off."""
        replica, host = slot.replica, self.host
        began = slot.phase != PENDING
        served = slot.phase in (READY, DRAINING)
        replica.draining = False
        host.delist(replica)
        self._turn(slot, ABSENT, EventKind.REPLICA_STOPPED, len(replica.inside))
        if began:
            self._pay(-slot.weight)
        if not replica.down:
            host.take_down(replica)
        if served and slot.version is not None:
            host.end_version(replica, slot.version)
        replica.absent = True
        self.system.forget(replica)
        if self.nodes is not None:
            self.nodes.leave(self, slot)
        self.fill()

    def _be_ready(self, slot: Slot) -> None:
        slot.ready_at = self.env.now
        slot.replica.absent = False
        self.host.bring_up(slot.replica)
        if slot.version is not None:
            self.host.begin_version(slot.replica, slot.version)
            if slot.version is self.hidden:
                self.host.delist(slot.replica)
        self._turn(slot, READY, EventKind.REPLICA_READY)
        self.go_on_rolling()

    def weigh(self, slot: Slot, weight: float) -> None:
        """It costs so much from now on, of what it cost at first."""
        if slot.phase not in (ABSENT, PENDING):
            self._pay(weight - slot.weight)
        slot.weight = weight

    # -- helpers ---------------------------------------------------------------------------------------------------

    def _turn(self, slot: Slot, phase: int, kind: EventKind, value: float = 0.0) -> None:
        slot.phase = phase
        slot.turn += 1
        self.recorder.event(kind, f"{self.host.name}[{slot.replica.index}]", value=value)

    def _later(self, slot: Slot, delay: float, what: Callable[[Slot], None]) -> None:
        """Unless it is in another phase by then."""
        turn = slot.turn

        def come(_: object) -> None:
            if slot.turn == turn:
                what(slot)

        self.env.schedule(Signal(come), CONTROL, delay)

    def _pay(self, more: float) -> None:
        self.paid += more
        self.paid_area -= more * self.env.now
