"""Controlled delay, as folly drops from a queue of requests (folly/executors/Codel.{h,cpp}; semantics.md 3.6).

At the first request after the end of an interval: overloaded is whether the least wait of the interval was above the
target; a new interval begins, its least wait that of this request, which is never dropped. Any other is dropped where
the queue is overloaded and it has waited longer than twice the target. Both comparisons are strict.

RFC 8289 instead drops at intervals that shrink with the square root of the number of drops; folly says why it does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.policies.base import dtype_of, noise, passed, policy


@dataclass(slots=True)
class CodelRow:
    """One queue. Times in seconds."""

    target: float = 0.005
    interval: float = 0.1
    least: float = 0.0  # the least wait of this interval
    ends: float = 0.0  # the interval
    fresh: int = 1  # whether the next request begins an interval
    over: int = 0  # whether the last interval says that there is a standing queue


CODEL = dtype_of(CodelRow)


@policy
def overloaded(row: CodelRow, now: float, wait: float) -> bool:
    """Whether a request whose turn comes now, after this wait, is to be dropped."""
    if row.fresh == 0 and passed(now, row.ends):
        row.ends = now + row.interval
        row.over = 1 if row.least > row.target + noise(now) else 0
        row.fresh = 1
    if row.fresh == 1:
        row.fresh = 0
        row.least = wait
        return False
    row.least = min(row.least, wait)
    return row.over == 1 and wait > 2.0 * row.target + noise(now)
