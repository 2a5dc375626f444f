"""The interval of one quantile, as most tests want it."""

from __future__ import annotations

from sim.stats.interval import Interval
from sim.stats.order import quantile_intervals
from sim.stats.quantile import Ranked


def quantile_interval(
    sample: Ranked, q: float, confidence: float = 0.95, *, effective: float | None = None
) -> Interval:
    """Without `effective` of values that do not hang together."""
    (found,) = quantile_intervals(sample, (q,), confidence, (float(sample.size) if effective is None else effective,))
    return found
