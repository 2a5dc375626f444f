"""Locks: one at a time does what stands in one; others wait in line (`models/lock_manager.py`).

What it leaves out the spec says.
"""

from __future__ import annotations

from sim.models.behaviours import behaviour
from sim.models.clock import Signal
from sim.models.lock_manager import Claim, Counts, Locked, LockManager
from sim.models.outcomes import DEADLOCK, LOCK_TIMEOUT
from sim.models.site import Site
from sim.models.task import Activity, Killed, Task
from sim.models.timers import TimerQueue
from sim.spec import lock as spec
from sim.vocabulary import Stage


@behaviour(spec.Lock)
class Lock:
    """Take it, do the steps, and give it back."""

    def __init__(self, step: spec.Lock, site: Site):
        self.step = step
        self.env = site.world.env
        self.host = site.host
        self.where = site.where
        self.recorder = site.world.recorder
        self.manager: LockManager = site.world.locks
        if step.name not in site.host.locks:
            site.host.locks[step.name] = Counts(step.name, site.host)
        self.counts: Counts = site.host.locks[step.name]
        self.timers = TimerQueue(self.env, step.timeout, self.expire) if step.timeout is not None else None
        looks = step.deadlock_timeout
        self.looks = TimerQueue(self.env, looks, self.look_for_deadlock) if looks is not None else None
        self.do = site.named(f"{site.name}.do").sequence(step.do)

    def run(self, task: Task) -> Activity:
        """As the steps end; or LOCK_TIMEOUT, or DEADLOCK."""
        key = (self.step.name, self._key_of(task))
        locked = self.manager.locked.get(key)
        if locked is not None and locked.holder is task:
            return (yield from self.do.run(task))
        claims = self.manager.of_task.setdefault(task, [])
        try:
            if locked is None:
                locked = self.manager.locked[key] = Locked()
                locked.holder = task
                self.counts.take()
                claims.append(Claim(task, locked, self.counts))
            else:
                claims.append(own := Claim(task, locked, self.counts))
                yield from self._wait(task, own)
                if locked.holder is not task:
                    self._forget(task)
                    return task.outcome
            outcome = yield from self.do.run(task)
        except Killed:
            self._end_killed(task, key)
            raise
        self._forget(task)
        self._give_back(key)
        return outcome

    def _key_of(self, task: Task) -> int:
        request, key = task.request, self.step.key
        return 0 if key == "all" else int(request.item if key == "item" else request.user)

    # -- waiting -----------------------------------------------------------------------------------------------------

    def _wait(self, task: Task, own: Claim) -> Activity:
        """Until it is its turn, or one of the timeouts has come."""
        self.host.let_go(task)
        self.recorder.stage(task, Stage.LOCK, self.host.name_index)
        own.waits = True
        own.locked.waiting.append(own)
        self.counts.waiting += 1
        if self.timers is not None:
            self.timers.arm(task)
        if self.looks is not None and len(self.manager.of_task[task]) > 1:
            self.looks.arm(task)
        yield
        return 0

    def expire(self, task: Task) -> None:
        """`timeout` is over; who has the lock by then has another ticket."""
        self.counts.timeouts += 1
        self._give_up(task, LOCK_TIMEOUT)

    def look_for_deadlock(self, task: Task) -> None:
        """`deadlock_timeout` is over: end the wait if it would have no end."""
        if self.manager.in_circle(task):
            self.counts.deadlocks += 1
            self._give_up(task, DEADLOCK)

    def _give_up(self, task: Task, outcome: int) -> None:
        self._leave_line(self.manager.of_task[task][-1])
        task.ticket += 1
        task.outcome = outcome
        task.where = self.where
        task.root = 0
        self.env.wake(task)

    @staticmethod
    def _leave_line(own: Claim) -> None:
        own.waits = False
        own.locked.waiting.remove(own)
        own.counts.waiting -= 1

    # -- the end -----------------------------------------------------------------------------------------------------

    def _give_back(self, key: tuple[str, int]) -> None:
        """The first in line has it, or nobody."""
        self.counts.give_back()
        locked = self.manager.locked[key]
        while locked.waiting and locked.waiting[0].task.replica.ending:
            self._leave_line(locked.waiting[0])  # it dies in this instant, too
        if not locked.waiting:
            del self.manager.locked[key]
            return
        heir = locked.waiting[0]
        self._leave_line(heir)
        locked.holder = heir.task
        heir.counts.take()
        heir.task.ticket += 1  # its timers are stale
        self.env.wake(heir.task)

    def _end_killed(self, task: Task, key: tuple[str, int]) -> None:
        """Out of the line; or the lock is free, at once or when time has passed since a crash."""
        own = self.manager.of_task[task][-1]
        self._forget(task)
        if own.waits:
            self._leave_line(own)
        elif own.locked.holder is task:
            if task.replica.down and self.step.held_after_crash > 0.0:
                own.locked.holder = None
                later = Signal(lambda _: self._give_back(key))
                self.env.schedule(later, delay=self.step.held_after_crash)
            else:
                self._give_back(key)

    def _forget(self, task: Task) -> None:
        claims = self.manager.of_task[task]
        claims.pop()
        if not claims:
            del self.manager.of_task[task]
