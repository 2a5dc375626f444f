"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

What the layers of calls have to show.
"""

from __future__ import annotations

from sim.compiled.base import handler
from sim.compiled.flows.layers.breaker import share_open
from sim.compiled.flows.layers.bulkhead import in_line, places, places_taken
from sim.compiled.flows.layers.pool import connections_taken, connections_there
from sim.compiled.rows.calls import guard_of, guards
from sim.compiled.rows.state import State


@handler
def read_layers(s: State, what: int, first: int, count: int) -> float:
    """The level or total of one series now."""
    total = 0.0
    if what == 0:
        for place in range(first, first + count):
            total += guards(s)[guard_of(s)[place]].hedged
        return total
    if what == 1:
        for place in range(first, first + count):
            total += guards(s)[guard_of(s)[place]].hedges_won
        return total
    if what == 2:
        return share_open(s, first, count)
    if what == 3:
        for place in range(first, first + count):
            total += guards(s)[guard_of(s)[place]].limit_passed
        return total
    if what == 4:
        for place in range(first, first + count):
            total += guards(s)[guard_of(s)[place]].limit_turned_away
        return total
    if what == 5:
        for place in range(first, first + count):
            total += guards(s)[guard_of(s)[place]].limit_in_line
        return total
    if what == 6:
        return places_taken(s, first, count)
    if what == 7:
        return places(s, first, count)
    if what == 8:
        return in_line(s, first, count)
    if what == 9:
        for place in range(first, first + count):
            total += guards(s)[guard_of(s)[place]].passed
        return total
    if what == 10:
        for place in range(first, first + count):
            total += guards(s)[guard_of(s)[place]].turned_away
        return total
    if what == 11:
        return connections_taken(s, first, count)
    if what == 12:
        return connections_there(s, first, count)
    if what == 13:
        for place in range(first, first + count):
            total += guards(s)[guard_of(s)[place]].pool_waiting
        return total
    if what == 14:
        for place in range(first, first + count):
            total += guards(s)[guard_of(s)[place]].opened
        return total
    if what == 15:
        for place in range(first, first + count):
            total += guards(s)[guard_of(s)[place]].pool_turned_away
        return total
    return 0.0
