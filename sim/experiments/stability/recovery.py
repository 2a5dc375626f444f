"""Whether a system returns to its state after it was disturbed, after how long, and from which load on it no longer does.

A system can bear a load for ever and yet not come back to it: what a disturbance leaves behind (retries, a backlog that is always too late) feeds
itself. Such a load is *vulnerable*, the state it falls into is metastable (Bronson et al., HotOS 2021), and only less load leads out of it. At every
load each replication runs twice on the same luck, with and without the stressor:

* it has *recovered* when, for a minute, success share and p95 are within 5 % of what they were before the stressor, on both clocks where orders have
  effects (the rule of `recovery_time`), or when long after they are within 5 % of the worst run without the stressor; it is *recovering* when it has
  not, but the backlog falls fast enough to be gone within ten times as long as one looked on; else it is *stuck*;
* a load is vulnerable when half of the replications or more are stuck; it is *collapsed* when without the stressor, too, long after its beginning less
  than 95 % of what arrives is answered as it is at the lightest load.

Thresholds are searched by bisection between loads of the grid. The curve of hysteresis is a run of its own: load goes up the grid step by step, and down.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from sim.errors import UsageError
from sim.experiments.on_paper.load_factor import open_rate
from sim.experiments.on_paper.offered_load import Analysis
from sim.experiments.replicating.arms import Arm, arms_of
from sim.experiments.replicating.method import FoundWarmup
from sim.experiments.replicating.pilot import settled
from sim.experiments.replicating.rounds import Execute, crew
from sim.experiments.running.jobs import Job, JobResult, perform
from sim.experiments.running.ledger import Progress
from sim.experiments.running.options import RunOptions
from sim.experiments.shipped import Source, as_study
from sim.experiments.stability.replication import RECOVERED, RECOVERING, STUCK, is_as_without, perform_staircase, perform_stressed
from sim.experiments.stability.stressor import Stressor, Times, staircase_settings, stress_settings, stressor_of, times_of
from sim.spec.scenario import Recording
from sim.stats.bounds import NOT_NEGATIVE, SHARE
from sim.stats.interval import Interval
from sim.stats.mean import mean_interval

if TYPE_CHECKING:
    from sim.experiments.running.journal import Journal
    from sim.spec.study import Study

GRID = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0, 1.1)  # of the load at which the first station is full, on paper
PRECISION = 0.05  # relative width at which the search for a threshold ends
LOST = 0.95  # of the usual success share: less is a collapse
_DWELL = 30.0  # s; the least on a step of the staircase


@dataclass(frozen=True)
class LoadPoint:
    """One load, with and without the stressor."""

    factor: float  # of all open arrivals
    rate: float  # requests per second
    recovered: int  # replications
    recovering: int
    stuck: int
    recovery: Interval  # s from the end of the stressor, where it is known; infinite and censored where a replication has not recovered
    recovery_of_recovered: Interval  # s; over those whose recovery took a known time
    success_before: Interval
    success_after: Interval  # long after
    p99_before: Interval
    p99_after: Interval
    success_without: Interval  # long after, without the stressor
    goodput_after: Interval  # 1/s, long after
    goodput_without: Interval
    requests: Interval  # that the figures of long after stand on, in each replication
    collapsed: bool

    @property
    def replications(self) -> int:
        """How many there are."""
        return self.recovered + self.recovering + self.stuck

    @property
    def vulnerable(self) -> bool:
        """Whether it does not come back after the stressor."""
        return 2 * self.stuck >= self.replications


@dataclass(frozen=True)
class Threshold:
    """A load above which something happens: it lies between two that were tried. nan: on that side none was."""

    low: float  # the highest load tried below
    high: float  # the lowest above

    @property
    def found(self) -> bool:
        """Whether both sides are known."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    @property
    def value(self) -> float:
        """The middle; nan where it was not found."""
        return (self.low + self.high) / 2


@dataclass(frozen=True)
class Step:
    """One step of the staircase of loads."""

    factor: float
    rate: float
    rising: bool
    goodput: Interval  # 1/s, in the second half of the step
    success: Interval  # share of what arrives
    requests: Interval  # that arrive in that half, in each replication


