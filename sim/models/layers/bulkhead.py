"""The bulkhead: at most so many attempts at once; others wait in line, if the policy says so, or are turned away.

How many that is may be for an algorithm to say (`policies/concurrency.py`): it hears how attempts end, and when.

Not modelled: Netflix's BlockingLimiter and partitions; who is turned away by a limit that adapts does not wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from sim.chance.chain import link_chain
from sim.models.call import Call, Layer, Run, places_over_time
from sim.models.clock import Clock
from sim.models.guards import Guards, Memory, sum_of
from sim.models.outcomes import BULKHEAD_FULL
from sim.models.task import Activity, Killed, Task
from sim.models.timers import TimerQueue
from sim.models.unnoticed import Late
from sim.policies import bulkhead as bulkheads
from sim.policies import concurrency
from sim.spec import policy as spec
from sim.vocabulary import Stage


class BulkheadMemory(Memory):
    """The places of one bulkhead, who waits for one, and what is counted of it."""

    def __init__(self, bulkhead: spec.Bulkhead):
        self.row: Any = bulkheads.new_bulkhead(bulkhead)
        self.waiting: deque[tuple[Task, int]] = deque()  # with their tickets, first come first served
        self.taken_area = 0.0  # integral of the places taken, less places taken * now
        self.passed = 0  # attempts that got a place
        self.turned_away = 0  # attempts that got none
        self.adaptive: Any
        self.adaptive, self.ring = concurrency.new_concurrency(bulkhead) or (None, list[float]())
        self.entered: dict[Task, tuple[float, int]] = {}  # when, and how many there were then; where it adapts
        self.places_area = 0.0  # integral of the places, less places * now; where it adapts
        if self.adaptive is not None:
            self.row.limit = int(self.adaptive.estimate)

    def renewed(self, policy: spec.CallPolicy) -> BulkheadMemory:
        """Its places are free; what was counted of it stays."""
        assert policy.bulkhead is not None
        fresh = BulkheadMemory(policy.bulkhead)
        fresh.taken_area, fresh.passed, fresh.turned_away = self.taken_area, self.passed, self.turned_away
        fresh.places_area = self.places_area + (self.row.limit - fresh.row.limit) * self.renewed_at
        return fresh

    def enter(self, task: Task, now: float) -> bool:
        """Take a place, where one is free and nobody waits for it."""
        if self.adaptive is not None:
            self.set_limit(concurrency.limit_of(self.adaptive, self.ring, now), now)
        if (self.waiting or not bulkheads.enter(self.row)) and not self.add_thread():
            return False
        if self.adaptive is not None:
            self.entered[task] = now, self.row.inside
        task.permit = self
        self.taken_area -= now
        self.passed += 1
        return True

    def add_thread(self) -> bool:
        """One more in a pool whose queue is full."""
        return self.row.line >= 0 and bool(bulkheads.add_thread(self.row, self.in_line))

    def leave(self, task: Task, env: Clock) -> None:
        """Give the place of the task to the first who still waits for it, or back."""
        task.permit = None
        self.entered.pop(task, None)
        while self.waiting:
            heir, ticket = self.waiting.popleft()
            if heir.ticket == ticket:
                heir.permit = self
                self.passed += 1
                env.wake(heir)
                return
        bulkheads.leave(self.row)
        self.taken_area += env.now

    def hear(self, task: Task, outcome: int, now: float, luck: float) -> None:
        """An attempt that has a place has ended so: the limit may be another one from now on."""
        began, inside = self.entered[task]
        concurrency.hear(self.adaptive, self.ring, now, began, inside, outcome, luck)
        self.set_limit(concurrency.limit_of(self.adaptive, self.ring, now), now)

    def set_limit(self, limit: int, now: float) -> None:
        """There are so many places from now on."""
        self.places_area += (self.row.limit - limit) * now
        self.row.limit = limit

    def forgotten(self, now: float, _subject: str, _about: str) -> Iterable[Late]:
        """Its replica dies: an algorithm will begin anew."""
        self.renewed_at = now
        return ()

    def taken_until(self, now: float) -> float:
        """Integral of the places taken."""
        inside: int = self.row.inside
        return self.taken_area + inside * now

    @property
    def in_line(self) -> int:
        """How many wait for a place."""
        return sum(task.ticket == ticket for task, ticket in self.waiting)


class Bulkhead(Layer):
    """An attempt holds a place from before it is sent until it is over."""

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        assert call.policy.bulkhead is not None
        longest = call.policy.bulkhead.max_wait
        self.timers = TimerQueue(call.env, longest, self.expire) if longest > 0 else None
        self.adapts = bool(call.policy.bulkhead.algorithm)
        self.luck = call.context.uniform(f"{call.site}.concurrency") if self.adapts else None

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where the policy has one."""
        return call.policy.bulkhead is not None

    @staticmethod
    def memory(policy: spec.CallPolicy) -> BulkheadMemory | None:
        """One whose places are all free."""
        return BulkheadMemory(policy.bulkhead) if policy.bulkhead is not None else None

    @staticmethod
    def watch(call: Call, guards: Guards) -> None:
        """Its places, in all replicas of the caller together, and who stands in line for one."""
        assert call.policy.bulkhead is not None
        watch, component = call.recorder.watch, call.bulkhead_name
        places = places_over_time(call, guards, call.policy.bulkhead.most)
        if call.policy.bulkhead.algorithm:  # of all that there are, also where replicas come and go
            places = sum_of(guards, BulkheadMemory, lambda its, now: its.places_area + its.row.limit * now)
        watch(component, "places_taken", "mean", sum_of(guards, BulkheadMemory, lambda its, now: its.taken_until(now)))
        watch(component, "places", "mean", places)
        watch(component, "in_line", "level", sum_of(guards, BulkheadMemory, lambda its, _: its.in_line))
        watch(component, "passed", "total", sum_of(guards, BulkheadMemory, lambda its, _: its.passed))
        watch(component, "turned_away", "total", sum_of(guards, BulkheadMemory, lambda its, _: its.turned_away))

    def run(self, task: Task) -> Activity:
        """Get a place, make the attempt, and give the place back."""
        call, places = self.call, self.call.guard(task).of(BulkheadMemory)
        task.callee = None
        try:
            if not places.enter(task, call.env.now):
                if self.timers is None and not bulkheads.has_room(places.row, places.in_line):
                    places.turned_away += 1
                    return call.failed(task, BULKHEAD_FULL)
                yield from self._wait_in_line(task, places)
                if task.permit is None:
                    return task.outcome
            outcome = yield from self.inner(task)
            if self.luck is not None and task in places.entered:
                chain = link_chain(task.chain, call.salt, task.tries)
                places.hear(task, outcome, call.env.now, self.luck(task.request.id, chain))
        except Killed:
            if task.permit is not None:
                places.leave(task, call.env)
            raise
        places.leave(task, call.env)
        task.ticket += 1  # its timer is stale
        return outcome

    def _wait_in_line(self, task: Task, places: BulkheadMemory) -> Activity:
        """Until there is a place, or one of the timeouts has come."""
        self.call.recorder.stage(task, Stage.BULKHEAD, self.call.target.where)
        places.waiting.append((task, task.ticket))
        if self.timers is not None:
            self.timers.arm(task)
        yield
        if self.call.frozen(task):
            yield from self.call.thaw(task)
        return 0

    def expire(self, task: Task) -> None:
        """`max_wait` is over; a task that got its place in time still has the same ticket, but holds a permit."""
        if task.permit is None:
            self.call.guard(task).of(BulkheadMemory).turned_away += 1
            task.ticket += 1
            task.outcome = self.call.failed(task, BULKHEAD_FULL)
            self.call.env.wake(task)
