"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

Rate limits of the gateway.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.base import handler, whole
from sim.compiled.limits import count_in, hold_back, refuse, tell_refusal
from sim.compiled.rows.programs import limits_ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State

FAIL = whole(2)
NEXT = whole(1)
OK = whole(0)


@handler
def meet_limits(s: State, own: int, op: int) -> int:
    """Those of a route."""
    own_row = tasks(s)[own]
    op_row = limits_ops(s)[op]
    step_1 = op_row.step
    pc = own_row.phase
    to = -1
    if pc == 0:
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
        to = 1
    if pc == 10 or to == 10:
        refusal = OK
        to = 1
    if to == 1:
        own_row.phase = 0
        return NEXT if refusal == OK else FAIL
    return PARK
