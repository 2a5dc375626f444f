"""Looks for a key that are under way, and who waits for what they find, as in `models/cache.py`."""

from __future__ import annotations

from sim.compiled.base import NONE, handler
from sim.compiled.calendar import put_ready
from sim.compiled.memory import find, note_task, remember
from sim.compiled.rows.caches import flights, give_back_flight, stores, take_flight
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.gateway import entries
from sim.compiled.rows.running import give_back_note, notes, tasks
from sim.compiled.rows.state import State
from sim.compiled.tasks import ALIVE


@handler
def flight_of(s: State, store: int, key: int) -> int:
    """The look for a key for which others may wait; -1: there is none."""
    place = find(s, stores(s)[store].asked, key)
    return entries(s)[place].value if place >= 0 else NOBODY


@handler
def take_off(s: State, task: int, store: int, key: int) -> None:
    """A task begins to look; others may wait for it where it is the first."""
    own = tasks(s)[task]
    new = take_flight(s)
    flight = flights(s)[new]
    flight.store = store
    flight.key = key
    flight.first = NOBODY
    flight.last = NOBODY
    flight.degraded = own.degraded
    flight.next = own.flight
    flight.listed = flight_of(s, store, key) < 0
    if flight.listed:
        place = find(s, stores(s)[store].asked, key)
        if place < 0:
            place = remember(s, stores(s)[store].asked, key)
        entries(s)[place].value = new
    own.flight = new
    own.degraded = False


@handler
def wait_for_flight(s: State, task: int, flight: int) -> None:
    """Stand behind those who wait for it."""
    row = flights(s)[flight]
    row.last = note_task(s, row.last, task)
    if row.first < 0:
        row.first = row.last
    tasks(s)[task].held += 1


@handler
def land(s: State, task: int, outcome: int) -> None:
    """The look of a task is over: who still waits is woken, in the order in which they came. -1: it found nothing."""
    own = tasks(s)[task]
    number = own.flight
    flight = flights(s)[number]
    own.flight = flight.next
    if flight.listed:
        entries(s)[find(s, stores(s)[flight.store].asked, flight.key)].value = NOBODY
    note = flight.first
    while note >= 0:
        waiting = notes(s)[note].task
        other = tasks(s)[waiting]
        if other.life == ALIVE:
            other.ticket += 1
            other.outcome = outcome
            other.degraded = other.degraded or own.degraded
        put_ready(s, waiting)  # held while it waited: its turn takes that over
        following = notes(s)[note].next
        give_back_note(s, note)
        note = following
    give_back_flight(s, number)


@handler
def crash_flights(s: State, task: int) -> None:
    """A task is killed in the midst of its looks: one of those who wait takes over, the innermost first."""
    while tasks(s)[task].flight >= 0:
        land(s, task, NONE)
