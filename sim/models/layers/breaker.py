"""The circuit breaker: it is asked before each attempt, and told how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.chance.keyed import bits
from sim.models.call import Call, Layer
from sim.models.clock import Clock
from sim.models.guards import Guards, Memory, distinct
from sim.models.outcomes import BREAKER_OPEN, TIMEOUT
from sim.models.task import Activity, Killed, Task
from sim.models.unnoticed import TURNED, Late, breaker_by_now, breaker_forgotten, library_by_now
from sim.policies import breaker as breakers
from sim.policies import library_breakers as library
from sim.policies.base import reached
from sim.policies.cockatiel import TEST, WAITS
from sim.spec.policy import CallPolicy, CircuitBreaker
from sim.vocabulary import Stage


class BreakerMemory(Memory):
    """The state of one breaker, and the ring of what it has heard of."""

    def __init__(self, spec: CircuitBreaker, limited: bool):
        self.row: Any
        self.ring: Any
        found = library.new_library_breaker(spec, limited)
        self.of_library = found is not None  # one that counts in a way of its own
        self.row, self.ring = found if found is not None else breakers.new_breaker(spec, limited)
        self.waiting: list[tuple[Task, int]] = []  # for the end of cockatiel's test, with the ticket of their wait

    def renewed(self, policy: CallPolicy) -> BreakerMemory:
        """A closed one."""
        assert policy.circuit_breaker is not None
        fresh = BreakerMemory(policy.circuit_breaker, policy.rate_limit is not None)
        if not self.of_library:
            fresh.row.luck = self.row.luck
        return fresh

    def unnoticed(self, now: float, subject: str, about: str) -> Iterator[Late]:
        """That it has opened, where it was half-open for too long."""
        if self.of_library:
            yield from library_by_now(self.row, self.ring, now, subject, about)
        else:
            yield from breaker_by_now(self.row, now, subject, about)

    def forgotten(self, now: float, subject: str, about: str) -> Iterator[Late]:
        """That it is closed, where it was not."""
        yield from self.unnoticed(now, subject, about)
        yield from breaker_forgotten(self.row.state, now, subject, about)

    def give_back(self, now: float, ticket: int) -> None:
        """Nobody will hear how it ends."""
        if self.of_library:
            library.give_back(self.row, now, ticket)
        else:
            breakers.give_back(self.row, self.ring, now, ticket)

    def test_is_over(self, env: Clock) -> None:
        """Those who wait for it ask again, in the order in which they came."""
        waiting, self.waiting = self.waiting, []
        for task, ticket in waiting:
            if task.ticket == ticket:
                env.wake(task)


class Breaker(Layer):
    """While it is open nothing is sent."""

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where the policy has one."""
        return call.policy.circuit_breaker is not None

    @staticmethod
    def memory(policy: CallPolicy) -> BreakerMemory | None:
        """A closed breaker."""
        if policy.circuit_breaker is None:
            return None
        return BreakerMemory(policy.circuit_breaker, policy.rate_limit is not None)

    @staticmethod
    def watch(call: Call, guards: Guards) -> None:
        """The share of the caller's replicas whose breaker is not closed. Each has luck of its own from now on."""
        component = f"{call.caller} -> {next(iter(guards.values())).about}"
        key = call.context.key(f"{component}.breaker")
        for index, guard in enumerate(distinct(guards)):
            memory = guard.of(BreakerMemory)
            if not memory.of_library:
                memory.row.luck = int(bits(key, index, 0)) >> 1

        def share(_: float) -> float:
            states = [int(guard.of(BreakerMemory).row.state) for guard in guards.values()]
            return sum(state != breakers.CLOSED for state in states) / len(states)

        call.recorder.watch(component, "breaker_open", "level", share)

    def run(self, task: Task) -> Activity:
        """Let the attempt through, or refuse it."""
        breaker, env = self.call.guard(task).of(BreakerMemory), self.call.env
        began, period = env.now, breaker.row.period
        admit = library.admit if breaker.of_library else breakers.admit
        admitted = admit(breaker.row, breaker.ring, began)
        while admitted == WAITS:
            if (yield from self._wait_for_test(task, breaker)):
                return task.outcome
            began, period = env.now, breaker.row.period
            admitted = admit(breaker.row, breaker.ring, began)
        if breaker.row.period != period:
            self._note_change(task, breaker, period)
        if admitted < 0:
            return self.call.failed(task, BREAKER_OPEN)
        try:
            outcome = yield from self.inner(task)
        except Killed:  # a probe that nobody will hear of is free again
            period = breaker.row.period
            breaker.give_back(env.now, admitted)
            if breaker.row.period != period:
                self._note_change(task, breaker, period)
            if admitted == TEST and breaker.waiting:
                breaker.test_is_over(env)
            raise
        period = breaker.row.period
        if breaker.of_library:
            library.settle(breaker.row, breaker.ring, env.now, admitted, outcome)
        else:
            breakers.settle(breaker.row, breaker.ring, env.now, admitted, outcome, env.now - began)
        if breaker.row.period != period:
            self._note_change(task, breaker, period)
        if admitted == TEST and breaker.waiting:
            breaker.test_is_over(env)
        return outcome

    def _wait_for_test(self, task: Task, breaker: BreakerMemory) -> Activity:
        """Until the test of cockatiel is over; 1 where the total timeout of the call came first."""
        call, ticket = self.call, task.ticket
        call.recorder.stage(task, Stage.OTHER, call.target.where)
        breaker.waiting.append((task, ticket))
        yield
        if call.frozen(task):
            yield from call.thaw(task)
        if task.ticket == ticket and call.policy.timed and reached(call.env.now, task.timed_call.deadline):
            task.outcome = call.failed(task, TIMEOUT)
            return 1
        return int(task.ticket != ticket)

    def _note_change(self, task: Task, breaker: BreakerMemory, before: int) -> None:
        """Its state is another one than in period `before`: since when it is, and what it was just before."""
        row = breaker.row
        if row.period > before + 1:
            self.call.note(TURNED[row.was], task, row.was_since)
        self.call.note(TURNED[row.state], task, row.since)
