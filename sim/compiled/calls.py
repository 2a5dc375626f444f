"""Guarded calls: `models/call.py` once more, cut where its generator yields.

fallback( total timeout( retry( breaker( timeout( bulkhead( link, balancer, callee ))))))
"""

from __future__ import annotations

import math

from sim.chance.chain import link_chain
from sim.chance.keyed import uniform
from sim.compiled.base import NONE, YES, ZERO, handler, inlined, whole
from sim.compiled.calendar import arm, arm_total, hold, make_ready
from sim.compiled.codes import BREAKER_OPEN, BUDGET_EXHAUSTED, BULKHEAD_FULL, DEGRADED, OK, TIMEOUT, UNREACHABLE
from sim.compiled.guards import (
    guard_for,
    leave_bulkhead,
    leave_line,
    note,
    note_breaker,
    ring_of,
    stop,
    wait_at_bulkhead,
)
from sim.compiled.network import PUBLICATION, choose, hop_delay, leave_balancer
from sim.compiled.places import park
from sim.compiled.rows.calls import breakers, budgets, bulkheads, calls, guards, retries, rings, targets
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import draws, replicas
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import Rows, rows_from
from sim.compiled.spans import BACKOFF, BULKHEAD, keep_sent, keep_stage
from sim.compiled.tasks import ARRIVE, IN_BULKHEAD, PARKED, PUBLISH, abandon, new_task
from sim.policies import base, breaker, budget, bulkhead, retry
from sim.vocabulary import QUIET

BEGIN, AT_BULKHEAD, ANSWERED, PAUSED = map(whole, range(4))  # phases of a call
TO_BE_SENT, WAITS, TOO_LATE = whole(-1), whole(-2), whole(-3)  # in the place of the outcome of an attempt
NOT_YET = -1.0  # in the place of the last pause: there was none
PARK, NEXT, FAIL, AGAIN, JUMP = map(
    whole, range(5)
)  # what an operation answers: wait (or be over), go on, go to `fail`, come back to it, go to `to`

admit, settle = breaker.admit.compiled, breaker.settle.compiled
deposit, withdraw = budget.deposit.compiled, budget.withdraw.compiled
enter_places = bulkhead.enter.compiled
retryable, backoff = retry.retryable.compiled, retry.backoff.compiled
passed, reached = base.passed.compiled, base.reached.compiled


@inlined
def call_step(s: State, task: int, call: int) -> int:
    """Carry the call of this task on from where it stands; FAIL leaves the outcome and its place in the task."""
    own = tasks(s)[task]
    guard = guard_for(s, call, task)
    if calls(s)[call].may_freeze and own.phase != BEGIN and replicas(s)[own.replica].hung:
        return wait_for_thaw(s, task)
    waited = own.phase in (ANSWERED, AT_BULKHEAD)
    outcome = outcome_of_attempt(s, task, call) if waited else begin_attempt(s, task, call, guard)
    if outcome == WAITS:
        return PARK
    if outcome == TOO_LATE:
        return call_over(s, task)
    if outcome == TO_BE_SENT:
        if send_counted(s, task, call):
            return PARK
        outcome = UNREACHABLE
    attempt_over(s, task, call, guard, outcome)
    return after_attempt(s, task, call, guard, outcome)


@handler
def wait_for_thaw(s: State, task: int) -> int:
    """A frozen caller hears at the thaw what has woken it."""
    own = tasks(s)[task]
    if own.phase == ANSWERED:
        own.ticket += 1  # nothing that comes later can change it
        own.child = NOBODY
    park(s, task)
    return PARK


@inlined
def outcome_of_attempt(s: State, task: int, call: int) -> int:
    """The outcome of the attempt that the task has waited for.

    Or TO_BE_SENT where it has waited for its place in the bulkhead, and has one.
    """
    own = tasks(s)[task]
    row = calls(s)[call]
    if own.phase == AT_BULKHEAD:
        return TO_BE_SENT if own.guard >= 0 else own.outcome
    own.child = NOBODY
    if targets(s)[row.target].counts:
        leave_balancer(s, row.target, own.replica, own.callee)
    return own.outcome


@inlined
def begin_attempt(s: State, task: int, call: int, guard: int) -> int:
    """TO_BE_SENT where breaker and bulkhead let the next attempt pass; WAITS for a place; TOO_LATE for any attempt.

    Or what they make of it.
    """
    own = tasks(s)[task]
    row = calls(s)[call]
    if own.phase == PAUSED and row.total_lane >= 0 and reached(s.now, own.deadline):
        own.where = targets(s)[row.target].where
        own.root = 0
        own.outcome = TIMEOUT
        return TOO_LATE
    if own.phase == BEGIN:
        begin_call(s, task, call, guard)
    own.root = 0
    if guard >= 0 and not admitted(s, task, call, guard):
        return BREAKER_OPEN
    own.began = s.now
    if row.lane >= 0:
        arm(s, row.lane, task)
    own.callee = NOBODY
    if guard < 0:
        return TO_BE_SENT
    own.call = call
    return enter(s, task, call, guard) if row.bulkhead else TO_BE_SENT


