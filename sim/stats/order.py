"""The interval of a quantile within one sample: two of its own values, chosen by rank.

No shape is assumed, and nothing is interpolated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.stats.interval import Interval
from sim.stats.quantile import Ranked, rank

Floats = NDArray[np.float64]


def quantile_intervals(
    sample: Ranked, qs: Sequence[float], confidence: float, effective: Sequence[float]
) -> list[Interval]:
    """Quantiles between two order statistics each, exact by the binomial law for independent values; the sample is put
    in order once for all of them.

    Values that hang together tell as much as fewer independent ones would: `effective` says how many (see
    `sim.stats.batches`), and the ranks are spread accordingly. Never treat the requests of one run as independent.
    There are no limits where one of them would lie beyond the sample: 1,000 values know nothing of an upper limit of
    the 99.9th percentile.
    """
    values = sample.at([rank(q, sample.size) for q in qs]).tolist() if sample.size else [math.nan] * len(qs)
    ranks = [
        _ranks(sample.size, q, confidence, size) if math.isfinite(value) else None
        for value, q, size in zip(values, qs, effective, strict=True)
    ]
    limits = iter(sample.at([place for pair in ranks if pair is not None for place in pair]).tolist())
    found = []
    for value, pair in zip(values, ranks, strict=True):
        low, high = (next(limits), next(limits)) if pair is not None else (math.nan, math.nan)
        found.append(Interval(value, low, high) if math.isfinite(low) and math.isfinite(high) else Interval(value))
    return found


def _ranks(n: int, q: float, confidence: float, effective: float) -> tuple[int, int] | None:
    """Those of the limits among n values; None where there are no limits."""
    size = min(effective, float(n))
    if not size >= 1.0:
        return None
    low, high = (share * n for share in _shares(q, math.floor(size), confidence))
    lower, upper = math.floor(low + 1e-9), math.ceil(high - 1e-9) + 1
    return (lower, upper) if lower >= 1 and upper <= n else None


def _shares(q: float, n: int, confidence: float) -> tuple[float, float]:
    """The shares of n independent values between which the number below the quantile lies; beyond 0 or 1 where n is too
    few.
    """
    tail = (1.0 - confidence) / 2
    counts, below = _binomial(n, q)
    low = counts[0] + np.searchsorted(below, tail, side="right")  # P(fewer than low) <= tail
    high = counts[0] + np.searchsorted(below, 1.0 - tail, side="left")  # P(more than high) <= tail
    return (float(low / n) if low > 0 else -1.0), (float(high / n) if high < n else 2.0)


def _binomial(n: int, q: float) -> tuple[Floats, Floats]:
    """Numbers of n independent values that may lie below the quantile, and for each the chance that at most so many do.

    The chances of neighbours have simple ratios, and all of them together are 1: what lies ten standard deviations away
    is as good as impossible.
    """
    reach = math.ceil(10.0 * math.sqrt(n * q * (1.0 - q))) + 10
    counts = np.arange(max(0, math.floor(n * q) - reach), min(n, math.ceil(n * q) + reach) + 1, dtype=np.float64)
    if not 0.0 < q < 1.0:
        return counts, np.where(counts >= n * q, 1.0, 0.0)
    ratios = (n - counts[:-1]) / (counts[1:]) * (q / (1.0 - q))  # of each to the one before
    peak = int(np.searchsorted(-ratios, -1.0))  # up to here they grow
    chances = np.concatenate([np.cumprod(1.0 / ratios[:peak][::-1])[::-1], [1.0], np.cumprod(ratios[peak:])])
    return counts, np.cumsum(chances / chances.sum())
