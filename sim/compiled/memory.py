"""Lists of tasks that wait for something rare, and what is remembered by key.

That is an open-addressing table of (space, key), for tokens, limits per user, and orders already processed.
"""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.chance.keyed import spread
from sim.compiled.base import handler
from sim.compiled.rows.gateway import Entry, entries, old_entries
from sim.compiled.rows.running import notes, take_note, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import Rows


@handler
def place_of(table: Rows[Entry], size: int, space: int, key: int) -> int:
    """Where this key stands, or would stand. The size of the table is a power of two and it is never full."""
    mask = size - 1
    place = spread(space, key) & mask
    while table[place].used and (table[place].key != key or table[place].space != space):
        place = (place + 1) & mask
    return place


@handler
def note_task(s: State, last: int, task: int) -> int:
    """A note of a task and of what it waits for now, put behind the last of a list of notes (-1.

    The list was empty).
    """
    new = take_note(s)
    note = notes(s)[new]
    note.task = task
    note.ticket = tasks(s)[task].ticket
    note.next = -1
    if last >= 0:
        notes(s)[last].next = new
    return new


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
    row.used = True
    row.space = space
    row.key = key
    row.value = -1
    row.time = 0.0
    row.first = -1
    row.last = -1
    s.entries_count += 1
    if s.entries_count >= s.entries_most:
        s.must_grow = True
    return place


@compiled
def move_entries(s: State, size: int) -> None:
    """Move everything from the old table, of this size, into the larger one."""
    for index in range(size):
        old = old_entries(s)[index]
        if old.used:
            place = place_of(entries(s), s.entries_size, old.space, old.key)
            entries(s)[place] = old