@inlined
def begin_call(s: State, task: int, call: int, guard: int) -> None:
    """The total timeout begins, and the budget hears of an original request."""
    own = tasks(s)[task]
    row = calls(s)[call]
    if row.total_lane >= 0:
        arm_total(s, row.total_lane, task)
    if guard >= 0 and guards(s)[guard].budget >= 0:
        deposit(budgets(s)[guards(s)[guard].budget], tokens_of(s, guard), s.now)
    own.tries = 0
    own.pause = NOT_YET


@inlined
def send_counted(s: State, task: int, call: int) -> bool:
    """Send the attempt; False where there is nobody to send it to."""
    own = tasks(s)[task]
    own.callee = send(s, task, call, own.tries)
    if own.callee < 0:
        return False
    if targets(s)[calls(s)[call].target].counts:
        own.call = call
    own.phase = ANSWERED
    return True


@inlined
def attempt_over(s: State, task: int, call: int, guard: int, outcome: int) -> None:
    """Nothing of the attempt is waited for any more.

    Its guard hears how it ended, unless the breaker has refused it.
    """
    own = tasks(s)[task]
    if guard < 0:
        own.ticket += 1
        own.call = NOBODY
    elif outcome == BREAKER_OPEN and own.admitted < 0:
        own.where = targets(s)[calls(s)[call].target].where
    else:
        note_outcome(s, task, call, guard, outcome)


@handler
def enter(s: State, task: int, call: int, guard: int) -> int:
    """Get a place in the bulkhead (TO_BE_SENT), or none (BULKHEAD_FULL), or wait for one (WAITS)."""
    own = tasks(s)[task]
    row = calls(s)[call]
    if guards(s)[guard].line.first < 0 and enter_places(bulkheads(s)[guards(s)[guard].bulkhead]):
        own.guard = guard
        guards(s)[guard].taken_area -= s.now
        guards(s)[guard].passed += 1
        return TO_BE_SENT
    if row.bulkhead_lane < 0:
        guards(s)[guard].turned_away += 1
        own.where = targets(s)[row.target].where
        return BULKHEAD_FULL
    if s.spans:
        keep_stage(s, task, BULKHEAD, targets(s)[row.target].where, 0.0, NONE)
    wait_at_bulkhead(s, guard, task)
    arm(s, row.bulkhead_lane, task)
    own.phase = AT_BULKHEAD
    return WAITS


@inlined
def admitted(s: State, task: int, call: int, guard: int) -> bool:
    """Ask the breaker, where there is one."""
    own = tasks(s)[task]
    own.admitted = 0
    index = guards(s)[guard].breaker
    if index < 0:
        return True
    row = breakers(s)[index]
    period = row.period
    own.admitted = admit(row, ring_of(s, guard), s.now)
    if row.period != period:
        note_breaker(s, task, call, row, period)
    return own.admitted >= 0


@inlined
def note_outcome(s: State, task: int, call: int, guard: int, outcome: int) -> None:
    """The attempt has an outcome: permit and breaker hear of it."""
    own = tasks(s)[task]
    own.ticket += 1
    own.call = -1
    if own.guard >= 0:
        leave_bulkhead(s, task)
    index = guards(s)[guard].breaker
    if index >= 0:
        now = s.now
        row = breakers(s)[index]
        period = row.period
        settle(row, ring_of(s, guard), now, own.admitted, outcome, now - own.began)
        if row.period != period:
            note_breaker(s, task, call, row, period)


@inlined
def after_attempt(s: State, task: int, call: int, guard: int, outcome: int) -> int:
    """Try again, at once or after a pause, or let this be the outcome of the call."""
    own = tasks(s)[task]
    row = calls(s)[call]
    own.tries += 1
    own.outcome = outcome
    if own.tries >= row.max_attempts or not retryable(retries(s)[row.retry], outcome):
        return call_over(s, task)
    if row.total_lane >= 0 and reached(s.now, own.deadline):
        return call_over(s, task)
    if (
        guard >= 0
        and guards(s)[guard].budget >= 0
        and not withdraw(budgets(s)[guards(s)[guard].budget], tokens_of(s, guard), s.now)
    ):
        if passed(s.now, guards(s)[guard].spent + QUIET):
            note(s, task, call, BUDGET_EXHAUSTED, s.now)
        guards(s)[guard].spent = s.now
        return call_over(s, task)
    rule = retries(s)[row.retry]
    if own.pause == NOT_YET:
        own.pause = rule.base
    luck = uniform(draws(s)[row.jitter].key, requests(s)[own.request].id, link_chain(own.chain, row.salt, own.tries))
    own.pause = backoff(rule, own.tries, luck, own.pause)
    if row.total_lane >= 0 and reached(s.now + own.pause, own.deadline):
        own.pause = own.deadline - s.now
        own.deadline = -math.inf
    own.phase = PAUSED
    if own.pause > 0.0:
        if s.spans:
            keep_stage(s, task, BACKOFF, targets(s)[row.target].where, 0.0, NONE)
        hold(s, task, own.pause)
        return PARK
    return AGAIN


