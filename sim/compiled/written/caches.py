"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

A look into a cache.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.base import handler, whole
from sim.compiled.caches import find_entry, heard, joins, key_of, load, store_of
from sim.compiled.flights import flight_of, wait_for_flight
from sim.compiled.places import leave
from sim.compiled.rows.caches import caches, looks
from sim.compiled.rows.hosts import hosts
from sim.compiled.rows.programs import look_ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State

NEXT = whole(1)


@handler
def look_into_cache(s: State, own: int, op: int) -> int:
    """JUMP with what is in it, or with what another has found meanwhile; FAIL with a refusal; NEXT: go and find out."""
    own_row = tasks(s)[own]
    op_row = look_ops(s)[op]
    pc = own_row.phase
    to = -1
    if pc == 1:
        if own_row.outcome >= 0:
            own_row.phase = 0
            return heard(s, own, op_row.look, own_row.outcome)
        else:
            to = 2
    if pc == 0:
        to = 2
    if to == 2:
        found = find_entry(s, own, op_row.look)
        if found != NEXT:
            own_row.phase = 0
            return found
        else:
            flight = flight_of(s, store_of(s, own, op_row.look), key_of(s, own, op_row.look))
            if flight < 0 or not looks(s)[op_row.look].coalesce:
                caches(s)[looks(s)[op_row.look].cache].misses += 1
                load(s, own, op_row.look)
                own_row.phase = 0
                return NEXT
            else:
                joins(s, own, op_row.look)
                if hosts(s)[op_row.host].event_loop and own_row.granted:
                    leave(s, op_row.host, own)
                wait_for_flight(s, own, flight)
                own_row.phase = 1
                return PARK
    return PARK
