"""Cores shared by more threads than there are cores: processor sharing in virtual time, O(log n) per job.

Virtual time V grows at rate min(1, cores / n) while n jobs compute, less where these are in one another's way
(`policies/contention.py`); a job that brings `work` seconds ends when V has
grown by that much. One pending completion event per replica; one that turns out too early is re-armed, one that has
become too late is replaced (its generation is stale). Egalitarian sharing is the limit of a round-robin scheduler with
a small quantum.

Not modelled: priorities between threads, and what switching between them costs beside that law.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from heapq import heappop, heappush

from sim.models.clock import Clock, Signal
from sim.models.task import Task
from sim.policies.contention import ContentionRow, slowdown


class Cpu:
    """The cores of one replica."""

    __slots__ = (
        "contention",
        "cores",
        "due",
        "env",
        "jobs",
        "last",
        "n",
        "pending",
        "sequence",
        "stopped",
        "used",
        "used_since",
        "virtual",
    )

    def __init__(self, env: Clock, cores: int):
        self.env = env
        self.cores = cores
        self.contention: ContentionRow | None = None  # None: threads are not in one another's way
        self.jobs: list[tuple[float, int, Task, int]] = []  # (virtual end, sequence, task, its ticket)
        self.n = 0  # live jobs; entries of killed tasks stay in the heap until they reach its head
        self.virtual = 0.0
        self.last = 0.0
        self.due = math.inf  # when the pending event fires
        self.pending: Signal | None = None
        self.sequence = 0
        self.stopped = False
        self.used = 0.0  # integral of busy cores up to `used_since`
        self.used_since = 0.0

    def run(self, task: Task, work: float) -> None:
        """Compute for `work` core-seconds; the task, which yields now, is woken when it is done."""
        now = self.env.now
        self._advance(now)
        self.sequence += 1
        heappush(self.jobs, (self.virtual + work, self.sequence, task, task.ticket))
        self.n += 1
        self._arm(now)

    def at_work(self) -> Iterator[tuple[int, Task]]:
        """Who computes, each with the number of his job; later ones began later."""
        return ((sequence, task) for _, sequence, task, ticket in self.jobs if task.ticket == ticket)

    def interrupt(self, task: Task) -> float:
        """Forget the job of a task; the core-seconds that it had still to do."""
        self._advance(self.env.now)
        end = next(end for end, _, other, ticket in self.jobs if other is task and ticket == task.ticket)
        self.drop(task)
        return max(end - self.virtual, 0.0)

    def drop(self, task: Task) -> None:
        """Forget a job whose task was killed."""
        now = self.env.now
        self._advance(now)
        task.ticket += 1
        self.n -= 1
        self._arm(now)

    def stop(self) -> None:
        """Freeze: virtual time stands still."""
        self._advance(self.env.now)
        self.stopped = True
        self.due = math.inf
        self.pending = None

    def go_on(self) -> None:
        """End of the freeze."""
        now = self.env.now
        self._advance(now)
        self.stopped = False
        self._arm(now)

    def area(self, now: float) -> float:
        """Integral of the number of busy cores since 0."""
        return self.used + (now - self.used_since) * self._busy()

    def _busy(self) -> int:
        return 0 if self.stopped else min(self.n, self.cores)

    def _rate(self) -> float:
        rate = 1.0 if self.n <= self.cores else self.cores / self.n
        return rate if self.contention is None else rate / slowdown(self.contention, self.n)

    def _advance(self, now: float) -> None:
        """Bring virtual time and the usage integral up to now, before anything changes."""
        self.used += (now - self.used_since) * self._busy()
        self.used_since = now
        if self.n == 0:
            self.virtual = 0.0
            self.jobs.clear()
        elif not self.stopped:
            self.virtual = self.virtual + (now - self.last) * self._rate()
        self.last = now

    def _head(self) -> float:
        """Virtual end of the first live job."""
        jobs = self.jobs
        while jobs[0][2].ticket != jobs[0][3]:
            heappop(jobs)
        return jobs[0][0]

    def _arm(self, now: float) -> None:
        """Make sure that an event fires no later than the next completion."""
        if self.stopped or self.n == 0:
            return
        delay = (self._head() - self.virtual) / self._rate()
        delay = max(delay, 0.0)
        if now + delay < self.due:
            self.due = now + delay
            self.pending = Signal(self._fire)
            self.env.hold(self.pending, delay)

    def _fire(self, signal: Signal) -> None:
        if signal is not self.pending:
            return
        self.pending = None
        self.due = math.inf
        now = self.env.now
        if self.n == 0:
            return
        head = self._head()
        if now + (head - (self.virtual + (now - self.last) * self._rate())) / self._rate() > now:
            self._arm_after(now)
            return
        self._advance(now)
        self.virtual = head  # exactly: no drift within a busy period
        _, _, task, _ = heappop(self.jobs)
        self.n -= 1
        task.ticket += 1
        self.env.wake(task)
        self._arm(now)

    def _arm_after(self, now: float) -> None:
        """The event came too early, since others have joined: wait for the rest."""
        self._advance(now)
        self._arm(now)
