"""Quantiles by rank: the smallest value that at least a share q of all values do not exceed. No interpolation, no bias by binning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Censored(NamedTuple):
    """A figure, and whether it is only a lower bound."""

    value: float
    censored: bool


def rank(q: float, n: int) -> int:
    """Which of n ordered values the quantile is, counted from 1. Guards `0.07 * 100 = 7.000000000000001`."""
    return min(n, max(1, math.ceil(q * n - 1e-9)))


def quantile(values: ArrayLike, q: float) -> float:
    """One quantile; nan where there are no values."""
    return quantiles(values, (q,))[0]


def quantiles(values: ArrayLike, qs: Sequence[float]) -> list[float]:
    """Several quantiles of the same values, in one pass."""
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        return [math.nan] * len(qs)
    places = [rank(q, array.size) - 1 for q in qs]
    ordered = np.partition(array, sorted(set(places)))
    return [float(ordered[place]) for place in places]


def censored_quantile(values: ArrayLike, ages_of_unfinished: ArrayLike, q: float) -> Censored:
    """One quantile of durations of which some have not ended yet: see `censored_quantiles`."""
    return censored_quantiles(values, ages_of_unfinished, (q,))[0]


def censored_quantiles(values: ArrayLike, ages_of_unfinished: ArrayLike, qs: Sequence[float]) -> list[Censored]:
    """Quantiles where unfinished durations stand behind all finished ones.

    A quantile among the finished is exact or errs upwards, never downwards, and is not marked. One that falls on an unfinished duration could
    be anything above its lower bound: the quantile with every unfinished one at its present age. That bound is returned, as censored.
    Whatever the unfinished turn out to be, the quantile of all is not below it.
    """
    finished, ages = np.asarray(values, dtype=np.float64), np.asarray(ages_of_unfinished, dtype=np.float64)
    total = finished.size + ages.size
    if not total:
        return [Censored(math.nan, False)] * len(qs)
    known = [rank(q, total) <= finished.size for q in qs]
    exact = quantiles(np.concatenate([finished, np.full(ages.size, np.inf)]), qs) if any(known) else [math.nan] * len(qs)
    bound = quantiles(np.concatenate([finished, ages]), qs) if not all(known) else exact
    return [Censored(value, False) if is_known else Censored(least, True) for is_known, value, least in zip(known, exact, bound, strict=True)]


def censored_mean(values: ArrayLike, ages_of_unfinished: ArrayLike, *, endless: bool, tolerated: float = 0.01) -> Censored:
    """The mean with unfinished durations at their present age.

    It is marked as a lower bound where one of them is known to be `endless`, or where more than a `tolerated` share is unfinished: a few that
    merely began late say nothing, and would mark every mean of every run.
    """
    finished, ages = np.asarray(values, dtype=np.float64), np.asarray(ages_of_unfinished, dtype=np.float64)
    total = finished.size + ages.size
    if not total:
        return Censored(math.nan, False)
    value = (float(finished.sum()) + float(ages.sum())) / total
    return Censored(value, bool(ages.size) and (endless or ages.size > tolerated * total))


def as_floats(values: ArrayLike) -> NDArray[np.float64]:
    """A flat array of floats."""
    return np.asarray(values, dtype=np.float64).ravel()
