"""The circuit breaker: it is asked before each attempt, and told how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.compiled.apart import by_address
from sim.compiled.base import NONE, handler
from sim.compiled.calendar import make_ready
from sim.compiled.codes import BREAKER_EVENTS, BREAKER_OPEN, TIMEOUT
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.flows.layer import Layer, Values, Watched, failed, its_guard, thawed
from sim.compiled.guards import guard_for, note
from sim.compiled.lists import add_last, unlink
from sim.compiled.rows import calls as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.compiled.spans import OTHER, keep_stage
from sim.compiled.tasks import IN_BREAKER, NOWHERE
from sim.models.layers.breaker import BreakerMemory
from sim.policies import breaker
from sim.policies import library_breakers as library
from sim.policies.base import reached
from sim.policies.breaker import CLOSED, REJECTED, BreakerRow
from sim.policies.cockatiel import TEST, WAITS
from sim.policies.library_breakers import LibraryRow

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Task
    from sim.compiled.flows.layer import Inner
    from sim.compiled.machine import Machine
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.guards import GuardTables
    from sim.models.call import Call as ModelCall
    from sim.models.guards import Guard as ModelGuard
    from sim.models.guards import Guards as ModelGuards

admit, settle, give_back = library.admit.compiled, library.settle.compiled, library.give_back.compiled
NOT_ASKED = -1  # in the place of what it has answered


@flow
def breaking(s: State, own: Task, call: Call, inner: Inner) -> Waits[int]:
    """Let the attempt through, or refuse it."""
    while call.breaks:
        guard = its_guard(s, call, own)
        if guard.library is not None:
            own.admitted = ask_library(s, own, call)
        else:
            period = guard.breaker.period
            own.admitted = breaker.admit(guard.breaker, guard.ring, s.now)
            if guard.breaker.period != period:
                note_turns(s, own, call, guard.breaker, period)
        own.began = s.now
        if own.admitted >= 0:
            break
        if own.admitted == REJECTED:
            failed(s, own, call)
            return BREAKER_OPEN
        wait_for_test(s, own, call)
        yield
        yield from thawed(s, own, call)
        if own.admitted == WAITS:
            own.admitted = NOT_ASKED
            return own.outcome
        if call.timed and reached(s.now, own.deadline):
            failed(s, own, call)
            return TIMEOUT
    outcome = yield from inner(s, own, call)
    if call.breaks:
        guard = its_guard(s, call, own)
        if guard.library is not None:
            tell_library(s, own, call, outcome)
        else:
            period = guard.breaker.period
            breaker.settle(guard.breaker, guard.ring, s.now, own.admitted, outcome, s.now - own.began)
            if guard.breaker.period != period:
                note_turns(s, own, call, guard.breaker, period)
        own.admitted = NOT_ASKED
    return outcome


@flow
def probe_is_free(s: State, own: Task, call: Call) -> None:
    """A probe that nobody will hear of is free again; who waits for the end of another's stands in line no longer."""
    if own.waits == IN_BREAKER:
        leave_test(s, own)
    if call.breaks and own.admitted >= 0:
        guard = its_guard(s, call, own)
        if guard.library is not None:
            free_probe(s, own, call)
        else:
            period = guard.breaker.period
            breaker.give_back(guard.breaker, guard.ring, s.now, own.admitted)
            if guard.breaker.period != period:
                note_turns(s, own, call, guard.breaker, period)


@handler
def note_turns(s: State, task: int, call: int, breaker: BreakerRow | LibraryRow, before: int) -> None:
    """Its state is another one than in period `before`: since when it is, and what it was just before."""
    if breaker.period > before + 1:
        note(s, task, call, BREAKER_EVENTS[breaker.was], breaker.was_since)
    note(s, task, call, BREAKER_EVENTS[breaker.state], breaker.since)


# -- those of libraries ------------------------------------------------------------------------------------------------


@by_address
@handler
def ask_library(s: State, task: int, call: int) -> int:
    """Its ticket for an attempt; -1: none."""
    guard = rows.guards(s)[guard_for(s, call, task)]
    breaker = rows.library_rows(s)[guard.library]
    period = breaker.period
    ticket = admit(breaker, rows_from(rows.rings(s), guard.ring), s.now)
    if breaker.period != period:
        note_turns(s, task, call, breaker, period)
    return int(ticket)


@by_address
@handler
def tell_library(s: State, task: int, call: int, outcome: int) -> None:
    """How the attempt of the task has ended."""
    guard = rows.guards(s)[guard_for(s, call, task)]
    breaker = rows.library_rows(s)[guard.library]
    period = breaker.period
    settle(breaker, rows_from(rows.rings(s), guard.ring), s.now, tasks(s)[task].admitted, outcome)
    if breaker.period != period:
        note_turns(s, task, call, breaker, period)
    if tasks(s)[task].admitted == TEST:
        test_is_over(s, guard_for(s, call, task))


