"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

What the layers of calls have to show.
"""

from __future__ import annotations

from sim.compiled.base import handler
from sim.compiled.flows.layers.breaker import share_open
from sim.compiled.flows.layers.bulkhead import in_line, passed, places, places_taken, turned_away
from sim.compiled.flows.layers.rate_limit import refusals, turns_taken, waiting_for_turn
from sim.compiled.rows.state import State


@handler
def read_layers(s: State, what: int, first: int, count: int) -> float:
    """The level or total of one series now."""
    if what == 0:
        return share_open(s, first, count)
    if what == 1:
        return turns_taken(s, first, count)
    if what == 2:
        return refusals(s, first, count)
    if what == 3:
        return waiting_for_turn(s, first, count)
    if what == 4:
        return places_taken(s, first, count)
    if what == 5:
        return places(s, first, count)
    if what == 6:
        return in_line(s, first, count)
    if what == 7:
        return passed(s, first, count)
    if what == 8:
        return turned_away(s, first, count)
    return 0.0
