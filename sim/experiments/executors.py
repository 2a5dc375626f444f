"""Where jobs run: here, one after the other, in worker processes, or on a cluster. The results are the same, in the order of the jobs."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
import types
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing.queues import SimpleQueue
from types import TracebackType
from typing import Protocol, Self

from sim.errors import Interrupted, RunError, SimError, UsageError
from sim.experiments.jobs import Job, JobResult, Perform, perform, question_of
from sim.experiments.journal import Journal
from sim.spec.plugins import supply_texts, texts_that_ran

Progress = Callable[[int, int, float], None]
"""Told how many jobs are done, of how many, and how many seconds have been simulated in all of them together."""

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS")
_POLL = 0.1  # s, between looks at the workers' progress
_AHEAD = 3  # jobs in the queue of each worker
_MOST_WORKERS = 61  # Windows waits for no more handles at once


def collect(
    jobs: Sequence[Job],
    workers: int | None = None,
    progress: Progress | None = None,
    perform: Perform = perform,
    *,
    journal: Journal | None = None,
    cluster: str | None = None,
) -> list[JobResult]:
    """Run all jobs and give their results in the same order. The first failure, and Ctrl-C, end everything at once.

    What the `journal` knows is not run again, and what was finished is written there. `cluster` is the address of a Dask scheduler.
    """
    with Executor(workers, perform, journal=journal, cluster=cluster, most=len(jobs)) as executor:
        results: dict[int, JobResult] = {}
        executor.run(jobs, results.__setitem__, progress)
    return [results[index] for index in range(len(jobs))]


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Executor:
    """Workers that stay for several rounds of jobs. A context: leaving it lets them go, at once where something went wrong."""

    def __init__(
        self,
        workers: int | None = None,
        perform: Perform = perform,
        *,
        journal: Journal | None = None,
        cluster: str | None = None,
        most: int | None = None,
    ) -> None:
        if workers is not None and workers < 1:
            raise UsageError(f"jobs: found {workers}, expected at least 1")
        if workers is not None and cluster is not None:
            raise UsageError("found both jobs and cluster: the cluster has workers of its own")
        self._count = min(workers or cores(), _MOST_WORKERS, most if most is not None else _MOST_WORKERS)
        self._perform, self._journal, self._cluster = perform, journal, cluster
        self._crew: Crew | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._crew is not None:
            self._crew.close(at_once=kind is not None)
            self._crew = None

    def run(
        self, jobs: Sequence[Job], take: Callable[[int, JobResult], None], progress: Progress | None = None, *, tolerated: int = 0
    ) -> list[tuple[Job, SimError]]:
        """Hand every result to `take` with the index of its job, as they come. Up to `tolerated` jobs may fail: those are the answer."""
        ledger = Ledger(jobs, take, progress, self._journal, tolerated, question_of(self._perform))
        try:
            missing = ledger.restore()
            if missing:
                self._workers().work(ledger, missing)
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted: {ledger.done} of {len(jobs)} runs were finished{ledger.kept}") from None
        return ledger.failures

    def _workers(self) -> Crew:
        if self._crew is None:
            if self._cluster is not None:
                from sim.experiments.cluster import ClusterCrew

                self._crew = ClusterCrew(self._cluster, self._perform)
            else:
                self._crew = _Here(self._perform) if self._count <= 1 else _Processes(self._count, self._perform)
        return self._crew


class Crew(Protocol):
    """Those who do the work."""

    def work(self, ledger: Ledger, missing: Sequence[int]) -> None:
        """Settle each of these jobs in the ledger."""

    def close(self, at_once: bool) -> None:
        """Let the workers go."""


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
    ) -> None:
        self.jobs = jobs
        self.done = 0
        self.failures: list[tuple[Job, SimError]] = []
        self._take, self._journal, self._tolerated, self._question = take, journal, tolerated, question
        self._simulated = [0.0] * len(jobs)
        self._total = 0.0
        self._settled = bytearray(len(jobs))
        self._progress = progress or (lambda _done, _total, _simulated: None)

    @property
    def kept(self) -> str:
        """What an interruption says of the finished work."""
        kept = self._journal is not None and not self._journal.trouble and self.done
        return "; they are kept, and the same command goes on from there" if kept else ""

    def restore(self) -> list[int]:
        """Take what the journal knows; answers with the indices of the jobs that remain."""
        if self._journal is None:
            return list(range(len(self.jobs)))
        for index, job in enumerate(self.jobs):
            result = self._journal.find(job, self._question)
            if result is not None:
                self._book(index, result)
        if self.done:
            resumed = getattr(self._progress, "resumed", None)
            if resumed is not None:
                resumed(self.done, len(self.jobs), self._total)
            self.tell()
        return [index for index, settled in enumerate(self._settled) if not settled]

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
        if self._journal is not None:
            self._journal.keep(self.jobs[index], answer, self._question)
        self._book(index, answer)
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
        self.failures.append((self.jobs[index], error))
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
    except Exception as error:  # whatever a model or a plug-in raises becomes an error that names the job
        ours = error if isinstance(error, SimError) else None
        return Failure(ours, f"{type(error).__name__}: {error}", traceback.format_exc())


def explain(job: Job, failure: Failure) -> SimError:
    """The failure as an error that names the job and the command that repeats it alone."""
    if failure.error is not None and not isinstance(failure.error, RunError):
        return failure.error
    kind = type(failure.error) if failure.error is not None else RunError
    what = str(failure.error) if failure.error is not None else failure.summary
    error = kind(f"variant '{job.variant}', seed {job.seed}, replication {job.replication}: {what}\nrepeat it alone with: {job.command}")
    error.add_note(failure.trace)  # shown with --debug
    return error


class _Here:
    """This process alone, one job after the other."""

    def __init__(self, perform: Perform) -> None:
        self._perform = perform

    def work(self, ledger: Ledger, missing: Sequence[int]) -> None:
        for index in missing:
            ledger.settle(index, guarded(self._perform, ledger.jobs[index], partial(ledger.tick, index)))

    def close(self, at_once: bool) -> None:
        del at_once


class _Processes:
    """Worker processes on this machine."""

    def __init__(self, count: int, perform: Perform) -> None:
        context = multiprocessing.get_context("spawn")  # numpy and numba have threads of their own, which a fork would leave behind
        self._channel: SimpleQueue[tuple[int, int, float]] = context.SimpleQueue()
        self._pool = ProcessPoolExecutor(count, context, initializer=_begin_worker, initargs=(self._channel, texts_that_ran()))
        self._window, self._perform = count * _AHEAD, perform
        self._round = 0

    def work(self, ledger: Ledger, missing: Sequence[int]) -> None:
        """A few jobs for each worker wait in its queue; ten thousand of them would only be counted over and over."""
        self._round += 1
        left = deque(missing)
        running: dict[Future[JobResult | Failure], int] = {}
        while left or running:
            with _quiet_birth() if len(running) < self._window and left else contextlib.nullcontext():
                while left and len(running) < self._window:
                    index = left.popleft()
                    running[self._submit(ledger, index)] = index
            finished, _ = wait(running, timeout=_POLL, return_when=FIRST_COMPLETED)
            while not self._channel.empty():
                number, index, now = self._channel.get()
                if number == self._round:
                    ledger.tick(index, now)
            for future in sorted(finished, key=running.__getitem__):
                index = running.pop(future)
                try:
                    ledger.settle(index, future.result())
                except BrokenProcessPool:
                    raise _broken(ledger) from None
            ledger.tell()

    def close(self, at_once: bool) -> None:
        if at_once:
            _kill(self._pool)
        else:
            self._pool.shutdown()

    def _submit(self, ledger: Ledger, index: int) -> Future[JobResult | Failure]:
        try:
            return self._pool.submit(_work, self._perform, self._round, index, ledger.jobs[index])
        except BrokenProcessPool:
            raise _broken(ledger) from None


def _broken(ledger: Ledger) -> RunError:
    so_far = f"{ledger.done} of {len(ledger.jobs)} runs were finished{ledger.kept}"
    return RunError(f"a worker process died, for want of memory perhaps: {so_far}; fewer --jobs need less of it")


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the workers now: a replication cannot be asked to stop half-way."""
    workers = list((pool._processes or {}).values())  # Executor.kill_workers is of Python 3.14
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.kill()


