"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

The way back of a saga.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.base import NONE, handler, whole
from sim.compiled.calendar import hold
from sim.compiled.places import leave
from sim.compiled.rows.hosts import hosts
from sim.compiled.rows.programs import saga_ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.sagas import sagas
from sim.compiled.rows.state import State
from sim.compiled.sagas import is_stuck, undo_again, undone
from sim.compiled.spans import keep_stage

BACKOFF = whole(2)
FAIL = whole(2)
JUMP = whole(4)
NEXT = whole(1)
OK = whole(0)


@handler
def look_at_undo(s: State, own: int, op: int) -> int:
    """NEXT: it has ended well. JUMP: it is tried again, after a pause. FAIL: the saga is stuck."""
    own_row = tasks(s)[own]
    op_row = saga_ops(s)[op]
    pc = own_row.phase
    if pc == 1:
        undo_again(s, own, op_row.saga)
        own_row.phase = 0
        return JUMP
    if pc == 0:
        if own_row.outcome == OK:
            undone(s, own)
            own_row.phase = 0
            return NEXT
        elif is_stuck(s, own, op_row.saga):
            own_row.phase = 0
            return FAIL
        else:
            if hosts(s)[op_row.host].event_loop and own_row.granted:
                leave(s, op_row.host, own)
            if s.spans:
                keep_stage(s, own, BACKOFF, hosts(s)[op_row.host].name, 0.0, NONE)
            hold(s, own, sagas(s)[op_row.saga].pause)
            own_row.phase = 1
            return PARK
    return PARK