@dataclass(frozen=True)
class Stability:
    """What `find_stability` answers. Loads are requests per second of all open traffic; `factor` is their multiple in the scenario."""

    study: Study
    variant: str
    engine: str
    seed: int
    replications: int
    stressor: str
    times: Times
    rate: float  # of the scenario as it stands
    points: tuple[LoadPoint, ...]  # by load
    vulnerable: Threshold  # requests per second; above it the system does not come back
    collapse: Threshold  # above it the system does not need the stressor
    curve: tuple[Step, ...]  # up, then down; empty where none was asked for
    dwell: float  # s on each step
    fingerprint: str
    warmup: FoundWarmup | None = None  # where the scenario leaves it to be found: at the load as written

    @property
    def metastable(self) -> tuple[float, float] | None:
        """The loads that it can bear but does not come back to: (from, to) in requests per second; None where there are none that are known."""
        begin = self.vulnerable.value if self.vulnerable.found else self.vulnerable.high
        if math.isnan(begin) and not any(point.vulnerable for point in self.points):
            return None
        begin = self.points[0].rate if math.isnan(begin) else begin
        end = self.collapse.value if self.collapse.found else math.nan
        end = self.points[-1].rate if math.isnan(end) else end
        return (begin, end) if begin < end * (1 - PRECISION) else None

    @property
    def table(self) -> pd.DataFrame:
        """One row per load."""
        rows = []
        for point in self.points:
            figures = ("recovery", "success_before", "success_after", "p99_before", "p99_after", "success_without", "goodput_after", "goodput_without")
            plain = {name: getattr(point, name) for name in ("factor", "rate", "recovered", "recovering", "stuck", "vulnerable", "collapsed")}
            rows.append({**plain, **{name: getattr(point, name).value for name in figures}})
        return pd.DataFrame(rows)

    @property
    def hysteresis(self) -> pd.DataFrame:
        """One row per step of the staircase."""
        rows = [(step.factor, step.rate, step.rising, step.goodput.value, step.success.value) for step in self.curve]
        return pd.DataFrame(rows, columns=["factor", "rate", "rising", "goodput", "success"])

    def _repr_html_(self) -> str:
        head = f"<p><b>{html.escape(self.study.name)}: {html.escape(self.variant)}</b>, {html.escape(self.stressor)}</p>"
        return head + self.table.to_html(index=False, border=0)

    def __repr__(self) -> str:
        return f"{self.study.name}: {self.variant}, {self.stressor}\n{self.table.to_string(index=False)}"


def find_stability(
    study: Source,
    variant: str | None = None,
    *,
    stressor: str | None = None,
    loads: Sequence[float] | None = None,
    replications: int = 5,
    precision: float = PRECISION,
    before: float | None = None,
    watch: float | None = None,
    dwell: float | None = None,
    hysteresis: bool = True,
    jobs: int | None = None,
    engine: str = "auto",
    progress: Progress | None = None,
    journal: Journal | None = None,
    cluster: str | None = None,
    max_memory: str | float | None = None,
) -> Stability:
    """Whether one variant, the first unless named, returns to its state after the stressor, at which loads, and after how long.

    `stressor` is `spike:3x:10s`, `outage:SERVICE:30s` or `slow:SERVICE:5x:30s`, or else the faults of the scenario; `loads` are factors on all open
    arrivals. `before` and `watch` are the seconds before and after the stressor, `dwell` those on each step of the staircase; `precision` is the
    relative width at which the search for a threshold ends (0: only the loads given are tried).
    """
    study = as_study(study)
    arm = _arm(study, variant)
    what = stressor_of(stressor, arm.scenario)
    factors = _grid(arm, loads)
    _refuse(factors, replications, precision)
    times_of(what, arm.scenario, before, watch)  # wrong ones are told before anything runs
    ramp = [*factors, *reversed(factors[:-1])] if hysteresis else []
    longest = max(times_of(what, arm.scenario, before, watch).duration / arm.scenario.duration, 1.0)
    most = max(*factors, 1.0) * longest
    options, runs = RunOptions(jobs, cluster, engine, progress, journal, max_memory), 2 * replications * len(factors)
    with ExitStack() as stack:
        choice = stack.enter_context(options.choose([arm.scenario], runs, times=most, keeps=False, needs=Recording()))
        chosen = choice.engine
        with crew(options.executor(perform, choice), None, 0) as execute:  # a warm-up that is to be found is found at the load as written
            (arm,), warmup = settled([arm], arm.scenario.seed, chosen, replications, execute)
        times = times_of(what, arm.scenario, before, watch)
        step = dwell or max(_DWELL, (times.duration - times.end) / 2)
        most = 2 * len(factors) * replications + (replications if ramp else 0)
        told = options.executor(partial(perform_stressed, times=times), choice)
        search = _Search(arm, chosen, what, times, replications, stack.enter_context(crew(told, progress, most)))
        search.measure(factors)
        if precision > 0:
            search.bisect(precision)
        curve, marks = tuple[Step, ...](), search.fingerprints
        if ramp:
            climbing = options.executor(partial(perform_staircase, dwell=step), choice)
            curve, more = _climb(arm, chosen, ramp, step, replications, stack.enter_context(crew(climbing, progress, replications)))
            marks += more
    points = search.points()
    return Stability(
        study=study,
        variant=arm.name,
        engine=choice.engines,
        seed=arm.scenario.seed,
        replications=replications,
        stressor=what.text,
        times=times,
        rate=open_rate(arm.scenario),
        points=points,
        vulnerable=_threshold(points, [point.vulnerable for point in points]),
        collapse=_threshold(points, [point.collapsed for point in points]),
        curve=curve,
        dwell=step,
        fingerprint=hashlib.sha256("\0".join(marks).encode()).hexdigest()[:32],
        warmup=warmup,
    )


