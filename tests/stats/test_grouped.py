"""Many means at once are what `mean_interval` gives one by one."""

from __future__ import annotations

import numpy as np

from sim.stats.bounds import NOT_NEGATIVE, UNBOUNDED
from sim.stats.grouped import grouped_intervals
from sim.stats.mean import mean_interval


def test_every_group_and_column_is_what_it_is_alone():
    random = np.random.default_rng(1)
    values, groups = random.normal(size=(40, 3)), np.repeat(np.arange(8), 5)
    values[3, 1], values[10:15, 2], values[7, 0], values[20:25, 0], values[25:29, 1] = (
        np.nan,
        5.0,
        np.inf,
        np.nan,
        np.nan,
    )
    order = random.permutation(40)
    values, groups = values[order], groups[order]
    values[:, 0] = np.abs(values[:, 0])
    bounds = [NOT_NEGATIVE, UNBOUNDED, UNBOUNDED]
    found = grouped_intervals(values, groups, bounds=bounds)
    for group in range(8):
        for column in range(3):
            alone = mean_interval(values[groups == group, column], bounds=bounds[column])
            np.testing.assert_allclose(
                [part[group, column] for part in found], [alone.value, alone.low, alone.high, alone.n]
            )
