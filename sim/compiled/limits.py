"""Rate limits of the gateway, of routes and of services: `models/limits.py` and `models/counters.py` once more."""

from __future__ import annotations

from sim.chance.table import draw
from sim.compiled.apart import by_address
from sim.compiled.base import NO, NONE, YES, handler, inlined, whole
from sim.compiled.calendar import hold
from sim.compiled.codes import LIMITING_BEGAN, LIMITING_ENDED, OK, RATE_LIMITED, SHED
from sim.compiled.events import log, log_at
from sim.compiled.identities import BY_ROUTE, NO_KEY, address_of, header_of, key_of
from sim.compiled.memory import find, remember
from sim.compiled.places import leave
from sim.compiled.rows.gateway import entries
from sim.compiled.rows.hosts import draws, hosts, numbers, replicas
from sim.compiled.rows.identities import readers
from sim.compiled.rows.limits import (
    clocked_counters,
    condition_values,
    conditions,
    library_counters,
    limit_of,
    limit_steps,
    limiter_rings,
    limiters,
    limits,
    reader_of,
    ring_of,
    waiting_counters,
)
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import Rows, rows_from
from sim.compiled.spans import OTHER, keep_stage
from sim.policies import base, clocked, library_limits, limiter, waiting
from sim.vocabulary import QUIET

PER_USER, PER_ROUTE, PER_ALL = map(whole, range(3))
PLAIN, LIBRARY, WAITING, CLOCKED = map(whole, range(4))  # families of counters, each of a module of policies
SHARED, BY_ADDRESS, FREE, REFUSED = map(whole, range(4))  # what becomes of requests without a key
EXACT, WHOLE_SECONDS, NOTHING = map(whole, range(3))  # what a refusal says of when to come again
NOT_COUNTED, NOT_LET_IN = whole(-1), whole(-2)  # in the place of the counters of a request
PREFIX_BITS = 32  # of a space of keys, for those that have the same beginning

ALLOWED = limiter.ALLOWED
SLIDING_LOG = limiter.SLIDING_LOG
look, take, passed = limiter.look.compiled, limiter.take.compiled, base.passed.compiled
look_library, take_library = library_limits.look.compiled, library_limits.take.compiled
deny_library, hold_library = library_limits.deny.compiled, library_limits.hold.compiled
look_clocked, take_clocked = clocked.look.compiled, clocked.take.compiled
deny_clocked = clocked.deny.compiled
look_waiting, ahead, reserve = waiting.look.compiled, waiting.ahead.compiled, waiting.reserve.compiled
in_whole_seconds = limiter.in_whole_seconds.compiled


@by_address
@handler
def ask_stores(s: State, task: int, step: int) -> float:
    """For how long a request waits for the stores of its limits, s; which of them do not answer stands in the task."""
    row = limit_steps(s)[step]
    own = tasks(s)[task]
    own.undecided = 0
    seconds = 0.0
    for index in range(row.count):
        limit = limits(s)[limit_of(s)[row.first + index]]
        if not limit.stored:
            continue
        if limit.hanging > 0:
            seconds += limit.timeout
        elif limit.refusing == 0:
            seconds += limit.trips * draw(draws(s), numbers(s), limit.latency, requests(s)[own.request].id, own.chain)
            continue
        limit.undecided += 1
        if not limit.tolerant:
            own.undecided = -1
            break
        own.undecided |= 1 << index
    return seconds


@handler
def is_undecided(s: State, task: int, step: int, place: int) -> bool:
    """Whether the store of the limit at this place of the step has not answered."""
    row = limit_steps(s)[step]
    return bool(row.stored and (tasks(s)[task].undecided >> (place - row.first)) & 1)


