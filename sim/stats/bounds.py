"""What a figure can be at all, and limits of its mean that stay within: shares in [0, 1], times, rates and counts from
0 on.

The limits are those of Wilson's score interval with a dispersion that is estimated: the values m are believed for which

    |mean - m| <= h sqrt(V(m) / V(mean)),    V(m) = m of what begins at 0,  m (1 - m) of a share

h being the half-width of Student's t. A replication's variance is taken to change with the mean as that of a count or
of a share of requests does (quasi-Poisson, quasi-binomial), its size to be what was found. Wilson 1927; with an
effective sample size, for values that hang together: Dean and Pagano 2015. Well inside they are mean -+ h, shifted by
h^2 / 2 mean. Near a bound they are lopsided, never reach it, and cover skewed values more often than Student's t does.
Where all values are equal there is no width: nothing is said of what never occurred.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Bounds(NamedTuple):
    """The least and the largest value a figure can have."""

    low: float = -math.inf
    high: float = math.inf


TINY = 1e-150  # whose square is still a number

UNBOUNDED = Bounds()
NOT_NEGATIVE = Bounds(0.0)
SHARE = Bounds(0.0, 1.0)


def within(value: float, half: float, bounds: Bounds) -> tuple[float, float]:
    """The limits of a mean with this half-width of Student's t."""
    low, high = within_each(np.array([value], dtype=float), np.array([half], dtype=float), bounds)
    return float(low[0]), float(high[0])


def within_each(values: Floats, half: Floats, bounds: Bounds) -> tuple[Floats, Floats]:
    """The same of many means at once.

    A mean that lies beyond the bounds is not what they are made for, and keeps Student's limits.
    """
    with np.errstate(invalid="ignore"):  # what is infinite has no limits
        low, high = values - half, values + half
        gap, room = values - bounds.low, bounds.high - values
    fits = (np.minimum(gap, room) > TINY) & (half > 0) & np.isfinite(half) & math.isfinite(bounds.low)
    gap, room, half = gap[fits], room[fits], half[fits]
    q = half**2 / gap  # of the rate at which the variance grows
    size = np.ones_like(gap)
    if math.isfinite(bounds.high):
        span = bounds.high - bounds.low
        q, size = q * span / room, 1.0 + q / room
    reach = np.hypot(half, q / 2)
    upper = (gap + q / 2 + reach) / size
    lower = gap**2 / (size * upper)  # the product of the two roots: nothing cancels
    low[fits] = np.minimum(bounds.low + lower, values[fits])
    high[fits] = np.maximum(bounds.low + upper, values[fits])
    inside = (values >= bounds.low) & (values <= bounds.high)
    return np.where(inside, np.maximum(low, bounds.low), low), np.where(inside, np.minimum(high, bounds.high), high)


def clipped(low: float, high: float, bounds: Bounds) -> tuple[float, float]:
    """Limits cut at the bounds, beyond which the truth cannot be: they hold it as often as before."""
    return min(max(low, bounds.low), bounds.high), max(min(high, bounds.high), bounds.low)
