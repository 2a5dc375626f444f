"""Lists of tasks that wait for something rare, and what is remembered by key.

That is an open-addressing table of (space, key), for tokens, limits per user, and orders already processed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.chance.compiler import compiled
from sim.chance.keyed import G, mix
from sim.compiled.state import Rows, State, entries, handler, slots, waiters


@handler
def place_of(table: Rows, size: int, space: int, key: int) -> int:
    """Where this key stands, or would stand. The size of the table is a power of two and it is never full."""
    mask = size - 1
    place: Any = np.int64(mix(np.uint64(key) + G * np.uint64(space)) & np.uint64(mask))
    while table[place].used and (table[place].key != key or table[place].space != space):
        place = (place + 1) & mask
    return place


@handler
def note_task(s: State, last: int, task: int) -> int:
    """A note of a task and of what it waits for now, put behind the last of a list of notes (-1: the list was empty)."""
    new = s.waiter
    note = waiters(s)[new]
    s.waiter = note.next
    s.waiters_free -= 1
    if s.waiters_free <= s.waiters_margin:
        s.short = 1
    note.slot = task
    note.ticket = slots(s)[task].ticket
    note.next = -1
    if last >= 0:
        waiters(s)[last].next = new
    return new


@compiled
def free_note(s: State, note: int) -> None:
    """Forget a note."""
    waiters(s)[note].next = s.waiter
    s.waiter = note
    s.waiters_free += 1


@handler
def find(s: State, space: int, key: int) -> int:
    """Where this key stands; -1: nowhere."""
    place = place_of(entries(s), s.entries_size, space, key)
    return place if entries(s)[place].used else -1


@handler
def remember(s: State, space: int, key: int) -> int:
    """The place of a new key, with nothing in it."""
    place = place_of(entries(s), s.entries_size, space, key)
    row = entries(s)[place]
    row.used = 1
    row.space = space
    row.key = key
    row.value = -1
    row.time = 0.0
    row.first = -1
    row.last = -1
    s.entries += 1
    if s.entries >= s.entries_most:
        s.short = 1
    return place


@compiled
def copy_entries(old: Rows, new: Rows) -> None:
    """Move everything into a larger table."""
    for index in range(old.size):
        if old[index].used:
            place = place_of(new, new.size, old[index].space, old[index].key)
            new[place] = old[index]
