"""Where jobs run: here, one after the other, or in worker processes. The results are the same, in the order of the jobs."""

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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue

from sim.errors import Interrupted, RunError, SimError, UsageError
from sim.experiments.jobs import Job, JobResult, Perform, perform

Progress = Callable[[int, int, float], None]
"""Told how many jobs are done, of how many, and how many seconds have been simulated in all of them together."""

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS")
_POLL = 0.1  # s, between looks at the workers' progress
_MOST_WORKERS = 61  # Windows waits for no more handles at once


def collect(jobs: Sequence[Job], workers: int | None = None, progress: Progress | None = None, perform: Perform = perform) -> list[JobResult]:
    """Run all jobs and give their results in the same order. The first failure, and Ctrl-C, end everything at once."""
    if workers is not None and workers < 1:
        raise UsageError(f"jobs: found {workers}, expected at least 1")
    count = min(workers or cores(), len(jobs), _MOST_WORKERS)
    ledger = _Ledger(jobs, progress)
    try:
        if count <= 1:
            _here(ledger, perform)
        else:
            _in_processes(ledger, count, perform)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted: {ledger.done} of {len(jobs)} runs were finished") from None
    return [result for result in ledger.results if result is not None]


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Ledger:
    """What has come back so far, and how far each of the others is."""

    def __init__(self, jobs: Sequence[Job], progress: Progress | None) -> None:
        self.jobs = jobs
        self.results: list[JobResult | None] = [None] * len(jobs)
        self.done = 0
        self._simulated = [0.0] * len(jobs)
        self._progress = progress or (lambda _done, _total, _simulated: None)

    def tick(self, index: int, now: float) -> None:
        if self.results[index] is None:
            self._simulated[index] = now
            self.tell()

    def settle(self, index: int, answer: JobResult | _Failure) -> None:
        if isinstance(answer, _Failure):
            raise _explain(self.jobs[index], answer)
        self.results[index] = answer
        self.done += 1
        self._simulated[index] = answer.simulated
        self.tell()

    def tell(self) -> None:
        self._progress(self.done, len(self.jobs), sum(self._simulated))


@dataclass(frozen=True)
class _Failure:
    """An exception as it travels between processes: one of ours whole, any other one as words."""

    error: SimError | None
    summary: str
    trace: str


def _guarded(perform: Perform, job: Job, tick: Callable[[float], None]) -> JobResult | _Failure:
    try:
        return perform(job, tick)
    except Exception as error:  # whatever a model or a plug-in raises becomes an error that names the job
        ours = error if isinstance(error, SimError) else None
        return _Failure(ours, f"{type(error).__name__}: {error}", traceback.format_exc())


def _explain(job: Job, failure: _Failure) -> SimError:
    if failure.error is not None and not isinstance(failure.error, RunError):
        return failure.error
    kind = type(failure.error) if failure.error is not None else RunError
    what = str(failure.error) if failure.error is not None else failure.summary
    error = kind(f"variant '{job.variant}', seed {job.seed}, replication {job.replication}: {what}\nrepeat it alone with: {job.command}")
    error.add_note(failure.trace)  # shown with --debug
    return error


def _here(ledger: _Ledger, perform: Perform) -> None:
    for index, job in enumerate(ledger.jobs):
        ledger.settle(index, _guarded(perform, job, lambda now, index=index: ledger.tick(index, now)))  # type: ignore[misc]


def _in_processes(ledger: _Ledger, count: int, perform: Perform) -> None:
    context = multiprocessing.get_context("spawn")  # numpy and numba have threads of their own, which a fork would leave behind
    channel: SimpleQueue[tuple[int, float]] = context.SimpleQueue()
    pool = ProcessPoolExecutor(count, context, initializer=_begin_worker, initargs=(channel,))
    try:
        with _quiet_birth():
            pending = {pool.submit(_work, perform, index, job): index for index, job in enumerate(ledger.jobs)}
        _gather(ledger, pending, channel)
    except BaseException:
        _kill(pool)
        raise
    pool.shutdown()


def _gather(ledger: _Ledger, pending: dict[Future[JobResult | _Failure], int], channel: SimpleQueue[tuple[int, float]]) -> None:
    waiting = set(pending)
    while waiting:
        finished, waiting = wait(waiting, timeout=_POLL, return_when=FIRST_COMPLETED)
        while not channel.empty():
            ledger.tick(*channel.get())
        for future in sorted(finished, key=pending.__getitem__):
            try:
                answer = future.result()
            except BrokenProcessPool:
                so_far = f"{ledger.done} of {len(ledger.jobs)} runs were finished"
                raise RunError(f"a worker process died, for want of memory perhaps: {so_far}; fewer --jobs need less of it") from None
            ledger.settle(pending[future], answer)
        ledger.tell()


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


_channel: SimpleQueue[tuple[int, float]] | None = None


def _begin_worker(channel: SimpleQueue[tuple[int, float]]) -> None:
    global _channel  # noqa: PLW0603 - a worker process has one channel for its whole life
    _channel = channel
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """A parent that is killed leaves nobody to hand results to."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(perform: Perform, index: int, job: Job) -> JobResult | _Failure:
    last = time.monotonic()

    def tick(now: float) -> None:
        nonlocal last
        if _channel is not None and time.monotonic() - last >= _POLL:
            last = time.monotonic()
            _channel.put((index, now))

    return _guarded(perform, job, tick)
