"""Where jobs run: here, one after the other, in worker processes, or on a cluster.

The results are the same, in the order of the jobs.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from sim.errors import Interrupted, SimError, UsageError
from sim.experiments.running.engines import EngineChoice
from sim.experiments.running.jobs import Job, JobResult, Perform, perform, question_of
from sim.experiments.running.journal import Journal
from sim.experiments.running.ledger import Failure, Ledger, Progress, guarded

_MOST_WORKERS = 61  # Windows waits for no more handles at once


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Executor:
    """Workers that stay for several rounds of jobs.

    A context: leaving it lets them go, at once where something went wrong.
    """

    def __init__(
        self,
        workers: int | None = None,
        perform: Perform = perform,
        *,
        journal: Journal | None = None,
        cluster: str | None = None,
        most: int | None = None,
        choice: EngineChoice | None = None,
        memory: float | None = None,
    ) -> None:
        """`choice`: what jobs run on, in the place of the engine that they name; it may change while they run.

        `memory`: bytes that all who run at once may take together.
        """
        if workers is not None and workers < 1:
            raise UsageError(f"jobs: found {workers}, expected at least 1")
        if workers is not None and cluster is not None:
            raise UsageError("found both jobs and cluster: the cluster has workers of its own")
        self._count = min(workers or cores(), _MOST_WORKERS, most if most is not None else _MOST_WORKERS)
        self._perform, self._journal, self._cluster, self._choice = perform, journal, cluster, choice
        self._memory = memory
        self._crew: Crew | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._crew is not None:
            self._crew.close(at_once=kind is not None)
            self._crew = None

    def run(
        self,
        jobs: Sequence[Job],
        take: Callable[[int, JobResult], None],
        progress: Progress | None = None,
        *,
        tolerated: int = 0,
    ) -> list[tuple[int, SimError]]:
        """Hand every result to `take` with the index of its job, as they come.

        Up to `tolerated` jobs may fail: those are the answer.
        """
        ledger = self._ledger([self._with_its_share(job, len(jobs)) for job in jobs], take, progress, tolerated)
        try:
            missing = ledger.restore()
            if missing:
                if self._choice is not None:
                    self._choice.begin()
                self._workers().work(ledger, missing)
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted: {ledger.done} of {len(jobs)} runs were finished{ledger.kept}") from None
        return ledger.failures

    def _with_its_share(self, job: Job, count: int) -> Job:
        """A job among so many, with what it has of this machine; of those of a cluster nothing is known."""
        if self._cluster is not None:
            return job
        at_once = max(1, min(self._count, count))
        memory = self._memory / at_once if self._memory is not None else None
        return replace(job, idle_core=cores() >= 2 * at_once, most_memory=memory)

    def _ledger(
        self, jobs: Sequence[Job], take: Callable[[int, JobResult], None], progress: Progress | None, tolerated: int
    ) -> Ledger:
        question, choice = question_of(self._perform), self._choice
        if choice is None:
            return Ledger(jobs, take, progress, self._journal, tolerated, question)

        def taken(index: int, result: JobResult) -> None:
            choice.ran(result.engine)
            take(index, result)

        ledger = Ledger(
            jobs, taken, progress, self._journal, tolerated, question, ("simpy", "compiled") if choice.either else ()
        )
        ledger.switch(choice.engine)
        return ledger

    def _workers(self) -> Crew:
        if self._crew is None:
            if self._cluster is not None:
                from sim.experiments.running.cluster import ClusterCrew

                self._crew = ClusterCrew(self._cluster, self._perform)
            else:
                self._crew = _local_crew(self._count, self._perform, self._choice)
        return self._crew


class Crew(Protocol):
    """Those who do the work."""

    def work(self, ledger: Ledger, missing: Sequence[int]) -> None:
        """Settle each of these jobs in the ledger."""

    def close(self, at_once: bool) -> None:
        """Let the workers go."""


class _Anew(BaseException):
    """The job that is under way had better begin again on the other engine."""


class _Here:
    """This process alone, one job after the other."""

    def __init__(self, perform: Perform, choice: EngineChoice | None = None) -> None:
        self._perform, self._choice = perform, choice

    def work(self, ledger: Ledger, missing: Sequence[int]) -> None:
        for index in missing:
            ledger.settle(index, self._answer(ledger, index))

    def _answer(self, ledger: Ledger, index: int) -> JobResult | Failure:
        while True:
            if self._has_changed(ledger.jobs[index]) and self._choice is not None:
                ledger.switch(self._choice.engine)
            try:
                return guarded(self._perform, ledger.jobs[index], partial(self._tick, ledger, index))
            except _Anew:
                continue

    def _tick(self, ledger: Ledger, index: int, now: float) -> None:
        ledger.tick(index, now)
        if self._has_changed(ledger.jobs[index]):
            raise _Anew

    def _has_changed(self, job: Job) -> bool:
        """Whether the engine that jobs run on is another by now."""
        return self._choice is not None and not self._choice.is_making() and self._choice.engine != job.engine

    def close(self, at_once: bool) -> None:
        del at_once


def _local_crew(count: int, perform: Perform, choice: EngineChoice | None) -> Crew:
    """Worker processes, or this one alone, where it is asked to be or where the system gives no others."""
    if count <= 1:
        return _Here(perform, choice)
    from sim.experiments.running.processes import Processes

    try:
        return Processes(count, perform, choice)
    except OSError as error:  # no shared memory, or one that is read only
        warnings.warn(f"no worker processes can be had ({error.strerror or error}): all runs in this one", stacklevel=2)
        return _Here(perform, choice)
