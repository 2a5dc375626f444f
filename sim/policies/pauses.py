"""How waits grow from one to the next, and how they are spread: what retries and breakers have in common."""

from __future__ import annotations

import math

from sim.policies.base import MILLISECONDS, policy
from sim.policies.retry_row import EQUAL, FULL, SPREAD, RetryRow

MOST_MILLISECONDS = 9.0e18  # beyond which a long holds no more


@policy
def grown(row: RetryRow, first: float, k: int, enough: float) -> float:
    """`first` times the multiplier k - 1 times, or something above `enough`.

    Multiplied out: a power may differ between the engines in the last bit, and overflows to an error instead of
    infinity.
    """
    pause = first
    for _ in range(k - 1):
        pause *= row.multiplier
        if pause > enough and row.multiplier >= 1.0:
            break
    return pause


@policy
def spread_evenly(row: RetryRow, pause: float, u: float) -> float:
    """The jitters of `retry.py` that do not ask for the pause before; `u` is uniform in (0, 1)."""
    if row.jitter == FULL:
        return u * pause
    if row.jitter == EQUAL:
        return pause / 2.0 + u * (pause / 2.0)
    if row.jitter == SPREAD:
        return pause * (1.0 - row.spread + 2.0 * row.spread * u)
    return pause


# -- resilience4j's, in milliseconds -----------------------------------------------------------------------------------


@policy
def whole_milliseconds(seconds: float) -> float:
    """Duration.toMillis(), which cuts."""
    return 1.0 * math.floor(seconds * MILLISECONDS * (1.0 + 1e-12))


@policy
def grown_milliseconds(first: float, multiplier: float, number: int) -> float:
    """IntervalFunction.ofExponentialBackoff without its cap: the wait of that number, from 1 on, where the first is
    `first` seconds and the multiplier 1 at least. It is cut to whole milliseconds at each multiplication.
    """
    whole = whole_milliseconds(first)
    for _ in range(number - 1):
        more = 1.0 * math.floor(min(whole * multiplier, MOST_MILLISECONDS))
        if more == whole:  # so are all that follow
            break
        whole = more
    return whole


@policy
def capped_milliseconds(whole: float, longest: float) -> float:
    """Its cap, of so many seconds; infinite: none."""
    return whole if longest == math.inf else min(whole, whole_milliseconds(longest))


@policy
def randomized_milliseconds(whole: float, spread: float, u: float) -> float:
    """IntervalFunction.ofRandomized: evenly between (1 - f) and (1 + f) times the wait and 1 ms more, cut; 1 ms at
    least (IntervalFunctionCompanion.randomize).
    """
    delta = spread * whole
    low, high = whole - delta, whole + delta
    return 1.0 * math.floor(min(max(1.0, low + u * (high - low + 1.0)), MOST_MILLISECONDS))