@contextlib.contextmanager
def _quiet_birth() -> Iterator[None]:
    """Workers are born with one thread per library, deaf to Ctrl-C (the parent answers it), and without the user's `__main__`.

    Jobs need nothing of `__main__`; importing it again would run a script that has no `if __name__ == "__main__"` twice.
    """
    main, environment = sys.modules["__main__"], dict(os.environ)
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    sys.modules["__main__"] = types.ModuleType("__main__")
    can_mask = hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if can_mask else set()
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name in _ONE_THREAD:
            os.environ.pop(name, None)
            if name in environment:
                os.environ[name] = environment[name]
        if can_mask:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


_channel: SimpleQueue[tuple[int, int, float]] | None = None


def _begin_worker(channel: SimpleQueue[tuple[int, int, float]], plugins: dict[str, str]) -> None:
    global _channel  # noqa: PLW0603 - a worker process has one channel for its whole life
    _channel = channel
    supply_texts(plugins)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """A parent that is killed leaves nobody to hand results to."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(perform: Perform, number: int, index: int, job: Job) -> JobResult | Failure:
    last = time.monotonic()

    def tick(now: float) -> None:
        nonlocal last
        if _channel is not None and time.monotonic() - last >= _POLL:
            last = time.monotonic()
            _channel.put((number, index, now))

    return guarded(perform, job, tick)
