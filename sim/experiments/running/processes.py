"""Worker processes on this machine. One that is killed is replaced, and its jobs are done by another."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import SimpleQueue

from sim.errors import RunError
from sim.experiments.running.child_processes import begin_life, quiet_birth
from sim.experiments.running.engines import EngineChoice
from sim.experiments.running.jobs import Job, JobResult, Perform
from sim.experiments.running.ledger import Failure, Ledger, guarded
from sim.spec.plugins import supply_texts, texts_that_ran

_POLL = 0.1  # s, between looks at the workers' progress
_AHEAD = 3  # jobs in the queue of each worker
_DEATHS = 2  # from so many deaths of workers on, a job that was under way at each of them is run alone
_PATIENCE = 19  # how nice workers are to those who make machine code, which will be faster than they by far
_KILLED = "its worker process was killed, for want of memory perhaps; fewer --jobs need less of it"


class Processes:
    """Worker processes, made anew when one of them has died.

    When a worker dies, its pool is lost and nobody knows which of the jobs under way it had. All of them are given to a
    new pool; a job that was under way at every death so far is then run alone, so that a job which kills its worker is
    found, and costs nobody else anything.

    While machine code is made beside them, workers are patient. When it is ready, new ones take their place, and what
    was under way begins anew.
    """

    def __init__(self, count: int, perform: Perform, choice: EngineChoice | None = None) -> None:
        # numpy and numba have threads of their own, which a fork would leave behind
        self._context = multiprocessing.get_context("spawn")
        self._channel = self._new_channel()
        self._count, self._perform, self._choice = count, perform, choice
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
        """Let the workers settle a batch; None, or where a worker has died the jobs that were under way (the rest is
        still in the batch).

        A few jobs for each worker wait in its queue; ten thousand of them would only be counted over and over.
        """
        running: dict[Future[JobResult | Failure], int] = {}
        window = self._count * _AHEAD
        try:
            while batch or running:
                if self._patient and not self._is_making():
                    batch.extendleft(reversed(self._settle_finished(ledger, running)))
                    self._begin_anew(ledger)
                    running.clear()
                with quiet_birth() if len(running) < window and batch else contextlib.nullcontext():
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

    def _is_making(self) -> bool:
        return self._choice is not None and self._choice.is_making()

    def _begin_anew(self, ledger: Ledger) -> None:
        """On the engine that is ready now."""
        assert self._choice is not None
        ledger.switch(self._choice.engine)
        self._replace_pool()

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
        """The first one starts the process of multiprocessing that tidies up after us, which should not be the first to
        end.
        """
        with quiet_birth():
            return self._context.SimpleQueue()

    def _new_pool(self) -> ProcessPoolExecutor:
        self._patient = self._is_making()
        arguments = (self._channel, texts_that_ran(), self._patient)
        return ProcessPoolExecutor(self._count, self._context, initializer=_begin_worker, initargs=arguments)

    def _replace_pool(self) -> None:
        """A worker that dies while it tells how far it is would leave the channel locked, so there is a new one as
        well.
        """
        _kill(self._pool)
        self._channel = self._new_channel()
        self._pool = self._new_pool()


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the workers now: a replication cannot be asked to stop half-way."""
    workers = list((pool._processes or {}).values())  # Executor.kill_workers is of Python 3.14
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.kill()


_channel: SimpleQueue[tuple[int, int, float]] | None = None


def _begin_worker(channel: SimpleQueue[tuple[int, int, float]], plugins: dict[str, str], patient: bool) -> None:
    global _channel  # noqa: PLW0603 - a worker process has one channel for its whole life
    _channel = channel
    supply_texts(plugins)
    begin_life()
    if patient and hasattr(os, "nice"):
        os.nice(_PATIENCE)


def _work(perform: Perform, number: int, index: int, job: Job) -> JobResult | Failure:
    last = time.monotonic()

    def tick(now: float) -> None:
        nonlocal last
        if _channel is not None and time.monotonic() - last >= _POLL:
            last = time.monotonic()
            _channel.put((number, index, now))

    return guarded(perform, job, tick)
