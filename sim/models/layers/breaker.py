"""The circuit breaker: it is asked before each attempt, and told how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.models.call import Call, Layer
from sim.models.guards import Guards, Memory
from sim.models.outcomes import BREAKER_OPEN
from sim.models.task import Activity, Killed, Task
from sim.models.unnoticed import Late, breaker_by_now, breaker_forgotten
from sim.policies import breaker as breakers
from sim.policies import library_breakers as library
from sim.spec.policy import CallPolicy, CircuitBreaker
from sim.vocabulary import EventKind

TURNED = (EventKind.BREAKER_CLOSED, EventKind.BREAKER_OPENED, EventKind.BREAKER_HALF_OPENED)
"""What is told of a breaker that has changed, by the state that it has now."""


class BreakerMemory(Memory):
    """The state of one breaker, and the ring of what it has heard of."""

    def __init__(self, spec: CircuitBreaker):
        self.row: Any
        self.ring: Any
        self.row, self.ring = breakers.new_breaker(spec)
        self.library = library.new_library_breaker(spec)  # one that counts otherwise, in the place of the row
        if self.library is not None:
            self.row = self.library

    def renewed(self, policy: CallPolicy) -> BreakerMemory:
        """A closed one."""
        assert policy.circuit_breaker is not None
        return BreakerMemory(policy.circuit_breaker)

    def unnoticed(self, now: float, subject: str, about: str) -> Iterator[Late]:
        """That it has opened, where it was half-open for too long."""
        if self.library is None:
            yield from breaker_by_now(self.row, now, subject, about)
            return
        period = self.library.period
        library.look(self.library, now)
        if self.library.period != period:
            yield Late(TURNED[self.library.state], self.library.since, subject, about)

    def forgotten(self, now: float, subject: str, about: str) -> Iterator[Late]:
        """That it is closed, where it was not."""
        if self.library is None:
            yield from breaker_forgotten(self.row, now, subject, about)
            return
        yield from self.unnoticed(now, subject, about)
        if self.library.state != breakers.CLOSED:
            yield Late(EventKind.BREAKER_CLOSED, now, subject, about)

    def admit(self, now: float) -> int:
        """Of a library: a ticket, or -1, the call is refused."""
        assert self.library is not None
        return library.admit(self.library, now)

    def settle(self, now: float, ticket: int, outcome: int) -> None:
        """Of a library: an admitted call has ended."""
        assert self.library is not None
        library.settle(self.library, now, ticket, outcome)

    def give_back(self, now: float, ticket: int) -> None:
        """Nobody will hear how it ends."""
        if self.library is not None:
            library.give_back(self.library, ticket)
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
        return BreakerMemory(policy.circuit_breaker) if policy.circuit_breaker is not None else None

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
        ours = breaker.library is None
        admitted = breakers.admit(breaker.row, breaker.ring, began) if ours else breaker.admit(began)
        if breaker.row.period != period:
            self._note_change(task, breaker.row, period)
        if admitted < 0:
            return self.call.failed(task, BREAKER_OPEN)
        try:
            outcome = yield from self.inner(task)
        except Killed:  # a probe that nobody will hear of is free again
            period = breaker.row.period
            breaker.give_back(env.now, admitted)
            if breaker.row.period != period:
                self._note_change(task, breaker.row, period)
            raise
        period = breaker.row.period
        if ours:
            breakers.settle(breaker.row, breaker.ring, env.now, admitted, outcome, env.now - began)
        else:
            breaker.settle(env.now, admitted, outcome)
        if breaker.row.period != period:
            self._note_change(task, breaker.row, period)
        return outcome

    def _note_change(self, task: Task, row: Any, before: int) -> None:  # noqa: ANN401 - a row of a policy
        """Its state is another one than in period `before`: since when it is, and what it may have been in between."""
        if row.period > before + 1:  # half-open for too long it had opened, and that time is over too
            self.call.note(EventKind.BREAKER_OPENED, task, row.opened)
        self.call.note(TURNED[row.state], task, row.since)
