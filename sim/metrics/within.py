"""Intervals from a single run, of what is an average or a percentile over time: batch means and order statistics.

What is *not* here: intervals of counts over the whole run (lost orders), of largest values, of anything after a fault. One run says nothing of those.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.metrics.gauges import ratio
from sim.metrics.keys import key_of
from sim.metrics.latency import PERCENTILES
from sim.metrics.measurement import Measurement, averages, by_route
from sim.metrics.sample import Sample, sample_of
from sim.records.counted import Counted, Floats, Mask, Requests
from sim.records.summary import Summary
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.spec.steady import unsteady_parts
from sim.stats.batches import PIECES, batch_interval, effective_size
from sim.stats.interval import Interval
from sim.stats.order import quantile_interval
from sim.stats.quantile import quantile, size_of

_MEANS = {"response_mean", "response_all_mean", "completion_mean"}
_SERVICE = {"availability", "goodput", "throughput", "completed", "offered", "apdex", "error_budget_burn", "outcome_share"}
_WORK = {"amplification", "wasted_work", "utilisation", "queue_mean", "cost_per_thousand"}
AVERAGES = frozenset(_MEANS | _SERVICE | _WORK)
"""The metrics that are the mean of what they are in the parts of a run."""


def within_run(records: Records, scenario: Scenario, whole: Measurement, confidence: float = 0.95) -> dict[str, Interval]:
    """The figures of one run for which it gives an interval: none where the load is unsteady, or where its parts hang together."""
    if unsteady_parts(scenario):
        return {}
    edges = np.linspace(records.warmup, records.duration, PIECES + 1)
    counted = sample_of(records, scenario).arrived(records.warmup, records.duration)
    parts = [averages(part, scenario, sample).values for part, sample in _parts(records, counted, edges)]
    wanted = [key for key in whole.values if key.partition("(")[0] in AVERAGES and key not in whole.censored]
    found = {key: batch_interval(whole.values[key], [part.get(key, np.nan) for part in parts], confidence) for key in wanted}
    for route, its in (("", counted), *by_route(records, scenario, counted)):
        percentiles = _percentiles(its, route, edges, whole, confidence)
        found |= (
            percentiles
            if records.summary is None
            else {key: _widened(replace(interval, value=whole.values[key]), records.summary) for key, interval in percentiles.items()}
        )
    return {key: interval for key, interval in found.items() if not math.isnan(interval.low)}


def _parts(records: Records, counted: Sample, edges: NDArray[np.float64]) -> Iterator[tuple[Records, Sample]]:
    """The run between neighbouring edges, each with the requests that arrived there, as old as they were at its end."""
    answers, orders = counted.answers.by_arrival(), counted.orders.by_arrival()
    places = (np.searchsorted(part.arrival, edges, side="left") for part in (answers, orders))
    spans = ([slice(first, last) for first, last in pairwise(place)] for place in places)
    for (begin, end), its_answers, its_orders in zip(pairwise(edges), *spans, strict=True):
        sample = Sample(answers.at(its_answers), orders.at(its_orders)).seen_at(float(end))
        yield replace(records, warmup=float(begin), duration=float(end)), sample


def _percentiles(sample: Sample, route: str, edges: NDArray[np.float64], whole: Measurement, confidence: float) -> dict[str, Interval]:
    answers, orders = sample.answers, sample.orders
    waits = np.where(orders.finished, orders.completion, math.inf)  # the unfinished stand behind all finished ones
    clocks: dict[str, tuple[Requests, Mask, Floats]] = {
        "response": (answers, answers.answered & answers.good, answers.response),
        "response_all": (answers, answers.answered, answers.response),
        "completion": (orders, orders.finished | orders.unfinished, waits),
    }
    found = {}
    for clock, (requests, mask, times) in clocks.items():
        its = _Times(requests.counts(mask), np.searchsorted(edges, requests.arrival[mask], side="right") - 1, times[mask])
        for statistic, q in PERCENTILES.items():
            key = key_of(f"{clock}_{statistic}", route)
            if key not in whole.censored:
                found[key] = its.quantile(q, confidence)
    return found


@dataclass(frozen=True)
class _Times(Counted):
    """Durations, and in which part of the run each began."""

    place: NDArray[np.int64]
    values: Floats

    def quantile(self, q: float, confidence: float) -> Interval:
        """Each part tells which share of it lies below the quantile of all: how these vary is what the values are worth together."""
        if not self.values.size:
            return Interval(math.nan, n=0)
        below = self.values <= quantile(self.values, q, self.count)
        shares = ratio(self.bins(self.place[below], PIECES, below).astype(float), self.bins(self.place, PIECES).astype(float))
        effective = effective_size(shares, q, size_of(self.values, self.count), confidence)
        return quantile_interval(self.values, q, confidence, effective=effective, counts=self.count)


def _widened(interval: Interval, summary: Summary) -> Interval:
    """To the ends of the buckets that its limits stand for, which is all that is known of them."""
    if math.isnan(interval.low):
        return interval
    below, above = np.searchsorted(summary.edges, [interval.low, interval.high])
    return replace(interval, low=float(summary.edges[max(0, below - 1)]), high=float(summary.edges[above]))
