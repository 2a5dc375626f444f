"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

Steps that are made of other steps.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.base import handler, whole
from sim.compiled.forks import branches_over, race_over, start_branches, start_times, times_of
from sim.compiled.places import leave
from sim.compiled.rows.hosts import hosts
from sim.compiled.rows.programs import parallel_ops, repeat_ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State

NEXT = whole(1)


@handler
def branch_out(s: State, own: int, op: int) -> int:
    """Start all branches, and wait for all."""
    own_row = tasks(s)[own]
    pc = own_row.phase
    if pc == 1:
        own_row.phase = 0
        return branches_over(s, own)
    if pc == 0:
        start_branches(s, own, op)
        own_row.phase = 1
        return PARK
    return PARK


@handler
def repeat_at_once(s: State, own: int, op: int) -> int:
    """The same several times at once; an event loop gives its worker back where there is something to wait for."""
    own_row = tasks(s)[own]
    op_row = repeat_ops(s)[op]
    pc = own_row.phase
    if pc == 1:
        own_row.phase = 0
        return branches_over(s, own)
    if pc == 0:
        count = times_of(s, own, op_row.repetition)
        if count == 0:
            own_row.phase = 0
            return NEXT
        else:
            if hosts(s)[op_row.host].event_loop and own_row.granted:
                leave(s, op_row.host, own)
            start_times(s, own, op, count)
            own_row.phase = 1
            return PARK
    return PARK


@handler
def race(s: State, own: int, op: int) -> int:
    """Start all branches, and wait until enough have ended well."""
    own_row = tasks(s)[own]
    op_row = parallel_ops(s)[op]
    pc = own_row.phase
    if pc == 1:
        own_row.phase = 0
        return race_over(s, own, op_row.enough)
    if pc == 0:
        start_branches(s, own, op)
        own_row.phase = 1
        return PARK
    return PARK
