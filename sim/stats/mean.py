"""The mean over replications, with its t interval. What is *not* here: intervals within one run, whose values are not independent."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sim.stats.bootstrap import Resamples, bootstrap
from sim.stats.interval import Interval
from sim.stats.quantile import as_floats
from sim.stats.student import t_quantile


def mean_interval(values: ArrayLike, confidence: float = 0.95, *, censored: bool = False, resamples: Resamples | None = None) -> Interval:
    """The mean of independent values and its confidence limits by Student's t; with `resamples` by the bootstrap, where that can tell.

    A replication without a value (nan) is left out and `n` says how many remained. One infinite value makes the mean infinite and censored,
    without limits. `censored` hands on that a value was only a lower bound.
    """
    known = as_floats(values)
    known = known[~np.isnan(known)]
    if not known.size:
        return Interval(math.nan, n=0, censored=censored)
    if np.isinf(known).any():
        return Interval(infinite_mean(known), n=known.size, censored=True)
    value = float(known.mean())
    if known.size == 1:
        return Interval(value, censored=censored)
    found = bootstrap(known, resamples, confidence) if resamples is not None else None
    if found is not None:
        return Interval(value, found.low, found.high, int(known.size), censored)
    half = half_width(known, confidence)
    return Interval(value, value - half, value + half, int(known.size), censored)


def half_width(values: np.ndarray, confidence: float) -> float:
    """Half the length of the t interval of at least two finite values; 0 where all are equal."""
    if np.ptp(values) == 0:
        return 0.0
    n = values.size
    return t_quantile(0.5 + confidence / 2, n - 1) * float(values.std(ddof=1)) / math.sqrt(n)


def infinite_mean(values: np.ndarray) -> float:
    """The mean of values of which some are infinite: their sign, or nan where both signs occur."""
    signs = set(np.sign(values[np.isinf(values)]))
    return math.copysign(math.inf, signs.pop()) if len(signs) == 1 else math.nan
