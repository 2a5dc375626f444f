"""Who decides how much CPU the replicas of a service have: a recommender and an updater that look now and then.

The arithmetic is that of `policies/vertical.py`; what is not modelled is said by `VerticalScaling` of
`spec/vertical.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sim.models.clock import CONTROL, Signal
from sim.models.fleet import READY, THERE, Fleet, Slot
from sim.models.host import Host
from sim.policies import vertical
from sim.spec.cpu import CpuLimit
from sim.spec.vertical import VerticalScaling
from sim.vocabulary import EventKind


class VerticalScaler:
    """Of one service."""

    def __init__(self, fleet: Fleet, host: Host, spec: VerticalScaling, cpu: CpuLimit):
        self.env, self.recorder = host.env, host.recorder
        self.fleet, self.host, self.spec = fleet, host, spec
        self.first_limit = cpu.limit
        self.per_request = cpu.limit / cpu.asked  # cores of a limit, for each that is asked for
        self.requests = {slot.replica.index: cpu.asked for slot in fleet.slots}
        self.usage = vertical.Usage(spec.half_life)
        shares = spec.target_percentile, spec.lower_bound_percentile, spec.upper_bound_percentile
        self.percentiles = vertical.Percentiles(*shares, spec.margin)
        most = math.inf if spec.max_allowed is None else spec.max_allowed
        self.bounds = vertical.Bounds(max(vertical.Bounds().least, spec.min_allowed or 0.0), most)
        self.recommended: vertical.Recommendation | None = None
        self.before: dict[int, float] = {}  # core-seconds that a replica had used when its measurement began
        self.began = 0.0  # s; when that was
        self.rounds = 0
        if spec.mode != "recommend":
            fleet.admission = self.admit
        self.recorder.watch(host.name, "cpu_target", "level", lambda _: self.target)
        self._after(spec.interval - spec.metrics_window, self._begin)

    @property
    def target(self) -> float:
        """Cores that are recommended; 0 as long as nothing is known."""
        return 0.0 if self.recommended is None else self.recommended.target

    def _after(self, delay: float, what: Callable[[], None]) -> None:
        self.env.schedule(Signal(lambda _: what()), CONTROL, max(0.0, delay))

    # -- the recommender -------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """A window of the metrics server begins."""
        self.began = self.env.now
        self.before = {
            slot.replica.index: slot.replica.cpu.area(self.env.now)
            for slot in self.fleet.slots
            if slot.is_ready and slot.replica.cpu is not None
        }
        self._after(self.spec.metrics_window, self._look)

    def _look(self) -> None:
        """It is over: recommend, and update."""
        now = self.env.now
        for slot in self.fleet.slots:
            index, cpu = slot.replica.index, slot.replica.cpu
            if slot.is_ready and slot.ready_at <= self.began and index in self.before and cpu is not None:
                used = (cpu.area(now) - self.before[index]) / (now - self.began)
                self.usage.add(self.began, used, self.requests[index])
        self.recommended = vertical.recommend(self.usage, self.percentiles, self.bounds)
        self._update(now)
        self.rounds += 1
        begins = (self.rounds + 1) * self.spec.interval - self.spec.metrics_window
        self._after(begins - now, self._begin)

    # -- the updater -----------------------------------------------------------------------------------------------

    def _update(self, now: float) -> None:
        fleet, spec, recommended = self.fleet, self.spec, self.recommended
        if recommended is None or spec.mode in ("recommend", "initial") or fleet.rollout is not None:
            return
        if len(fleet.of(*THERE)) < spec.min_replicas:
            return
        running = [slot for slot in fleet.of(READY) if slot.is_ready]
        wishes = [(slot, vertical.wish(self.requests[slot.replica.index], recommended)) for slot in running]
        wishes = [
            (slot, its)
            for slot, its in wishes
            if vertical.may_update(its, now - slot.since, spec.update_threshold, spec.lifetime_threshold)
        ]
        wishes.sort(key=lambda pair: (not pair[1].grows, -pair[1].change))
        tolerance = int(fleet.wanted * spec.eviction_tolerance)
        for done, (slot, _) in enumerate(wishes):
            if not vertical.may_disturb(fleet.wanted, len(running), done, tolerance):
                break
            if spec.replaces:
                fleet.drain(slot)
                fleet.fill()
            else:
                self._resize(slot, recommended.target)

    def admit(self, slot: Slot) -> None:
        """A replica is begun: it asks for what is recommended now."""
        if self.recommended is not None:
            self._resize(slot, self.recommended.target)

    def _resize(self, slot: Slot, request: float) -> None:
        replica = slot.replica
        if self.requests[replica.index] == request:
            return
        self.requests[replica.index] = request
        limit = request * self.per_request
        self.host.resize(replica, limit)
        self.fleet.weigh(slot, limit / self.first_limit)
        self.recorder.event(EventKind.REPLICA_RESIZED, f"{self.host.name}[{replica.index}]", value=limit)
