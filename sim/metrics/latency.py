"""Latencies on three clocks: response (answered well), response_all (answered at all), completion (all effects of the order exist)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.metrics.keys import key_of
from sim.metrics.sample import Sample
from sim.stats.quantile import Censored, censored_mean, censored_quantiles

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
_NONE = np.empty(0)


def latencies(sample: Sample, route: str = "") -> dict[str, Censored]:
    """Mean and percentiles on the three clocks. Those of completion are censored where unfinished orders leave them open."""
    answered = ~np.isnan(sample.response)
    unfinished = sample.unfinished
    endless = bool((unfinished & ~sample.pending).any())
    return {
        **_statistics("response", route, sample.response[answered & sample.good]),
        **_statistics("response_all", route, sample.response[answered]),
        **_statistics("completion", route, sample.completion[sample.finished], sample.age[unfinished], endless),
    }


def _statistics(clock: str, route: str, values: NDArray[np.float64], ages: NDArray[np.float64] = _NONE, endless: bool = False) -> dict[str, Censored]:
    found = dict(zip(PERCENTILES, censored_quantiles(values, ages, tuple(PERCENTILES.values())), strict=True))
    found["mean"] = censored_mean(values, ages, endless=endless)
    return {key_of(f"{clock}_{statistic}", route): figure for statistic, figure in found.items()}
