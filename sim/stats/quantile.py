"""Quantiles by rank: the smallest value that at least a share q of all values do not exceed. No interpolation, but inside the bins of a summary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Counts = NDArray[np.int64]
Widths = NDArray[np.float64]


class Censored(NamedTuple):
    """A figure, and whether it is only a lower bound."""

    value: float
    censored: bool


def rank(q: float, n: int) -> int:
    """Which of n ordered values the quantile is, counted from 1. Guards `0.07 * 100 = 7.000000000000001`."""
    return min(n, max(1, math.ceil(q * n - 1e-9)))


def at_ranks(values: ArrayLike, ranks: Sequence[int], counts: Counts | None = None, widths: Widths | None = None) -> NDArray[np.float64]:
    """The values of these ranks, counted from 1; `counts` says how often each value occurs, where that is not once.

    With `widths` each value is the middle of a bin, and those in it are taken to lie evenly over it. Else the quantiles of replications would be equal
    where they fall into one bin, and an interval of them would be far too narrow.
    """
    array = np.asarray(values, dtype=np.float64)
    places = [rank - 1 for rank in ranks]
    if counts is None:
        return np.asarray(np.partition(array, sorted(set(places)))[places])
    order = np.argsort(array, kind="stable")
    array, upto = array[order], np.cumsum(counts[order])
    found = np.searchsorted(upto, places, side="right")
    if widths is None:
        return np.asarray(array[found])
    first, last = (np.searchsorted(array, array[found], side=side) for side in ("left", "right"))  # a bin may come more than once
    below = np.append(0, upto)[first]
    share = (np.array(places) + 0.5 - below) / (upto[last - 1] - below)
    return np.asarray(array[found] + (share - 0.5) * widths[order][found])


def quantile(values: ArrayLike, q: float, counts: Counts | None = None) -> float:
    """One quantile; nan where there are no values."""
    return quantiles(values, (q,), counts)[0]


def quantiles(values: ArrayLike, qs: Sequence[float], counts: Counts | None = None, widths: Widths | None = None) -> list[float]:
    """Several quantiles of the same values, in one pass; `counts` and `widths` as in `at_ranks`."""
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        return [math.nan] * len(qs)
    return [float(value) for value in at_ranks(array, [rank(q, size_of(array, counts)) for q in qs], counts, widths)]


def size_of(values: NDArray[np.float64], counts: Counts | None) -> int:
    """How many values there are."""
    return values.size if counts is None else int(counts.sum())


def censored_quantile(values: ArrayLike, ages_of_unfinished: ArrayLike, q: float) -> Censored:
    """One quantile of durations of which some have not ended yet: see `censored_quantiles`."""
    return censored_quantiles(values, ages_of_unfinished, (q,))[0]


def censored_quantiles(
    values: ArrayLike,
    ages_of_unfinished: ArrayLike,
    qs: Sequence[float],
    counts: Counts | None = None,
    counts_of_unfinished: Counts | None = None,
    widths: Widths | None = None,
    widths_of_unfinished: Widths | None = None,
) -> list[Censored]:
    """Quantiles where unfinished durations stand behind all finished ones.

    A quantile among the finished is exact or errs upwards, never downwards, and is not marked. One that falls on an unfinished duration could
    be anything above its lower bound: the quantile with every unfinished one at its present age. That bound is returned, as censored.
    Whatever the unfinished turn out to be, the quantile of all is not below it. `counts` and `widths` as in `at_ranks`.
    """
    finished, ages = np.asarray(values, dtype=np.float64), np.asarray(ages_of_unfinished, dtype=np.float64)
    done = size_of(finished, counts)
    total = done + size_of(ages, counts_of_unfinished)
    if not total:
        return [Censored(math.nan, False)] * len(qs)
    both = None if counts is None or counts_of_unfinished is None else np.concatenate([counts, counts_of_unfinished])
    wide = None if widths is None or widths_of_unfinished is None else np.concatenate([widths, widths_of_unfinished])
    known = [rank(q, total) <= done for q in qs]
    exact = quantiles(np.concatenate([finished, np.full(ages.size, np.inf)]), qs, both, wide) if any(known) else [math.nan] * len(qs)
    bound = quantiles(np.concatenate([finished, ages]), qs, both, wide) if not all(known) else exact
    return [Censored(value, False) if is_known else Censored(least, True) for is_known, value, least in zip(known, exact, bound, strict=True)]


def censored_mean(
    values: ArrayLike,
    ages_of_unfinished: ArrayLike,
    *,
    endless: bool,
    tolerated: float = 0.01,
    counts: Counts | None = None,
    counts_of_unfinished: Counts | None = None,
) -> Censored:
    """The mean with unfinished durations at their present age.

    It is marked as a lower bound where one of them is known to be `endless`, or where more than a `tolerated` share is unfinished: a few that
    merely began late say nothing, and would mark every mean of every run.
    """
    finished, ages = np.asarray(values, dtype=np.float64), np.asarray(ages_of_unfinished, dtype=np.float64)
    unfinished = size_of(ages, counts_of_unfinished)
    total = size_of(finished, counts) + unfinished
    if not total:
        return Censored(math.nan, False)
    value = (sum_of(finished, counts) + sum_of(ages, counts_of_unfinished)) / total
    return Censored(value, bool(unfinished) and (endless or unfinished > tolerated * total))


def sum_of(values: NDArray[np.float64], counts: Counts | None) -> float:
    """The sum of all values."""
    return float(values.sum() if counts is None else (values * counts).sum())


def as_floats(values: ArrayLike) -> NDArray[np.float64]:
    """A flat array of floats."""
    return np.asarray(values, dtype=np.float64).ravel()
