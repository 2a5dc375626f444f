"""The connection pool: an attempt has a connection to itself; others wait in line for one, or open one, or are refused.

Not modelled: HTTP/2 and its many requests on one connection, the longest life of a connection, connections that break
without a word, and that a pool belongs to one replica of the callee: it is one for all of them.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from sim.chance.chain import link_chain
from sim.models.call import Call, Layer, Run, Waiter, places_over_time
from sim.models.clock import Clock, Signal
from sim.models.guards import Guards, Memory, sum_of
from sim.models.outcomes import BULKHEAD_FULL
from sim.models.task import Activity, Killed, Task
from sim.models.timers import TimerQueue
from sim.policies import connections
from sim.spec import policy as spec
from sim.vocabulary import Stage


class PoolMemory(Memory):
    """The connections of one replica of the caller, and who waits for one."""

    def __init__(self, pool: spec.Pool, warm: bool):
        self.row: Any
        self.row, self.ring = connections.new_pool(pool, warm)
        self.line: deque[Waiter] = deque()
        self.busy_area = 0.0  # integral of the busy ones, less busy * now
        self.opened = 0
        self.turned_away = 0

    def renewed(self, policy: spec.CallPolicy) -> PoolMemory:
        """No connection is there; what was counted stays."""
        assert policy.pool is not None
        fresh = PoolMemory(policy.pool, warm=False)
        fresh.busy_area, fresh.opened, fresh.turned_away = self.busy_area, self.opened, self.turned_away
        return fresh

    def take(self, now: float) -> int:
        """IDLE, NEW or NONE."""
        found = connections.take(self.row, self.ring, now)
        if found != connections.NONE:
            self.busy_area -= now
            self.opened += found == connections.NEW
        return found

    def give_back(self, now: float, whole: bool, env: Clock) -> None:
        """To the first who waits, as it is or to be opened anew; else it is idle, or closed."""
        while self.line:
            heir = self.line.popleft()
            if heir.there:
                heir.served, heir.must_open = True, not whole
                self.opened += not whole
                env.wake(heir.task)
                return
        connections.put_back(self.row, self.ring, now, whole)
        self.busy_area += now

    def busy_until(self, now: float) -> float:
        """Integral of the busy connections."""
        busy: int = self.row.busy
        return self.busy_area + busy * now

    @property
    def in_line(self) -> int:
        """How many wait for one."""
        return sum(waiter.there for waiter in self.line)


class Pool(Layer):
    """An attempt holds a connection from before it is sent until it is over; a wait for one counts for its timeout."""

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        assert call.policy.pool is not None
        self.pool = call.policy.pool
        longest = self.pool.acquire_timeout
        self.timers = TimerQueue(call.env, longest, self._expire) if longest > 0.0 else None
        self.connect = call.context.sampler(self.pool.connect, f"{call.site}.connect") if self.pool.connect else None

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where the policy has one."""
        return call.policy.pool is not None

    @staticmethod
    def memory(policy: spec.CallPolicy) -> PoolMemory | None:
        """One with the connections that are there from the beginning."""
        return PoolMemory(policy.pool, warm=True) if policy.pool is not None else None

    @staticmethod
    def watch(call: Call, guards: Guards) -> None:
        """Its connections, in all replicas of the caller together, and who stands in line for one."""
        assert call.policy.pool is not None
        watch, component = call.recorder.watch, call.pool_name
        places = places_over_time(call, guards, call.policy.pool.size)

        watch(component, "places_taken", "mean", sum_of(guards, PoolMemory, lambda its, now: its.busy_until(now)))
        watch(component, "places", "mean", places)
        watch(component, "in_line", "level", sum_of(guards, PoolMemory, lambda its, _: its.in_line))
        watch(component, "opened", "total", sum_of(guards, PoolMemory, lambda its, _: its.opened))
        watch(component, "turned_away", "total", sum_of(guards, PoolMemory, lambda its, _: its.turned_away))

    def run(self, task: Task) -> Activity:
        """Get a connection, make the attempt, and give it back or close it."""
        call, memory = self.call, self.call.guard(task).of(PoolMemory)
        found = memory.take(call.env.now)
        task.opened = found == connections.NEW
        if found != connections.IDLE:
            try:
                had = yield from self._get(task, memory, found)
            except Killed:
                call.connecting.pop(task, None)
                raise
            call.connecting.pop(task, None)
            if not had:
                return task.outcome
        try:
            outcome = yield from self.inner(task)
        except Killed:
            memory.give_back(call.env.now, False, call.env)
            raise
        memory.give_back(call.env.now, connections.is_whole_after(outcome), call.env)
        task.ticket += 1  # the timer of its wait is stale
        return outcome

    def _get(self, task: Task, memory: PoolMemory, found: int) -> Activity:
        """Wait for a connection, and until it is open; 0 where it was refused, or given up."""
        must_open = found == connections.NEW
        if found == connections.NONE:
            if (waiter := self._stand_in_line(task, memory)) is None or not (yield from self._wait(waiter, memory)):
                return 0
            must_open = task.opened = waiter.must_open
        if not must_open or self.connect is None:
            return 1
        return (yield from self._open(task, memory))

    def _stand_in_line(self, task: Task, memory: PoolMemory) -> Waiter | None:
        """None: it was refused."""
        call, pool = self.call, self.pool
        if self.timers is None or 0 <= pool.max_pending <= memory.in_line:
            memory.turned_away += 1
            task.outcome = call.failed(task, BULKHEAD_FULL)
            return None
        waiter = call.connecting[task] = Waiter(task)
        memory.line.append(waiter)
        call.recorder.stage(task, Stage.BULKHEAD, call.target.where)
        self.timers.arm(task)
        return waiter

    def _wait(self, waiter: Waiter, memory: PoolMemory) -> Activity:
        """1 where it has a connection then; one that came too late, in a freeze, goes to the next."""
        call, task = self.call, waiter.task
        try:
            yield
            if call.frozen(task):
                yield from call.thaw(task)
        except Killed:
            if waiter.served:
                memory.give_back(call.env.now, not waiter.must_open, call.env)
            waiter.served = True
            raise
        if task.ticket == waiter.ticket:
            return 1
        if waiter.served:
            memory.give_back(call.env.now, not waiter.must_open, call.env)
        return 0

    def _open(self, task: Task, memory: PoolMemory) -> Activity:
        """Wait until the new connection is there; 0 where the attempt was given up meanwhile."""
        call = self.call
        assert self.connect is not None
        waiter = call.connecting[task] = Waiter(task)
        waiter.must_open = True
        seconds = self.connect(task.request.id, link_chain(task.chain, call.salt, task.tries))
        call.recorder.stage(task, Stage.OTHER, call.target.where)

        def there(_: object) -> None:
            if waiter.there:
                waiter.served = True
                call.env.wake(task)

        call.env.schedule(Signal(there), delay=seconds)
        try:
            yield
            if call.frozen(task):
                yield from call.thaw(task)
        except Killed:
            waiter.served = True
            memory.give_back(call.env.now, False, call.env)
            raise
        if task.ticket == waiter.ticket:
            return 1
        memory.give_back(call.env.now, True, call.env)  # it is open by and by, for the next one
        return 0

    def _expire(self, task: Task) -> None:
        """`acquire_timeout` is over; who got a connection in time, or opens one, still has the same ticket."""
        call = self.call
        waiter = call.connecting.get(task)
        if waiter is not None and waiter.there and not waiter.must_open:
            call.guard(task).of(PoolMemory).turned_away += 1
            task.ticket += 1
            task.outcome = call.failed(task, BULKHEAD_FULL)
            call.env.wake(task)