@handler
def refuse(s: State, task: int, step: int) -> int:
    """OK, or what the first limit answers that refuses it; it has used up nothing.

    In `pause` stands what it is told, in `seconds` for how long it is held before.
    """
    row = limit_steps(s)[step]
    own = tasks(s)[task]
    for index in range(row.first, row.first + row.count):
        if is_undecided(s, task, step, index):
            continue
        place = limit_of(s)[index]
        limit = limits(s)[place]
        wait = look_by_key(s, place, task, row.route) if limit.keyed else look_plainly(s, place, task, row.route)
        if wait >= 0.0:
            limit.refused += 1
            note_limit(s, row.host, place)
            if index > row.first:
                charge_in_turn(s, task, step, index)
            own.pause = wait
            own.seconds = limit.in_vain
            return limit.answer
    return OK


@by_address
@handler
def charge_in_turn(s: State, task: int, step: int, end: int) -> None:
    """Of the limits before the one that refuses, those that are hit in turn have counted the request."""
    row = limit_steps(s)[step]
    for index in range(row.first, end):
        limit = limits(s)[limit_of(s)[index]]
        if not limit.in_turn or is_undecided(s, task, step, index):
            continue
        first = counters_of(s, limit_of(s)[index], task, row.route)
        clock = clock_of(s, limit.by_node, task)
        for rate in range(limit.rates if first >= 0 else 0):
            take_of(s, limit.family, first + rate, clock)


@by_address
@handler
def tell_refusal(s: State, task: int, step: int) -> None:
    """Its answer: 429, or 503, for which the reason stays that it was limited."""
    own = tasks(s)[task]
    request = requests(s)[own.request]
    request.retry_after = own.pause
    request.told_by = own.outcome
    if own.caller >= 0:
        tasks(s)[own.caller].told = own.pause
    own.where = limit_steps(s)[step].where
    own.root = RATE_LIMITED if own.outcome == SHED else OK


@handler
def count_in(s: State, task: int, step: int) -> float:
    """All limits count a request that none of them refuses. For how long it is held, s."""
    row = limit_steps(s)[step]
    held = 0.0
    for index in range(row.first, row.first + row.count):
        if is_undecided(s, task, step, index):
            continue
        place = limit_of(s)[index]
        limit = limits(s)[place]
        limit.passed += 1
        if not limit.keyed:
            at = counter_of(s, task, row.route, place)
            take(limiters(s)[at], ring_at(s, at), s.now)
            continue
        first = counters_of(s, place, task, row.route)
        clock = clock_of(s, limit.by_node, task)
        for rate in range(limit.rates if first >= 0 else 0):
            held = max(held, hold_of(s, limit.family, first + rate, clock))
            take_of(s, limit.family, first + rate, clock)
    return held


@by_address
@handler
def hold_back(s: State, task: int, step: int) -> None:
    """It waits, without a worker in an event loop."""
    own = tasks(s)[task]
    row = limit_steps(s)[step]
    if s.spans:
        keep_stage(s, task, OTHER, row.where, 0.0, NONE)
    if hosts(s)[row.host].event_loop and own.granted:
        leave(s, row.host, task)
    hold(s, task, own.seconds)


@handler
def note_limit(s: State, host: int, place: int) -> None:
    """Write the beginning of a spell of limiting into the event log."""
    now = s.now
    limit = limits(s)[place]
    if passed(now, limit.last + QUIET):
        subject = hosts(s)[host].subject
        if limit.limiting:
            log_at(s, limit.last, LIMITING_ENDED, subject, limit.about, 0.0)
        log(s, LIMITING_BEGAN, subject, limit.about, 0.0)
        limit.limiting = True
    limit.last = now


# -- limits of one key and one rate ------------------------------------------------------------------------------------


@handler
def look_plainly(s: State, place: int, task: int, route: int) -> float:
    """Negative: it lets it pass; else how long to wait."""
    at = counter_of(s, task, route, place)
    wait: float = look(limiters(s)[at], ring_at(s, at), s.now)
    return wait


