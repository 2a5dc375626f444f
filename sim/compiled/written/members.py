"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

How a member of a group comes by its batches, and commits them.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.base import handler, whole
from sim.compiled.calendar import ask_python, schedule
from sim.compiled.consumers import commit_batch
from sim.compiled.places import park
from sim.compiled.polling import cut_off, fill_batch, wait_for_broker, watch_batch
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.logs import groups, members
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State

NEXT = whole(1)
ORDER = whole(6)
ORDINARY = whole(1)


@handler
def poll(s: State, own: int) -> int:
    """Fetch a batch, as soon as the process is thawed, the broker there, and something to fetch."""
    own_row = tasks(s)[own]
    pc = own_row.phase
    to = -1
    if pc == 0:
        to = 1
    if pc == 1 or to == 1:
        if replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 1
            return PARK
        else:
            to = 2
    if pc == 2 or to == 2:
        if cut_off(s, own_row.member):
            wait_for_broker(s, members(s)[own_row.member].broker, own)
            own_row.phase = 2
            return PARK
        elif members(s)[own_row.member].called:
            ask_python(s, members(s)[own_row.member].errand)
            own_row.phase = 3
            return PARK
        else:
            to = 3
    if pc == 3 or to == 3:
        fill_batch(s, own_row.member)
        if members(s)[own_row.member].batch.first >= 0:
            member = own_row.member
            member_row = members(s)[member]
            member_row.processing = True
            member_row.busy_area -= s.now
            group = member_row.group
            group_row = groups(s)[group]
            group_row.busy += 1
            group_row.busy_area -= s.now
            member_row.following = member_row.batch.first
            if member_row.patience >= 0:
                watch_batch(s, member)
            own_row.phase = 0
            return NEXT
        else:
            idle = own_row.member
            idle_row = members(s)[idle]
            idle_row.idle = True
            own_row.phase = 1
            return PARK
    return PARK


@handler
def commit(s: State, own: int) -> int:
    """Commit the batch, as soon as the broker is there."""
    own_row = tasks(s)[own]
    pc = own_row.phase
    to = -1
    if pc == 0:
        to = 1
    if pc == 1 or to == 1:
        if cut_off(s, own_row.member):
            wait_for_broker(s, members(s)[own_row.member].broker, own)
            own_row.phase = 1
            return PARK
        else:
            commit_batch(s, own)
            if members(s)[own_row.member].order >= 0:
                schedule(s, ORDINARY, 0.0, ORDER, members(s)[own_row.member].order)
                own_row.phase = 2
                return PARK
            else:
                to = 2
    if pc == 2 or to == 2:
        own_row.phase = 0
        return NEXT
    return PARK
