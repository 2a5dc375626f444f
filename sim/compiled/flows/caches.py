"""A look into a cache, as in `sim/models/cache.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import NEXT
from sim.compiled.caches import find_entry, heard, joins, key_of, load, store_of
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow, perhaps
from sim.compiled.flights import flight_of, wait_for_flight
from sim.compiled.places import leave
from sim.compiled.rows.state import State

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Flight, LookOp, Task


@flow
def look_into_cache(s: State, own: Task, op: LookOp) -> Waits[int]:
    """JUMP with what is in it, or with what another has found meanwhile; FAIL with a refusal; NEXT: go and find out."""
    while True:
        found = find_entry(s, own, op.look)
        if found != NEXT:
            return found
        flight = perhaps(Flight, flight_of(s, store_of(s, own, op.look), key_of(s, own, op.look)))
        if flight is None or not op.look.coalesce:
            op.look.cache.misses += 1
            load(s, own, op.look)
            return NEXT
        joins(s, own, op.look)
        if op.host.event_loop and own.granted:
            leave(s, op.host, own)
        wait_for_flight(s, own, flight)
        yield
        if own.outcome >= 0:
            return heard(s, own, op.look, own.outcome)


def modules() -> Iterable[Module]:
    """What is written of it."""
    yield Module("caches", "A look into a cache.", [Step(look_into_cache, "look_into_cache")])
