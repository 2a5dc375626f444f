"""How many replicas an autoscaler wants: Kubernetes' HorizontalPodAutoscaler, as its controller computes.

A metric proposes a number (`by_utilization`, `by_average`, `by_value`, `by_total`), the largest is taken, held against
what was proposed lately (`stabilized`) and against how fast it may go (`limited`). Pure: handed `now`, in seconds.

Source: kubernetes/kubernetes, pkg/controller/podautoscaler/replica_calculator.go and horizontal.go (semantics.md 10.1),
the published cases of whose tests it keeps (tests/golden/k8s_hpa_cases.json).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Select = Literal["max", "min", "disabled"]


@dataclass(frozen=True, slots=True)
class Pods:
    """What a metric of single replicas says: of those that are counted, and how many are not, and why."""

    measured: tuple[float, ...]  # of replicas that are ready, or whose readiness does not matter
    ignored: int = 0  # not ready yet: they have no say, and count as idle where more are wanted
    missing: int = 0  # ready, and nothing is known of them: they count as busy where fewer are wanted, else as idle


def by_utilization(pods: Pods, target: float, current: int, tolerance: float) -> int | None:
    """Of a use in per cent of what was asked for, whose mean is cut to a whole per cent. None: nothing is known."""
    return _of_pods(pods, target, current, tolerance, max(100.0, target), whole=True)


def by_average(pods: Pods, target: float, current: int, tolerance: float) -> int | None:
    """Of any other figure of each replica; `pods` then ignores nobody. None: nothing is known."""
    return _of_pods(pods, target, current, tolerance, target, whole=False)


def by_value(value: float, target: float, current: int, ready: int, tolerance: float) -> int:
    """Of one figure for all: as many times the replicas that are ready as it is times its target."""
    share = value / target
    if current == 0:
        return math.ceil(share)
    return current if abs(1.0 - share) <= tolerance else math.ceil(share * ready)


def by_total(value: float, target: float, current: int, tolerance: float) -> int:
    """Of one figure for all of which each replica is to have so much (`AverageValue`)."""
    if current > 0 and abs(1.0 - value / (target * current)) <= tolerance:
        return current
    return math.ceil(value / target)


def _of_pods(pods: Pods, target: float, current: int, tolerance: float, busy: float, whole: bool) -> int | None:
    """The ratio of what is measured, and once more with those of whom nothing is known, unless that turns it round."""
    if not pods.measured:
        return None
    first = _ratio(pods.measured, target, whole)
    rebalance = pods.ignored > 0 and first > 1.0
    if not rebalance and not pods.missing:
        return current if abs(1.0 - first) <= tolerance else math.ceil(first * len(pods.measured))
    counted = list(pods.measured)
    if first < 1.0:
        counted += [busy] * pods.missing
    elif first > 1.0 or not whole:
        counted += [0.0] * pods.missing
    if rebalance:
        counted += [0.0] * pods.ignored
    second = _ratio(counted, target, whole)
    if abs(1.0 - second) <= tolerance or (first < 1.0) != (second < 1.0):
        return current
    wanted = math.ceil(second * len(counted))
    turned = wanted > current if second < 1.0 else wanted < current
    return current if turned else wanted


def _ratio(values: Sequence[float], target: float, whole: bool) -> float:
    mean = math.fsum(values) / len(values)
    return (math.floor(mean + 1e-9) if whole else mean) / target


# ---- how fast, and how steadily


@dataclass(frozen=True, slots=True)
class Pace:
    """By how much the number may change in so long: by so many replicas, or by a share of them."""

    period: float  # s
    replicas: int | None = None
    share: float | None = None  # 1.0: 100 %


@dataclass(frozen=True, slots=True)
class Rules:
    """How it goes in one direction."""

    stabilization: float  # s
    paces: tuple[Pace, ...]
    select: Select = "max"


UP = Rules(0.0, (Pace(15.0, replicas=4), Pace(15.0, share=1.0)))
DOWN = Rules(300.0, (Pace(15.0, share=1.0),))
"""The defaults of Kubernetes."""


@dataclass(slots=True)
class Memory:
    """What a controller remembers of one service: what it wanted, and by how much it changed the number, and when."""

    wanted: list[tuple[float, int]] = field(default_factory=list)
    added: list[tuple[float, int]] = field(default_factory=list)
    removed: list[tuple[float, int]] = field(default_factory=list)

    def changed(self, now: float, before: int, after: int, longest: float) -> None:
        """Remember a change; what is older than the longest period is forgotten."""
        changes = self.added if after > before else self.removed
        changes[:] = [change for change in changes if change[0] >= now - longest]
        changes.append((now, abs(after - before)))


def stabilized(memory: Memory, now: float, current: int, wanted: int, up: Rules, down: Rules) -> int:
    """Not more than was wanted at any time of the upper window, not less than at any time of the lower one."""
    most = min([wanted, *(what for at, what in memory.wanted if at > now - up.stabilization)])
    least = max([wanted, *(what for at, what in memory.wanted if at > now - down.stabilization)])
    cutoff = now - max(up.stabilization, down.stabilization)
    memory.wanted[:] = [old for old in memory.wanted if old[0] >= cutoff]
    memory.wanted.append((now, wanted))
    return min(max(current, most), least) if most <= least else max(min(current, least), most)


def limited(
    memory: Memory, now: float, current: int, wanted: int, bounds: tuple[int, int], rules: tuple[Rules, Rules]
) -> int:
    """As far as the paces allow, and within the bounds (least, most). `rules`: upwards, downwards."""
    least, most = bounds
    up, down = rules
    if wanted > current:
        return min(wanted, most, max(current, _up_to(memory, now, current, up)))
    if wanted < current:
        return max(wanted, least, min(current, _down_to(memory, now, current, down)))
    return wanted


def _up_to(memory: Memory, now: float, current: int, rules: Rules) -> int:
    proposed = []
    for pace in rules.paces:
        start = current - _within(memory.added, now, pace) + _within(memory.removed, now, pace)
        share = pace.share or 0.0
        proposed.append(start + pace.replicas if pace.replicas is not None else math.ceil(start * (1.0 + share)))
    return _selected(proposed, rules.select, current, upwards=True)


def _down_to(memory: Memory, now: float, current: int, rules: Rules) -> int:
    proposed = []
    for pace in rules.paces:
        start = current + _within(memory.removed, now, pace) - _within(memory.added, now, pace)
        share = pace.share or 0.0
        proposed.append(start - pace.replicas if pace.replicas is not None else int(start * (1.0 - share)))
    return _selected(proposed, rules.select, current, upwards=False)


def _selected(proposed: list[int], select: Select, current: int, upwards: bool) -> int:
    """The proposal that changes most, or least (`min`)."""
    if select == "disabled" or not proposed:
        return current
    return max(proposed) if upwards == (select == "max") else min(proposed)


def _within(changes: Sequence[tuple[float, int]], now: float, pace: Pace) -> int:
    return sum(by for at, by in changes if at > now - pace.period)
