"""The connection pool: an attempt has a connection to itself; others wait in line for one, or open one, or are refused.

Not modelled: HTTP/2 and its many requests on one connection, the longest life of a connection, connections that break
without a word, and that a pool belongs to one replica of the callee: it is one for all of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator

from sim.chance.chain import link_chain
from sim.models.call import Call, Layer, Run, places_over_time
from sim.models.clock import TIMER, Clock, Signal
from sim.models.guards import Guards, Memory, distinct
from sim.models.outcomes import BULKHEAD_FULL, TIMEOUT, UNREACHABLE
from sim.models.task import Activity, Killed, Task
from sim.policies.base import passed
from sim.spec import policy as spec
from sim.vocabulary import Stage

BROKEN = (TIMEOUT, UNREACHABLE)  # after which a connection is of no use: an answer may still come on it, or none ever


class Waiter:
    """One who waits for a connection, or for one that is being opened."""

    __slots__ = ("must_open", "served", "task", "ticket")

    def __init__(self, task: Task):
        self.task = task
        self.ticket = task.ticket
        self.served = False  # has one, or may open one
        self.must_open = False

    @property
    def there(self) -> bool:
        """Whether he still waits."""
        return not self.served and self.task.ticket == self.ticket


class PoolMemory(Memory):
    """The connections of one replica of the caller, and who waits for one."""

    def __init__(self, pool: spec.Pool, warm: bool):
        self.pool = pool
        warm_ones = pool.size if pool.minimum_idle is None else min(pool.minimum_idle, pool.size)
        self.idle: list[float] = [0.0] * (warm_ones if warm else 0)  # since when; the latest used last
        self.busy = 0
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

    def take(self, now: float) -> bool | None:
        """True: an idle one; False: a new one, which must be opened; None: there is none to be had."""
        shrinks = self.pool.minimum_idle is not None and self.pool.minimum_idle < self.pool.size
        if shrinks and self.idle and passed(now, self.idle[-1] + self.pool.idle_timeout):
            self.idle.clear()  # the others have not been used for longer still
        if self.idle:
            self.idle.pop()
            self._occupy(now)
            return True
        if self.busy + len(self.idle) < self.pool.size:
            self._occupy(now)
            self.opened += 1
            return False
        return None

    def give_back(self, now: float, whole: bool, env: Clock) -> None:
        """To the first who waits, as it is or to be opened anew; else it is idle, or closed."""
        while self.line:
            heir = self.line.popleft()
            if heir.there:
                heir.served, heir.must_open = True, not whole
                self.opened += not whole
                env.wake(heir.task)
                return
        self.busy -= 1
        self.busy_area += now
        if whole:
            self.idle.append(now)

    def busy_until(self, now: float) -> float:
        """Integral of the busy connections."""
        return self.busy_area + self.busy * now

    @property
    def in_line(self) -> int:
        """How many wait for one."""
        return sum(waiter.there for waiter in self.line)

    def _occupy(self, now: float) -> None:
        self.busy += 1
        self.busy_area -= now


class Pool(Layer):
    """An attempt holds a connection from before it is sent until it is over; a wait for one counts for its timeout."""

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        assert call.policy.pool is not None
        self.pool = call.policy.pool
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

        def those() -> list[PoolMemory]:
            return [guard.of(PoolMemory) for guard in distinct(guards)]

        watch(component, "places_taken", "mean", lambda now: sum(memory.busy_until(now) for memory in those()))
        watch(component, "places", "mean", places)
        watch(component, "in_line", "level", lambda _: sum(memory.in_line for memory in those()))
        watch(component, "opened", "total", lambda _: sum(memory.opened for memory in those()))
        watch(component, "turned_away", "total", lambda _: sum(memory.turned_away for memory in those()))

    def run(self, task: Task) -> Activity:
        """Get a connection, make the attempt, and give it back or close it."""
        call, memory = self.call, self.call.guard(task).of(PoolMemory)
        ready = memory.take(call.env.now)
        if ready is None:
            waiter = yield from self._wait_in_line(task, memory)
            if waiter is None:
                return task.outcome
            ready = not waiter.must_open
        if not ready and self.connect is not None and (yield from self._open(task, memory)):
            return task.outcome
        try:
            outcome = yield from self.inner(task)
        except Killed:
            memory.give_back(call.env.now, False, call.env)
            raise
        memory.give_back(call.env.now, outcome not in BROKEN, call.env)
        task.ticket += 1  # the timer of its wait is stale
        return outcome

    def _wait_in_line(self, task: Task, memory: PoolMemory) -> Generator[None, None, Waiter | None]:
        """The one that has a connection; None: it was refused, or given up."""
        call, pool = self.call, self.pool
        if pool.acquire_timeout <= 0.0 or 0 <= pool.max_pending <= memory.in_line:
            memory.turned_away += 1
            task.outcome = call.failed(task, BULKHEAD_FULL)
            return None
        waiter = Waiter(task)
        memory.line.append(waiter)
        call.recorder.stage(task, Stage.BULKHEAD, call.target.where)
        task.callee = task.replica  # it has something to give up
        env = call.env
        env.late(Signal(lambda _: self._expire(waiter, memory)), TIMER, env.now + pool.acquire_timeout)
        try:
            yield
            if call.frozen(task):
                yield from call.thaw(task)
        except Killed:
            if waiter.served:
                memory.give_back(call.env.now, not waiter.must_open, call.env)
            waiter.served = True
            raise
        if task.ticket != waiter.ticket:
            if waiter.served:
                memory.give_back(call.env.now, not waiter.must_open, call.env)
            return None
        return waiter

    def _open(self, task: Task, memory: PoolMemory) -> Activity:
        """Wait until the new connection is there; 1 where the attempt was given up meanwhile."""
        call = self.call
        assert self.connect is not None
        ticket = task.ticket
        seconds = self.connect(task.request.id, link_chain(task.chain, call.salt, task.tries))
        call.recorder.stage(task, Stage.OTHER, call.target.where)
        task.callee = task.replica
        opening = [True]

        def there(_: object) -> None:
            if opening[0] and task.ticket == ticket:
                call.env.wake(task)

        call.env.schedule(Signal(there), delay=seconds)
        try:
            yield
            opening[0] = False
            if call.frozen(task):
                yield from call.thaw(task)
        except Killed:
            opening[0] = False
            memory.give_back(call.env.now, False, call.env)
            raise
        if task.ticket == ticket:
            return 0
        memory.give_back(call.env.now, True, call.env)  # it is open by and by, for the next one
        return 1

    def _expire(self, waiter: Waiter, memory: PoolMemory) -> None:
        """It has waited for too long."""
        if waiter.there:
            task = waiter.task
            memory.turned_away += 1
            task.ticket += 1
            task.outcome = self.call.failed(task, BULKHEAD_FULL)
            self.call.env.wake(task)