@handler
def free_probe(s: State, task: int, call: int) -> None:
    """Nobody will hear how the attempt of the task ends."""
    breaker = rows.library_rows(s)[rows.guards(s)[guard_for(s, call, task)].library]
    period = breaker.period
    give_back(breaker, s.now, tasks(s)[task].admitted)
    if breaker.period != period:
        note_turns(s, task, call, breaker, period)
    if tasks(s)[task].admitted == TEST:
        test_is_over(s, guard_for(s, call, task))


@by_address
@handler
def wait_for_test(s: State, task: int, call: int) -> None:
    """Stand in line for the end of the test call of cockatiel."""
    own, guard = tasks(s)[task], guard_for(s, call, task)
    if s.spans:
        keep_stage(s, task, OTHER, rows.targets(s)[rows.calls(s)[call].target].where, 0.0, NONE)
    own.waits = IN_BREAKER
    own.line = guard
    add_last(tasks(s), rows.guards(s)[guard].breaker_line, task)


@by_address
@handler
def leave_test(s: State, task: int) -> None:
    """Stand in it no longer."""
    own = tasks(s)[task]
    own.waits = NOWHERE
    unlink(tasks(s), rows.guards(s)[own.line].breaker_line, task)


@handler
def test_is_over(s: State, guard: int) -> None:
    """Those who wait for it ask again, in the order in which they came."""
    line = rows.guards(s)[guard].breaker_line
    while line.first >= 0:
        heir = line.first
        leave_test(s, heir)
        tasks(s)[heir].admitted = NOT_ASKED
        make_ready(s, heir)


@handler
def share_open(s: State, first: int, count: int) -> float:
    """The share of the caller's replicas whose breaker is not closed."""
    opened = 0
    for place in range(first, first + count):
        guard = rows.guards(s)[rows.guard_of(s)[place]]
        if guard.library >= 0:
            opened += rows.library_rows(s)[guard.library].state != CLOSED
        else:
            opened += rows.breakers(s)[guard.breaker].state != CLOSED
    return opened / count


class Breaker(Layer):
    """While it is open nothing is sent."""

    name = "breaker"
    flow = breaking
    killed = probe_is_free
    tables = ((rows.breakers, BreakerRow), (rows.library_rows, LibraryRow))
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
            return {"breaker": NOBODY}
        its = {"ring": tables.ring(memory.ring), "size": len(memory.ring)}
        if memory.of_library:
            return {"breaker": NOBODY, "library": tables.policy(rows.library_rows, memory.row)} | its
        return {"breaker": tables.policy(rows.breakers, memory.row)} | its

    @staticmethod
    def watched(call: ModelCall, guards: ModelGuards) -> Iterator[Watched]:
        """Whether it is open."""
        if call.policy.circuit_breaker is not None:
            yield Watched(f"{call.caller} -> {next(iter(guards.values())).about}", "breaker_open")

    @staticmethod
    def unnoticed(machine: Machine, guard: rows.Guard, name: str, about: str) -> None:
        """That it has opened, where it was half-open for too long; and what the clock made of one of a library."""
        if (memory := _memory(machine, guard)) is not None:
            machine.tell(memory.unnoticed(machine.s.now, name, about))

    @staticmethod
    def forgotten(machine: Machine, guard: rows.Guard, name: str, about: str) -> None:
        """It is closed."""
        if (memory := _memory(machine, guard)) is None:
            return
        machine.tell(memory.forgotten(machine.s.now, name, about))
        if memory.of_library:
            machine.renew(rows.library_rows, guard.library)
        else:
            machine.renew(rows.breakers, guard.breaker)
        rows.rings.array(machine.s)[guard.ring : guard.ring + guard.size] = 0.0


def _memory(machine: Machine, guard: rows.Guard) -> BreakerMemory | None:
    """A copy of what the breaker of a guard remembers, which tells what the SimPy engine would."""
    if guard.library < 0 and guard.breaker < 0:
        return None
    memory = BreakerMemory.__new__(BreakerMemory)
    memory.of_library = guard.library >= 0
    if memory.of_library:
        memory.row = LibraryRow(*rows.library_rows.array(machine.s)[guard.library].tolist())
    else:
        memory.row = BreakerRow(*rows.breakers.array(machine.s)[guard.breaker].tolist())
    memory.ring = rows.rings.array(machine.s)[guard.ring : guard.ring + guard.size].tolist()
    return memory
