"""The studentised bootstrap of a mean: where few, skewed values make Student's t doubtful. Efron and Tibshirani 1993,
chapter 12.

What is *not* here: any chance. How often each value stands in each resample is handed in, the same for all figures of
one experiment.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Resamples = Callable[[int], NDArray[np.float64]]
"""For n values: a row for each resample, which says how often each of the n stands in it."""

LEAST = 5  # values; of fewer too many resamples repeat a single one


class Bootstrapped(NamedTuple):
    """Limits of the mean, and the two-sided p-value of its being zero."""

    low: float
    high: float
    p_value: float


def bootstrap(values: NDArray[np.float64], resamples: Resamples, confidence: float = 0.95) -> Bootstrapped | None:
    """The bootstrap-t interval of finite values.

    Each resample gives a t of its own; those take the place of Student's table. None where too many resamples consist
    of one value again and again (few values, or nearly all of them equal): then nothing can be learnt in this way.
    """
    n = values.size
    if n < LEAST or np.ptp(values) == 0:
        return None
    mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n)
    studentised = _studentised((values - mean) / error, resamples(n))
    tail = (1.0 - confidence) / 2
    if np.isinf(studentised).mean() > tail / 2:
        return None
    below, above = np.quantile(studentised, [tail, 1.0 - tail], method="inverted_cdf")
    found = mean / error
    more, less = (1 + int((studentised >= found).sum()), 1 + int((studentised <= found).sum()))
    p_value = min(1.0, 2.0 * min(more, less) / (studentised.size + 1))
    return Bootstrapped(mean - float(above) * error, mean - float(below) * error, p_value)


def _studentised(gaps: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The t of each resample about the mean of all; infinite where a resample has no spread of its own."""
    n = gaps.size
    means = counts @ gaps / n
    variances = (counts @ gaps**2 / n - means**2) * n / (n - 1)
    spread = np.sqrt(np.where(variances > 1e-9 * n, variances, 0.0))  # gaps are in standard errors, whose variance is n
    with np.errstate(divide="ignore", invalid="ignore"):
        found = means / spread * math.sqrt(n)
    return np.where(np.isnan(found), math.inf, found)
