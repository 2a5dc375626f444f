"""A cache: what a look finds, and what becomes of what is brought, as in `models/cache.py`."""

from __future__ import annotations

import math

from sim.compiled import spans
from sim.compiled.answers import FAIL, JUMP, NEXT
from sim.compiled.base import NONE, handler, whole
from sim.compiled.codes import OK, REFUSED
from sim.compiled.eviction import look_up, put
from sim.compiled.flights import flight_of, land, take_off
from sim.compiled.forks import begin_aside
from sim.compiled.places import chance
from sim.compiled.rows.caches import Look, caches, flights, kept, looks
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.policies import eviction

# what an entry is kept for; SAID: the share of hits is
FOR_ALL, OF_ITEM, OF_USER, SAID, OF_ITEM_OF_USER = map(whole, range(5))
ITEMS = whole(eviction.ITEMS)


@handler
def store_of(s: State, task: int, look: int) -> int:
    """Where a task looks: in its replica, or where all do."""
    row = looks(s)[look]
    first = caches(s)[row.cache].first
    return first if row.shared else first + replicas(s)[tasks(s)[task].replica].index


@handler
def key_of(s: State, task: int, look: int) -> int:
    """For what it looks."""
    key = looks(s)[look].key
    request = requests(s)[tasks(s)[task].request]
    if key == OF_ITEM:
        return request.item
    if key == OF_ITEM_OF_USER:
        return request.user * ITEMS + request.item
    return request.user if key == OF_USER else NONE


@handler
def hit_by_share(s: State, task: int, look: int) -> int:
    """JUMP: it finds something, for a share of attempts."""
    row = looks(s)[look]
    cache = caches(s)[row.cache]
    if chance(s, row.draw, task) < row.hit:
        cache.hits += 1
        return JUMP
    cache.misses += 1
    cache.loads += 1
    return NEXT


@handler
def find_entry(s: State, task: int, look: int) -> int:
    """What a good entry says (JUMP, FAIL), or one that is stale but may be given; NEXT: there is none."""
    row = looks(s)[look]
    store = store_of(s, task, look)
    entry = look_up(s, store, key_of(s, task, look))
    if entry < 0:
        return NEXT
    late = s.now - kept(s)[entry].good_until
    if late < 0.0:
        caches(s)[row.cache].hits += 1
    elif kept(s)[entry].outcome == OK and late < row.stale_while_revalidate:
        caches(s)[row.cache].stale += 1
        if flight_of(s, store, key_of(s, task, look)) < 0:
            begin_aside(s, task, row.bring, row.host)
    else:
        return NEXT
    return heard(s, task, look, kept(s)[entry].outcome)


@handler
def heard(s: State, task: int, look: int, outcome: int) -> int:
    """An answer that this task did not find itself."""
    own = tasks(s)[task]
    own.outcome = outcome
    if outcome == OK:
        return JUMP
    own.where = looks(s)[look].where
    own.root = 0
    return FAIL


@handler
def begin_to_bring(s: State, task: int, look: int) -> int:
    """In the background; JUMP: somebody does already."""
    if flight_of(s, store_of(s, task, look), key_of(s, task, look)) >= 0:
        return JUMP
    load(s, task, look)
    return NEXT


@handler
def load(s: State, task: int, look: int) -> None:
    """The steps of a miss begin."""
    caches(s)[looks(s)[look].cache].loads += 1
    take_off(s, task, store_of(s, task, look), key_of(s, task, look))


@handler
def joins(s: State, task: int, look: int) -> None:
    """Another looks for the same: its answer is waited for."""
    caches(s)[looks(s)[look].cache].joined += 1
    if s.spans:
        host = replicas(s)[tasks(s)[task].replica].host
        spans.keep_stage(s, task, spans.OTHER, hosts(s)[host].name, 0.0, NONE)


@handler
def loaded(s: State, task: int, look: int) -> int:
    """The steps of a miss are over: what they found is kept, and those who wait hear of it."""
    own = tasks(s)[task]
    row = looks(s)[look]
    flight = flights(s)[own.flight]
    keep(s, task, row, flight.store, flight.key)
    own.degraded = own.degraded or flight.degraded
    if own.outcome not in (OK, REFUSED) and may_give_stale(s, row, flight.store, flight.key):
        caches(s)[row.cache].stale += 1
        own.outcome = OK
    land(s, task, own.outcome)
    return NEXT if own.outcome == OK else FAIL


@handler
def keep(s: State, task: int, look: Look, store: int, key: int) -> None:
    """An error is never kept, nor what a fallback stood in for."""
    own = tasks(s)[task]
    lasts = math.inf
    if own.outcome == OK and not own.degraded:
        lasts = look.ttl
        if look.jitter != 0.0:
            lasts *= 1.0 + look.jitter * (2.0 * chance(s, look.draw, task) - 1.0)
    elif own.outcome == REFUSED and look.negative_ttl > 0.0:
        lasts = look.negative_ttl
    else:
        return
    put(s, store, key, own.outcome, s.now + lasts)


@handler
def may_give_stale(s: State, look: Look, store: int, key: int) -> bool:
    """Whether an entry that is not good any more is better than an error."""
    if look.stale_if_error == 0.0:
        return False
    entry = look_up(s, store, key)
    if entry < 0 or kept(s)[entry].outcome != OK:
        return False
    return s.now - kept(s)[entry].good_until < look.stale_if_error
