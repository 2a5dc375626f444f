"""The mean over replications, with its interval.

What is *not* here: intervals within one run, whose values are not independent.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sim.stats.bootstrap import Resamples, bootstrap
from sim.stats.bounds import UNBOUNDED, Bounds, clipped, within
from sim.stats.interval import Interval
from sim.stats.quantile import as_floats
from sim.stats.student import t_quantile


def mean_interval(
    values: ArrayLike,
    confidence: float = 0.95,
    *,
    censored: bool = False,
    resamples: Resamples | None = None,
    bounds: Bounds = UNBOUNDED,
    exact: bool = False,
) -> Interval:
    """The mean of independent values and its confidence limits by Student's t; with `resamples` by the bootstrap, where
    that can tell.

    Neither leaves the `bounds` of the figure (see `sim.stats.bounds`). A replication without a value (nan) is left out
    and `n` says how many remained. One infinite value makes the mean infinite and censored, without limits. `censored`
    hands on that a value was only a lower bound. `exact` says that nothing is random: a single value is its own
    interval.
    """
    known = as_floats(values)
    known = known[~np.isnan(known)]
    if not known.size:
        return Interval(math.nan, n=0, censored=censored)
    if np.isinf(known).any():
        return Interval(infinite_mean(known), n=known.size, censored=True)
    value = float(known.mean())
    if known.size == 1:
        return Interval(value, value, value, censored=censored) if exact else Interval(value, censored=censored)
    deviation = deviation_of(known)
    found = bootstrap(known, resamples, confidence) if resamples is not None else None
    if found is not None:
        low, high = clipped(found.low, found.high, bounds)
    else:
        low, high = within(value, half_width_of(deviation, known.size, confidence), bounds)
    return Interval(value, low, high, int(known.size), censored, deviation, float(known.min()), float(known.max()))


def half_width(values: np.ndarray, confidence: float) -> float:
    """Half the length of the t interval of at least two finite values; 0 where all are equal."""
    return half_width_of(deviation_of(values), values.size, confidence)


def half_width_of(deviation: float, n: int, confidence: float) -> float:
    """The same by the standard deviation of the values."""
    return t_quantile(0.5 + confidence / 2, n - 1) * deviation / math.sqrt(n)


def deviation_of(values: np.ndarray) -> float:
    """The standard deviation of at least two finite values, with n - 1; exactly 0 where all are equal."""
    return float(values.std(ddof=1)) if np.ptp(values) > 0 else 0.0


def infinite_mean(values: np.ndarray) -> float:
    """The mean of values of which some are infinite: their sign, or nan where both signs occur."""
    signs = set(np.sign(values[np.isinf(values)]))
    return math.copysign(math.inf, signs.pop()) if len(signs) == 1 else math.nan
