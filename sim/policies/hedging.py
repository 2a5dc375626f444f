"""When the same is asked once more: after a fixed time, or a percentile of the latest answers (Hedge).

Dean and Barroso, "The Tail at Scale"; Finagle's BackupRequestFilter, which wants some answers before there is a
percentile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.base import Ring, dtype_of, policy
from sim.policies.retry import RetryRow, new_retry
from sim.spec.policy import Hedge, Retry

WINDOW = 1000  # answers whose times are remembered for a percentile
LEAST = 100  # of them, before there is one
UNKNOWN = -1.0  # in the place of a time: too few answers are known


@dataclass(slots=True)
class HedgeRow:
    """How long the latest answers took."""

    count: int = 0  # of answers remembered
    oldest: int = 0  # its place in the ring, once that is full
    after: float = 0.0  # s; the fixed time
    quantile: float = 0.0  # of the answers, in its place; 0: none


HEDGE = dtype_of(HedgeRow)


def new_hedge(spec: Hedge) -> tuple[HedgeRow, Ring]:
    """It has seen no answer. Ring: the latest answers as they came, s, and behind them the same in ascending order."""
    if spec.quantile is None:
        return HedgeRow(after=spec.delay or 0.0), []
    return HedgeRow(quantile=spec.quantile), [0.0] * (2 * WINDOW)


def new_rule(spec: Hedge) -> RetryRow:
    """By whose `retryable` an outcome is one that a further copy could mend."""
    return new_retry(Retry(max_attempts=1, on=spec.on))


@policy
def note(row: HedgeRow, ring: Ring, seconds: float) -> None:
    """One more answer; the oldest is forgotten where there are too many."""
    if row.quantile <= 0.0:
        return
    if row.count < WINDOW:
        ring[row.count] = seconds
        hole = row.count
        row.count += 1
    else:
        hole = place(row, ring, ring[row.oldest])
        ring[row.oldest] = seconds
        row.oldest = (row.oldest + 1) % WINDOW
    while hole > 0 and ring[WINDOW + hole - 1] > seconds:
        ring[WINDOW + hole] = ring[WINDOW + hole - 1]
        hole -= 1
    while hole < row.count - 1 and ring[WINDOW + hole + 1] < seconds:
        ring[WINDOW + hole] = ring[WINDOW + hole + 1]
        hole += 1
    ring[WINDOW + hole] = seconds


@policy
def place(row: HedgeRow, ring: Ring, seconds: float) -> int:
    """Where this time, or the first of several such, stands in the ascending order."""
    low = 0
    high = row.count
    while low < high:
        middle = (low + high) // 2
        if ring[WINDOW + middle] < seconds:
            low = middle + 1
        else:
            high = middle
    return low


@policy
def pause(row: HedgeRow, ring: Ring) -> float:
    """Seconds until the next copy; UNKNOWN: there will be none."""
    if row.quantile <= 0.0:
        return row.after
    if row.count < LEAST:
        return UNKNOWN
    return ring[WINDOW + min(row.count - 1, math.floor(row.quantile * row.count))]
