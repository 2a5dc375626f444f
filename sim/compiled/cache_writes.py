"""Writes through a cache, as in `models/cache_write.py`."""

from __future__ import annotations

from sim.compiled.answers import JUMP, NEXT
from sim.compiled.base import handler
from sim.compiled.caches import key_of, store_of
from sim.compiled.codes import OK
from sim.compiled.eviction import put
from sim.compiled.forks import begin_aside
from sim.compiled.places import chance
from sim.compiled.rows.caches import cache_writes, collected, looks, write_steps
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.programs import CacheWriteOp
from sim.compiled.rows.running import saved, tasks
from sim.compiled.rows.state import State


@handler
def collected_by(s: State, task: int, write: int) -> int:
    """What the replica of a task has still to write."""
    return cache_writes(s)[write_steps(s)[write].counts].first + replicas(s)[tasks(s)[task].replica].index


@handler
def put_written(s: State, task: int, write: int) -> None:
    """The entry is new."""
    place = write_steps(s)[write].look
    look = looks(s)[place]
    lasts = look.ttl
    if look.jitter != 0.0:
        lasts *= 1.0 + look.jitter * (2.0 * chance(s, look.draw, task) - 1.0)
    put(s, store_of(s, task, place), key_of(s, task, place), OK, s.now + lasts)


@handler
def begin_to_write(s: State, write: int) -> None:
    """The steps of a write through the cache begin."""
    cache_writes(s)[write_steps(s)[write].counts].accepted += 1


@handler
def written_through(s: State, task: int, write: int) -> None:
    """They have ended well."""
    if not tasks(s)[task].degraded:
        cache_writes(s)[write_steps(s)[write].counts].stored += 1
        put_written(s, task, write)


@handler
def write_behind(s: State, task: int, write: int) -> None:
    """The entry is new at once; somebody will write it."""
    row = write_steps(s)[write]
    cache_writes(s)[row.counts].accepted += 1
    put_written(s, task, write)
    own = collected(s)[collected_by(s, task, write)]
    own.writes += 1
    own.waiting += 1
    if own.writes >= row.batch:
        begin_aside(s, task, row.flush, row.host)
    elif not own.has_timer:
        own.has_timer = True
        begin_aside(s, task, row.timer, row.host)


@handler
def take_collected(s: State, task: int, op: CacheWriteOp) -> int:
    """NEXT: write as many as there are; JUMP: there is nothing."""
    own = collected(s)[collected_by(s, task, op.write)]
    if op.timed:
        own.has_timer = False
    saved(s)[task * s.deepest + op.depth] = own.writes
    if own.writes == 0:
        return JUMP
    own.writes = 0
    return NEXT


@handler
def collected_written(s: State, task: int, op: CacheWriteOp) -> None:
    """So many have been written, or not."""
    count = saved(s)[task * s.deepest + op.depth]
    collected(s)[collected_by(s, task, op.write)].waiting -= count
    if tasks(s)[task].outcome == OK:
        cache_writes(s)[write_steps(s)[op.write].counts].stored += count
