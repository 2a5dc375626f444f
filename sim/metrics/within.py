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
from sim.metrics.latency import PERCENTILES
from sim.metrics.measurement import Measurement, by_route, measure
from sim.metrics.sample import Sample, sample_of
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.spec.steady import unsteady_parts
from sim.stats.batches import PIECES, batch_interval, effective_size
from sim.stats.interval import Interval
from sim.stats.order import quantile_interval
from sim.stats.quantile import quantile

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
    parts = [measure(part, scenario).values for part in _parts(records, edges)]
    wanted = [key for key in whole.values if key.partition("(")[0] in AVERAGES and key not in whole.censored]
    found = {key: batch_interval(whole.values[key], [part.get(key, np.nan) for part in parts], confidence) for key in wanted}
    counted = sample_of(records, scenario).arrived(records.warmup, records.duration)
    for route, its in (("", counted), *by_route(records, scenario, counted)):
        found |= _percentiles(its, route, edges, whole, confidence)
    return {key: interval for key, interval in found.items() if not math.isnan(interval.low)}


def _parts(records: Records, edges: NDArray[np.float64]) -> Iterator[Records]:
    """The run between neighbouring edges, each with the requests that arrived there; messages belong to the whole."""
    order = np.argsort(records.requests["arrival"], kind="stable")
    rows = records.requests[order]
    places = np.searchsorted(rows["arrival"], edges, side="left")
    for (begin, end), (first, last) in zip(pairwise(edges), pairwise(places), strict=True):
        yield replace(records, requests=rows[first:last], messages=records.messages[:0], warmup=float(begin), duration=float(end))


def _percentiles(sample: Sample, route: str, edges: NDArray[np.float64], whole: Measurement, confidence: float) -> dict[str, Interval]:
    answered = ~np.isnan(sample.response)
    waits = np.where(sample.finished, sample.completion, math.inf)  # the unfinished stand behind all finished ones
    clocks = {"response": (answered & sample.good, sample.response), "response_all": (answered, sample.response)}
    clocks["completion"] = (sample.finished | sample.unfinished, waits)
    found = {}
    for clock, (mask, times) in clocks.items():
        place, values = np.searchsorted(edges, sample.arrival[mask], side="right") - 1, times[mask]
        for statistic, q in PERCENTILES.items():
            key = key_of(f"{clock}_{statistic}", route)
            if key not in whole.censored:
                found[key] = _percentile(values, place, q, confidence)
    return found


def _percentile(values: NDArray[np.float64], place: NDArray[np.int64], q: float, confidence: float) -> Interval:
    """Each part tells which share of it lies below the quantile of all: how these vary is what the values are worth together."""
    if not values.size:
        return Interval(math.nan, n=0)
    below = values <= quantile(values, q)
    shares = ratio(np.bincount(place[below], minlength=PIECES).astype(float), np.bincount(place, minlength=PIECES).astype(float))
    return quantile_interval(values, q, confidence, effective=effective_size(shares, q, values.size, confidence))
