"""The circuit breaker: it is asked before each attempt, and told how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.compiled.base import handler
from sim.compiled.codes import BREAKER_EVENTS, BREAKER_OPEN
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.flows.layer import Layer, Values, Watched, failed, its_guard
from sim.compiled.guards import note
from sim.compiled.rows import calls as rows
from sim.compiled.rows.state import State
from sim.models.layers.breaker import BreakerMemory
from sim.models.unnoticed import breaker_by_now, breaker_forgotten
from sim.policies import breaker
from sim.policies.breaker import CLOSED, OPEN, BreakerRow

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Task
    from sim.compiled.flows.layer import Inner
    from sim.compiled.machine import Machine
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.guards import GuardTables
    from sim.models.call import Call as ModelCall
    from sim.models.guards import Guard as ModelGuard
    from sim.models.guards import Guards as ModelGuards

NOT_ASKED = -1  # in the place of what it has answered


@flow
def breaking(s: State, own: Task, call: Call, inner: Inner) -> Waits[int]:
    """Let the attempt through, or refuse it."""
    if call.breaks:
        guard = its_guard(s, call, own)
        period = guard.breaker.period
        own.admitted = breaker.admit(guard.breaker, guard.ring, s.now)
        if guard.breaker.period != period:
            note_breaker(s, own, call, guard.breaker, period)
        if own.admitted < 0:
            failed(s, own, call)
            return BREAKER_OPEN
        own.began = s.now
    outcome = yield from inner(s, own, call)
    if call.breaks:
        guard = its_guard(s, call, own)
        period = guard.breaker.period
        breaker.settle(guard.breaker, guard.ring, s.now, own.admitted, outcome, s.now - own.began)
        own.admitted = NOT_ASKED
        if guard.breaker.period != period:
            note_breaker(s, own, call, guard.breaker, period)
    return outcome


@flow
def probe_is_free(s: State, own: Task, call: Call) -> None:
    """A probe that nobody will hear of is free again."""
    if call.breaks and own.admitted >= 0:
        guard = its_guard(s, call, own)
        period = guard.breaker.period
        breaker.give_back(guard.breaker, guard.ring, s.now, own.admitted)
        if guard.breaker.period != period:
            note_breaker(s, own, call, guard.breaker, period)


@handler
def note_breaker(s: State, task: int, call: int, breaker: BreakerRow, before: int) -> None:
    """The breaker's state is another one than in period `before`.

    Since when it is, and what it may have been in between.
    """
    if breaker.period > before + 1:  # half-open for too long it had opened, and that time is over too
        note(s, task, call, BREAKER_EVENTS[OPEN], breaker.opened)
    note(s, task, call, BREAKER_EVENTS[breaker.state], breaker.since)


@handler
def share_open(s: State, first: int, count: int) -> float:
    """The share of the caller's replicas whose breaker is not closed."""
    opened = 0
    for place in range(first, first + count):
        if rows.breakers(s)[rows.guards(s)[rows.guard_of(s)[place]].breaker].state != CLOSED:
            opened += 1
    return opened / count


class Breaker(Layer):
    """While it is open nothing is sent."""

    name = "breaker"
    flow = breaking
    killed = probe_is_free
    tables = ((rows.breakers, BreakerRow),)
    series = {"breaker_open": share_open}  # noqa: RUF012 - as it stands in its base

    @staticmethod
    def of_call(call: ModelCall, _tables: CallTables, _place: int) -> Values:
        """Whether there is one."""
        return {"breaks": call.policy.circuit_breaker is not None}

    @staticmethod
    def of_guard(guard: ModelGuard, tables: GuardTables) -> Values:
        """Its state, and what it remembers."""
        memory = guard.find(BreakerMemory)
        if memory is None:
            return {}
        breaker_at = tables.policy(rows.breakers, memory.row)
        return {"breaker": breaker_at, "ring": tables.ring(memory.ring), "size": len(memory.ring)}

    @staticmethod
    def watched(call: ModelCall, guards: ModelGuards) -> Iterator[Watched]:
        """Whether it is open."""
        if call.policy.circuit_breaker is not None:
            yield Watched(f"{call.caller} -> {next(iter(guards.values())).about}", "breaker_open")

    @staticmethod
    def unnoticed(machine: Machine, guard: rows.Guard, name: str, about: str) -> None:
        """That it has opened, where it was half-open for too long."""
        if guard.breaker >= 0:
            machine.tell(breaker_by_now(_copy(machine, guard), machine.s.now, name, about))

    @staticmethod
    def forgotten(machine: Machine, guard: rows.Guard, name: str, about: str) -> None:
        """It is closed."""
        if guard.breaker >= 0:
            machine.tell(breaker_forgotten(_copy(machine, guard), machine.s.now, name, about))
            machine.renew(rows.breakers, guard.breaker)
            rows.rings.array(machine.s)[guard.ring : guard.ring + guard.size] = 0.0


def _copy(machine: Machine, guard: rows.Guard) -> BreakerRow:
    return BreakerRow(*rows.breakers.array(machine.s)[guard.breaker].tolist())
