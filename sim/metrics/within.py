"""Intervals from a single run, of what is an average or a percentile over time: batch means and order statistics.

What is *not* here: intervals of counts over the whole run (lost orders), of largest values, of anything after a fault.
One run says nothing of those.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sim.metrics.gauges import ratio
from sim.metrics.keys import key_of
from sim.metrics.latency import PERCENTILES, mean_times
from sim.metrics.measurement import Measurement, averages, by_route
from sim.metrics.observed import Observed, observe
from sim.metrics.sample import Parts, Sample
from sim.metrics.service_level import bounded_shares, service_level
from sim.records.counted import Floats, Mask, Requests
from sim.records.summary import Summary
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.spec.steady import unsteady_parts
from sim.stats.batches import PIECES, batch_interval, effective_size
from sim.stats.bounds import Bounds
from sim.stats.interval import Interval
from sim.stats.order import quantile_intervals
from sim.stats.quantile import Ranked, rank
from sim.vocabulary import BOUNDED, base_of, limits_of

_MEANS = {"response_mean", "response_all_mean", "completion_mean"}
_SERVICE = {*BOUNDED, "goodput", "throughput", "completed", "offered", "outcome_share"}
_WORK = {"amplification", "wasted_work", "utilisation", "queue_mean", "cost_per_thousand", "stale_reads"}
AVERAGES = frozenset(_MEANS | _SERVICE | _WORK)
"""The metrics that are the mean of what they are in the parts of a run."""


def within_run(
    records: Records,
    scenario: Scenario,
    whole: Measurement,
    confidence: float = 0.95,
    seen: Observed | None = None,
) -> dict[str, Interval]:
    """The figures of one run for which it gives an interval: none where the load is unsteady, or where its parts hang
    together.

    `seen` is what `observe` gives, for whoever has it already.
    """
    if unsteady_parts(scenario):
        return {}
    edges = np.linspace(records.warmup, records.duration, PIECES + 1)
    seen = observe(records, scenario) if seen is None else seen
    left, parts = seen.departures.between(edges), Parts.of(seen.counted_in_order, edges)
    shares = bounded_shares(parts)
    values = {**averages(records, scenario, parts, shares, left), **mean_times(parts)}
    found = of_all = _percentiles(seen.counted, parts, confidence)
    for route, its in by_route(records, scenario, parts, left):
        values |= service_level(its, shares if its is parts else bounded_shares(its), left.on_route(route), route)
        values |= mean_times(its, route)
        of_route = of_all if its is parts else _percentiles(its.sample, its, confidence)
        found = {**found, **{key_of(name, route): interval for name, interval in of_route.items()}}
    if records.summary is not None:
        found = {
            key: _widened(replace(interval, value=whole.values[key]), records.summary)
            for key, interval in found.items()
        }
    missing = np.full(PIECES, math.nan)
    for key in whole.values:
        if base_of(key) in AVERAGES:
            found[key] = batch_interval(
                whole.values[key], values.get(key, missing), confidence, Bounds(*limits_of(key))
            )
    return {
        key: interval for key, interval in found.items() if key not in whole.censored and not math.isnan(interval.low)
    }


def _percentiles(sample: Sample, parts: Parts, confidence: float) -> dict[str, Interval]:
    """Those of the three clocks, whose names are without a route. The parts are those of the sample."""
    answers, orders = parts.sample.answers, parts.sample.orders
    waits = np.where(orders.finished, orders.completion, math.inf)  # the unfinished stand behind all finished ones
    spans, times, answered = parts.answers, answers.response, answers.answered
    response = response_all = _intervals(spans, answers, times, answered, sample.response_all.ranked, confidence)
    if sample.response is not sample.response_all:
        good = answered & answers.good
        response = _intervals(spans, answers, times, good, sample.response.ranked, confidence)
    known = orders.finished | orders.unfinished
    completion = _intervals(parts.orders, orders, waits, known, sample.completion.ranked, confidence)
    clocks = {"response": response, "response_all": response_all, "completion": completion}
    return {
        f"{clock}_{statistic}": interval
        for clock, intervals in clocks.items()
        for statistic, interval in zip(PERCENTILES, intervals, strict=True)
    }


def _intervals(
    spans: Sequence[slice], requests: Requests, times: Floats, mask: Mask, ranked: Ranked, confidence: float
) -> list[Interval]:
    """Each part tells which share of it lies below a percentile of all: how these vary is what the values are worth
    together.
    """
    qs = tuple(PERCENTILES.values())
    if not ranked.size:
        return [Interval(math.nan, n=0)] * len(qs)
    whole, effective = np.array([requests.total(mask, span) for span in spans]), []
    for q, value in zip(qs, ranked.at([rank(q, ranked.size) for q in qs]), strict=True):
        below = mask & (times <= value)
        shares = ratio(np.array([requests.total(below, span) for span in spans]), whole)
        effective.append(effective_size(shares, q, ranked.size, confidence))
    return quantile_intervals(ranked, qs, confidence, effective)


def _widened(interval: Interval, summary: Summary) -> Interval:
    """To the ends of the buckets that its limits stand for, which is all that is known of them."""
    if math.isnan(interval.low):
        return interval
    below, above = np.searchsorted(summary.edges, [interval.low, interval.high])
    return replace(interval, low=float(summary.edges[max(0, below - 1)]), high=float(summary.edges[above]))
