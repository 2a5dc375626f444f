"""The bulkhead: at most so many calls at once (resilience4j's SemaphoreBulkhead, semantics.md 3.2).

Not here: the queue of those who wait up to `max_wait`, which is the engine's: it asks `enter` again when someone
leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.policies.base import dtype_of, policy
from sim.spec.policy import Bulkhead


@dataclass(slots=True)
class BulkheadRow:
    """One bulkhead."""

    inside: int = 0
    limit: int = 1
    max_wait: float = 0.0  # seconds; for the engine


BULKHEAD = dtype_of(BulkheadRow)


def new_bulkhead(spec: Bulkhead) -> BulkheadRow:
    """An empty bulkhead."""
    return BulkheadRow(limit=spec.max_concurrent_calls, max_wait=spec.max_wait)


@policy
def enter(row: BulkheadRow) -> int:
    """1: a place was free and is taken. 0: full."""
    if row.inside < row.limit:
        row.inside += 1
        return 1
    return 0


@policy
def leave(row: BulkheadRow) -> None:
    """Free the place taken by `enter`."""
    row.inside -= 1
