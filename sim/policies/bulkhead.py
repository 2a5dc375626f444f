"""The bulkhead: at most so many calls at once (resilience4j's SemaphoreBulkhead, semantics.md 3.2), or
threads with a queue (its FixedThreadPoolBulkhead: ThreadPoolExecutor.execute).

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
    extra: int = 0  # threads beyond `limit`, of a pool whose queue is full
    line: int = -1  # how many may wait for one; negative: it is no pool of threads


BULKHEAD = dtype_of(BulkheadRow)


def new_bulkhead(spec: Bulkhead) -> BulkheadRow:
    """An empty bulkhead."""
    if (pool := spec.thread_pool) is not None:
        core = pool.core_thread_pool_size
        return BulkheadRow(limit=core, extra=pool.most - core, line=pool.queue_capacity)
    return BulkheadRow(limit=spec.max_concurrent_calls, max_wait=spec.max_wait)


@policy
def enter(row: BulkheadRow) -> int:
    """1: a place was free and is taken. 0: full."""
    if row.inside < row.limit:
        row.inside += 1
        return 1
    return 0


@policy
def has_room(row: BulkheadRow, waiting: int) -> bool:
    """Whether one more may wait for a thread where so many do."""
    return waiting < row.line


@policy
def add_thread(row: BulkheadRow, waiting: int) -> int:
    """1: the queue of a pool is full, and there is one thread more. 0: not so."""
    if row.line >= 0 and waiting >= row.line and row.inside < row.limit + row.extra:
        row.inside += 1
        return 1
    return 0


@policy
def leave(row: BulkheadRow) -> None:
    """Free the place taken by `enter`."""
    row.inside -= 1
