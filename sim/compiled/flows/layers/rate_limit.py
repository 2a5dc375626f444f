"""The caller's own rate limit: an attempt waits for its turn, or is refused because that is too far away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.compiled.apart import by_address
from sim.compiled.base import NONE, ONE, handler
from sim.compiled.calendar import hold
from sim.compiled.codes import LIMITING_BEGAN, LIMITING_ENDED, RATE_LIMITED, TIMEOUT
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.events import log_at
from sim.compiled.flows.layer import IN_TURN, IN_VAIN, LONG_AGO, Layer, Values, Watched, failed, thawed
from sim.compiled.guards import guard_for, subject_of
from sim.compiled.rows import calls as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import OTHER, keep_stage
from sim.models.guards import distinct
from sim.models.layers.rate_limit import LimiterMemory
from sim.models.unnoticed import Late, end_of_spell
from sim.policies import aws_adaptive, base, waiting
from sim.policies.aws_adaptive import AdaptiveRow
from sim.policies.waiting import WaitingRow
from sim.vocabulary import QUIET, EventKind

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Task
    from sim.compiled.flows.layer import Inner
    from sim.compiled.machine import Machine
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.guards import GuardTables
    from sim.models.call import Call as ModelCall
    from sim.models.guards import Guard as ModelGuard
    from sim.models.guards import Guards as ModelGuards

REFUSED = -1.0  # in the place of a wait
passed, reached = base.passed.compiled, base.reached.compiled
ask, hear = aws_adaptive.ask.compiled, aws_adaptive.hear.compiled
ahead, willing, reserve = waiting.ahead.compiled, waiting.willing.compiled, waiting.reserve.compiled


@flow
def at_its_rate(s: State, own: Task, call: Call, inner: Inner) -> Waits[int]:
    """Wait for the turn of this attempt, and make it. Who has a turn keeps it: later ones wait behind him."""
    while call.limits:
        wait = ask_for_turn(s, own, call)
        if wait < 0.0:
            if call.in_vain > 0.0:
                stand_in_line(s, own, call, call.in_vain)
                yield IN_VAIN
                yield from thawed(s, own, call)
                stop_waiting(s, own, call)
                if call.timed and base.reached(s.now, own.deadline):
                    failed(s, own, call)
                    return TIMEOUT
            failed(s, own, call)
            return RATE_LIMITED
        if wait == 0.0:
            break
        stand_in_line(s, own, call, wait)
        yield IN_TURN
        yield from thawed(s, own, call)
        stop_waiting(s, own, call)
        if call.timed and base.reached(s.now, own.deadline):
            failed(s, own, call)
            return TIMEOUT
        if not call.adapts:
            note_turn(s, own, call)
            break
    outcome = yield from inner(s, own, call)
    if call.adapts:
        hear_answer(s, own, call, outcome)
    return outcome


@flow
def no_longer_in_line(s: State, own: Task, call: Call) -> None:
    """The turn of a task that is killed is used up; in line it stands no longer."""
    if call.limits and IN_TURN <= own.phase <= IN_VAIN:
        stop_waiting(s, own, call)


# -- turns -------------------------------------------------------------------------------------------------------------


@by_address
@handler
def ask_for_turn(s: State, task: int, call: int) -> float:
    """The seconds until the turn of an attempt, which is taken; REFUSED: nobody waits so long."""
    guard = rows.guards(s)[guard_for(s, call, task)]
    if guard.adaptive >= 0:
        lacking = ask(rows.adaptive_limits(s)[guard.adaptive], s.now)
        if lacking == 0.0:
            guard.limit_passed += 1
        return float(lacking)
    row = rows.waiting_limits(s)[guard.limiter]
    wait = ahead(row, s.now)
    if not willing(row, s.now, wait):
        note_refusal(s, task, call)
        return REFUSED
    reserve(row, s.now, ONE)
    if wait == 0.0:
        guard.limit_passed += 1
    return float(wait)


@by_address
@handler
def hear_answer(s: State, task: int, call: int, outcome: int) -> None:
    """An attempt has ended: a rate that adapts follows."""
    guard = rows.guards(s)[guard_for(s, call, task)]
    hear(rows.adaptive_limits(s)[guard.adaptive], s.now, outcome == RATE_LIMITED)


@by_address
@handler
def note_turn(s: State, task: int, call: int) -> None:
    """The turn of an attempt has come."""
    rows.guards(s)[guard_for(s, call, task)].limit_passed += 1


@by_address
@handler
def stand_in_line(s: State, task: int, call: int, seconds: float) -> None:
    """For so long, or until the total timeout of the call: a wait that could only end after it is cut short."""
    own, row = tasks(s)[task], rows.calls(s)[call]
    if s.spans:
        keep_stage(s, task, OTHER, rows.targets(s)[row.target].where, 0.0, NONE)
    rows.guards(s)[guard_for(s, call, task)].limit_in_line += 1
    if row.timed and reached(s.now + seconds, own.deadline):
        seconds = own.deadline - s.now
        own.deadline = LONG_AGO
    hold(s, task, seconds)


@by_address
@handler
def stop_waiting(s: State, task: int, call: int) -> None:
    """Wait no longer."""
    rows.guards(s)[guard_for(s, call, task)].limit_in_line -= 1


@handler
def note_refusal(s: State, task: int, call: int) -> None:
    """Count it; after a quiet time it begins a new spell of refusals."""
    row = rows.guards(s)[guard_for(s, call, task)]
    row.limit_turned_away += 1
    if passed(s.now, row.refused + QUIET):
        subject, about = subject_of(s, task, call), rows.calls(s)[call].limit_about
        if row.refusing:
            log_at(s, row.refused, LIMITING_ENDED, subject, about, 0.0)
        log_at(s, s.now, LIMITING_BEGAN, subject, about, 0.0)
        row.refusing = True
    row.refused = s.now


class RateLimit(Layer):
    """Attempts leave at no more than a rate."""

    name = "rate_limit"
    flow = at_its_rate
    killed = no_longer_in_line
    tables = ((rows.waiting_limits, WaitingRow), (rows.adaptive_limits, AdaptiveRow))
    series = {  # noqa: RUF012 - as it stands in its base
        "passed": "limit_passed",
        "turned_away": "limit_turned_away",
        "in_line": "limit_in_line",
    }

    @staticmethod
    def of_call(call: ModelCall, tables: CallTables, _place: int) -> Values:
        """Whether there is one, for how long who is refused waits, and what the event log calls it."""
        if call.policy.rate_limit is None:
            return {}
        guard = next(iter(call.guards.values()))
        about = tables.places.subject(f"{guard.about} rate limit")
        adapts = call.policy.rate_limit.adapts
        return {"limits": True, "adapts": adapts, "in_vain": guard.of(LimiterMemory).in_vain, "limit_about": about}

    @staticmethod
    def of_guard(guard: ModelGuard, tables: GuardTables) -> Values:
        """Whose turn it is."""
        memory = guard.find(LimiterMemory)
        if memory is None:
            return {"limiter": NOBODY, "adaptive": NOBODY, "refused": LONG_AGO}
        limiter, adaptive = tables.policy(rows.waiting_limits, memory.row), NOBODY
        if memory.adaptive is not None:
            adaptive = tables.policy(rows.adaptive_limits, memory.adaptive)
        return {"limiter": limiter, "adaptive": adaptive, "refused": LONG_AGO}

    @staticmethod
    def watched(call: ModelCall, guards: ModelGuards) -> Iterator[Watched]:
        """What passes, what is refused, and who waits, in all replicas of the caller together."""
        if call.policy.rate_limit is not None:
            for quantity in RateLimit.series:
                yield Watched(call.limit_name, quantity, len(distinct(guards)))

    @staticmethod
    def unnoticed(machine: Machine, guard: rows.Guard, name: str, about: str) -> None:
        """The end of a spell of refusals."""
        if guard.limiter >= 0:
            kind, about = EventKind.LIMITING_ENDED, f"{about} rate limit"
            machine.tell(end_of_spell(kind, guard.refusing, guard.refused, machine.s.now, name, about))

    @staticmethod
    def forgotten(machine: Machine, guard: rows.Guard, name: str, about: str) -> None:
        """It has seen nobody; a spell of refusals is over."""
        if guard.limiter < 0:
            return
        if guard.refusing:
            machine.tell([Late(EventKind.LIMITING_ENDED, guard.refused, name, f"{about} rate limit")])
        guard.refusing, guard.refused, guard.limit_in_line = False, LONG_AGO, 0
        machine.renew(rows.waiting_limits, guard.limiter)
        if guard.adaptive >= 0:
            machine.renew(rows.adaptive_limits, guard.adaptive)
            rows.adaptive_limits.array(machine.s)[guard.adaptive]["unborn"] = 1  # until it is first used
