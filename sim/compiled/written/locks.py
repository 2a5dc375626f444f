"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

A lock.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.base import NONE, handler, whole
from sim.compiled.calendar import arm
from sim.compiled.locking import ask_for_lock, hears_of_lock, holds_another
from sim.compiled.places import leave
from sim.compiled.rows.hosts import hosts
from sim.compiled.rows.locks import locks
from sim.compiled.rows.programs import lock_ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import keep_stage

LOCK = whole(18)
NEXT = whole(1)


@handler
def take_lock(s: State, own: int, op: int) -> int:
    """NEXT with the lock; FAIL where the wait was too long, or part of a deadlock."""
    own_row = tasks(s)[own]
    op_row = lock_ops(s)[op]
    pc = own_row.phase
    if pc == 1:
        own_row.phase = 0
        return hears_of_lock(s, own)
    if pc == 0:
        if ask_for_lock(s, own, op_row.lock):
            own_row.phase = 0
            return NEXT
        else:
            if hosts(s)[op_row.host].event_loop and own_row.granted:
                leave(s, op_row.host, own)
            if s.spans:
                keep_stage(s, own, LOCK, hosts(s)[op_row.host].name, 0.0, NONE)
            if locks(s)[op_row.lock].lane >= 0:
                arm(s, locks(s)[op_row.lock].lane, own)
            if locks(s)[op_row.lock].deadlock_lane >= 0 and holds_another(s, own):
                arm(s, locks(s)[op_row.lock].deadlock_lane, own)
            own_row.phase = 1
            return PARK
    return PARK
