"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

The life of one attempt at a host.
"""

from __future__ import annotations

from sim.compiled.answers import NEXT, PARK
from sim.compiled.attempts import be_offered, begin_steps, depart, lose_answer
from sim.compiled.base import NO, handler, whole
from sim.compiled.calendar import arm, hold
from sim.compiled.keys import end_with_key, look_for_key
from sim.compiled.limits import ask_stores, count_in, hold_back, refuse, tell_refusal
from sim.compiled.lines import hear_of_no_wait
from sim.compiled.network import answer_delay
from sim.compiled.places import (
    come_inside,
    drop_syn,
    error_fault_hits,
    loop_is_free,
    make_room,
    note_shed,
    park,
    take_loop,
    wait_in_queue,
    wait_outside,
    wait_to_be_accepted,
)
from sim.compiled.preempting import interrupt_for
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.limits import limit_steps
from sim.compiled.rows.programs import entry_ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.serverless import have_instance
from sim.compiled.spans import keep_start
from sim.compiled.tasks import answer, done, forget

ANSWER_BITS = whole(4)
ANSWER_MASK = whole(15)
DEGRADED = whole(1)
ERROR = whole(9)
FIRST_PAUSE = 1.0
GROWTH = 2.0
OK = whole(0)
RATE_LIMITED = whole(3)
SHED = whole(5)
UNREACHABLE = whole(10)
WORK = whole(-1)


@handler
def attempt_step(s: State, own: int) -> int:
    """Get a place, go through the steps, give the place back, answer."""
    own_row = tasks(s)[own]
    host_1 = entry_ops(s)[own_row.entry].host
    host_1_row = hosts(s)[host_1]
    replica_1 = own_row.replica
    replica_1_row = replicas(s)[replica_1]
    step_6 = entry_ops(s)[own_row.entry].limits
    step_6_row = limit_steps(s)[step_6]
    pc = own_row.on_wake
    to = -1
    if pc == 6:
        if own_row.outcome == OK:
            reason = DEGRADED if own_row.degraded else OK
            answered = reason
        else:
            reason = own_row.root if own_row.root else own_row.outcome
            answered = entry_ops(s)[own_row.entry].answers >> ANSWER_BITS * own_row.outcome & ANSWER_MASK
        own_row.root = 0 if reason == answered else reason
        if entry_ops(s)[own_row.entry].keyed:
            end_with_key(s, own, answered)
        to = 21
    if pc == 1:
        if not own_row.granted:
            note_shed(s, host_1)
            refusal = own_row.outcome
            to = 16
        else:
            to = 15
    if pc == 8:
        come_inside(s, own)
        to = 14
    if pc == 12:
        if own_row.seconds <= own_row.pause or (own_row.caller == -1 and own_row.abandoned):
            own_row.back = -1
            refusal_1 = UNREACHABLE
            to = 5
        else:
            own_row.seconds -= own_row.pause
            own_row.pause = own_row.pause * GROWTH
            to = 4
    if pc == 0:
        be_offered(s, host_1, own)
        if host_1_row.listen_most > 0 and own_row.connect >= 0.0 and (not (replica_1_row.closed == 0 and replica_1_row.free > 0)):
            own_row.seconds = own_row.connect
            own_row.pause = FIRST_PAUSE
            to = 4
        else:
            to = 7
    if to == 4:
        if replicas(s)[own_row.replica].unaccepted >= host_1_row.listen_most:
            hold(s, own, drop_syn(s, host_1, own))
            own_row.on_wake = 12
            return PARK
        else:
            refusal_1 = OK
            to = 5
    if to == 5:
        if refusal_1 != OK:
            refusal = refusal_1
            to = 16
        else:
            to = 7
    if to == 7:
        if replica_1_row.closed:
            if replica_1_row.hung == 0 or replica_1_row.closed > 1:
                refusal = UNREACHABLE
                to = 16
            elif replica_1_row.free == 0 or replica_1_row.backlog > 0 or (not loop_is_free(s, own)):
                wait_outside(s, own)
                own_row.on_wake = 8
                return PARK
            else:
                to = 14
        else:
            to = 14
    if to == 14:
        if replica_1_row.free > 0 and loop_is_free(s, own):
            replica_1_row.free -= 1
            host_1_row.busy_area -= s.now
            own_row.granted = True
            take_loop(s, own)
            if host_1_row.discipline >= 0:
                hear_of_no_wait(s, host_1, own)
            to = 15
        elif host_1_row.preempts and interrupt_for(s, host_1, own):
            own_row.granted = True
            to = 15
        elif replica_1_row.waiting >= host_1_row.capacity and host_1_row.listen_most > 0 and (own_row.connect >= 0.0):
            wait_to_be_accepted(s, own)
            to = 22
        elif replica_1_row.waiting >= host_1_row.capacity and host_1_row.listen_most == 0 and (not make_room(s, host_1, own)):
            note_shed(s, host_1)
            refusal = SHED
            to = 16
        else:
            wait_in_queue(s, host_1, own, NO)
            if host_1_row.patience >= 0:
                arm(s, host_1_row.patience, own)
            to = 22
    if to == 15:
        if s.spans:
            keep_start(s, own)
        refusal = OK
        to = 16
    if to == 16:
        if refusal == OK:
            to = 2
        else:
            own_row.where = entry_ops(s)[own_row.entry].endpoint
            to = 20
    if pc == 2 or to == 2:
        if host_1_row.errors_on and replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.on_wake = 2
            return PARK
        else:
            refusal = error_fault_hits(s, host_1, own, entry_ops(s)[own_row.entry].salt) if host_1_row.errors_on else OK
            if refusal == OK and entry_ops(s)[own_row.entry].limited:
                function_4 = hosts(s)[entry_ops(s)[own_row.entry].host].function
                refusal_4 = OK
                if function_4 >= 0:
                    seconds_5 = have_instance(s, own, function_4)
                    if seconds_5 < 0.0:
                        refusal_4 = RATE_LIMITED
                        to = 17
                    elif seconds_5 > 0.0:
                        hold(s, own, seconds_5)
                        own_row.on_wake = 11
                        return PARK
                    else:
                        to = 11
                else:
                    to = 17
            else:
                to = 20
    if pc == 11 or to == 11:
        refusal_4 = OK
        to = 17
    if to == 17:
        if refusal_4 == OK and entry_ops(s)[own_row.entry].counted:
            if step_6_row.stored:
                own_row.seconds = ask_stores(s, own, step_6)
                if own_row.seconds > 0.0:
                    hold_back(s, own, step_6)
                    own_row.on_wake = 13
                    return PARK
                else:
                    to = 13
            else:
                to = 18
        else:
            to = 19
    if pc == 13 or to == 13:
        if own_row.undecided < 0:
            own_row.where = step_6_row.where
            own_row.root = 0
            own_row.outcome = ERROR
            refusal_4 = ERROR
            to = 19
        else:
            to = 18
    if to == 18:
        own_row.outcome = refuse(s, own, step_6)
        if own_row.outcome != OK:
            if own_row.seconds > 0.0:
                hold_back(s, own, step_6)
                own_row.on_wake = 9
                return PARK
            else:
                to = 9
        else:
            own_row.seconds = count_in(s, own, step_6)
            if own_row.seconds > 0.0:
                hold_back(s, own, step_6)
                own_row.on_wake = 10
                return PARK
            else:
                to = 10
    if pc == 9 or to == 9:
        tell_refusal(s, own, step_6)
        refusal_4 = own_row.outcome
        to = 19
    if pc == 10 or to == 10:
        refusal_4 = OK
        to = 19
    if to == 19:
        refusal = refusal_4
        to = 20
    if to == 20:
        known = WORK
        if refusal == OK and entry_ops(s)[own_row.entry].keyed:
            known = look_for_key(s, own)
        if known != WORK:
            reason = own_row.root if own_row.root else known
            answered = known
            to = 21
        elif refusal != OK:
            reason = own_row.root if own_row.root else refusal
            answered = refusal
            to = 21
        else:
            begin_steps(s, own)
            own_row.on_wake = 6
            return NEXT
    if to == 21:
        depart(s, own, answered, reason)
        if own_row.back >= 0 and own_row.caller != -1:
            delay = answer_delay(s, own_row.back, own, own_row.caller)
            if delay > 0.0:
                hold(s, own, delay)
                own_row.on_wake = 3
                return PARK
            else:
                if delay < 0.0:
                    lose_answer(s, own)
                to = 3
        else:
            to = 3
    if pc == 3 or to == 3:
        answer(s, own, own_row.outcome)
        done(s, own_row.request)
        forget(s, own)
        return PARK
    if to == 22:
        own_row.on_wake = 1
        return PARK
    return PARK
