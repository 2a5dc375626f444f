"""Quantiles by rank: the smallest value that at least a share q of all values do not exceed.

No interpolation, but inside the bins of a summary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
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


class Ranked:
    """Values that are asked for by rank: put in order once for all that is asked.

    `counts` says how often each value occurs, where that is not once. With `widths` each value is the middle of a bin.
    """

    def __init__(self, values: ArrayLike, counts: Counts | None = None, widths: Widths | None = None) -> None:
        self._values = np.asarray(values, dtype=np.float64)
        self._counts, self._widths = counts, widths
        self.size = size_of(self._values, counts)

    def at(self, ranks: Sequence[int]) -> NDArray[np.float64]:
        """The values of these ranks, counted from 1."""
        places = [rank - 1 for rank in ranks]
        return np.asarray(self._sorted[places] if self._counts is None else self._lines[0][self._lines_of(places)])

    def within(self, ranks: Sequence[int]) -> NDArray[np.float64]:
        """The same, of values that lie evenly over their bins.

        Else the quantiles of replications would be equal where they fall into one bin, and an interval of them would be
        far too narrow.
        """
        if self._counts is None or self._widths is None:
            return self.at(ranks)
        places = [rank - 1 for rank in ranks]
        values, upto, order = self._lines
        found = values[self._lines_of(places)]
        # a bin may come more than once
        first, last = (np.searchsorted(values, found, side=side) for side in ("left", "right"))
        below = np.append(0, upto)[first]
        share = (np.array(places) + 0.5 - below) / (upto[last - 1] - below)
        width = np.array([self._widths[order[slice(*lines)]].max() for lines in zip(first, last, strict=True)])
        return np.asarray(found + (share - 0.5) * width)

    def quantile(self, q: float) -> float:
        """One quantile, one of the values; nan where there are none."""
        return float(self.at([rank(q, self.size)])[0]) if self.size else math.nan

    def quantiles(self, qs: Sequence[float]) -> list[float]:
        """Several of them, within their bins where there are such."""
        return self.within([rank(q, self.size) for q in qs]).tolist() if self.size else [math.nan] * len(qs)

    @cached_property
    def _sorted(self) -> NDArray[np.float64]:
        """In ascending order. numpy sorts all of them in half the time that it takes to part them at a few ranks."""
        return np.sort(self._values)

    @cached_property
    def _lines(self) -> tuple[NDArray[np.float64], Counts, NDArray[np.int64]]:
        """Values with counts in ascending order, how many there are up to each, and where each came from."""
        assert self._counts is not None
        order = np.argsort(self._values)
        return self._values[order], np.cumsum(self._counts[order]), order

    def _lines_of(self, places: Sequence[int]) -> NDArray[np.int64]:
        return np.searchsorted(self._lines[1], places, side="right")


def at_ranks(
    values: ArrayLike, ranks: Sequence[int], counts: Counts | None = None, widths: Widths | None = None
) -> NDArray[np.float64]:
    """The values of these ranks, counted from 1; `counts` and `widths` as in `Ranked`."""
    return Ranked(values, counts, widths).within(ranks)


def quantile(values: ArrayLike, q: float, counts: Counts | None = None) -> float:
    """One quantile; nan where there are no values."""
    return Ranked(values, counts).quantile(q)


def quantiles(
    values: ArrayLike, qs: Sequence[float], counts: Counts | None = None, widths: Widths | None = None
) -> list[float]:
    """Several quantiles of the same values; `counts` and `widths` as in `Ranked`."""
    return Ranked(values, counts, widths).quantiles(qs)


def size_of(values: NDArray[np.float64], counts: Counts | None) -> int:
    """How many values there are."""
    return values.size if counts is None else int(counts.sum())


@dataclass(frozen=True)
class Durations:
    """Durations of which some have not ended yet: those have an age.

    `counts` and `widths` as in `Ranked`, of either kind.
    """

    finished: NDArray[np.float64]
    ages: NDArray[np.float64]
    counts: Counts | None = None
    counts_of_unfinished: Counts | None = None
    widths: Widths | None = None
    widths_of_unfinished: Widths | None = None

    @cached_property
    def ranked(self) -> Ranked:
        """All of them, where what has not ended takes for ever."""
        return self._with(np.full(self.ages.size, np.inf))

    @cached_property
    def at_least(self) -> Ranked:
        """All of them, where what has not ended ends now."""
        return self._with(self.ages)

    def _with(self, rest: NDArray[np.float64]) -> Ranked:
        if not rest.size:
            return Ranked(self.finished, self.counts, self.widths)
        counts = (
            None
            if self.counts is None or self.counts_of_unfinished is None
            else np.concatenate([self.counts, self.counts_of_unfinished])
        )
        widths = (
            None
            if self.widths is None or self.widths_of_unfinished is None
            else np.concatenate([self.widths, self.widths_of_unfinished])
        )
        return Ranked(np.concatenate([self.finished, rest]), counts, widths)

    def quantiles(self, qs: Sequence[float]) -> list[Censored]:
        """Quantiles where unfinished durations stand behind all finished ones.

        A quantile among the finished is exact or errs upwards, never downwards, and is not marked. One that falls on an
        unfinished duration could be anything above its lower bound: the quantile with every unfinished one at its
        present age. That bound is returned, as censored. Whatever the unfinished turn out to be, the quantile of all is
        not below it.
        """
        done, total = size_of(self.finished, self.counts), self.ranked.size
        if not total:
            return [Censored(math.nan, False)] * len(qs)
        known = [rank(q, total) <= done for q in qs]
        exact = self.ranked.quantiles(qs) if any(known) else [math.nan] * len(qs)
        bound = self.at_least.quantiles(qs) if not all(known) else exact
        return [
            Censored(value, False) if is_known else Censored(least, True)
            for is_known, value, least in zip(known, exact, bound, strict=True)
        ]

    def mean(self, *, endless: bool, tolerated: float = 0.01) -> Censored:
        """The mean with unfinished durations at their present age.

        It is marked as a lower bound where one of them is known to be `endless`, or where more than a `tolerated` share
        is unfinished: a few that merely began late say nothing, and would mark every mean of every run.
        """
        unfinished = size_of(self.ages, self.counts_of_unfinished)
        total = size_of(self.finished, self.counts) + unfinished
        if not total:
            return Censored(math.nan, False)
        value = (sum_of(self.finished, self.counts) + sum_of(self.ages, self.counts_of_unfinished)) / total
        return Censored(value, bool(unfinished) and (endless or unfinished > tolerated * total))


def sum_of(values: NDArray[np.float64], counts: Counts | None) -> float:
    """The sum of all values."""
    return float(values.sum() if counts is None else (values * counts).sum())


def as_floats(values: ArrayLike) -> NDArray[np.float64]:
    """A flat array of floats."""
    return np.asarray(values, dtype=np.float64).ravel()
