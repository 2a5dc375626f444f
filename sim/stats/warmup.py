"""Where the warm-up of a steady run ends, found from its own series: MSER-5. What is *not* here: runs that never
settle, which need a start, not a cut.

White 1997, Spratt 1998: cut where what remains tells its own mean best, that is, where the squared standard error of
the rest is smallest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

BATCH = 5  # values made into one, against the noise of single ones
LEAST = 10  # batches below which nothing can be said


class Truncation(NamedTuple):
    """How many values to delete at the beginning, and whether the series is too short to know."""

    deleted: int
    too_short: bool


def mser5(series: ArrayLike) -> Truncation:
    """The cut of a series of at least 50 values; missing ones (nan) take the value before them, at the beginning the
    first there is.

    The cut is looked for in the first half. One found at its very end means that the series was still drifting: too
    short.
    """
    values = _filled(np.asarray(series, dtype=np.float64).ravel())
    batches = values[: values.size // BATCH * BATCH].reshape(-1, BATCH).mean(axis=1)
    if batches.size < LEAST:
        return Truncation(batches.size // 2 * BATCH, True)
    cut = int(np.argmin(_errors(batches)))
    return Truncation(cut * BATCH, cut == batches.size // 2)


def mean_series(series: ArrayLike) -> NDArray[np.float64]:
    """The mean over replications (rows), over those that have a value there: the one series that Welch would
    look at.
    """
    table = np.atleast_2d(np.asarray(series, dtype=np.float64))
    known = ~np.isnan(table)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, table, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _errors(batches: NDArray[np.float64]) -> NDArray[np.float64]:
    """g(d) = sum of squares about the mean of what remains after d, over the square of how many remain; for d up to the
    half.
    """
    scaled = batches - batches.mean()
    left = np.arange(batches.size, 0, -1)[: batches.size // 2 + 1]
    sums, squares = (np.cumsum(power[::-1])[::-1][: left.size] for power in (scaled, scaled**2))
    return np.asarray(np.maximum(squares - sums**2 / left, 0.0) / left**2)


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.flatnonzero(~np.isnan(values))
    if not known.size:
        return np.empty(0)
    last = np.searchsorted(known, np.arange(values.size), side="right") - 1
    return np.asarray(values[known[np.maximum(last, 0)]])
