"""The circuit breaker: it is asked before each attempt, and told how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.models.call import Call, Layer
from sim.models.guards import Guards, Memory
from sim.models.outcomes import BREAKER_OPEN
from sim.models.task import Activity, Killed, Task
from sim.models.unnoticed import TURNED, Late, breaker_by_now, breaker_forgotten, library_by_now
from sim.policies import breaker as breakers
from sim.policies import library_breakers as library
from sim.spec.policy import CallPolicy, CircuitBreaker
from sim.vocabulary import EventKind


class BreakerMemory(Memory):
    """The state of one breaker, and the ring of what it has heard of."""

    def __init__(self, spec: CircuitBreaker, limited: bool):
        self.row: Any
        self.ring: Any
        found = library.new_library_breaker(spec, limited)
        self.of_library = found is not None  # one that counts in a way of its own
        self.row, self.ring = found if found is not None else breakers.new_breaker(spec, limited)

    def renewed(self, policy: CallPolicy) -> BreakerMemory:
        """A closed one."""
        assert policy.circuit_breaker is not None
        return BreakerMemory(policy.circuit_breaker, policy.rate_limit is not None)

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
        """The share of the caller's replicas whose breaker is not closed."""
        component = f"{call.caller} -> {next(iter(guards.values())).about}"

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
            raise
        period = breaker.row.period
        if breaker.of_library:
            library.settle(breaker.row, breaker.ring, env.now, admitted, outcome)
        else:
            breakers.settle(breaker.row, breaker.ring, env.now, admitted, outcome, env.now - began)
        if breaker.row.period != period:
            self._note_change(task, breaker, period)
        return outcome

    def _note_change(self, task: Task, breaker: BreakerMemory, before: int) -> None:
        """Its state is another one than in period `before`: since when it is, and what it may have been in between."""
        row = breaker.row
        if row.period > before + 1:
            if breaker.of_library:
                self.call.note(TURNED[row.was], task, row.was_since)
            else:  # half-open for too long it had opened, and that time is over too
                self.call.note(EventKind.BREAKER_OPENED, task, row.opened)
        self.call.note(TURNED[row.state], task, row.since)
