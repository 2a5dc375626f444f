"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

Guarded calls, and their timers.
"""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.chance.keyed import uniform
from sim.compiled.answers import AGAIN, PARK
from sim.compiled.base import NONE, YES, handler, inlined, whole
from sim.compiled.calendar import arm, arm_total, hold, make_ready
from sim.compiled.deadlines import begin_in_time
from sim.compiled.ending import stop
from sim.compiled.flows.layers.attempt import send
from sim.compiled.flows.layers.breaker import ask_library, leave_test, note_turns, tell_library, wait_for_test
from sim.compiled.flows.layers.bulkhead import (
    add_thread,
    has_room,
    hear_end,
    leave_bulkhead,
    leave_line,
    look_at_limit,
    note_entry,
    wait_at_bulkhead,
)
from sim.compiled.flows.layers.pool import (
    end_use,
    has_connection,
    has_its_ticket,
    has_opened,
    join_line,
    let_go,
    must_open,
    note_refused,
    open_connection,
    still_in_line,
    take_connection,
)
from sim.compiled.flows.layers.rate_limit import ask_for_turn, hear_answer, note_turn, stand_in_line, stop_waiting
from sim.compiled.flows.layers.retry import (
    begin_attempt,
    forget_attempt,
    hear,
    is_told_too_much,
    pause_as_told,
    withdraw,
)
from sim.compiled.guards import guard_for
from sim.compiled.network import leave_balancer
from sim.compiled.pausing import next_pause
from sim.compiled.places import park
from sim.compiled.races import copy_over
from sim.compiled.racing import begin_race, race_goes_on, stop_copies
from sim.compiled.rows.calls import breakers, budgets, bulkheads, calls, guards, retries, rings, targets
from sim.compiled.rows.hosts import draws, replicas
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.compiled.spans import keep_stage
from sim.compiled.spending import nothing_spent
from sim.compiled.tasks import abandon
from sim.policies import base, breaker, budget, bulkhead, retry

BACKOFF = whole(2)
BREAKER_OPEN = whole(6)
BULKHEAD = whole(3)
BULKHEAD_FULL = whole(7)
DEGRADED = whole(1)
FAIL = whole(2)
IN_BREAKER = whole(8)
IN_BULKHEAD = whole(3)
IN_POOL_LINE = whole(4)
IN_VAIN = whole(3)
LONG_AGO = float("-inf")
NEXT = whole(1)
NOT_ASKED = whole(-1)
OK = whole(0)
OPENING = whole(5)
PARKED = whole(4)
PAUSED = whole(1)
RATE_LIMITED = whole(3)
REJECTED = whole(-1)
TIMEOUT = whole(8)
UNREACHABLE = whole(10)
WAITS = whole(-2)
base_reached = base.reached.compiled
breaker_admit = breaker.admit.compiled
breaker_settle = breaker.settle.compiled
budget_deposit = budget.deposit.compiled
bulkhead_enter = bulkhead.enter.compiled
retry_retryable = retry.retryable.compiled


@inlined
def call_step(s: State, own: int, call: int) -> int:
    """Carry the call of this task on from where it stands; FAIL leaves the outcome and its place in the task."""
    own_row = tasks(s)[own]
    call_row = calls(s)[call]
    pc = own_row.phase
    to = -1
    if pc == 1:
        if call_row.may_freeze and replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 1
            return PARK
        elif call_row.timed and base_reached(s.now, own_row.deadline):
            if call_row.hears:
                if call_row.hears and (not (call_row.hedges and own_row.copy)):
                    forget_attempt(s, own, call)
                to = 12
            else:
                to = 12
        else:
            to = 11
    if to == 12:
        own_row.where = targets(s)[call_row.target].where
        own_row.root = 0
        outcome_1 = TIMEOUT
        to = 29
    if pc == 9:
        if call_row.may_freeze and replicas(s)[own_row.replica].hung:
            own_row.ticket += 1
            own_row.child = -1
            to = 10
        else:
            to = 13
    if pc == 10 or to == 10:
        if call_row.may_freeze and replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 10
            return PARK
        else:
            to = 13
    if to == 13:
        own_row.child = -1
        if targets(s)[call_row.target].counts:
            leave_balancer(s, call_row.target, own_row.replica, own_row.callee, own_row.outcome, own_row.sent)
            own_row.callee = -1
        if own_row.outcome == DEGRADED:
            own_row.degraded = True
            outcome_21 = OK
            to = 23
        else:
            outcome_21 = own_row.outcome
            to = 23
    if pc == 5:
        if call_row.may_freeze and replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 5
            return PARK
        elif not has_opened(s, own, call):
            outcome_18 = own_row.outcome
            to = 24
        else:
            to = 22
    if pc == 4:
        if call_row.may_freeze and replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 4
            return PARK
        elif not has_connection(s, own, call):
            outcome_18 = own_row.outcome
            to = 24
        else:
            to = 21
    if pc == 8:
        if call_row.may_freeze and replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 8
            return PARK
        elif own_row.guard < 0:
            outcome_17 = own_row.outcome
            to = 25
        else:
            to = 20
    if pc == 2:
        if call_row.may_freeze and replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 2
            return PARK
        else:
            stop_waiting(s, own, call)
            if call_row.timed and base_reached(s.now, own_row.deadline):
                own_row.where = targets(s)[call_row.target].where
                own_row.root = 0
                outcome_7 = TIMEOUT
                to = 26
            elif not call_row.adapts:
                note_turn(s, own, call)
                to = 19
            else:
                to = 17
    if pc == 3:
        if call_row.may_freeze and replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 3
            return PARK
        else:
            stop_waiting(s, own, call)
            if call_row.timed and base_reached(s.now, own_row.deadline):
                own_row.where = targets(s)[call_row.target].where
                own_row.root = 0
                outcome_7 = TIMEOUT
                to = 26
            else:
                to = 18
    if pc == 7:
        if call_row.may_freeze and replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 7
            return PARK
        elif own_row.admitted == WAITS:
            own_row.admitted = NOT_ASKED
            outcome_5 = own_row.outcome
            to = 27
        elif call_row.timed and base_reached(s.now, own_row.deadline):
            own_row.where = targets(s)[call_row.target].where
            own_row.root = 0
            outcome_5 = TIMEOUT
            to = 27
        else:
            to = 16
    if pc == 6:
        if call_row.may_freeze and replicas(s)[own_row.replica].hung:
            park(s, own)
            own_row.phase = 6
            return PARK
        else:
            to = 15
    if pc == 0:
        own_row.call = call
        own_row.callee = -1
        whole_1 = not (call_row.hedges and own_row.copy)
        if whole_1 and call_row.propagates:
            if not begin_in_time(s, own, call):
                own_row.where = targets(s)[call_row.target].where
                own_row.root = 0
                outcome = TIMEOUT
                to = 30
            else:
                to = 14
        else:
            if whole_1 and call_row.total_lane >= 0:
                arm_total(s, call_row.total_lane, own)
            to = 14
    if to == 14:
        if not (call_row.hedges and own_row.copy):
            if call_row.budgeted:
                guard_4 = guard_for(s, call, own)
                guard_4_row = guards(s)[guard_4]
                budget_deposit(budgets(s)[guard_4_row.budget], rows_from(rings(s), guard_4_row.tokens), s.now)
                if guard_4_row.library_budget >= 0:
                    nothing_spent(s, own)
            own_row.tries = 0
            to = 11
        else:
            to = 11
    if pc == 11 or to == 11:
        if call_row.hears and (not (call_row.hedges and own_row.copy)):
            begin_attempt(s, own, call)
        if call_row.honors:
            own_row.told = 0.0
        if call_row.hedges and (not own_row.copy):
            begin_race(s, own, call)
            to = 15
        else:
            to = 16
    if to == 15:
        if race_goes_on(s, own, call):
            own_row.phase = 6
            return PARK
        else:
            outcome_3 = own_row.outcome
            to = 28
    if to == 16:
        if call_row.breaks:
            guard_7 = guard_for(s, call, own)
            guard_7_row = guards(s)[guard_7]
            if guard_7_row.library >= 0:
                own_row.admitted = ask_library(s, own, call)
            else:
                period_7 = breakers(s)[guard_7_row.breaker].period
                own_row.admitted = breaker_admit(breakers(s)[guard_7_row.breaker], rows_from(rings(s), guard_7_row.ring), s.now)
                if breakers(s)[guard_7_row.breaker].period != period_7:
                    note_turns(s, own, call, breakers(s)[guard_7_row.breaker], period_7)
            own_row.began = s.now
            if own_row.admitted >= 0:
                to = 17
            elif own_row.admitted == REJECTED:
                own_row.where = targets(s)[call_row.target].where
                own_row.root = 0
                outcome_5 = BREAKER_OPEN
                to = 27
            else:
                wait_for_test(s, own, call)
                own_row.phase = 7
                return PARK
        else:
            to = 17
    if to == 17:
        if call_row.limits:
            wait_11 = ask_for_turn(s, own, call)
            if wait_11 < 0.0:
                if call_row.in_vain > 0.0:
                    stand_in_line(s, own, call, call_row.in_vain)
                    own_row.phase = 3
                    return PARK
                else:
                    to = 18
            elif wait_11 == 0.0:
                to = 19
            else:
                stand_in_line(s, own, call, wait_11)
                own_row.phase = 2
                return PARK
        else:
            to = 19
    if to == 18:
        own_row.where = targets(s)[call_row.target].where
        own_row.root = 0
        outcome_7 = RATE_LIMITED
        to = 26
    if to == 19:
        if call_row.lane >= 0:
            arm(s, call_row.lane, own)
        if call_row.bulkhead:
            guard_18 = guard_for(s, call, own)
            guard_18_row = guards(s)[guard_18]
            own_row.callee = -1
            if call_row.adaptive:
                look_at_limit(s, guard_18)
            if guard_18_row.line.first < 0 and bulkhead_enter(bulkheads(s)[guard_18_row.bulkhead]):
                own_row.guard = guard_18
                guard_18_row.taken_area -= s.now
                guard_18_row.passed += 1
                if call_row.adaptive:
                    note_entry(s, own, guard_18)
                to = 20
            elif bulkheads(s)[guard_18_row.bulkhead].line >= 0 and add_thread(s, guard_18):
                own_row.guard = guard_18
                guard_18_row.taken_area -= s.now
                guard_18_row.passed += 1
                to = 20
            elif call_row.bulkhead_lane < 0 and (bulkheads(s)[guard_18_row.bulkhead].line < 0 or not has_room(s, guard_18)):
                guard_18_row.turned_away += 1
                own_row.where = targets(s)[call_row.target].where
                own_row.root = 0
                outcome_17 = BULKHEAD_FULL
                to = 25
            else:
                if s.spans:
                    keep_stage(s, own, BULKHEAD, targets(s)[call_row.target].where, 0.0, NONE)
                wait_at_bulkhead(s, guard_18, own)
                if call_row.bulkhead_lane >= 0:
                    arm(s, call_row.bulkhead_lane, own)
                own_row.phase = 8
                return PARK
        else:
            to = 20
    if to == 20:
        if call_row.pools:
            if not take_connection(s, own, call):
                if not join_line(s, own, call):
                    own_row.where = targets(s)[call_row.target].where
                    own_row.root = 0
                    outcome_18 = BULKHEAD_FULL
                    to = 24
                else:
                    own_row.phase = 4
                    return PARK
            else:
                to = 21
        else:
            to = 22
    if to == 21:
        if call_row.connect >= 0 and must_open(s, own):
            open_connection(s, own, call)
            own_row.phase = 5
            return PARK
        else:
            to = 22
    if to == 22:
        if targets(s)[call_row.target].counts:
            own_row.sent = s.now
        own_row.callee = send(s, own, call, own_row.tries)
        if own_row.callee < 0:
            own_row.root = 0
            outcome_21 = UNREACHABLE
            to = 23
        else:
            own_row.phase = 9
            return PARK
    if to == 23:
        if call_row.pools:
            end_use(s, own, call, outcome_21)
            own_row.ticket += 1
        outcome_18 = outcome_21
        to = 24
    if to == 24:
        if own_row.guard >= 0:
            if call_row.adaptive:
                hear_end(s, own, call, outcome_18)
            leave_bulkhead(s, own)
        outcome_17 = outcome_18
        to = 25
    if to == 25:
        own_row.ticket += 1
        outcome_11 = outcome_17
        if call_row.adapts:
            hear_answer(s, own, call, outcome_11)
        outcome_7 = outcome_11
        to = 26
    if to == 26:
        if call_row.breaks:
            guard_7 = guard_for(s, call, own)
            guard_7_row = guards(s)[guard_7]
            if guard_7_row.library >= 0:
                tell_library(s, own, call, outcome_7)
            else:
                period_7 = breakers(s)[guard_7_row.breaker].period
                breaker_settle(breakers(s)[guard_7_row.breaker], rows_from(rings(s), guard_7_row.ring), s.now, own_row.admitted, outcome_7, s.now - own_row.began)
                if breakers(s)[guard_7_row.breaker].period != period_7:
                    note_turns(s, own, call, breakers(s)[guard_7_row.breaker], period_7)
            own_row.admitted = NOT_ASKED
        outcome_5 = outcome_7
        to = 27
    if to == 27:
        outcome_3 = outcome_5
        to = 28
    if to == 28:
        if call_row.hedges and own_row.copy:
            outcome_1 = outcome_3
            to = 29
        else:
            own_row.tries += 1
            if call_row.hears:
                hear(s, own, call, outcome_3)
            if own_row.tries >= call_row.max_attempts or not retry_retryable(retries(s)[call_row.retry], outcome_3):
                outcome_1 = outcome_3
                to = 29
            elif call_row.honors and is_told_too_much(s, own, call, outcome_3):
                outcome_1 = outcome_3
                to = 29
            elif call_row.timed and base_reached(s.now, own_row.deadline):
                outcome_1 = outcome_3
                to = 29
            elif call_row.budgeted and (not withdraw(s, own, call, outcome_3)):
                outcome_1 = outcome_3
                to = 29
            else:
                luck_3 = uniform(draws(s)[call_row.jitter].key, requests(s)[own_row.request].id, link_chain(own_row.chain, call_row.salt, own_row.tries))
                wait_3 = next_pause(s, own, retries(s)[call_row.retry], outcome_3, luck_3)
                if call_row.honors:
                    wait_3 = pause_as_told(s, own, call, outcome_3, wait_3)
                if call_row.timed and base_reached(s.now + wait_3, own_row.deadline):
                    wait_3 = own_row.deadline - s.now
                    own_row.deadline = LONG_AGO
                if wait_3 > 0.0:
                    if s.spans:
                        keep_stage(s, own, BACKOFF, targets(s)[call_row.target].where, 0.0, NONE)
                    hold(s, own, wait_3)
                    own_row.phase = 1
                    return PARK
                else:
                    own_row.phase = 11
                    return AGAIN
    if to == 29:
        own_row.call_number = 0
        outcome = outcome_1
        to = 30
    if to == 30:
        own_row.call = -1
        own_row.outcome = outcome
        if call_row.hedges and own_row.copy:
            own_row.phase = 0
            return copy_over(s, own)
        else:
            own_row.phase = 0
            return NEXT if outcome == OK else FAIL
    return PARK


@handler
def total_timeout_expired(s: State, own: int, call: int) -> None:
    """No attempt goes on. In a pause, or frozen with an answer, the task finds out itself when it wakes."""
    own_row = tasks(s)[own]
    call_row = calls(s)[call]
    to = -1
    pausing = PAUSED <= own_row.phase <= IN_VAIN
    if call_row.pools and IN_POOL_LINE <= own_row.phase <= OPENING:
        unused = has_its_ticket(s, own)
    else:
        unused = own_row.guard >= 0 and own_row.callee < 0
    if not pausing and (own_row.waits != PARKED or unused):
        child_1 = own_row.child
        if own_row.branching:
            stop_copies(s, own, call_row.cancels)
        elif child_1 >= 0:
            tasks(s)[child_1].caller = -1
            if call_row.cancels and replicas(s)[tasks(s)[child_1].replica].host >= 0:
                stop(s, child_1, replicas(s)[tasks(s)[child_1].replica].host, YES, TIMEOUT)
            else:
                abandon(s, child_1)
            own_row.child = -1
        connecting_1 = call_row.pools and IN_POOL_LINE <= own_row.phase <= OPENING
        if own_row.waits == IN_BULKHEAD:
            leave_line(s, own)
        elif own_row.waits == IN_BREAKER:
            leave_test(s, own)
        elif connecting_1:
            let_go(s, own, call)
        own_row.ticket += 1
        own_row.outcome = TIMEOUT
        own_row.where = targets(s)[call_row.target].where
        own_row.root = 0
        if own_row.guard >= 0 and own_row.callee < 0 and (not connecting_1):
            leave_bulkhead(s, own)
        elif own_row.waits != PARKED:
            make_ready(s, own)
        to = 0
    else:
        to = 0
    if to == 0:
        return


@handler
def timeout_expired(s: State, own: int, call: int) -> None:
    """Nobody waits any longer for the attempt that the task makes; whether that goes on is the policy's choice."""
    own_row = tasks(s)[own]
    call_row = calls(s)[call]
    child = own_row.child
    if own_row.branching:
        stop_copies(s, own, call_row.cancels)
    elif child >= 0:
        tasks(s)[child].caller = -1
        if call_row.cancels and replicas(s)[tasks(s)[child].replica].host >= 0:
            stop(s, child, replicas(s)[tasks(s)[child].replica].host, YES, TIMEOUT)
        else:
            abandon(s, child)
        own_row.child = -1
    connecting = call_row.pools and IN_POOL_LINE <= own_row.phase <= OPENING
    if own_row.waits == IN_BULKHEAD:
        leave_line(s, own)
    elif own_row.waits == IN_BREAKER:
        leave_test(s, own)
    elif connecting:
        let_go(s, own, call)
    own_row.ticket += 1
    own_row.outcome = TIMEOUT
    own_row.where = targets(s)[call_row.target].where
    own_row.root = 0
    if own_row.guard >= 0 and own_row.callee < 0 and (not connecting):
        leave_bulkhead(s, own)
    elif own_row.waits != PARKED:
        make_ready(s, own)


