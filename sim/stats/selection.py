"""The best of k systems with a guarantee: Kim and Nelson 2001. Larger is better, and values of one replication may hang
together (common luck).

Wherever the best is better than every other by at least `indifference`, it is the one selected with probability
`confidence` or more, of values that are about normal, as means and percentiles of whole replications are. Where some
are closer than that, one of the close ones may be selected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from sim.stats.quantile import as_floats

FIRST = 10  # values of each system before any is dropped


class Race:
    """Systems that are dropped as soon as they cannot be the best any more; those that stand need further values."""

    def __init__(self, first: Mapping[str, ArrayLike], indifference: float, confidence: float = 0.95) -> None:
        values = {name: as_floats(its) for name, its in first.items()}
        self._names = list(values)
        self._indifference = indifference
        self.n = next(iter(values.values())).size
        table = np.array(list(values.values()))
        self._sums = table.sum(axis=1)
        gaps = table[:, None, :] - table[None, :, :]
        # h^2 S^2 / delta
        self._reach = h_squared(len(values), self.n, confidence) * gaps.var(axis=2, ddof=1) / indifference
        self._standing = np.ones(len(values), dtype=bool)
        self._drop()

    @property
    def standing(self) -> tuple[str, ...]:
        """Those that may still be the best."""
        return tuple(name for name, stands in zip(self._names, self._standing, strict=True) if stands)

    @property
    def leader(self) -> str:
        """The best so far; the selected one as soon as it stands alone. Of equals the first."""
        return self._names[int(np.argmax(np.where(self._standing, self._sums, -math.inf)))]

    @property
    def most(self) -> int:
        """After how many values of each the race is over at the latest."""
        alive = np.ix_(self._standing, self._standing)
        return max(self.n, math.floor(float(self._reach[alive].max()) / self._indifference) + 1)

    def add(self, values: Mapping[str, float]) -> None:
        """One more value of every system that stands."""
        for index, name in enumerate(self._names):
            if self._standing[index]:
                self._sums[index] += values[name]
        self.n += 1
        self._drop()

    def _drop(self) -> None:
        """Drop whoever is behind another by more than chance could explain; of two that stay equal to the end, the
        later.
        """
        index = np.flatnonzero(self._standing)
        means = self._sums[index] / self.n
        allowed = np.maximum(0.0, (self._reach[np.ix_(index, index)] - self._indifference * self.n) / (2.0 * self.n))
        behind = means[None, :] - means[:, None]
        later = (behind == 0) & (index[:, None] > index[None, :]) & (allowed == 0)
        self._standing[index[((behind > allowed) | later).any(axis=1)]] = False


def h_squared(k: int, first: int, confidence: float) -> float:
    """2 c eta (n0 - 1) with c = 1."""
    if k < 2:
        return 0.0
    eta = 0.5 * (math.pow(2.0 * (1.0 - confidence) / (k - 1), -2.0 / (first - 1)) - 1.0)
    return 2.0 * eta * (first - 1)
