"""The means of many groups at once, each with its t interval: what `mean_interval` gives for one, for the tables of a
sweep.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.stats.bounds import UNBOUNDED, Bounds, within_each
from sim.stats.mean import mean_interval
from sim.stats.student import t_quantile

Floats = NDArray[np.float64]


def grouped_intervals(
    values: Floats, groups: NDArray[np.int64], confidence: float = 0.95, bounds: Sequence[Bounds] = ()
) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Value, low, high and n, one row per group 0, 1, ... and one column per column of `values`; nan is left out, as
    one replication without a value.

    `bounds` are those of the columns; none where they are left out.
    """
    count = int(groups.max()) + 1 if groups.size else 0
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(count))
    rows = values[order]
    known = ~np.isnan(rows)
    n = np.add.reduceat(known, starts, axis=0, dtype=np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.add.reduceat(np.where(known, rows, 0.0), starts, axis=0) / n
        gaps = np.where(known, rows - value[groups[order]], 0.0)
        spread = np.sqrt(np.add.reduceat(gaps**2, starts, axis=0) / (n - 1) / n)
    lowest = np.minimum.reduceat(np.where(known, rows, np.inf), starts, axis=0)
    highest = np.maximum.reduceat(np.where(known, rows, -np.inf), starts, axis=0)
    spread[lowest == highest] = 0.0
    sizes = [int(size) for size in np.unique(n)]
    quantiles = {size: t_quantile(0.5 + confidence / 2, size - 1) if size > 1 else math.nan for size in sizes}
    half = spread * np.vectorize(quantiles.__getitem__, otypes=[float])(n) if n.size else spread
    half[n < 2] = math.nan
    low, high = value - half, value + half
    for column, its in enumerate(bounds):
        if its != UNBOUNDED:
            low[:, column], high[:, column] = within_each(value[:, column], half[:, column], its)
    for group, column in zip(*np.nonzero(np.isinf(lowest) & (n > 0) | np.isinf(highest) & (n > 0)), strict=True):
        figure = mean_interval(rows[groups[order] == group, column], confidence)
        value[group, column], low[group, column], high[group, column] = figure.value, figure.low, figure.high
    return value, low, high, n
