"""Rate limits on the way of a request, as in `sim/models/limits.py`: some hold it until its turn comes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import FAIL, NEXT
from sim.compiled.codes import ERROR, OK
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.limits import ask_stores, count_in, hold_back, refuse, tell_refusal
from sim.compiled.rows.state import State
from sim.compiled.tasks import ASKED, HELD, HELD_IN_VAIN

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import LimitsOp, LimitsStep, Task


@flow
def pass_limits(s: State, own: Task, step: LimitsStep) -> Waits[int]:
    """OK, or what a limit answers. All are asked before any of them counts the request."""
    if step.stored:
        own.seconds = ask_stores(s, own, step)
        if own.seconds > 0.0:
            hold_back(s, own, step)
            yield ASKED
        if own.undecided < 0:
            own.where = step.where
            own.root = 0
            own.outcome = ERROR
            return ERROR
    own.outcome = refuse(s, own, step)
    if own.outcome != OK:
        if own.seconds > 0.0:
            hold_back(s, own, step)
            yield HELD_IN_VAIN
        tell_refusal(s, own, step)
        return own.outcome
    own.seconds = count_in(s, own, step)
    if own.seconds > 0.0:
        hold_back(s, own, step)
        yield HELD
    return OK


@flow
def meet_limits(s: State, own: Task, op: LimitsOp) -> Waits[int]:
    """Those of a route."""
    refusal = yield from pass_limits(s, own, op.step)
    return NEXT if refusal == OK else FAIL


def modules() -> Iterable[Module]:
    """What is written of limits."""
    yield Module("limits", "Rate limits of the gateway.", [Step(meet_limits, "meet_limits")])
