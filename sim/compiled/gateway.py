"""Limits and tokens at the gateway: `models/gateway.py` once more."""

from __future__ import annotations

from sim.compiled import operations as op_of
from sim.compiled.answers import FAIL, NEXT
from sim.compiled.base import handler, whole
from sim.compiled.calendar import put_ready
from sim.compiled.codes import ERROR, LIMITING_BEGAN, LIMITING_ENDED, OK, RATE_LIMITED, REFUSED, TIMEOUT, UNAUTHORIZED
from sim.compiled.events import log, log_at
from sim.compiled.memory import find, note_task, remember
from sim.compiled.rows.gateway import entries, limiter_rings, limiters, limits, ring_of, token_rules
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.programs import LimitsOp, call_ops
from sim.compiled.rows.running import give_back_note, notes, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import Rows, rows_from
from sim.compiled.tasks import ALIVE, GO_ON
from sim.policies import base, limiter
from sim.vocabulary import QUIET

PER_USER, PER_ROUTE, PER_ALL = map(whole, range(3))
# for whom a token is asked for: one that others share, one without a user, a bad one
FOR_ALL, FOR_ITSELF, INVALID = map(whole, range(3))
look, take = limiter.look.compiled, limiter.take.compiled
passed = base.passed.compiled


# -- limits ------------------------------------------------------------------------------------------------------------


@handler
def limited(s: State, task: int, op: LimitsOp) -> int:
    """FAIL if one of the limits refuses the request, which then knows how long to wait; it has used up nothing."""
    own = tasks(s)[task]
    for index in range(op.count):
        place = counter_of(s, task, op.route, index)
        wait = look(limiters(s)[place], ring_at(s, place), s.now)
        if wait >= 0.0:
            limits(s)[index].refused += 1
            note_limit(s, op.host, index)
            requests(s)[own.request].retry_after = wait
            own.where = hosts(s)[op.host].name
            own.root = 0
            own.outcome = RATE_LIMITED
            return FAIL
    for index in range(op.count):
        limits(s)[index].passed += 1
        place = counter_of(s, task, op.route, index)
        take(limiters(s)[place], ring_at(s, place), s.now)
    return NEXT


@handler
def ring_at(s: State, place: int) -> Rows[float]:
    """The stamps of a counter, where its limit keeps some."""
    return rows_from(limiter_rings(s), ring_of(s)[place])


@handler
def counter_of(s: State, task: int, route: int, index: int) -> int:
    """The counter of this user, route, or all, made when first needed.

    The first counters are one for each limit: its only one, or one that stays fresh, and that others are copies of.
    """
    limit = limits(s)[index]
    if limit.per == PER_ALL and not limit.node:
        return index
    own = tasks(s)[task]
    whose = 0
    if limit.per == PER_USER:
        whose = requests(s)[own.request].user
    elif limit.per == PER_ROUTE:
        whose = route
    replica = replicas(s)[own.replica].index if limit.node else 0
    key = (whose + 1) * s.replica_count + replica
    entry = find(s, limit.space, key)
    if entry >= 0:
        return entries(s)[entry].value
    place = s.limiters_count
    s.limiters_count += 1
    limiters(s)[place] = limiters(s)[index]
    ring_of(s)[place] = s.stamps_count
    s.stamps_count += limit.ring
    if s.limiters_count > s.limiters_most or s.stamps_count > s.stamps_most:
        s.must_grow = True
    entry = remember(s, limit.space, key)
    entries(s)[entry].value = place
    return place


@handler
def note_limit(s: State, host: int, index: int) -> None:
    """Write the beginning of a spell of limiting into the event log."""
    now = s.now
    limit = limits(s)[index]
    if passed(now, limit.last + QUIET):
        subject = hosts(s)[host].subject
        if limit.limiting:
            log_at(s, limit.last, LIMITING_ENDED, subject, limit.about, 0.0)
        log(s, LIMITING_BEGAN, subject, limit.about, 0.0)
        limit.limiting = True
    limit.last = now


# -- tokens ------------------------------------------------------------------------------------------------------------


@handler
def wait_for_verdict(s: State, entry: int, task: int) -> None:
    """Somebody asks already: stand behind those who wait for the answer."""
    row = entries(s)[entry]
    row.last = note_task(s, row.last, task)
    if row.first < 0:
        row.first = row.last
    tasks(s)[task].held += 1


@handler
def still_there(s: State, task: int, host: int) -> int:
    """The client of one who has asked for others too may have gone meanwhile."""
    own = tasks(s)[task]
    if not own.abandoned:
        return NEXT
    own.where = hosts(s)[host].name
    own.root = 0
    own.outcome = TIMEOUT
    return FAIL


@handler
def asks_for_others(s: State, task: int) -> bool:
    """Whether it makes the call of the identity provider that all of its user wait for."""
    own = tasks(s)[task]
    op = call_ops(s)[own.pc]
    return own.on_wake == GO_ON and op.kind == op_of.CALL and op.for_others and own.asks_for == FOR_ALL


@handler
def token_answered(s: State, task: int, host: int) -> int:
    """The call of the identity provider is over: its verdict is for all who wait for it. FAIL: not let in."""
    own = tasks(s)[task]
    token = token_rules(s)[0]
    answer = own.outcome
    key = requests(s)[own.request].user * s.replica_count + replicas(s)[own.replica].index
    if own.asks_for == FOR_ALL and answer == OK and token.ttl > 0.0:
        known = find(s, token.known, key)
        if known < 0:
            known = remember(s, token.known, key)
        entries(s)[known].time = s.now + token.ttl
    if answer == REFUSED or (answer == OK and own.asks_for == INVALID):
        own.where = hosts(s)[host].name
        own.root = 0
        own.outcome = UNAUTHORIZED
    elif token.allow:
        own.outcome = OK
    elif answer != OK:
        own.root = own.root if own.root else answer
        own.outcome = ERROR
    if own.asks_for == FOR_ALL:
        tell_verdict(s, task, find(s, token.asking, key))
    return NEXT if own.outcome == OK else FAIL


@handler
def tell_verdict(s: State, task: int, place: int) -> None:
    """Wake those who waited for the answer to this task's call."""
    own = tasks(s)[task]
    entry = entries(s)[place]
    entry.value = -1
    waiter = entry.first
    entry.first = -1
    entry.last = -1
    while waiter >= 0:
        other = notes(s)[waiter].task
        if tasks(s)[other].life == ALIVE:
            tasks(s)[other].outcome = own.outcome
            tasks(s)[other].root = own.root
            tasks(s)[other].where = own.where
        put_ready(s, other)  # held while it waited: its turn takes that over
        following = notes(s)[waiter].next
        give_back_note(s, waiter)
        waiter = following
