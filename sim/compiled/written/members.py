"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

How a member of a group comes by its batches, and commits them.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.base import handler, whole
from sim.compiled.calendar import ask_python, hold, schedule
from sim.compiled.committing import commit_fresh, commit_in_poll, commit_later, end_handled, note_handled
from sim.compiled.consumers import batch_over, end_batch
from sim.compiled.fetching import be_patient
from sim.compiled.places import park
from sim.compiled.polling import cut_off, fill_batch, wait_for_broker, watch_batch
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.logs import groups, members
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.transactions import close_transaction, commit_delay, is_well, steps_over, was_aborted

AUTOMATIC = whole(3)
BEFORE = whole(2)
FENCED = whole(4)
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
        if members(s)[own_row.member].commits == AUTOMATIC:
            commit_in_poll(s, own_row.member)
        fill_batch(s, own_row.member)
        if members(s)[own_row.member].following >= 0:
            member = own_row.member
            member_row = members(s)[member]
            member_row.processing = True
            member_row.busy_area -= s.now
            group = member_row.group
            group_row = groups(s)[group]
            group_row.busy += 1
            group_row.busy_area -= s.now
            if member_row.patience >= 0:
                watch_batch(s, member)
            if member_row.commits == BEFORE:
                commit_fresh(s, member)
            own_row.phase = 0
            return NEXT
        else:
            idle = own_row.member
            idle_row = members(s)[idle]
            idle_row.idle = True
            if idle_row.fetcher >= 0:
                be_patient(s, idle)
            if idle_row.commits == AUTOMATIC:
                commit_later(s, idle)
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
            end_batch(s, own_row.member)
            batch_over(s, own_row.member)
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


@handler
def commit_record(s: State, own: int) -> int:
    """Commit one record, when it is handled; as soon as the broker is there, unless it was committed before."""
    own_row = tasks(s)[own]
    pc = own_row.phase
    to = -1
    if pc == 0:
        note_handled(s, own_row.member)
        if members(s)[own_row.member].commits != BEFORE:
            to = 1
        else:
            to = 2
    if pc == 1 or to == 1:
        if cut_off(s, own_row.member):
            wait_for_broker(s, members(s)[own_row.member].broker, own)
            own_row.phase = 1
            return PARK
        else:
            to = 2
    if to == 2:
        end_handled(s, own_row.member)
        own_row.phase = 0
        return NEXT
    return PARK


@handler
def commit_transaction(s: State, own: int) -> int:
    """A record is handled: its transaction is committed, as soon as the broker is there, or else aborted."""
    own_row = tasks(s)[own]
    pc = own_row.phase
    to = -1
    if pc == 0:
        steps_over(s, own_row.member)
        if is_well(s, own):
            to = 1
        else:
            to = 3
    if pc == 1 or to == 1:
        if cut_off(s, own_row.member):
            wait_for_broker(s, members(s)[own_row.member].broker, own)
            own_row.phase = 1
            return PARK
        else:
            delay = commit_delay(s, own_row.member)
            if delay > 0.0:
                hold(s, own, delay)
                own_row.phase = 2
                return PARK
            else:
                to = 2
    if pc == 2 or to == 2:
        if was_aborted(s, own_row.member):
            own_row.outcome = FENCED
        to = 3
    if to == 3:
        close_transaction(s, own_row.member, is_well(s, own))
        own_row.phase = 0
        return NEXT
    return PARK


@handler
def rest(s: State, own: int) -> int:
    """The batch is handled, and not to be committed now."""
    own_row = tasks(s)[own]
    pc = own_row.phase
    to = -1
    if pc == 0:
        batch_over(s, own_row.member)
        if members(s)[own_row.member].order >= 0:
            schedule(s, ORDINARY, 0.0, ORDER, members(s)[own_row.member].order)
            own_row.phase = 1
            return PARK
        else:
            to = 1
    if pc == 1 or to == 1:
        own_row.phase = 0
        return NEXT
    return PARK