def _arm(study: Study, variant: str | None) -> Arm:
    from sim.errors import did_you_mean

    arms = arms_of(study)
    if variant is not None and variant not in arms:
        raise UsageError(f"unknown variant '{variant}'{did_you_mean(variant, arms)}")
    return arms[variant if variant is not None else next(iter(arms))]


def _grid(arm: Arm, loads: Sequence[float] | None) -> list[float]:
    """The loads to try, as factors; without any, shares of what the first station can bear on paper."""
    if loads is not None:
        return sorted(set(loads))
    capacity = Analysis(arm.scenario).load(arm.name).capacity
    if not 0.0 < capacity < math.inf:
        raise UsageError("loads: no station is ever full on paper, so that no loads suggest themselves; expected some, such as --loads 0.5,1,2")
    return [capacity * share for share in GRID]


def _refuse(factors: Sequence[float], replications: int, precision: float) -> None:
    if not factors or min(factors) <= 0 or not all(map(math.isfinite, factors)):
        raise UsageError("loads: expected factors above 0, such as 0.5,1,2")
    if replications < 1:
        raise UsageError(f"replications: found {replications}, expected at least 1")
    if not 0 <= precision < 1:
        raise UsageError(f"precision: found {precision:g}, expected a share, such as 0.05; 0 tries no other loads than those given")


# ---- over loads


