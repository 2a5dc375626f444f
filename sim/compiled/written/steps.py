"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

Steps that take time.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.base import NONE, handler, whole
from sim.compiled.calendar import hold
from sim.compiled.cores import compute
from sim.compiled.operations import note_work
from sim.compiled.places import by_age, demand, frozen, park, take_place
from sim.compiled.preempting import goes_on, not_interrupted
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.programs import place_ops, timed_ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import keep_stage
from sim.compiled.tasks import answer, done, forget

NEXT = whole(1)
NOWHERE = whole(0)
ON_CPU = whole(2)
PLACE = whole(6)
WAIT = whole(5)
WORK = whole(4)


@handler
def spend(s: State, own: int, op: int) -> int:
    """Let work or a wait pass, on the cores where there are any, stretched by slowdowns and stopped by freezes."""
    own_row = tasks(s)[own]
    op_row = timed_ops(s)[op]
    pc = own_row.phase
    to = -1
    if pc == 5:
        own_row.pause = frozen(s, own_row.replica) - own_row.frozen_before
        to = 4
    if pc == 3:
        own_row.pause = frozen(s, own_row.replica) - own_row.frozen_before
        to = 4
    if pc == 4 or to == 4:
        if replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 4
            return PARK
        else:
            own_row.frozen_before = frozen(s, own_row.replica)
            if own_row.pause <= 0.0:
                to = 1
            else:
                if s.spans:
                    keep_stage(s, own, WORK if op_row.computing else WAIT, hosts(s)[op_row.host].name, own_row.pause, NONE)
                hold(s, own, own_row.pause)
                own_row.phase = 5
                return PARK
    if pc == 2:
        if hosts(s)[op_row.host].preempts and goes_on(s, own):
            own_row.phase = 2
            return PARK
        else:
            own_row.waits = NOWHERE
            to = 1
    if pc == 1 or to == 1:
        note_work(s, own, op_row.host)
        own_row.phase = 0
        return NEXT
    if pc == 0:
        own_row.seconds = demand(s, op, own) * hosts(s)[op_row.host].slow * replicas(s)[own_row.replica].slow
        if op_row.computing and hosts(s)[op_row.host].warm_slow > 0.0:
            own_row.seconds *= by_age(s, op_row.host, own_row.replica)
        if s.spans:
            keep_stage(s, own, WORK if op_row.computing else WAIT, hosts(s)[op_row.host].name, own_row.seconds, NONE)
        if op_row.computing and replicas(s)[own_row.replica].cores > 0:
            own_row.waits = ON_CPU
            if hosts(s)[op_row.host].preempts:
                not_interrupted(s, own)
            compute(s, own, own_row.seconds)
            own_row.phase = 2
            return PARK
        elif hosts(s)[op_row.host].may_hang:
            own_row.frozen_before = frozen(s, own_row.replica)
            hold(s, own, own_row.seconds)
            own_row.phase = 3
            return PARK
        else:
            hold(s, own, own_row.seconds)
            own_row.phase = 1
            return PARK
    return PARK


@handler
def get_place(s: State, own: int, op: int) -> int:
    """An event loop takes a thread of its own before it computes."""
    own_row = tasks(s)[own]
    op_row = place_ops(s)[op]
    pc = own_row.phase
    if pc == 1:
        own_row.phase = 0
        return NEXT
    if pc == 0:
        if own_row.granted or (own_row.own_thread and op_row.spares_own_threads) or take_place(s, op_row.host, own):
            own_row.phase = 0
            return NEXT
        else:
            if s.spans:
                keep_stage(s, own, PLACE, hosts(s)[op_row.host].name, 0.0, NONE)
            own_row.phase = 1
            return PARK
    return PARK


@handler
def carry(s: State, own: int) -> int:
    """A courier takes an early answer to its caller."""
    own_row = tasks(s)[own]
    pc = own_row.phase
    to = -1
    if pc == 0:
        if own_row.pause > 0.0:
            hold(s, own, own_row.pause)
            own_row.phase = 1
            return PARK
        else:
            to = 1
    if pc == 1 or to == 1:
        answer(s, own, own_row.outcome)
        done(s, own_row.request)
        forget(s, own)
        return PARK
    return PARK
