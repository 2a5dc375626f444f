"""Two versions of a service side by side: a canary by steps that may be given up, and blue-green.

Not modelled: traffic that is divided otherwise than by the number of replicas, and a replica of a version that is yet
hidden, and crashes: when it comes back, callers see it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sim.models.clock import CONTROL, Signal
from sim.models.fleet import THERE, Fleet, Slot
from sim.models.outcomes import SHED
from sim.models.task import Task
from sim.policies.base import passed
from sim.spec.release import Abort, BlueGreen, NewVersion
from sim.spec.release import Canary as CanarySpec
from sim.vocabulary import EventKind

ALL = 1.0
ONE_IN = 100  # attempts: the 99th percentile is too late where more than one in so many is


class Tally:
    """How attempts ended in the replicas of one version."""

    __slots__ = ("bound", "ended", "failed", "late")

    def __init__(self, bound: float):
        self.bound = bound  # s; an attempt that took longer is late
        self.ended = self.failed = self.late = 0

    def note(self, task: Task, outcome: int, now: float) -> None:
        """An attempt has ended."""
        self.ended += 1
        self.failed += outcome >= SHED
        self.late += passed(now, task.arrived + self.bound)


@dataclass(eq=False)
class Version:
    """What is deployed by one deployment."""

    slow: float  # how many times as long all takes there
    errors: Any  # the fault that its replicas meet; None: they meet none
    tally: Tally | None  # None: nobody judges it
    place: int = -1  # of its tally among all, for the compiled engine

    @classmethod
    def of(cls, spec: NewVersion, errors: Any, abort: Abort | None) -> Version:  # noqa: ANN401 - an error fault
        """What is said of it."""
        bound = math.inf if abort is None or abort.p99 is None else abort.p99
        return cls(spec.slow, errors, None if abort is None else Tally(bound))


class Release:
    """Replicas of an old and of a new version, so many of each: what must go goes, and what is missing is started."""

    looks_after_both = True

    def __init__(self, fleet: Fleet, new: Version, bounds: tuple[int, int]):
        self.fleet = fleet
        self.env = fleet.env
        self.old, self.new = fleet.version, new
        self.surge, self.unavailable = bounds

    @property
    def new_ones(self) -> list[Slot]:
        """The replicas of the new version."""
        return [slot for slot in self.fleet.of(*THERE) if slot.version is self.new]

    @property
    def old_ones(self) -> list[Slot]:
        """All others."""
        return [slot for slot in self.fleet.of(*THERE) if slot.version is not self.new]

    def balance(self, old: int, new: int) -> None:
        """Come nearer to so many of each, and never to fewer that are ready, nor to more, than is allowed."""
        fleet = self.fleet
        spare = sum(slot.is_ready for slot in fleet.of(*THERE)) - (fleet.wanted - self.unavailable)
        spare = self._let_go(self.old_ones, old, spare)
        self._let_go(self.new_ones, new, spare)
        room = fleet.wanted + self.surge - len(fleet.of(*THERE))
        fleet.start_more(min(new - len(self.new_ones), room), self.new)
        room = fleet.wanted + self.surge - len(fleet.of(*THERE))
        fleet.start_more(min(old - len(self.old_ones), room), self.old)

    def _let_go(self, those: Sequence[Slot], most: int, spare: int) -> int:
        """Those beyond so many, first who serves nobody, then the longest in service; how many may yet be missing."""
        leaving = sorted(those, key=lambda slot: (slot.is_ready, slot.ready_at))
        for slot in leaving[: max(0, len(leaving) - most)]:
            if slot.is_ready:
                if spare <= 0:
                    break
                spare -= 1
            self.fleet.drain(slot)
        return spare

    def tell(self, kind: EventKind, value: float = 0.0) -> None:
        """Note it in the event log."""
        self.fleet.recorder.event(kind, self.fleet.host.name, value=value)

    def later(self, delay: float, what: Signal) -> None:
        """At some time from now."""
        self.env.schedule(what, CONTROL, delay)


class Canary(Release):
    """By steps, with measurements between them."""

    def __init__(self, fleet: Fleet, new: Version, bounds: tuple[int, int], spec: CanarySpec):
        super().__init__(fleet, new, bounds)
        self.spec = spec
        self.stage = 0
        self.share = spec.steps[0].weight  # of the replicas that are to be new
        self.is_pausing = False
        self.is_over = False
        self.failures = 0
        self.seen = (0, 0, 0)  # of the tally, when it was looked at last
        self.tell(EventKind.CANARY_STEPPED, self.share)
        if spec.abort is not None:
            self.later(spec.abort.interval, Signal(self._measure))

    @property
    def targets(self) -> tuple[int, int]:
        """How many are to be old, and new."""
        wanted = self.fleet.wanted
        if self.share in (0.0, ALL):
            return (wanted, 0) if self.share == 0.0 else (0, wanted)
        new = max(1, min(wanted - 1, math.floor(self.share * wanted + 0.5)))
        return max(1, wanted - new), new

    def go_on(self) -> None:
        """Something has become ready, or has gone."""
        old, new = self.targets
        self.balance(old, new)
        there = self.new_ones
        if len(self.old_ones) != old or len(there) != new or not all(slot.is_ready for slot in there):
            return
        if self.share in (0.0, ALL):
            self.is_over = True
            if self.share == ALL:
                self.tell(EventKind.VERSION_PROMOTED)
        elif not self.is_pausing:
            self.is_pausing = True
            self.later(self.spec.steps[self.stage].pause, Signal(self._step))

    def _step(self, _: object) -> None:
        """The pause is over, unless it was given up meanwhile."""
        if self.share in (0.0, ALL):
            return
        self.is_pausing = False
        self.stage += 1
        steps = self.spec.steps
        self.share = steps[self.stage].weight if self.stage < len(steps) else ALL
        if self.share == ALL:
            self.fleet.version = self.new
        self.tell(EventKind.CANARY_STEPPED, self.share)
        self.fleet.go_on_rolling()

    def _measure(self, _: object) -> None:
        """What has ended since the last measurement."""
        abort = self.spec.abort
        if abort is None or self.is_over or self.fleet.rollout is not self or self.share == 0.0:
            return
        tally = self.fleet.host.tally_of(self.new)
        ended, failed, late = (now - before for now, before in zip(tally, self.seen, strict=True))
        self.seen = tally
        bad = abort.errors is not None and failed > abort.errors * ended
        bad = bad or (abort.p99 is not None and ONE_IN * late > ended)
        self.failures += bad
        if self.failures > abort.failure_limit:
            self.share = 0.0
            self.fleet.version = self.old
            self.tell(EventKind.CANARY_ABORTED, self.failures)
            self.fleet.go_on_rolling()
        else:
            self.later(abort.interval, Signal(self._measure))


class SideBySide(Release):
    """Blue-green: all of both versions are there until the new one is ready, and for a while after that."""

    def __init__(self, fleet: Fleet, new: Version, spec: BlueGreen):
        super().__init__(fleet, new, (fleet.wanted, 0))
        self.spec = spec
        self.is_switched = False
        self.is_over = False
        self.old_may_go = False
        fleet.hidden = new

    def go_on(self) -> None:
        """Something has become ready, or has gone."""
        wanted = self.fleet.wanted
        self.surge = wanted
        old = 0 if self.old_may_go else len(self.old_ones) if self.is_switched else wanted
        self.balance(old, wanted)
        new = self.new_ones
        if not self.is_switched and len(new) == wanted and all(slot.is_ready for slot in new):
            self._switch()
        self.is_over = self.old_may_go and not self.old_ones

    def _switch(self) -> None:
        self.is_switched = True
        fleet = self.fleet
        fleet.version = self.new
        fleet.show_hidden()
        for slot in self.old_ones:
            fleet.host.delist(slot.replica)
        self.tell(EventKind.VERSION_PROMOTED)
        self.later(self.spec.scale_down_delay, Signal(self._let_old_go))

    def _let_old_go(self, _: object) -> None:
        self.old_may_go = True
        self.unavailable = self.fleet.wanted  # nobody is sent to them any more
        self.fleet.go_on_rolling()