class _Search:
    """The loads that were tried, each with its runs with and without the stressor."""

    def __init__(self, arm: Arm, engine: str, stressor: Stressor, times: Times, replications: int, execute: Execute) -> None:
        self._arm, self._engine, self._stressor, self._times = arm, engine, stressor, times
        self._replications, self._execute = replications, execute
        self._rate = open_rate(arm.scenario)
        self._with: dict[float, list[JobResult]] = {}
        self._without: dict[float, list[JobResult]] = {}

    @property
    def fingerprints(self) -> list[str]:
        """Of all runs, by load."""
        return [result.fingerprint for factor in sorted(self._with) for result in (*self._with[factor], *self._without[factor])]

    def measure(self, factors: Sequence[float]) -> None:
        """Run the loads that were not run yet."""
        new = [factor for factor in factors if factor not in self._with]
        jobs = [job for factor in new for stressor in (self._stressor, None) for job in self._jobs(factor, stressor)]
        results = self._execute(jobs)
        for place, factor in enumerate(new):
            first = 2 * place * self._replications
            self._with[factor] = results[first : first + self._replications]
            self._without[factor] = results[first + self._replications : first + 2 * self._replications]

    def bisect(self, precision: float) -> None:
        """Try the middle between two neighbouring loads on different sides of a threshold, until they are close."""
        while True:
            points = self.points()
            ends = [_bracket(points, [point.vulnerable for point in points]), _bracket(points, [point.collapsed for point in points])]
            middles = {(low.factor + high.factor) / 2 for low, high in (end for end in ends if end) if high.factor - low.factor > precision * high.factor}
            if not middles:
                return
            self.measure(sorted(middles))

    def points(self) -> tuple[LoadPoint, ...]:
        """What was found, by load."""
        usual = _mean(self._without[min(self._without)], "answered after").value
        return tuple(self._point(factor, usual) for factor in sorted(self._with))

    def _point(self, factor: float, usual: float) -> LoadPoint:
        runs, without = self._with[factor], self._without[factor]
        collapsed = not _mean(without, "answered after").value >= LOST * usual
        twins = [result.metrics for result in without]
        back = [not collapsed and is_as_without(result.metrics, twins) for result in runs]
        status = [RECOVERED if is_back else result.metrics["status"] for result, is_back in zip(runs, back, strict=True)]
        recovery = [result.metrics["recovery"] for result in runs]
        known = [seconds for seconds in recovery if math.isfinite(seconds)]
        return LoadPoint(
            factor=factor,
            rate=factor * self._rate,
            recovered=status.count(RECOVERED),
            recovering=status.count(RECOVERING),
            stuck=status.count(STUCK),
            recovery=mean_interval(
                [math.nan if its == RECOVERED and math.isinf(seconds) else seconds for its, seconds in zip(status, recovery, strict=True)], bounds=NOT_NEGATIVE
            ),
            recovery_of_recovered=mean_interval(known, bounds=NOT_NEGATIVE),
            success_before=_mean(runs, "success before"),
            success_after=_mean(runs, "success after"),
            p99_before=_mean(runs, "p99 before"),
            p99_after=_mean(runs, "p99 after"),
            success_without=_mean(without, "success after"),
            goodput_after=_mean(runs, "goodput after"),
            goodput_without=_mean(without, "goodput after"),
            requests=_mean(runs, "requests after"),
            collapsed=collapsed,
        )

    def _jobs(self, factor: float, stressor: Stressor | None) -> list[Job]:
        return _jobs(self._arm, self._engine, self._replications, stress_settings(self._arm.scenario, self._arm.variant, factor, self._times, stressor))


def _climb(arm: Arm, engine: str, factors: Sequence[float], dwell: float, replications: int, execute: Execute) -> tuple[tuple[Step, ...], list[str]]:
    """The staircase up and down, and the fingerprints of its runs."""
    sets = staircase_settings(arm.scenario, arm.variant, factors, dwell, arm.scenario.warmup)
    results, rate, top = execute(_jobs(arm, engine, replications, sets)), open_rate(arm.scenario), factors.index(max(factors))
    steps = tuple(
        Step(factor, factor * rate, place <= top, *(_mean(results, f"{figure} step {place}") for figure in ("goodput", "success", "requests")))
        for place, factor in enumerate(factors)
    )
    return steps, [result.fingerprint for result in results]


def _jobs(arm: Arm, engine: str, replications: int, sets: tuple[str, ...]) -> list[Job]:
    job = Job(json.dumps(arm.document), arm.plugins, arm.variant, arm.scenario.seed, 0, engine, file=arm.file, sets=sets, given=arm.given, keep_timeline=False)
    return [replace(job, replication=number) for number in range(replications)]


def _mean(results: Sequence[JobResult], key: str) -> Interval:
    bounds = SHARE if key.startswith(("success", "answered")) else NOT_NEGATIVE
    return mean_interval([result.metrics[key] for result in results], bounds=bounds)


def _bracket(points: Sequence[LoadPoint], above: Sequence[bool]) -> tuple[LoadPoint, LoadPoint] | None:
    """The lowest load that is above, and the one next below it."""
    place = next((place for place, is_above in enumerate(above) if is_above), 0)
    return (points[place - 1], points[place]) if place else None


def _threshold(points: Sequence[LoadPoint], above: Sequence[bool]) -> Threshold:
    place = next((place for place, is_above in enumerate(above) if is_above), len(points))
    return Threshold(points[place - 1].rate if place else math.nan, points[place].rate if place < len(points) else math.nan)
