"""Who decides how many replicas there are: a controller that looks now and then at what was measured a while ago.

Measured is what a metrics server would have: means over a window, of replicas that were there for all of it. The
arithmetic is that of `policies/scaler.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sim.models.clock import CONTROL, Clock, Signal
from sim.models.fleet import PENDING, STARTING, THERE, Fleet, Slot
from sim.models.group import Group
from sim.models.host import Host
from sim.models.queues.queue import Queue
from sim.policies import scaler
from sim.policies.scaler import Memory, Pace, Pods, Rules
from sim.spec.autoscaling import Autoscaling, Lag, ScalingMetric, ScalingRules

PER_CENT = 100.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured over one window."""

    at: float  # s; when the window ended
    since: float  # s; when it began
    cores: Mapping[int, float]  # replica -> share of its cores that were busy
    means: Mapping[str, float]  # metric -> mean of a replica, over all that served


class Metrics:
    """Measures the replicas of a service at the end of every window, and keeps what a controller may still see."""

    def __init__(self, host: Host, fleet: Fleet, spec: Autoscaling):
        self.env: Clock = host.env
        self.host = host
        self.fleet = fleet
        self.delay = spec.metrics_delay
        self.samples: deque[Sample] = deque()
        self._before = self._totals(0.0)
        self._at = 0.0
        _every(self, spec.metrics_window, self._measure)

    def latest(self) -> Sample | None:
        """The last one that can be seen by now."""
        visible = self.env.now - self.delay
        while len(self.samples) > 1 and self.samples[1].at <= visible:
            self.samples.popleft()
        return self.samples[0] if self.samples and self.samples[0].at <= visible else None

    def _totals(self, now: float) -> dict[str, float]:
        host = self.host
        found = {
            "up": host.up_area + host.up * now,
            "busy": host.account.busy_area + host.busy * now,
            "queue": host.queue_area + host.queued * now,
            "offered": float(host.account.offered),
        }
        if not host.cores:
            return found
        return found | {
            str(replica.index): replica.cpu.area(now) for replica in host.replicas if replica.cpu is not None
        }

    def _measure(self) -> None:
        now, before = self.env.now, self._before
        after = self._totals(now)
        grown = {name: value - before[name] for name, value in after.items()}
        wide, up, host = now - self._at, grown["up"], self.host
        cores = {
            slot.replica.index: grown[str(slot.replica.index)] / (wide * (host.cores or 1))
            for slot in self.fleet.slots
            if slot.is_ready and slot.ready_at < now and str(slot.replica.index) in grown
        }
        means: dict[str, float] = {}
        if up > 0.0:
            means = {
                "workers": grown["busy"] / up / host.workers,
                "requests": grown["offered"] / up,
                "queue": grown["queue"] / up,
                "in_flight": host.open / max(1, host.up),
            }
        self.samples.append(Sample(now, self._at, cores, means))
        self._before, self._at = after, now