@handler
def ring_at(s: State, place: int) -> Rows[float]:
    """The stamps of a counter, where its limit keeps some."""
    return rows_from(limiter_rings(s), ring_of(s)[place])


@handler
def counter_of(s: State, task: int, route: int, place: int) -> int:
    """The counter of this user, route, or all, made when first needed.

    The first counters are one for each limit: its only one, or one that stays fresh, and that others are copies of.
    """
    limit = limits(s)[place]
    if limit.per == PER_ALL and not limit.node:
        return limit.first
    own = tasks(s)[task]
    whose = 0
    if limit.per == PER_USER:
        whose = requests(s)[own.request].user
    elif limit.per == PER_ROUTE:
        whose = route
    replica = replicas(s)[own.replica].index if limit.node else 0
    return counters_at(s, place, limit.space, (whose + 1) * s.replica_count + replica)


# -- limits that say more ----------------------------------------------------------------------------------------------


@by_address
@handler
def look_by_key(s: State, place: int, task: int, route: int) -> float:
    """The same; all rates that it keeps are asked, and of those that refuse the longest wait is told."""
    limit = limits(s)[place]
    first = counters_of(s, place, task, route)
    if first == NOT_COUNTED:
        return ALLOWED
    if first == NOT_LET_IN:
        return 0.0
    longest = ALLOWED
    clock = clock_of(s, limit.by_node, task)
    for rate in range(limit.rates):
        wait = look_of(s, limit.family, first + rate, clock)
        if wait >= 0.0 and longest < 0.0:
            for counted in range(rate + 1):
                if limit.in_turn and counted < rate:
                    take_of(s, limit.family, first + counted, clock)
                else:
                    deny_of(s, limit.family, first + counted, clock)
        longest = max(longest, wait)
        if limit.in_turn and longest >= 0.0:
            break
    if longest < 0.0:
        return ALLOWED
    if limit.tells == NOTHING:
        return 0.0
    return longest if limit.tells == EXACT else float(in_whole_seconds(longest))


@by_address
@handler
def counters_of(s: State, place: int, task: int, route: int) -> int:
    """The first of the counters of this request, made when first needed; NOT_COUNTED, NOT_LET_IN: it has none."""
    limit = limits(s)[place]
    request = tasks(s)[task].request
    for index in range(limit.conditions, limit.conditions + limit.asks):
        if not meets(s, index, request):
            return NOT_COUNTED
    prefix = replicas(s)[tasks(s)[task].replica].index + 1 if limit.node else 0
    for level in range(limit.reads):
        reader = reader_of(s)[limit.readers + level]
        space = limit.space + 1 + 2 * level
        if readers(s)[reader].word == BY_ROUTE:
            key = route
        else:
            key = key_of(s, reader, request)
            if key == NO_KEY and limit.anonymous == FREE:
                return NOT_COUNTED
            if key == NO_KEY and limit.anonymous == REFUSED:
                return NOT_LET_IN
            if key == NO_KEY and limit.anonymous == BY_ADDRESS:
                key = address_of(s, request)
                space += 1
        prefix = number_of(s, (space << PREFIX_BITS) + prefix, key)
    return counters_at(s, place, limit.space, prefix)


@handler
def meets(s: State, condition: int, request: int) -> bool:
    """Whether a header of the request has one of the values that are asked for."""
    row = conditions(s)[condition]
    value = header_of(s, row.header, request)
    found = NO
    for index in range(row.first, row.first + row.count):
        if condition_values(s)[index] == value:
            found = YES
    return found


@handler
def number_of(s: State, space: int, key: int) -> int:
    """A number of its own for this key of this space."""
    entry = find(s, space, key)
    if entry < 0:
        entry = remember(s, space, key)
        entries(s)[entry].value = s.entries_count
    return entries(s)[entry].value


# -- counters ----------------------------------------------------------------------------------------------------------


