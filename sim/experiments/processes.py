"""Worker processes on this machine. One that is killed is replaced, and its jobs are done by another."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import SimpleQueue

from sim.errors import RunError
from sim.experiments.jobs import Job, JobResult, Perform
from sim.experiments.ledger import Failure, Ledger, guarded
from sim.spec.plugins import supply_texts, texts_that_ran

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS")
_POLL = 0.1  # s, between looks at the workers' progress
_AHEAD = 3  # jobs in the queue of each worker
_DEATHS = 2  # from so many deaths of workers on, a job that was under way at each of them is run alone
_ENDINGS = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}
_KILLED = "its worker process was killed, for want of memory perhaps; fewer --jobs need less of it"


class Processes:
    """Worker processes, made anew when one of them has died.

    When a worker dies, its pool is lost and nobody knows which of the jobs under way it had. All of them are given to a new pool; a job that was
    under way at every death so far is then run alone, so that a job which kills its worker is found, and costs nobody else anything.
    """

    def __init__(self, count: int, perform: Perform) -> None:
        self._context = multiprocessing.get_context("spawn")  # numpy and numba have threads of their own, which a fork would leave behind
        self._channel = self._new_channel()
        self._count, self._perform = count, perform
        self._pool = self._new_pool()
        self._round = 0

    def work(self, ledger: Ledger, missing: Sequence[int]) -> None:
        """Settle all of them, however often a worker dies. RunError: none lives long enough to begin."""
        self._round += 1
        left, deaths, in_vain = deque(missing), Counter[int](), 0
        while left:
            alone = deaths[left[0]] >= _DEATHS
            batch = deque([left.popleft()]) if alone else left
            done = ledger.done
            lost = self._settle(ledger, batch)
            if lost is None:
                continue
            self._replace_pool()
            if alone and lost:
                ledger.settle(lost[0], Failure(None, _KILLED, ""))
            else:
                deaths.update(lost)
                left.extendleft(reversed([*lost, *batch] if alone else lost))
            in_vain = 0 if ledger.done > done or lost else in_vain + 1
            if in_vain > _DEATHS:
                raise RunError("worker processes end before they begin to work; --jobs 1 does without them")

    def _settle(self, ledger: Ledger, batch: deque[int]) -> list[int] | None:
        """Let the workers settle a batch; None, or where a worker has died the jobs that were under way (the rest is still in the batch).

        A few jobs for each worker wait in its queue; ten thousand of them would only be counted over and over.
        """
        running: dict[Future[JobResult | Failure], int] = {}
        window = self._count * _AHEAD
        try:
            while batch or running:
                with _quiet_birth() if len(running) < window and batch else contextlib.nullcontext():
                    while batch and len(running) < window:
                        running[self._submit(ledger, batch[0])] = batch[0]
                        batch.popleft()
                finished, _ = wait(running, timeout=_POLL, return_when=FIRST_COMPLETED)
                self._hear(ledger)
                for future in sorted(finished, key=running.__getitem__):
                    answer = future.result()
                    ledger.settle(running.pop(future), answer)
                ledger.tell()
        except BrokenProcessPool:
            return self._settle_finished(ledger, running)
        return None

    def _settle_finished(self, ledger: Ledger, running: dict[Future[JobResult | Failure], int]) -> list[int]:
        """What came back before the death counts; the others, in their order."""
        lost = []
        for future, index in sorted(running.items(), key=lambda item: item[1]):
            if future.done() and not future.cancelled() and future.exception() is None:
                ledger.settle(index, future.result())
            else:
                lost.append(index)
        return lost

    def _hear(self, ledger: Ledger) -> None:
        """How far the workers are."""
        while not self._channel.empty():
            number, index, now = self._channel.get()
            if number == self._round:
                ledger.tick(index, now)

    def close(self, at_once: bool) -> None:
        """Let them finish, or end them now."""
        if at_once:
            _kill(self._pool)
        else:
            self._pool.shutdown()

    def _submit(self, ledger: Ledger, index: int) -> Future[JobResult | Failure]:
        return self._pool.submit(_work, self._perform, self._round, index, ledger.jobs[index])

    def _new_channel(self) -> SimpleQueue[tuple[int, int, float]]:
        """The first one starts the process of multiprocessing that tidies up after us, which should not be the first to end."""
        with _quiet_birth():
            return self._context.SimpleQueue()

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._count, self._context, initializer=_begin_worker, initargs=(self._channel, texts_that_ran()))

    def _replace_pool(self) -> None:
        """A worker that dies while it tells how far it is would leave the channel locked, so there is a new one as well."""
        _kill(self._pool)
        self._channel = self._new_channel()
        self._pool = self._new_pool()


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the workers now: a replication cannot be asked to stop half-way."""
    workers = list((pool._processes or {}).values())  # Executor.kill_workers is of Python 3.14
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.kill()


@contextlib.contextmanager
def _quiet_birth() -> Iterator[None]:
    """Workers are born with one thread per library, deaf to Ctrl-C (the parent answers it), and without the user's `__main__`.

    What ends a process waits meanwhile: half a worker is none that could be ended.
    Jobs need nothing of `__main__`; importing it again would run a script that has no `if __name__ == "__main__"` twice.
    """
    main, environment = sys.modules["__main__"], dict(os.environ)
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    sys.modules["__main__"] = types.ModuleType("__main__")
    can_mask = hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS) if can_mask else set()
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
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)  # the pool ends its workers by SIGTERM
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
