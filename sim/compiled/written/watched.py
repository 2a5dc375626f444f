"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

What the layers of calls have to show.
"""

from __future__ import annotations

from sim.compiled.base import handler
from sim.compiled.flows.layers.breaker import share_open
from sim.compiled.flows.layers.bulkhead import in_line, passed, places, places_taken, turned_away
from sim.compiled.flows.layers.hedge import copies_sent, copies_won
from sim.compiled.flows.layers.pool import (
    connections_opened,
    connections_taken,
    connections_there,
    waiting_for_connections,
    without_connection,
)
from sim.compiled.flows.layers.rate_limit import refusals, turns_taken, waiting_for_turn
from sim.compiled.rows.state import State


@handler
def read_layers(s: State, what: int, first: int, count: int) -> float:
    """The level or total of one series now."""
    if what == 0:
        return copies_sent(s, first, count)
    if what == 1:
        return copies_won(s, first, count)
    if what == 2:
        return share_open(s, first, count)
    if what == 3:
        return turns_taken(s, first, count)
    if what == 4:
        return refusals(s, first, count)
    if what == 5:
        return waiting_for_turn(s, first, count)
    if what == 6:
        return places_taken(s, first, count)
    if what == 7:
        return places(s, first, count)
    if what == 8:
        return in_line(s, first, count)
    if what == 9:
        return passed(s, first, count)
    if what == 10:
        return turned_away(s, first, count)
    if what == 11:
        return connections_taken(s, first, count)
    if what == 12:
        return connections_there(s, first, count)
    if what == 13:
        return waiting_for_connections(s, first, count)
    if what == 14:
        return connections_opened(s, first, count)
    if what == 15:
        return without_connection(s, first, count)
    return 0.0
