"""The entries of caches, and which of them goes where there is no room, as in `policies/eviction.py`.

Those of a store stand in one line, and the first goes first. Where the least frequently used one does, they stand by
how often they were used, and those of equal use are a block, which knows its last: so a use costs the same however
many entries there are.
"""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.base import handler
from sim.compiled.memory import find, remember
from sim.compiled.rows.caches import (
    Store,
    blocks,
    give_back_block,
    give_back_kept,
    kept,
    stores,
    take_block,
    take_kept,
)
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.gateway import entries
from sim.compiled.rows.state import State


@handler
def look_up(s: State, store: int, key: int) -> int:
    """The entry of a key, which counts as used now; -1: there is none."""
    place = find(s, stores(s)[store].known, key)
    entry = entries(s)[place].value if place >= 0 else NOBODY
    if entry >= 0:
        use(s, stores(s)[store], entry)
    return entry


@handler
def put(s: State, store: int, key: int, outcome: int, good_until: float) -> None:
    """Keep it, as used now; another one goes where there is no room."""
    row = stores(s)[store]
    place = find(s, row.known, key)
    if place < 0:
        place = remember(s, row.known, key)
    entry = entries(s)[place].value
    if entry >= 0:
        use(s, row, entry)
    else:
        if row.count >= row.size:
            drop_first(s, row)
        entry = take_kept(s)
        entries(s)[place].value = entry
        kept(s)[entry].key = key
        come_in(s, row, entry)
    kept(s)[entry].outcome = outcome
    kept(s)[entry].good_until = good_until


@handler
def come_in(s: State, store: Store, entry: int) -> None:
    """A new entry stands last, or behind those that were used once."""
    store.count += 1
    kept(s)[entry].block = NOBODY
    if not store.frequent:
        stand_behind(s, store, entry, store.last)
    elif store.first >= 0 and blocks(s)[kept(s)[store.first].block].uses == 1:
        join_block(s, store, entry, kept(s)[store.first].block)
    else:
        stand_behind(s, store, entry, NOBODY)
        begin_block(s, entry, 1)


@handler
def use(s: State, store: Store, entry: int) -> None:
    """It is the last to go now, of all, or of those that were used as often."""
    if not store.frequent:
        step_out(s, store, entry)
        stand_behind(s, store, entry, store.last)
        return
    block = kept(s)[entry].block
    uses = blocks(s)[block].uses + 1
    last = blocks(s)[block].last
    following = kept(s)[last].next
    before = last if last != entry else kept(s)[entry].previous
    leave_block(s, entry)
    step_out(s, store, entry)
    if following >= 0 and blocks(s)[kept(s)[following].block].uses == uses:
        join_block(s, store, entry, kept(s)[following].block)
    else:
        stand_behind(s, store, entry, before)
        begin_block(s, entry, uses)


@handler
def drop_first(s: State, store: Store) -> None:
    """There is no room for it any more."""
    entry = store.first
    if store.frequent:
        leave_block(s, entry)
    step_out(s, store, entry)
    store.count -= 1
    entries(s)[find(s, store.known, kept(s)[entry].key)].value = NOBODY
    give_back_kept(s, entry)


@compiled
def clear(s: State, store: int) -> None:
    """Forget all; what is under way comes in afterwards."""
    row = stores(s)[store]
    while row.first >= 0:
        drop_first(s, row)


# -- lines and blocks --------------------------------------------------------------------------------------------------


@handler
def stand_behind(s: State, store: Store, entry: int, before: int) -> None:
    """Stand behind an entry; -1: before all."""
    own = kept(s)[entry]
    own.previous = before
    own.next = kept(s)[before].next if before >= 0 else store.first
    if own.next >= 0:
        kept(s)[own.next].previous = entry
    else:
        store.last = entry
    if before >= 0:
        kept(s)[before].next = entry
    else:
        store.first = entry


@handler
def step_out(s: State, store: Store, entry: int) -> None:
    """Leave the line."""
    own = kept(s)[entry]
    if own.previous >= 0:
        kept(s)[own.previous].next = own.next
    else:
        store.first = own.next
    if own.next >= 0:
        kept(s)[own.next].previous = own.previous
    else:
        store.last = own.previous


@handler
def begin_block(s: State, entry: int, uses: int) -> None:
    """No other was used as often."""
    block = take_block(s)
    blocks(s)[block].uses = uses
    blocks(s)[block].last = entry
    kept(s)[entry].block = block


@handler
def join_block(s: State, store: Store, entry: int, block: int) -> None:
    """Stand behind the last of those that were used as often."""
    stand_behind(s, store, entry, blocks(s)[block].last)
    blocks(s)[block].last = entry
    kept(s)[entry].block = block


@handler
def leave_block(s: State, entry: int) -> None:
    """Be none of them any more; while it still stands in the line."""
    own = kept(s)[entry]
    block = own.block
    if blocks(s)[block].last != entry:
        return
    if own.previous >= 0 and kept(s)[own.previous].block == block:
        blocks(s)[block].last = own.previous
    else:
        give_back_block(s, block)
