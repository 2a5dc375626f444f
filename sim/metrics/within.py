"""Intervals from a single run, of what is an average or a percentile over time: batch means and order statistics.

What is *not* here: intervals of counts over the whole run (lost orders), of largest values, of anything after a fault. One run says nothing of those.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.metrics.gauges import ratio
from sim.metrics.keys import key_of
from sim.metrics.latency import PERCENTILES, means
from sim.metrics.measurement import Measurement, averages, by_route
from sim.metrics.observed import forget, observed
from sim.metrics.sample import Sample
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
_WORK = {"amplification", "wasted_work", "utilisation", "queue_mean", "cost_per_thousand"}
AVERAGES = frozenset(_MEANS | _SERVICE | _WORK)
"""The metrics that are the mean of what they are in the parts of a run."""


def within_run(records: Records, scenario: Scenario, whole: Measurement, confidence: float = 0.95) -> dict[str, Interval]:
    """The figures of one run for which it gives an interval: none where the load is unsteady, or where its parts hang together."""
    if unsteady_parts(scenario):
        return {}
    edges = np.linspace(records.warmup, records.duration, PIECES + 1)
    seen = observed(records, scenario)
    left = seen.departures.between(edges)
    parts = [
        averages(part, scenario, sample, left.span(place), means).values for place, (part, sample) in enumerate(_parts(records, seen.counted.by_arrival, edges))
    ]
    wanted = [key for key in whole.values if base_of(key) in AVERAGES and key not in whole.censored]
    found = {key: batch_interval(whole.values[key], [part.get(key, np.nan) for part in parts], confidence, Bounds(*limits_of(key))) for key in wanted}
    of_all = _percentiles(seen.counted, edges, confidence)
    for route, its in (("", seen.counted), *by_route(records, scenario, seen.counted, left)):
        percentiles = of_all if its is seen.counted else _percentiles(its, edges, confidence)
        known = {key_of(name, route): interval for name, interval in percentiles.items() if key_of(name, route) not in whole.censored}
        if records.summary is not None:
            known = {key: _widened(replace(interval, value=whole.values[key]), records.summary) for key, interval in known.items()}
        found |= known
    forget()  # nobody asks more of a run
    return {key: interval for key, interval in found.items() if not math.isnan(interval.low)}


def _parts(records: Records, counted: Sample, edges: NDArray[np.float64]) -> Iterator[tuple[Records, Sample]]:
    """The run between neighbouring edges, each with the requests that arrived there, as old as they were at its end."""
    answers, orders = counted.answers, counted.orders
    spans = ([slice(first, last) for first, last in pairwise(part.arrival.searchsorted(edges))] for part in (answers, orders))
    for (begin, end), its_answers, its_orders in zip(pairwise(edges), *spans, strict=True):
        sample = Sample(answers.at(its_answers), orders.at(its_orders)).seen_at(float(end))
        yield replace(records, warmup=float(begin), duration=float(end)), sample


def _percentiles(sample: Sample, edges: NDArray[np.float64], confidence: float) -> dict[str, Interval]:
    """Those of the three clocks, whose names are without a route."""
    answers, orders = sample.by_arrival.answers, sample.by_arrival.orders
    waits = np.where(orders.finished, orders.completion, math.inf)  # the unfinished stand behind all finished ones
    response_all = _intervals(answers, answers.answered, answers.response, sample.response_all.ranked, edges, confidence)
    if sample.response is sample.response_all:
        response = response_all
    else:
        response = _intervals(answers, answers.answered & answers.good, answers.response, sample.response.ranked, edges, confidence)
    completion = _intervals(orders, orders.finished | orders.unfinished, waits, sample.completion.ranked, edges, confidence)
    clocks = {"response": response, "response_all": response_all, "completion": completion}
    return {f"{clock}_{statistic}": interval for clock, its in clocks.items() for statistic, interval in zip(PERCENTILES, its, strict=True)}


def _intervals(requests: Requests, mask: Mask, times: Floats, ranked: Ranked, edges: Floats, confidence: float) -> list[Interval]:
    """Each part tells which share of it lies below a percentile of all: how these vary is what the values are worth together."""
    qs = tuple(PERCENTILES.values())
    if not ranked.size:
        return [Interval(math.nan, n=0)] * len(qs)
    times, counts = times[mask], requests.counts(mask)
    until = requests.arrival[mask].searchsorted(edges).tolist()
    above = np.zeros(times.size, dtype=np.int8)  # how many of the percentiles a value lies above
    for value in ranked.at([rank(q, ranked.size) for q in qs]):
        above += times > value
    kinds = [np.bincount(above[first:last], None if counts is None else counts[first:last], len(qs) + 1) for first, last in pairwise(until)]
    below = np.cumsum(kinds, axis=1, dtype=float)
    shares = ratio(below, np.repeat(below[:, -1:], len(qs) + 1, axis=1))
    effective = [effective_size(shares[:, place], q, ranked.size, confidence) for place, q in enumerate(qs)]
    return quantile_intervals(ranked, qs, confidence, effective)


def _widened(interval: Interval, summary: Summary) -> Interval:
    """To the ends of the buckets that its limits stand for, which is all that is known of them."""
    if math.isnan(interval.low):
        return interval
    below, above = np.searchsorted(summary.edges, [interval.low, interval.high])
    return replace(interval, low=float(summary.edges[max(0, below - 1)]), high=float(summary.edges[above]))
