"""Intervals from one long run: batch means, given only where successive pieces of the run are seen to be independent.

The pieces are checked one by one and the interval is taken from a few batches of several pieces each: what is hardly
related between neighbouring pieces is not related between whole batches of them. A run that is too short to pass has no
interval, rather than a wrong one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.stats.bounds import UNBOUNDED, Bounds, within
from sim.stats.interval import Interval
from sim.stats.mean import half_width
from sim.stats.quantile import as_floats
from sim.stats.student import t_quantile

PIECES = 60  # equal parts of a run, tested for independence
BATCHES = 10  # of six pieces each, from which the interval is made


def batch_interval(value: float, pieces: ArrayLike, confidence: float = 0.95, bounds: Bounds = UNBOUNDED) -> Interval:
    """The interval of a mean known piece by piece, within the bounds of the figure; no limits where a piece is missing
    or the pieces hang together.
    """
    parts = as_floats(pieces)
    if not math.isfinite(value) or not independent(parts):
        return Interval(value)
    return Interval(value, *within(value, half_width(batched(parts), confidence), bounds))


def independent(pieces: ArrayLike) -> bool:
    """Whether the lag-1 autocorrelation is within 2 / sqrt(k) of 0 (von Neumann).

    A missing piece proves nothing; equal ones are no worry.
    """
    parts = as_floats(pieces)
    if parts.size < 2 * BATCHES or not np.isfinite(parts).all():
        return False
    return abs(lag_one(parts)) < 2.0 / math.sqrt(parts.size)


def lag_one(values: ArrayLike) -> float:
    """The correlation of each value with the next; 0 where all are equal."""
    series = as_floats(values)
    gaps = series - series.mean()
    total = float((gaps * gaps).sum())
    return float((gaps[1:] * gaps[:-1]).sum()) / total if np.ptp(series) > 0 and total > 0 else 0.0


def batched(pieces: NDArray[np.float64]) -> NDArray[np.float64]:
    """The means of the batches; pieces that do not fill one stand at the beginning, where the run is least settled, and
    are left out.
    """
    return np.asarray(pieces[pieces.size % BATCHES :].reshape(BATCHES, -1).mean(axis=1))


def effective_size(shares: ArrayLike, share: float, n: int, confidence: float = 0.95) -> float:
    """How many independent values tell a share as well as these n do; nan where the pieces do not allow to say.

    `shares` is the share piece by piece. Its spread is itself estimated from few batches, which costs: the size is
    smaller by (z / t) squared.
    """
    parts = as_floats(shares)
    if not 0.0 < share < 1.0 or not independent(parts):
        return math.nan
    variance = float(batched(parts).var(ddof=1)) / BATCHES
    if variance == 0.0:
        return float(n)
    price = t_quantile(0.5 + confidence / 2, math.inf) / t_quantile(0.5 + confidence / 2, BATCHES - 1)
    return min(float(n), share * (1.0 - share) / variance) * price**2