@by_address
@handler
def counters_at(s: State, place: int, space: int, key: int) -> int:
    """The first of the counters that a limit has for a key, made when first needed."""
    entry = find(s, space, key)
    if entry < 0:
        first = new_counters(s, place)
        entry = remember(s, space, key)
        entries(s)[entry].value = first
    return entries(s)[entry].value


@handler
def new_counters(s: State, place: int) -> int:
    """One for each rate of a limit, which has seen nothing."""
    limit = limits(s)[place]
    if limit.family == LIBRARY:
        first = s.library_count
        for rate in range(limit.rates):
            library_counters(s)[first + rate] = library_counters(s)[limit.first + rate]
        s.library_count += limit.rates
    elif limit.family == CLOCKED:
        first = s.clocked_count
        for rate in range(limit.rates):
            clocked_counters(s)[first + rate] = clocked_counters(s)[limit.first + rate]
            clocked_counters(s)[first + rate].ring = s.stamps_count
            s.stamps_count += clocked_counters(s)[first + rate].stamps
        s.clocked_count += limit.rates
    elif limit.family == WAITING:
        first = s.waiting_count
        for rate in range(limit.rates):
            waiting_counters(s)[first + rate] = waiting_counters(s)[limit.first + rate]
        s.waiting_count += limit.rates
    else:
        first = s.limiters_count
        for rate in range(limit.rates):
            limiters(s)[first + rate] = limiters(s)[limit.first + rate]
            ring_of(s)[first + rate] = s.stamps_count
            if limiters(s)[first + rate].algorithm == SLIDING_LOG:
                s.stamps_count += limiters(s)[first + rate].limit
        s.limiters_count += limit.rates
    if s.limiters_count > s.limiters_most or s.stamps_count > s.stamps_most:
        s.must_grow = True
    if s.library_count > s.library_most or s.waiting_count > s.waiting_most or s.clocked_count > s.clocked_most:
        s.must_grow = True
    return first


@inlined
def clock_of(s: State, by_node: bool, task: int) -> float:
    """What the clock that a limit reads says, s."""
    return s.now + replicas(s)[tasks(s)[task].replica].skew if by_node else s.now


@handler
def look_of(s: State, family: int, place: int, clock: float) -> float:
    """Negative: would be allowed. Else after how long a retry may succeed. Changes nothing."""
    if family == LIBRARY:
        return float(look_library(library_counters(s)[place], clock))
    if family == WAITING:
        return float(look_waiting(waiting_counters(s)[place], clock))
    if family == CLOCKED:
        row = clocked_counters(s)[place]
        return float(look_clocked(row, rows_from(limiter_rings(s), row.ring), s.now, clock))
    return float(look(limiters(s)[place], ring_at(s, place), clock))


@handler
def hold_of(s: State, family: int, place: int, clock: float) -> float:
    """For how long a request that is allowed now is held; asked before it is counted."""
    if family == LIBRARY:
        return float(hold_library(library_counters(s)[place], clock))
    return float(ahead(waiting_counters(s)[place], clock)) if family == WAITING else 0.0


@handler
def take_of(s: State, family: int, place: int, clock: float) -> None:
    """Count a request that is allowed."""
    if family == LIBRARY:
        take_library(library_counters(s)[place], clock)
    elif family == CLOCKED:
        row = clocked_counters(s)[place]
        take_clocked(row, rows_from(limiter_rings(s), row.ring), s.now, clock)
    elif family == WAITING:
        reserve(waiting_counters(s)[place], clock, 1)
    else:
        take(limiters(s)[place], ring_at(s, place), clock)


@inlined
def deny_of(s: State, family: int, place: int, clock: float) -> None:
    """Hear of one that was refused."""
    if family == LIBRARY:
        deny_library(library_counters(s)[place], clock)
    elif family == CLOCKED:
        row = clocked_counters(s)[place]
        deny_clocked(row, rows_from(limiter_rings(s), row.ring), s.now, clock)