@handler
def bulkhead_expired(s: State, own: int, call: int) -> None:
    """The longest wait is over; a task that got its place in time holds the guard."""
    own_row = tasks(s)[own]
    call_row = calls(s)[call]
    to = -1
    if own_row.guard < 0:
        guard = guard_for(s, call, own)
        guard_row = guards(s)[guard]
        guard_row.turned_away += 1
        leave_line(s, own)
        own_row.ticket += 1
        own_row.outcome = BULKHEAD_FULL
        own_row.where = targets(s)[call_row.target].where
        own_row.root = 0
        make_ready(s, own)
        to = 0
    else:
        to = 0
    if to == 0:
        return


@handler
def pool_expired(s: State, own: int, call: int) -> None:
    """`acquire_timeout` is over; who got a connection in time has the same ticket, and has it."""
    own_row = tasks(s)[own]
    call_row = calls(s)[call]
    to = -1
    if still_in_line(s, own):
        let_go(s, own, call)
        note_refused(s, own, call)
        own_row.ticket += 1
        own_row.outcome = BULKHEAD_FULL
        own_row.where = targets(s)[call_row.target].where
        own_row.root = 0
        make_ready(s, own)
        to = 0
    else:
        to = 0
    if to == 0:
        return


@handler
def call_expired(s: State, own: int, call: int, purpose: int) -> None:
    """A timer of one of its layers has come."""
    if purpose == 6:
        total_timeout_expired(s, own, call)
    if purpose == 11:
        timeout_expired(s, own, call)
    if purpose == 12:
        bulkhead_expired(s, own, call)
    if purpose == 13:
        pool_expired(s, own, call)
