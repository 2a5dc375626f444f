"""One look at a system under some settings: do its expectations hold, and how sure is that? A search asks, and is
answered when the runs are in.

A look takes a few replications first. Where they tell at a confidence of 99.9 %, they do; where not, all replications
decide at 95 % for all expectations together (Bonferroni). All looks share their luck, so that figures change with the
settings and not with the draw.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from sim.errors import UsageError
from sim.experiments.replicating.arms import Arm
from sim.experiments.replicating.metric_kinds import bounds_of, noise_of
from sim.experiments.running.executors import Executor
from sim.experiments.running.jobs import Job, JobResult
from sim.experiments.running.ledger import Progress
from sim.experiments.searching.points import Space
from sim.spec.expectation import Expectation, expectations
from sim.spec.scenario import Scenario
from sim.stats.interval import Interval
from sim.stats.mean import mean_interval
from sim.vocabulary import bound_keys

Sure = Literal["holds", "fails", "open"]
Settings = tuple[str, ...]
T = TypeVar("T")

FIRST_LOOK = 4  # replications
_EARLY = 0.999
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Judged:
    """One expectation at one look."""

    text: str
    value: float  # mean over the replications, base units
    low: float
    high: float
    holds: bool  # by the mean
    sure: Sure
    # how far the mean is on the right side, in units of the threshold; nan where there is no such distance
    margin: float


@dataclass(frozen=True)
class Probe:
    """All expectations at one look."""

    settings: Settings
    replications: int
    judged: tuple[Judged, ...]
    cost: float  # mean over the replications
    requests: float  # that arrived after the warm-up; mean over the replications

    @property
    def holds(self) -> bool:
        """Whether every expectation holds by its mean, as a verdict has it."""
        return all(judged.holds for judged in self.judged)

    @property
    def sure(self) -> Sure:
        """Whether that is more than luck."""
        if any(judged.sure == "fails" for judged in self.judged):
            return "fails"
        return "holds" if all(judged.sure == "holds" for judged in self.judged) else "open"

    @property
    def silent(self) -> bool:
        """Whether an expectation fails for want of data alone."""
        return any(math.isnan(judged.value) for judged in self.judged)

    @property
    def broken(self) -> tuple[str, ...]:
        """The expectations that fail."""
        return tuple(judged.text for judged in self.judged if not judged.holds)


Search = Generator[Settings, Probe, T]
"""Yields the settings that it wants to know about, is sent the Probe, and returns what it found."""


class Prober:
    """Answers several searches side by side, so that all workers have something to do."""

    def __init__(
        self, space: Space, replications: int, executor: Executor, progress: Progress | None, expected: int
    ) -> None:
        self.space, self.replications = space, replications
        self._executor, self._progress, self._expected = executor, progress, expected
        self._done, self._simulated = 0, 0.0
        self._known: dict[tuple[str, Settings], Probe] = {}
        self._results: dict[tuple[str, Settings], list[JobResult]] = {}

    def answer(self, searches: Sequence[tuple[Arm, Search[T]]]) -> list[T]:
        """What each of them returns."""
        found: dict[int, T] = {}
        asking = {number: (arm, search, next(search)) for number, (arm, search) in enumerate(searches)}
        while asking:
            self._look([(arm, settings) for arm, _, settings in asking.values()])
            for number, (arm, search, settings) in list(asking.items()):
                try:
                    asking[number] = (arm, search, search.send(self._known[arm.name, settings]))
                except StopIteration as stop:
                    found[number] = stop.value
                    del asking[number]
        return [found[number] for number in range(len(searches))]

    @property
    def fingerprints(self) -> list[str]:
        """Of all runs, in an order that does not depend on who was first."""
        return [result.fingerprint for key in sorted(self._results) for result in self._results[key]]

    def _look(self, wanted: list[tuple[Arm, Settings]]) -> None:
        new = {
            (arm.name, settings): (arm, settings) for arm, settings in wanted if (arm.name, settings) not in self._known
        }
        first = min(FIRST_LOOK, self.replications)
        self._run(list(new.values()), 0, first)
        unsure = []
        for key, (arm, settings) in new.items():
            probe = self._probe(arm, settings, _EARLY)
            if probe.sure == "open" or _is_flat(probe) or first == self.replications:
                unsure.append((arm, settings))
            else:
                self._known[key] = probe
        self._run(unsure, first, self.replications)
        for arm, settings in unsure:
            self._known[arm.name, settings] = self._probe(arm, settings, _CONFIDENCE)

    def _run(self, wanted: list[tuple[Arm, Settings]], start: int, stop: int) -> None:
        jobs: list[Job] = []
        keys = []
        for arm, settings in wanted:
            for job in self.space.jobs(arm, settings, range(start, stop), self.space.seed):
                jobs.append(job)
                keys.append((arm.name, settings))
        if not jobs:
            return
        results: dict[int, JobResult] = {}
        self._executor.run(jobs, results.__setitem__, self._told)
        for index, key in enumerate(keys):
            self._results.setdefault(key, []).append(results[index])
        self._done += len(jobs)
        self._simulated += sum(result.simulated for result in results.values())

    def _told(self, done: int, total: int, simulated: float) -> None:
        if self._progress is not None:
            so_far = self._done + done
            self._progress(so_far, max(self._expected, self._done + total + 1), self._simulated + simulated)

    def _probe(self, arm: Arm, settings: Settings, confidence: float) -> Probe:
        results = self._results[arm.name, settings]
        scenario = self.space.scenario(arm, settings)
        asked = expectations(scenario)
        each = 1.0 - (1.0 - confidence) / max(1, len(asked))
        cost, requests = (
            float(np.mean([result.metrics.get(key, math.nan) for result in results])) for key in ("cost", "requests")
        )
        return Probe(
            settings,
            len(results),
            tuple(_judged(scenario, expectation, results, each) for expectation in asked),
            cost,
            requests,
        )


def refuse_silent(scenario: Scenario, variant: str) -> None:
    """Without expectations nothing can break."""
    if not scenario.expect:
        raise UsageError(
            f"variant '{variant}' expects nothing, so nothing can break: add expect: [p99(response) < 800ms], or "
            "--set 'expect=[...]'"
        )


def _judged(scenario: Scenario, expectation: Expectation, results: Sequence[JobResult], confidence: float) -> Judged:
    key = expectation.metric_key
    values = np.array([_value(expectation, result) for result in results])
    bound = any(key in result.censored for result in results)
    # a verdict has it that no data fails, and so does a lower bound
    if np.isnan(values).any() or np.isinf(values).any() or bound:
        mean = mean_interval(values).value
        return Judged(expectation.text, mean, math.nan, math.nan, False, "fails", math.nan)
    figure = mean_interval(values, confidence, bounds=bounds_of(key))
    noise = noise_of(key, figure.value, expectation.threshold, scenario)
    holds = expectation.holds(figure.value, noise)
    if expectation.operator in ("==", "!="):
        return Judged(
            expectation.text, figure.value, figure.low, figure.high, holds, "holds" if holds else "fails", math.nan
        )
    margin = _margin(expectation, figure.value)
    return Judged(
        expectation.text, figure.value, figure.low, figure.high, holds, _sure(expectation, figure, holds, noise), margin
    )


def _value(expectation: Expectation, result: JobResult) -> float:
    """The figure of a run; where requests in flight leave it open, what is the worst for the expectation."""
    value = result.metrics.get(expectation.metric_key, math.nan)
    least, most = (result.metrics.get(key, math.nan) for key in bound_keys(expectation.metric_key))
    if not math.isnan(value) or math.isnan(least):
        return value
    return most if expectation.operator.startswith("<") else least


def _sure(expectation: Expectation, figure: Interval, holds: bool, noise: float) -> Sure:
    """Whether both ends of the interval say the same."""
    if math.isnan(figure.low):
        return "open"
    worst, best = (figure.high, figure.low) if expectation.operator.startswith("<") else (figure.low, figure.high)
    if holds and expectation.holds(worst, noise):
        return "holds"
    return "fails" if not holds and not expectation.holds(best, noise) else "open"


def _margin(expectation: Expectation, value: float) -> float:
    gap = expectation.threshold - value if expectation.operator.startswith("<") else value - expectation.threshold
    return gap / (abs(expectation.threshold) or 1.0)


def _is_flat(probe: Probe) -> bool:
    """Whether a first look says that something holds only because nothing varied in it: no order lost in four runs may
    be one lost in ten.
    """
    return probe.sure == "holds" and any(
        judged.low == judged.high and not judged.margin > 0.0 for judged in probe.judged
    )
