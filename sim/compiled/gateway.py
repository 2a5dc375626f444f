"""Limits and tokens at the gateway: `models/gateway.py` once more."""

from __future__ import annotations

from sim.compiled import operations as op_of
from sim.compiled.calendar import put_ready
from sim.compiled.calls import FAIL, JUMP, NEXT, PARK
from sim.compiled.events import log, log_at
from sim.compiled.memory import find, free_note, note_task, remember
from sim.compiled.places import chance, leave
from sim.compiled.rows import rows_from
from sim.compiled.spans import OTHER, keep_stage
from sim.compiled.state import (
    NONE,
    Floats,
    Row,
    State,
    entries,
    handler,
    hosts,
    limiter_rings,
    limiters,
    limits,
    ops,
    replicas,
    requests,
    ring_of,
    slots,
    tokens,
    waiters,
    whole,
)
from sim.compiled.tasks import ASKING, GO_ON, NOWHERE
from sim.policies import base, limiter
from sim.vocabulary import QUIET, EventKind, Outcome

OK, REFUSED, RATE_LIMITED, UNAUTHORIZED = (whole(o) for o in (Outcome.OK, Outcome.REFUSED, Outcome.RATE_LIMITED, Outcome.UNAUTHORIZED))
ERROR, TIMEOUT = whole(Outcome.ERROR), whole(Outcome.TIMEOUT)
LIMITING_BEGAN, LIMITING_ENDED = whole(EventKind.LIMITING_BEGAN), whole(EventKind.LIMITING_ENDED)
PER_USER, PER_ROUTE, PER_ALL = map(whole, range(3))
FOR_ALL, FOR_ITSELF, INVALID = map(whole, range(3))  # for whom a token is asked for: one that others share, one without a user, a bad one
look, take = limiter.look.compiled, limiter.take.compiled
passed, reached = base.passed.compiled, base.reached.compiled


# -- limits -------------------------------------------------------------------------------------------------------------------


@handler
def limited(s: State, task: int, host: int, route: int, count: int) -> int:
    """FAIL if one of the limits refuses the request, which then knows how long to wait; it has used up nothing."""
    own = slots(s)[task]
    for index in range(count):
        place = counter_of(s, task, route, index)
        wait = look(limiters(s)[place], ring_at(s, place), s.now)
        if wait >= 0.0:
            limits(s)[index].refused += 1
            note_limit(s, host, index)
            requests(s)[own.request].retry_after = wait
            own.where = hosts(s)[host].name
            own.root = 0
            own.outcome = RATE_LIMITED
            return FAIL
    for index in range(count):
        limits(s)[index].passed += 1
        place = counter_of(s, task, route, index)
        take(limiters(s)[place], ring_at(s, place), s.now)
    return NEXT


@handler
def ring_at(s: State, place: int) -> Floats:
    """The stamps of a counter, where its limit keeps some."""
    return rows_from(limiter_rings(s), ring_of(s)[place])


@handler
def counter_of(s: State, task: int, route: int, index: int) -> int:
    """The counter of this user, route, or all, made when first needed.

    The first counters are one for each limit: its only one, or one that stays fresh, and that others are copies of.
    """
    limit = limits(s)[index]
    if limit.per == PER_ALL and limit.node == 0:
        return index
    own = slots(s)[task]
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
    place = s.limiters
    s.limiters += 1
    limiters(s)[place] = limiters(s)[index]
    ring_of(s)[place] = s.limiter_rings
    s.limiter_rings += limit.ring
    if s.limiters + s.limits_margin > s.limiters_size or s.limiter_rings + s.rings_margin > s.limiter_rings_size:
        s.short = 1
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
        limit.limiting = 1
    limit.last = now


# -- tokens -------------------------------------------------------------------------------------------------------------------


@handler
def look_at_token(s: State, task: int, op: Row) -> int:
    """JUMP with a good token; FAIL with one that another's call found bad; NEXT: this task asks, for itself or for all who come meanwhile.

    op.b is the name of whom it would ask.
    """
    own = slots(s)[task]
    token = tokens(s)[0]
    if own.waits == ASKING:
        own.waits = NOWHERE
        return JUMP if own.outcome == OK else FAIL
    user = requests(s)[own.request].user
    own.seen = FOR_ALL
    if token.invalid > 0.0 and chance(s, op.row, task) < token.invalid:
        own.seen = INVALID
    elif user < 0:
        own.seen = FOR_ITSELF
    if own.seen != FOR_ALL:
        return NEXT
    key = user * s.replica_count + replicas(s)[own.replica].index
    known = find(s, token.known, key)
    if known >= 0 and not reached(s.now, entries(s)[known].time):
        return JUMP
    place = find(s, token.asking, key)
    if place < 0:
        place = remember(s, token.asking, key)
    entry = entries(s)[place]
    if entry.value < 0:
        entry.value = 1
        entry.first = -1
        entry.last = -1
        return NEXT
    entry.last = note_task(s, entry.last, task)
    if entry.first < 0:
        entry.first = entry.last
    own.held += 1
    own.waits = ASKING
    if s.spans:
        keep_stage(s, task, OTHER, op.b, 0.0, NONE)
    if hosts(s)[op.host].lets_go and own.granted:
        leave(s, op.host, task)
    return PARK


@handler
def still_there(s: State, task: int, host: int) -> int:
    """The client of one who has asked for others too may have gone meanwhile."""
    own = slots(s)[task]
    if own.abandoned == 0:
        return NEXT
    own.where = hosts(s)[host].name
    own.root = 0
    own.outcome = TIMEOUT
    return FAIL


@handler
def asks_for_others(s: State, task: int) -> bool:
    """Whether it makes the call of the identity provider that all of its user wait for."""
    own = slots(s)[task]
    op = ops(s)[own.pc]
    return own.then == GO_ON and op.kind == op_of.CALL and op.b == op_of.FOR_OTHERS and own.seen == FOR_ALL


@handler
def token_answered(s: State, task: int, host: int) -> int:
    """The call of the identity provider is over: its verdict is for all who wait for it. FAIL: not let in."""
    own = slots(s)[task]
    token = tokens(s)[0]
    answer = own.outcome
    key = requests(s)[own.request].user * s.replica_count + replicas(s)[own.replica].index
    if own.seen == FOR_ALL and answer == OK and token.ttl > 0.0:
        known = find(s, token.known, key)
        if known < 0:
            known = remember(s, token.known, key)
        entries(s)[known].time = s.now + token.ttl
    if answer == REFUSED or (answer == OK and own.seen == INVALID):
        own.where = hosts(s)[host].name
        own.root = 0
        own.outcome = UNAUTHORIZED
    elif token.allow:
        own.outcome = OK
    elif answer != OK:
        own.root = own.root if own.root else answer
        own.outcome = ERROR
    if own.seen == FOR_ALL:
        tell_verdict(s, task, find(s, token.asking, key))
    return NEXT if own.outcome == OK else FAIL


@handler
def tell_verdict(s: State, task: int, place: int) -> None:
    """Wake those who waited for the answer to this task's call."""
    own = slots(s)[task]
    entry = entries(s)[place]
    entry.value = -1
    waiter = entry.first
    entry.first = -1
    entry.last = -1
    while waiter >= 0:
        other = waiters(s)[waiter].slot
        if slots(s)[other].dead == 0:
            slots(s)[other].outcome = own.outcome
            slots(s)[other].root = own.root
            slots(s)[other].where = own.where
        put_ready(s, other)  # held while it waited: its turn takes that over
        following = waiters(s)[waiter].next
        free_note(s, waiter)
        waiter = following
