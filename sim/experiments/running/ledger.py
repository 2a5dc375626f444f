"""What has come back of a list of jobs, how far each of the others is, and how a failure is told."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sim.errors import RunError, SimError
from sim.experiments.running.jobs import Job, JobResult, Perform
from sim.experiments.running.journal import Journal
from sim.experiments.running.memory_guard import none_left

Progress = Callable[[int, int, float], None]
"""Told how many jobs are done, of how many, and how many seconds have been simulated in all of them together."""


class Ledger:
    """What has come back so far, and how far each of the others is."""

    def __init__(
        self,
        jobs: Sequence[Job],
        take: Callable[[int, JobResult], None],
        progress: Progress | None,
        journal: Journal | None,
        tolerated: int,
        question: str = "",
        others: Sequence[str] = (),
    ) -> None:
        """`others`: the engines whose results will do as well as those of the engine that a job names."""
        self.jobs = list(jobs)
        self.done = 0
        self.failures: list[tuple[int, SimError]] = []  # by the index of the job
        self._take, self._journal, self._tolerated, self._question, self._others = (
            take,
            journal,
            tolerated,
            question,
            others,
        )
        self._simulated = [0.0] * len(jobs)
        self._total = 0.0
        self._settled = bytearray(len(jobs))
        self._progress = progress or (lambda _done, _total, _simulated: None)

    @property
    def kept(self) -> str:
        """What an interruption says of the finished work, that of earlier rounds of the same command with it."""
        if self._journal is None or self._journal.trouble:
            return ""
        held = self._journal.found + self._journal.kept
        before = f", after {held - self.done} of earlier rounds" if held > self.done else ""
        return f"{before}; they are kept, and the same command goes on from there" if held else ""

    def restore(self) -> list[int]:
        """Take what the journal knows; answers with the indices of the jobs that remain."""
        if self._journal is None:
            return list(range(len(self.jobs)))
        for index, job in enumerate(self.jobs):
            engines = dict.fromkeys((job.engine, *self._others))
            result = next(
                (
                    found
                    for engine in engines
                    if (found := self._journal.find(replace(job, engine=engine), self._question)) is not None
                ),
                None,
            )
            if result is not None:
                self._book(index, result)
        if self.done:
            resumed = getattr(self._progress, "resumed", None)
            if resumed is not None:
                resumed(self.done, len(self.jobs), self._total)
            self.tell()
        return [index for index, settled in enumerate(self._settled) if not settled]

    def switch(self, engine: str) -> None:
        """Jobs that have not ended run on this engine from now on."""
        for index, job in enumerate(self.jobs):
            if not self._settled[index] and job.engine != engine:
                self.jobs[index] = replace(job, engine=engine)

    def tick(self, index: int, now: float) -> None:
        """A job has come to this simulated time."""
        if 0 <= index < len(self.jobs) and not self._settled[index]:
            self._come_to(index, now)
            self.tell()

    def settle(self, index: int, answer: JobResult | Failure) -> None:
        """A job has ended, well or badly."""
        if isinstance(answer, Failure):
            self._fail(index, explain(self.jobs[index], answer))
            return
        result = replace(answer, engine=self.jobs[index].engine)
        if self._journal is not None:
            last = sum(self._settled) + 1 == len(self.jobs)
            self._journal.keep(self.jobs[index], result, self._question, last=last)
        self._book(index, result)
        self.tell()

    def tell(self) -> None:
        """Say how far all is."""
        self._progress(self.done, len(self.jobs), self._total)

    def _book(self, index: int, result: JobResult) -> None:
        self._settled[index] = 1
        self.done += 1
        self._come_to(index, result.simulated)
        self._take(index, result)

    def _fail(self, index: int, error: SimError) -> None:
        self._settled[index] = 1
        self.failures.append((index, error))
        if len(self.failures) > self._tolerated:
            if self._tolerated:
                error.args = (f"{len(self.failures)} runs have failed, so the rest is not tried; the last:\n{error}",)
            raise error

    def _come_to(self, index: int, now: float) -> None:
        self._total += now - self._simulated[index]
        self._simulated[index] = now


@dataclass(frozen=True)
class Failure:
    """An exception as it travels between processes: one of ours whole, any other one as words."""

    error: SimError | None
    summary: str
    trace: str


def guarded(perform: Perform, job: Job, tick: Callable[[float], None]) -> JobResult | Failure:
    """The result of a job, or its failure as a value."""
    try:
        return perform(job, tick)
    except MemoryError as error:
        traceback.clear_frames(error.__traceback__)  # what the run held: without it there is no room to say anything
        gc.collect()
        return Failure(none_left(error), str(error), traceback.format_exc())
    except Exception as error:  # whatever a model or a plug-in raises becomes an error that names the job
        ours = error if isinstance(error, SimError) else None
        return Failure(ours, f"{type(error).__name__}: {error}", traceback.format_exc())


def explain(job: Job, failure: Failure) -> SimError:
    """The failure as an error that names the job and the command that repeats it alone."""
    if failure.error is not None and not isinstance(failure.error, RunError):
        return failure.error
    kind = type(failure.error) if failure.error is not None else RunError
    what = str(failure.error) if failure.error is not None else failure.summary
    error = kind(
        f"variant '{job.variant}', seed {job.seed}, replication {job.replication}: {what}\nrepeat it alone with: "
        f"{job.command}"
    )
    error.add_note(failure.trace)  # shown with --debug
    return error
