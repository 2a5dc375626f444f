"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

Rate limits of the gateway.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.base import handler, whole
from sim.compiled.limits import ask_stores, count_in, hold_back, refuse, tell_refusal
from sim.compiled.rows.limits import limit_steps
from sim.compiled.rows.programs import limits_ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State

ERROR = whole(9)
FAIL = whole(2)
NEXT = whole(1)
OK = whole(0)


@handler
def meet_limits(s: State, own: int, op: int) -> int:
    """Those of a route."""
    own_row = tasks(s)[own]
    op_row = limits_ops(s)[op]
    step_1 = op_row.step
    step_1_row = limit_steps(s)[step_1]
    pc = own_row.phase
    to = -1
    if pc == 0:
        if step_1_row.stored:
            own_row.seconds = ask_stores(s, own, step_1)
            if own_row.seconds > 0.0:
                hold_back(s, own, step_1)
                own_row.phase = 13
                return PARK
            else:
                to = 13
        else:
            to = 1
    if pc == 13 or to == 13:
        if own_row.undecided < 0:
            own_row.where = step_1_row.where
            own_row.root = 0
            own_row.outcome = ERROR
            refusal = ERROR
            to = 2
        else:
            to = 1
    if to == 1:
        own_row.outcome = refuse(s, own, step_1)
        if own_row.outcome != OK:
            if own_row.seconds > 0.0:
                hold_back(s, own, step_1)
                own_row.phase = 9
                return PARK
            else:
                to = 9
        else:
            own_row.seconds = count_in(s, own, step_1)
            if own_row.seconds > 0.0:
                hold_back(s, own, step_1)
                own_row.phase = 10
                return PARK
            else:
                to = 10
    if pc == 9 or to == 9:
        tell_refusal(s, own, step_1)
        refusal = own_row.outcome
        to = 2
    if pc == 10 or to == 10:
        refusal = OK
        to = 2
    if to == 2:
        own_row.phase = 0
        return NEXT if refusal == OK else FAIL
    return PARK
