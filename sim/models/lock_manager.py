"""All locks of a run: who holds which, who waits for it in which order, and how a circle of those who wait is found.

A wait that is part of a circle ends as the lock manager of PostgreSQL ends it (`src/backend/storage/lmgr/README`,
"Deadlock Detection Algorithm"; `proc.c`, `CheckDeadLock`): who has waited for `deadlock_timeout` follows the holders
from one to the next, once, and ends himself if he comes back to where he began. Of exclusive locks in one line the
holder is all that needs to be followed: who waits before another one waits for the same holder.
"""

from __future__ import annotations

from collections import deque

from sim.models.host import Host
from sim.models.task import Task


class Locked:
    """What is locked: who holds it, and who waits for it. It is forgotten when nobody does."""

    __slots__ = ("holder", "waiting")

    def __init__(self) -> None:
        self.holder: Task | None = None  # None: somebody who has crashed
        self.waiting: deque[Claim] = deque()


class Claim:
    """A task that holds a lock or waits for it."""

    __slots__ = ("counts", "locked", "task", "waits")

    def __init__(self, task: Task, locked: Locked, counts: Counts) -> None:
        self.task = task
        self.locked = locked
        self.counts = counts
        self.waits = False


class LockManager:
    """All locks of a run, and who waits for which: one database."""

    def __init__(self) -> None:
        self.locked: dict[tuple[str, int], Locked] = {}  # by the name of the lock and the key
        self.of_task: dict[Task, list[Claim]] = {}  # the last may be waited for, all before are held

    def in_circle(self, task: Task) -> bool:
        """Whether it waits, by way of others, for itself."""
        seen: set[Task] = set()
        other = self._waits_for(task)
        while other is not None and other is not task and other not in seen:
            seen.add(other)
            other = self._waits_for(other)
        return other is task

    def _waits_for(self, task: Task) -> Task | None:
        claims = self.of_task.get(task)
        return claims[-1].locked.holder if claims and claims[-1].waits else None


class Counts:
    """A lock as one service has it: what is told of that."""

    def __init__(self, name: str, host: Host) -> None:
        self.env = host.env
        self.held = 0
        self.held_area = 0.0  # integral of the locks held, less locks held * now
        self.waiting = self.taken = self.timeouts = self.deadlocks = 0
        watch = host.recorder.watch
        watch(host.name, f"locks_held {name}", "mean", lambda now: self.held_area + self.held * now)
        watch(host.name, f"lock_waiting {name}", "level", lambda _: self.waiting)
        watch(host.name, f"locks_taken {name}", "total", lambda _: self.taken)
        watch(host.name, f"lock_timeouts {name}", "total", lambda _: self.timeouts)
        watch(host.name, f"deadlocks {name}", "total", lambda _: self.deadlocks)

    def take(self) -> None:
        """One more is held."""
        self.taken += 1
        self.held += 1
        self.held_area -= self.env.now

    def give_back(self) -> None:
        """One less is held."""
        self.held -= 1
        self.held_area += self.env.now
