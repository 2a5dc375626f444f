"""Replications in rounds: a fixed number, as many as a precision takes, or as many as it takes to tell which variant is
best.

Whatever the rule, replication k is what it would be in any other run, so a result is that of a fixed run of as many
replications, and neither the number of workers nor the size of a round changes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from sim.experiments.replicating.arms import Arm
from sim.experiments.replicating.method import Best, Precision
from sim.experiments.running.executors import Executor
from sim.experiments.running.jobs import Job, JobResult
from sim.experiments.running.ledger import Progress
from sim.spec.certain import is_certain
from sim.spec.uncertain import ranges_in
from sim.stats.interval import Interval
from sim.stats.mean import mean_interval
from sim.stats.selection import FIRST, Race
from sim.stats.stopping import enough, replications_needed
from sim.vocabulary import better_of

Execute = Callable[[Sequence[Job]], list[JobResult]]

STEP = 10  # replications of a variant that a race runs ahead, for the workers' sake


class Rounds:
    """The replications so far, of every arm."""

    def __init__(
        self,
        arms: Sequence[Arm],
        seed: int,
        engine: str,
        execute: Execute,
        first: int = 0,
        confidence: float | None = None,
        every_row: bool = False,
    ) -> None:
        """`confidence`: of the intervals that each replication gives by itself; None: they are not asked for.

        `every_row`: whether the rows of all replications are kept, and not of the first alone.
        """
        self.arms, self.first = {arm.name: arm for arm in arms}, first
        self.results: dict[str, list[JobResult]] = {arm.name: [] for arm in arms}
        self._seed, self._engine, self._execute, self._confidence = seed, engine, execute, confidence
        self._every_row = every_row

    def run(self, count: int, names: Collection[str] | None = None) -> None:
        """Further replications of these arms, or of all, until each has this many."""
        jobs = [
            (arm.name, job)
            for arm in self.arms.values()
            if names is None or arm.name in names
            for job in self._missing(arm, count)
        ]
        for (name, _), result in zip(jobs, self._execute([job for _, job in jobs]), strict=True):
            self.results[name].append(result)

    def certain(self, most: int) -> bool:
        """Whether nothing is random: by what is said, and by a second replication, where more than one was asked for,
        that is the same as the first.

        The first is then all there is.
        """
        if not all(is_certain(arm.scenario) and not ranges_in(arm.document) for arm in self.arms.values()):
            return False
        self.run(min(2, most))
        if any(len({result.fingerprint for result in results}) > 1 for results in self.results.values()):
            return False
        self.results = {name: results[:1] for name, results in self.results.items()}
        return True

    def numbers(self, name: str) -> range:
        """The replications that an arm has."""
        return range(self.first, self.first + len(self.results[name]))

    def values(self, name: str, key: str) -> list[float]:
        """A metric, replication by replication."""
        return [result.metrics.get(key, math.nan) for result in self.results[name]]

    def _missing(self, arm: Arm, count: int) -> list[Job]:
        document = json.dumps(arm.document)
        return [
            Job(
                document,
                arm.plugins,
                arm.variant,
                self._seed,
                number,
                self._engine,
                keep_records=self._every_row or number == self.first,
                file=arm.file,
                given=arm.given,
                confidence=self._confidence,
            )
            for number in range(self.numbers(arm.name).stop, self.first + count)
        ]


def until_precise(rounds: Rounds, keys: Sequence[str], relative: float, cap: int, confidence: float) -> Precision:
    """A first batch, then as many as the spread so far calls for, at most twice as many at a time, until every variant
    is precise.

    That it looks only now and then, and not after each replication, makes a stop by luck rarer.
    """
    count = min(FIRST, cap)
    while True:
        rounds.run(count)
        found = {
            (name, key): mean_interval(rounds.values(name, key), confidence) for name in rounds.arms for key in keys
        }
        wide = {place: figure for place, figure in found.items() if not enough(figure, relative)}
        needed = max((replications_needed(figure, relative) for figure in wide.values()), default=0)
        if not wide or count == cap:
            break
        count = min(cap, 2 * count, needed if needed > count else 2 * count)
    named = {(name, key): key if len(rounds.arms) == 1 else f"{name}: {key}" for name, key in found}
    missed = {named[place]: _width(figure) for place, figure in wide.items()}
    unknown = tuple(named[place] for place, figure in found.items() if not math.isfinite(figure.value))
    return Precision(relative, tuple(keys), cap, count, missed, needed if needed > count else 0, unknown)


def until_best(rounds: Rounds, key: str, indifference: float, words: str, cap: int, confidence: float) -> Best:
    """A first batch, then more of those variants alone that may still be the best."""
    rounds.run(FIRST)
    sign = 1.0 if better_of(key) == "higher" else -1.0
    trouble = _unfit(rounds, key)
    race = (
        Race(
            {name: [sign * value for value in rounds.values(name, key)] for name in rounds.arms},
            indifference,
            confidence,
        )
        if not trouble
        else None
    )
    while race is not None and len(race.standing) > 1 and race.n < cap and not trouble:
        rounds.run(min(cap, race.n + STEP, race.most), race.standing)
        trouble = _unfit(rounds, key)
        while not trouble and len(race.standing) > 1 and race.n < len(rounds.results[race.leader]):
            race.add({name: sign * rounds.values(name, key)[race.n] for name in race.standing})
    standing, leader = (race.standing, race.leader) if race is not None else (tuple(rounds.arms), "")
    spent = {name: len(results) for name, results in rounds.results.items()}
    return Best(key, words, confidence, leader, standing, spent, trouble)


def precise_at_once(rounds: Rounds, keys: Sequence[str], relative: float, cap: int) -> Precision:
    """Where nothing is random one replication is as precise as can be."""
    values = {(name, key): rounds.values(name, key)[0] for name in rounds.arms for key in keys}
    unknown = tuple(
        key if len(rounds.arms) == 1 else f"{name}: {key}"
        for (name, key), value in values.items()
        if not math.isfinite(value)
    )
    return Precision(relative, tuple(keys), cap, 1, unknown=unknown)


def best_at_once(rounds: Rounds, key: str, words: str, confidence: float) -> Best:
    """Where nothing is random the best is the one that is ahead, of equals the first."""
    trouble = _unfit(rounds, key)
    sign = 1.0 if better_of(key) == "higher" else -1.0
    leader = max(rounds.arms, key=lambda name: sign * rounds.values(name, key)[0]) if not trouble else ""
    return Best(key, words, confidence, leader, (leader,), dict.fromkeys(rounds.arms, 1), trouble, exact=True)


def _unfit(rounds: Rounds, key: str) -> str:
    """Why the values of a metric cannot be raced."""
    for name, results in rounds.results.items():
        missing = sum(not math.isfinite(value) for value in rounds.values(name, key))
        if missing:
            return f"{key} of {name} has no finite value in {missing} of {len(results)} replications"
        bounds = sum(key in result.censored for result in results)
        if bounds:
            return f"{key} of {name} is cut off by the end of the run in {bounds} of {len(results)} replications"
    return ""


def _width(figure: Interval) -> float:
    return figure.half_width / abs(figure.value) if figure.value else math.inf


@contextmanager
def crew(executor: Executor, progress: Progress | None, most: int) -> Iterator[Execute]:
    """One crew of workers for all rounds, whose progress is told as one; `most` is how many jobs there are at most."""
    onward = None if progress is None else _Onward(progress, most)

    def execute(jobs: Sequence[Job]) -> list[JobResult]:
        results: dict[int, JobResult] = {}
        executor.run(jobs, results.__setitem__, onward)
        if onward is not None:
            onward.end(len(jobs), sum(result.simulated for result in results.values()))
        return [results[index] for index in range(len(jobs))]

    with executor:
        yield execute


class _Onward:
    """The progress of one round after the other."""

    def __init__(self, progress: Progress, most: int) -> None:
        self._progress, self._most = progress, most
        self._done, self._simulated = 0, 0.0

    def __call__(self, done: int, total: int, simulated: float) -> None:
        self._progress(self._done + done, max(self._most, self._done + total), self._simulated + simulated)

    def resumed(self, done: int, total: int, simulated: float) -> None:
        """So much of this round is known from an earlier, unfinished call."""
        inner = getattr(self._progress, "resumed", None)
        if inner is not None:
            inner(self._done + done, max(self._most, self._done + total), self._simulated + simulated)

    def end(self, done: int, simulated: float) -> None:
        """A round is over."""
        self._done += done
        self._simulated += simulated
