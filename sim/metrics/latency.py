"""Latencies on three clocks: response (answered well), response_all (answered at all), completion (all effects of the order exist)."""

from __future__ import annotations

from sim.metrics.keys import key_of
from sim.metrics.sample import Sample
from sim.stats.quantile import Censored

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def latencies(sample: Sample, route: str = "") -> dict[str, Censored]:
    """Mean and percentiles on the three clocks. Those of completion are censored where unfinished orders leave them open."""
    return {**percentiles(sample, route), **means(sample, route)}


def percentiles(sample: Sample, route: str = "") -> dict[str, Censored]:
    """The percentiles on the three clocks."""
    clocks = {"response": sample.response, "response_all": sample.response_all, "completion": sample.completion}
    return {
        key_of(f"{clock}_{statistic}", route): figure
        for clock, times in clocks.items()
        for statistic, figure in zip(PERCENTILES, times.quantiles(tuple(PERCENTILES.values())), strict=True)
    }


def means(sample: Sample, route: str = "") -> dict[str, Censored]:
    """The means on the three clocks."""
    endless = bool((sample.orders.unfinished & ~sample.orders.pending).any())
    return {
        key_of("response_mean", route): sample.response.mean(endless=False),
        key_of("response_all_mean", route): sample.response_all.mean(endless=False),
        key_of("completion_mean", route): sample.completion.mean(endless=endless),
    }