class Autoscaler:
    """Kubernetes' controller for one service, and KEDA's where there may be no replica at all."""

    def __init__(
        self,
        fleet: Fleet,
        host: Host,
        spec: Autoscaling,
        groups: Mapping[str, list[Group]],
        queues: Mapping[str, Queue],
    ):
        self.env = host.env
        self.fleet = fleet
        self.spec = spec
        self.groups = groups
        self.queues = queues
        self.metrics = Metrics(host, fleet, spec)
        self.memory = Memory()
        self.rules = _rules(spec.behavior.scale_up), _rules(spec.behavior.scale_down)
        self.last_active = 0.0
        _every(self, spec.sync_period, self._reconcile)
        if spec.min == 0:
            _every(self, spec.polling_interval, self._poll)

    def _reconcile(self) -> None:
        """Once in every sync period."""
        current, least, most = self.fleet.wanted, max(1, self.spec.min), self.spec.max
        if not self.memory.wanted:  # as many as there are were wanted before it first looked
            self.memory.wanted.append((self.env.now, current))
        if current == 0:
            return  # there is nothing that Kubernetes would scale: KEDA brings the first one
        if not least <= current <= most:
            self._change(min(max(current, least), most))
            return
        wanted = self._proposed(current)
        if wanted is None:
            return
        now, (up, down) = self.env.now, self.rules
        steady = scaler.stabilized(self.memory, now, current, wanted, up, down)
        self._change(scaler.limited(self.memory, now, current, steady, (least, most), self.rules))

    def _change(self, wanted: int) -> None:
        current = self.fleet.wanted
        if wanted != current:
            longest = max((pace.period for rules in self.rules for pace in rules.paces), default=0.0)
            self.memory.changed(self.env.now, current, wanted, longest)
            self.fleet.scale(wanted)

    def _proposed(self, current: int) -> int | None:
        """The most that any metric proposes; where one of them knows nothing, none may propose fewer replicas."""
        found = [self._by(metric, current) for metric in self.spec.measured]
        if self.spec.scheduled:
            found.append(scaler.by_total(float(self._scheduled()), 1.0, current, self.spec.tolerance))
        known = [proposal for proposal in found if proposal is not None]
        if not known:
            return None
        wanted = max(known)
        return current if wanted < current and len(known) < len(found) else wanted

    def _by(self, metric: ScalingMetric, current: int) -> int | None:
        tolerance = self.spec.tolerance
        if metric.lag is not None:
            return scaler.by_total(self._lag(metric.lag), metric.lag.for_each, current, tolerance)
        sample = self.metrics.latest()
        if sample is None:
            return None
        if metric.cpu is not None:
            return scaler.by_utilization(self._cpu(sample), metric.cpu * PER_CENT, current, tolerance)
        there = [slot for slot in self.fleet.slots if slot.phase in THERE]
        known = sum(slot.is_ready and slot.ready_at < sample.at for slot in there)
        starting = sum(slot.phase in (PENDING, STARTING) for slot in there)
        if not known or metric.word not in sample.means:
            return None
        pods = Pods((sample.means[metric.word],) * known, starting, len(there) - known - starting)
        return scaler.by_average(pods, float(getattr(metric, metric.word)), current, tolerance)

    def _cpu(self, sample: Sample) -> Pods:
        measured, ignored, missing = list[float](), 0, 0
        for slot in self.fleet.slots:
            if slot.phase not in THERE:
                continue
            if slot.phase in (PENDING, STARTING) or self._starts(slot, sample):
                ignored += 1
            elif slot.replica.index in sample.cores and not slot.replica.down:
                measured.append(sample.cores[slot.replica.index] * PER_CENT)
            else:
                missing += 1
        return Pods(tuple(measured), ignored, missing)

    def _starts(self, slot: Slot, sample: Sample) -> bool:
        """Whether the controller takes a replica for one that still starts."""
        if slot.starts == 0:
            return False  # it was there before the run began
        if self.env.now < slot.since + self.spec.cpu_initialization_period:
            return slot.replica.down or sample.since < slot.ready_at
        return slot.replica.down and slot.ready_at < slot.since + self.spec.initial_readiness_delay

    # -- KEDA ------------------------------------------------------------------------------------------------------

    def _lag(self, lag: Lag) -> float:
        """The messages that are not ended; those of a group are cut as KEDA's Kafka scaler does, as far as there are
        partitions for them.
        """
        if lag.queue is not None:
            return float(self.queues[lag.queue].length)
        total, each = 0.0, lag.for_each
        for group in self.groups[lag.of]:
            most = len(group.partitions)
            here = float(group.lag)
            total += most * each if int(here // each) > most else here
        return total

    def _scheduled(self) -> int:
        now = self.env.now
        return max([1, *(its.replicas for its in self.spec.scheduled if its.at <= now < its.at + its.lasts)])

    def _poll(self) -> None:
        """Once in every polling interval: is there anything to do at all?"""
        now = self.env.now
        active = any(metric.lag and self._lag(metric.lag) > 0 for metric in self.spec.metrics)
        active = active or any(its.at <= now < its.at + its.lasts for its in self.spec.scheduled)
        if active:
            self.last_active = now
            if self.fleet.wanted == 0:
                self.fleet.scale(1)
        elif self.fleet.wanted > 0 and now > self.last_active + self.spec.cooldown_period:
            self.fleet.scale(0)


def _rules(spec: ScalingRules) -> Rules:
    paces = tuple(
        Pace(its.period, its.pods, None if its.percent is None else its.percent / PER_CENT) for its in spec.policies
    )
    return Rules(spec.stabilization, paces, spec.select)


def _every(who: Metrics | Autoscaler, period: float, what: Callable[[], None]) -> None:
    """Call it at every multiple of the period."""
    count = 0

    def come(_: object) -> None:
        nonlocal count
        count += 1
        what()
        who.env.schedule(signal, CONTROL, max(0.0, (count + 1) * period - who.env.now))

    signal = Signal(come)
    who.env.schedule(signal, CONTROL, period)
