"""Rows of caches: what is said of one, what is told of it, what it keeps, and who brings what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Perhaps, Reference, Row
from sim.compiled.rows.tables import Pool, Returning, Table, Taking

if TYPE_CHECKING:
    from sim.compiled.rows.hosts import Host
    from sim.compiled.rows.programs import Op
    from sim.compiled.rows.running import Note


class Cache(Row):
    """What is told of a cache, for all steps and replicas together."""

    hits: int
    misses: int
    stale: int
    joined: int
    loads: int
    first: Reference[Store]  # for all replicas, or of the first of them
    stores: int


class Look(Row, fixed=True):
    """A step that looks into a cache, and what is said there."""

    cache: Reference[Cache]
    host: Reference[Host]
    shared: bool  # by all replicas
    coalesce: bool
    draw: int
    key: int  # ALL ... in caches.py
    hit: float  # the share of looks that find something, where that is said
    ttl: float
    jitter: float
    negative_ttl: float  # 0: refusals are not kept
    stale_while_revalidate: float
    stale_if_error: float
    where: int  # index into names
    bring: Reference[Op]  # the program of who brings a new entry in the background


class CacheWrites(Row):
    """What is told of the writes to a cache, of all replicas together."""

    accepted: int
    stored: int
    first: Reference[Collected]  # of its replicas
    replicas: int


class Collected(Row):
    """What a replica has still to write."""

    writes: int  # that no run has taken yet
    waiting: int  # these, and those that a run is writing
    has_timer: bool


class WriteStep(Row, fixed=True):
    """A step that writes to a cache."""

    look: Reference[Look]  # what is said of the cache
    counts: Reference[CacheWrites]
    batch: int
    host: Reference[Host]
    timer: Reference[Op]  # the programs of who writes in the background: after a while, and at once
    flush: Reference[Op]


class Store(Row):
    """The entries of a cache in one place, in the order in which they go."""

    first: Perhaps[Kept]
    last: Perhaps[Kept]
    count: int
    size: int  # how many fit
    frequent: bool  # the least frequently used goes first, and not the least recently used
    known: int  # space of its entries among what is remembered by key
    asked: int  # space of its flights


class Kept(Row):
    """What is kept for a key."""

    good_until: float
    key: int
    outcome: int  # OK, or REFUSED
    block: Perhaps[Block]  # of those that were used as often
    previous: Perhaps[Kept]
    next: Perhaps[Kept]  # of its store, or free one


class Block(Row):
    """Entries that were used equally often; they stand one behind the other."""

    uses: int
    last: Perhaps[Kept]
    next: Perhaps[Block]  # free one


class Flight(Row):
    """A look for a key that is under way."""

    store: Reference[Store]
    key: int
    listed: bool  # others may wait for it
    degraded: bool  # its task was, before
    first: Perhaps[Note]  # who waits for what it finds
    last: Perhaps[Note]
    next: Perhaps[Flight]  # the one in the midst of which its task began this one, or free one


caches = Table("caches", Cache)
looks = Table("looks", Look)
stores = Table("stores", Store)
cache_writes = Table("cache_writes", CacheWrites)
collected = Table("collected", Collected)
write_steps = Table("write_steps", WriteStep)
kept = Table("kept", Kept, pool=Pool(1 << 8))
blocks = Table("blocks", Block, pool=Pool(1 << 7))
flights = Table("flights", Flight, pool=Pool(1 << 7))

take_kept, give_back_kept = Taking(kept), Returning(kept)
take_block, give_back_block = Taking(blocks), Returning(blocks)
take_flight, give_back_flight = Taking(flights), Returning(flights)
