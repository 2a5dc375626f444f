"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

Clients that wait for their answers.
"""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.chance.keyed import uniform
from sim.compiled.answers import AGAIN, PARK
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, ZERO, handler, whole
from sim.compiled.calendar import arm, hold
from sim.compiled.clients import bear, make_request, send_attempt, thinking_time
from sim.compiled.deadlines import tell_patience
from sim.compiled.flows.clients import (
    begin_for,
    hear_client,
    is_told_too_much,
    patience_ends,
    pause_as_told,
    withdraw_for,
)
from sim.compiled.network import choose, leave_balancer
from sim.compiled.pausing import next_pause
from sim.compiled.rows.calls import budgets, retries, rings, targets
from sim.compiled.rows.hosts import draws
from sim.compiled.rows.programs import think_ops, workload_ops
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.compiled.rows.traffic import doors, workloads
from sim.compiled.spans import keep_stage, new_flow
from sim.compiled.spending import nothing_spent
from sim.compiled.tasks import answered
from sim.compiled.visits import goes, next_of_visit, pause_between
from sim.policies import budget, retry

BACKOFF = whole(2)
JUMP = whole(4)
NEXT = whole(1)
OK = whole(0)
UNREACHABLE = whole(10)
budget_deposit = budget.deposit.compiled
retry_retryable = retry.retryable.compiled


@by_address
@handler
def ask(s: State, own: int, workload: int) -> int:
    """Attempts until one is good, or hopeless, or one too many; then the request has its answer."""
    own_row = tasks(s)[own]
    workload_row = workloads(s)[workload]
    pc = own_row.phase
    to = -1
    if pc == 2:
        own_row.child = -1
        target_1 = doors(s)[requests(s)[own_row.request].door].target
        leave_balancer(s, target_1, workload_row.caller, own_row.callee, own_row.outcome, own_row.sent)
        to = 3
    if pc == 0:
        if s.spans:
            new_flow(s, own)
        if workload_row.budget >= 0:
            budget_deposit(budgets(s)[workload_row.budget], rows_from(rings(s), workload_row.tokens), s.now)
        if workload_row.library_budget >= 0:
            nothing_spent(s, own)
        own_row.tries = 0
        to = 1
    if pc == 1 or to == 1:
        if workload_row.library_budget >= 0:
            begin_for(s, own, workload)
        request_1 = own_row.request
        request_1_row = requests(s)[request_1]
        request_1_row.attempts = own_row.tries + 1
        own_row.root = 0
        own_row.sent = s.now
        if workload_row.lane >= 0:
            arm(s, workload_row.lane, own)
        elif workload_row.own_patience >= 0:
            own_row.deadline = bear(s, own, workload)
        chosen_1 = choose(s, doors(s)[request_1_row.door].target, workload_row.caller, request_1, link_chain(ZERO, ZERO, own_row.tries))
        own_row.callee = chosen_1
        if own_row.callee < 0:
            own_row.outcome = UNREACHABLE
            own_row.where = targets(s)[doors(s)[request_1_row.door].target].where
            to = 3
        else:
            send_attempt(s, own)
            if workload_row.tells and own_row.child >= 0:
                tell_patience(s, own_row.child, patience_ends(s, own, workload))
            own_row.phase = 2
            return PARK
    if to == 3:
        own_row.ticket += 1
        own_row.tries += 1
        if workload_row.budget >= 0:
            hear_client(s, own, workload)
        if own_row.tries >= workload_row.max_attempts or not retry_retryable(retries(s)[workload_row.retry], own_row.outcome):
            to = 4
        elif workload_row.honor and is_told_too_much(s, own, workload):
            to = 4
        elif workload_row.budget >= 0 and (not withdraw_for(s, own, workload)):
            to = 4
        else:
            request = own_row.request
            request_row = requests(s)[request]
            luck = uniform(draws(s)[workload_row.jitter].key, request_row.id, own_row.tries)
            wait = next_pause(s, own, retries(s)[workload_row.retry], own_row.outcome, luck)
            if workload_row.honor:
                wait = pause_as_told(s, own, workload, wait)
            request_row.told_by = OK
            if wait > 0.0:
                if s.spans:
                    keep_stage(s, own, BACKOFF, workload_row.name, 0.0, NONE)
                hold(s, own, wait)
                own_row.phase = 1
                return PARK
            else:
                own_row.phase = 1
                return AGAIN
    if to == 4:
        asked = own_row.request
        asked_row = requests(s)[asked]
        asked_row.outcome = own_row.root if own_row.root else own_row.outcome
        asked_row.where = own_row.where
        answered(s, asked)
        own_row.phase = 0
        return NEXT
    return PARK


@handler
def come(s: State, own: int, op: int) -> int:
    """Users come one after the other, at equal gaps."""
    own_row = tasks(s)[own]
    op_row = think_ops(s)[op]
    pc = own_row.phase
    to = -1
    if pc == 0:
        if own_row.user > 0:
            hold(s, own, op_row.ramp * own_row.user / op_row.users)
            own_row.phase = 1
            return PARK
        else:
            to = 1
    if pc == 1 or to == 1:
        own_row.phase = 0
        return NEXT
    return PARK


@handler
def think(s: State, own: int, op: int) -> int:
    """A user of a closed population pauses, and then makes a request of his own number."""
    own_row = tasks(s)[own]
    op_row = think_ops(s)[op]
    pc = own_row.phase
    to = -1
    if pc == 0:
        pause = thinking_time(s, own, op)
        if pause > 0.0:
            hold(s, own, pause)
            own_row.phase = 1
            return PARK
        else:
            to = 1
    if pc == 1 or to == 1:
        own_row.request = make_request(s, op_row.workload, own_row.user, s.now)
        own_row.phase = 0
        return NEXT
    return PARK


@handler
def visit(s: State, own: int, op: int) -> int:
    """Somebody who has an answer goes, or thinks and asks again (JUMP)."""
    own_row = tasks(s)[own]
    op_row = workload_ops(s)[op]
    pc = own_row.phase
    to = -1
    if pc == 0:
        if goes(s, own, op_row.workload):
            own_row.phase = 0
            return NEXT
        else:
            pause = pause_between(s, own, op_row.workload)
            if pause > 0.0:
                hold(s, own, pause)
                own_row.phase = 1
                return PARK
            else:
                to = 1
    if pc == 1 or to == 1:
        own_row.request = next_of_visit(s, own, op_row.workload)
        own_row.phase = 0
        return JUMP
    return PARK
