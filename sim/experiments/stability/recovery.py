"""Whether a system returns to its state after it was disturbed, after how long, and from which load on it no longer
does.

A system can bear a load for ever and yet not come back to it: what a disturbance leaves behind (retries, a backlog that
is always too late) feeds itself. Such a load is *vulnerable*, the state it falls into is metastable (Bronson et al.,
HotOS 2021), and only less load leads out of it. At every load each replication runs twice on the same luck, with and
without the stressor:

* it has *recovered* when, for a minute, success share and p95 are within 5 % of what they were before the stressor, on
  both clocks where orders have effects (the rule of `recovery_time`), or when long after they are within 5 % of the
  worst run without the stressor; it is *recovering* when it has not, but the backlog falls fast enough to be gone
  within ten times as long as one looked on; else it is *stuck*;
* a load is vulnerable when half of the replications or more are stuck; it is *collapsed* when without the stressor,
  too, long after its beginning less than 95 % of what arrives is answered as it is at the lightest load.

Thresholds are searched by bisection between loads of the grid. The curve of hysteresis is a run of its own: load goes
up the grid step by step, and down.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Unpack

from sim.errors import UsageError
from sim.experiments.on_paper.load_factor import open_rate
from sim.experiments.on_paper.offered_load import Analysis
from sim.experiments.replicating.arms import Arm, arms_of
from sim.experiments.replicating.comparison import digest_of
from sim.experiments.replicating.method import FoundWarmup
from sim.experiments.replicating.pilot import settled
from sim.experiments.replicating.rounds import Execute, crew
from sim.experiments.running.engines import EngineChoice
from sim.experiments.running.jobs import Job, JobResult
from sim.experiments.running.options import RunKeywords, RunOptions
from sim.experiments.shipped import Source, as_study
from sim.experiments.stability.replication import (
    RECOVERED,
    RECOVERING,
    STUCK,
    is_as_without,
    perform_staircase,
    perform_stressed,
)
from sim.experiments.stability.results import PRECISION, LoadPoint, Stability, Step, Threshold
from sim.experiments.stability.stressor import (
    Stressor,
    Times,
    staircase_settings,
    stress_settings,
    stressor_of,
    times_of,
)
from sim.spec.scenario import Recording
from sim.stats.bounds import NOT_NEGATIVE, SHARE
from sim.stats.interval import Interval
from sim.stats.mean import mean_interval

if TYPE_CHECKING:
    from sim.spec.study import Study

GRID = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0, 1.1)  # of the load at which the first station is full, on paper
LOST = 0.95  # of the usual success share: less is a collapse
_DWELL = 30.0  # s; the least on a step of the staircase


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
    **keywords: Unpack[RunKeywords],
) -> Stability:
    """Whether one variant, the first unless named, returns to its state after the stressor, at which loads, and after
    how long.

    `stressor` is `spike:3x:10s`, `outage:SERVICE:30s` or `slow:SERVICE:5x:30s`, or else the faults of the scenario;
    `loads` are factors on all open arrivals. `before` and `watch` are the seconds before and after the stressor,
    `dwell` those on each step of the staircase; `precision` is the relative width at which the search for a threshold
    ends (0: only the loads given are tried). The other keywords are those of `RunOptions`, without `perform`.
    """
    study = as_study(study)
    arm = _arm(study, variant)
    found = _Question(
        arm,
        stressor_of(stressor, arm.scenario),
        tuple(_grid(arm, loads)),
        replications,
        precision,
        before,
        watch,
        dwell,
        hysteresis,
    )
    found.check()
    scenarios, options = [arm.scenario], RunOptions(**keywords)
    estimate = options.estimate(scenarios, found.runs, times=found.most, keeps=False, needs=Recording())
    with options.choose(scenarios, found.runs, estimate) as choice:
        settled_arm, warmup = _settled(found, choice, options)
        found = replace(found, arm=settled_arm)
        search = _searched(found, choice, options)
        curve, climbed = _climbed(found, choice, options) if hysteresis else ((), [])
    answer = _answer(study, found, choice.engines, search.points(), curve)
    return replace(answer, fingerprint=digest_of([*search.fingerprints, *climbed]), warmup=warmup)


def _answer(
    study: Study, asked: _Question, engines: str, points: tuple[LoadPoint, ...], curve: tuple[Step, ...]
) -> Stability:
    """All but what names the runs it stands on."""
    return Stability(
        study=study,
        variant=asked.arm.name,
        engine=engines,
        seed=asked.arm.scenario.seed,
        replications=asked.replications,
        stressor=asked.stressor.text,
        times=asked.times,
        rate=open_rate(asked.arm.scenario),
        points=points,
        vulnerable=_threshold(points, [point.vulnerable for point in points]),
        collapse=_threshold(points, [point.collapsed for point in points]),
        curve=curve,
        dwell=asked.step,
        fingerprint="",
    )


@dataclass(frozen=True)
class _Question:
    """What is asked of one arm."""

    arm: Arm
    stressor: Stressor
    factors: tuple[float, ...]
    replications: int
    precision: float
    before: float | None
    watch: float | None
    dwell: float | None
    hysteresis: bool

    def check(self) -> None:
        """Tell what is wrong before anything runs."""
        if not self.factors or min(self.factors) <= 0 or not all(map(math.isfinite, self.factors)):
            raise UsageError("loads: expected factors above 0, such as 0.5,1,2")
        if self.replications < 1:
            raise UsageError(f"replications: found {self.replications}, expected at least 1")
        if not 0 <= self.precision < 1:
            raise UsageError(
                f"precision: found {self.precision:g}, expected a share, such as 0.05; 0 tries no other loads than "
                "those given"
            )
        _ = self.times

    @cached_property
    def times(self) -> Times:
        """When what happens in a run with the stressor; a UsageError where that cannot be."""
        return times_of(self.stressor, self.arm.scenario, self.before, self.watch)

    @property
    def runs(self) -> int:
        """Of all loads that are given, with and without the stressor."""
        return 2 * self.replications * len(self.factors)

    @property
    def most(self) -> float:
        """Times as much traffic as the scenario has, in the largest run."""
        return max(*self.factors, 1.0) * max(self.times.duration / self.arm.scenario.duration, 1.0)

    @property
    def step(self) -> float:
        """Seconds on each step of the staircase."""
        return self.dwell or max(_DWELL, (self.times.duration - self.times.end) / 2)


def _settled(asked: _Question, choice: EngineChoice, options: RunOptions) -> tuple[Arm, FoundWarmup | None]:
    """A warm-up that is to be found is found at the load as written."""
    with crew(options.executor(choice), None, 0) as execute:
        (arm,), warmup = settled([asked.arm], asked.arm.scenario.seed, choice.engine, asked.replications, execute)
    return arm, warmup


def _searched(asked: _Question, choice: EngineChoice, options: RunOptions) -> _Search:
    """The loads that were asked for, and those between them that it takes to know the thresholds."""
    most = asked.runs + (asked.replications if asked.hysteresis else 0)
    executor = options.executor(choice, perform=partial(perform_stressed, times=asked.times))
    with crew(executor, options.hearer, most) as execute:
        search = _Search(asked.arm, choice.engine, asked.stressor, asked.times, asked.replications, execute)
        search.measure(asked.factors)
        if asked.precision > 0:
            search.bisect(asked.precision)
    return search


def _climbed(asked: _Question, choice: EngineChoice, options: RunOptions) -> tuple[tuple[Step, ...], list[str]]:
    """The staircase up and down, and the fingerprints of its runs."""
    factors = [*asked.factors, *reversed(asked.factors[:-1])]
    executor = options.executor(choice, perform=partial(perform_staircase, dwell=asked.step))
    with crew(executor, options.hearer, asked.replications) as execute:
        return _climb(asked.arm, choice.engine, factors, asked.step, asked.replications, execute)


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
        raise UsageError(
            "loads: no station is ever full on paper, so that no loads suggest themselves; expected some, such as "
            "--loads 0.5,1,2"
        )
    return [capacity * share for share in GRID]


# ---- over loads


class _Search:
    """The loads that were tried, each with its runs with and without the stressor."""

    def __init__(
        self, arm: Arm, engine: str, stressor: Stressor, times: Times, replications: int, execute: Execute
    ) -> None:
        self._arm, self._engine, self._stressor, self._times = arm, engine, stressor, times
        self._replications, self._execute = replications, execute
        self._rate = open_rate(arm.scenario)
        self._with: dict[float, list[JobResult]] = {}
        self._without: dict[float, list[JobResult]] = {}

    @property
    def fingerprints(self) -> list[str]:
        """Of all runs, by load."""
        return [
            result.fingerprint
            for factor in sorted(self._with)
            for result in (*self._with[factor], *self._without[factor])
        ]

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
            ends = [
                _bracket(points, [point.vulnerable for point in points]),
                _bracket(points, [point.collapsed for point in points]),
            ]
            middles = {
                (low.factor + high.factor) / 2
                for low, high in (end for end in ends if end)
                if high.factor - low.factor > precision * high.factor
            }
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
        status = [
            RECOVERED if is_back else result.metrics["status"] for result, is_back in zip(runs, back, strict=True)
        ]
        recovery = [result.metrics["recovery"] for result in runs]
        known = [seconds for seconds in recovery if math.isfinite(seconds)]
        return LoadPoint(
            factor=factor,
            rate=factor * self._rate,
            recovered=status.count(RECOVERED),
            recovering=status.count(RECOVERING),
            stuck=status.count(STUCK),
            recovery=mean_interval(
                [
                    math.nan if its == RECOVERED and math.isinf(seconds) else seconds
                    for its, seconds in zip(status, recovery, strict=True)
                ],
                bounds=NOT_NEGATIVE,
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
        return _jobs(
            self._arm,
            self._engine,
            self._replications,
            stress_settings(self._arm.scenario, self._arm.variant, factor, self._times, stressor),
        )


def _climb(
    arm: Arm, engine: str, factors: Sequence[float], dwell: float, replications: int, execute: Execute
) -> tuple[tuple[Step, ...], list[str]]:
    """The staircase up and down, and the fingerprints of its runs."""
    sets = staircase_settings(arm.scenario, arm.variant, factors, dwell, arm.scenario.warmup)
    results, rate, top = (
        execute(_jobs(arm, engine, replications, sets)),
        open_rate(arm.scenario),
        factors.index(max(factors)),
    )
    steps = tuple(
        Step(
            factor,
            factor * rate,
            place <= top,
            *(_mean(results, f"{figure} step {place}") for figure in ("goodput", "success", "requests")),
        )
        for place, factor in enumerate(factors)
    )
    return steps, [result.fingerprint for result in results]


def _jobs(arm: Arm, engine: str, replications: int, sets: tuple[str, ...]) -> list[Job]:
    job = Job(
        json.dumps(arm.document),
        arm.plugins,
        arm.variant,
        arm.scenario.seed,
        0,
        engine,
        file=arm.file,
        sets=sets,
        given=arm.given,
        keep_timeline=False,
    )
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
    return Threshold(
        points[place - 1].rate if place else math.nan, points[place].rate if place < len(points) else math.nan
    )
