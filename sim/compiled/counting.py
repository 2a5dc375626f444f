"""How many times something is done, drawn as `spec/counting.py` says."""

from __future__ import annotations

from sim.chance.keyed import uniform
from sim.compiled.base import handler
from sim.compiled.rows.composed import repetitions, tails
from sim.compiled.rows.hosts import draws
from sim.compiled.rows.state import State


@handler
def times(s: State, repetition: int, entity: int, attempt: int) -> int:
    """One for each chance to do it so often that is above the draw."""
    row = repetitions(s)[repetition]
    drawn = uniform(draws(s)[row.draw].key, entity, attempt)
    low, high = 0, row.count
    while low < high:
        middle = (low + high) // 2
        if tails(s)[row.first + middle] > drawn:
            low = middle + 1
        else:
            high = middle
    return low
