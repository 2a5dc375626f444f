"""Latencies on three clocks: response (answered well), response_all (answered at all), completion (all effects of the order exist)."""

from __future__ import annotations

from sim.metrics.keys import key_of
from sim.metrics.sample import Sample
from sim.records.counted import Answers, Mask, Orders
from sim.stats.quantile import Censored, censored_mean, censored_quantiles

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def latencies(sample: Sample, route: str = "") -> dict[str, Censored]:
    """Mean and percentiles on the three clocks. Those of completion are censored where unfinished orders leave them open."""
    answers, orders = sample.answers, sample.orders
    answered = answers.answered
    return {
        **_response("response", route, answers, answered & answers.good),
        **_response("response_all", route, answers, answered),
        **_completion(route, orders),
    }


def _response(clock: str, route: str, answers: Answers, mask: Mask) -> dict[str, Censored]:
    values, counts, widths = answers.response[mask], answers.counts(mask), answers.widths(answers.response_width, mask)
    none, narrow = None if counts is None else counts[:0], None if widths is None else widths[:0]
    quantiles = censored_quantiles(values, values[:0], tuple(PERCENTILES.values()), counts, none, widths, narrow)
    return _named(clock, route, quantiles, censored_mean(values, values[:0], endless=False, counts=counts, counts_of_unfinished=none))


def _completion(route: str, orders: Orders) -> dict[str, Censored]:
    finished, unfinished = orders.finished, orders.unfinished
    values, counts, widths = orders.completion[finished], orders.counts(finished), orders.widths(orders.completion_width, finished)
    ages, aged, spans = orders.age[unfinished], orders.counts(unfinished), orders.widths(orders.arrival_width, unfinished)
    endless = bool((unfinished & ~orders.pending).any())
    quantiles = censored_quantiles(values, ages, tuple(PERCENTILES.values()), counts, aged, widths, spans)
    return _named("completion", route, quantiles, censored_mean(values, ages, endless=endless, counts=counts, counts_of_unfinished=aged))


def _named(clock: str, route: str, quantiles: list[Censored], mean: Censored) -> dict[str, Censored]:
    found = {**dict(zip(PERCENTILES, quantiles, strict=True)), "mean": mean}
    return {key_of(f"{clock}_{statistic}", route): figure for statistic, figure in found.items()}