@inlined
def call_over(s: State, task: int) -> int:
    """What is left when there is no further attempt: an answer, perhaps a degraded one, or a failure."""
    own = tasks(s)[task]
    own.phase = BEGIN
    own.call_number = 0
    if own.outcome == DEGRADED:
        own.degraded = True
        own.outcome = OK
    return NEXT if own.outcome == OK else FAIL


@inlined
def send(s: State, task: int, call: int, attempt: int) -> int:
    """Put one attempt on the wire; -1 where there is nobody to send it to."""
    own = tasks(s)[task]
    row = calls(s)[call]
    entity = requests(s)[own.request].id
    chain = link_chain(own.chain, row.salt, attempt)
    path = link_chain(own.path, row.salt, ZERO)
    target = targets(s)[row.target]
    replica = choose(s, row.target, own.replica, entity, chain)
    if replica < 0:
        own.where = target.where
        return -1
    delay = hop_delay(s, row.hop, entity, chain)
    if delay < 0.0:
        if s.spans:
            keep_sent(s, task, NONE, target.where, attempt)
        return replica
    requests(s)[own.request].alive += 1
    child = new_task(s, own.request, chain, path, task, replica)
    made = tasks(s)[child]
    made.back = row.back
    made.abandoned = own.abandoned
    if row.mark:
        made.mark = row.mark ^ path
    own.child = child
    made.on_wake = ARRIVE
    if target.kind == PUBLICATION:
        made.on_wake = PUBLISH
        made.producer = own.replica
        made.target = row.target
    else:
        made.entry = target.entry
    if s.spans:
        keep_sent(s, task, child, target.where, attempt)
    if delay > 0.0:
        hold(s, child, delay)
    else:
        make_ready(s, child)
    return replica


@handler
def send_and_forget(s: State, task: int, call: int) -> None:
    """One attempt of which the caller hears no more."""
    own = tasks(s)[task]
    own.child = -1
    send(s, task, call, ZERO)
    if own.child >= 0:
        tasks(s)[own.child].caller = NOBODY
        own.child = -1


@handler
def call_timed_out(s: State, task: int, call: int) -> None:
    """Nobody waits any longer for this attempt; whether it goes on is the policy's choice."""
    own = tasks(s)[task]
    row = calls(s)[call]
    child = own.child
    if child >= 0:
        tasks(s)[child].caller = NOBODY
        host = replicas(s)[tasks(s)[child].replica].host
        if row.cancels and host >= 0:
            stop(s, child, host, YES, TIMEOUT)
        else:
            abandon(s, child)
        own.child = -1
    if own.waits == IN_BULKHEAD:
        leave_line(s, task)
    own.ticket += 1
    own.outcome = TIMEOUT
    own.where = targets(s)[row.target].where
    if (
        own.callee < 0 and own.guard >= 0
    ):  # frozen, with a place in the bulkhead that it has not used: it is woken at the thaw
        leave_bulkhead(s, task)
    else:
        make_ready(s, task)


@handler
def out_of_time(s: State, task: int, call: int) -> None:
    """No attempt goes on any longer.

    In a back-off, or frozen with an answer, the task finds out itself when it wakes.
    """
    own = tasks(s)[task]
    waiting = own.phase == ANSWERED and own.waits != PARKED
    if waiting or (own.phase == AT_BULKHEAD and (own.waits == IN_BULKHEAD or own.guard >= 0)):
        call_timed_out(s, task, call)


@handler
def waited_for_bulkhead(s: State, task: int, call: int) -> None:
    """The longest wait is over; a task that got its place in time holds the guard."""
    own = tasks(s)[task]
    if own.guard < 0:
        guards(s)[own.line].turned_away += 1
        leave_line(s, task)
        own.ticket += 1
        own.outcome = BULKHEAD_FULL
        own.where = targets(s)[calls(s)[call].target].where
        make_ready(s, task)


@handler
def tokens_of(s: State, guard: int) -> Rows[float]:
    """The slices of the guard's retry budget."""
    return rows_from(rings(s), guards(s)[guard].tokens)
