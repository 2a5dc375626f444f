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

from sim.metrics.departures import Departures
from sim.metrics.gauges import ratio
from sim.metrics.keys import key_of
from sim.metrics.latency import PERCENTILES, means
from sim.metrics.measurement import Measurement, averages, by_route
from sim.metrics.sample import Sample, sample_of
from sim.records.counted import Floats, Mask, Requests
from sim.records.summary import Summary
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.spec.steady import unsteady_parts
from sim.stats.batches import PIECES, batch_interval, effective_size
from sim.stats.bounds import Bounds
from sim.stats.interval import Interval
from sim.stats.order import quantile_interval
from sim.stats.quantile import Ranked
from sim.vocabulary import BOUNDED, limits_of

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
    everyone = sample_of(records, scenario)
    counted, left = everyone.arrived(records.warmup, records.duration), Departures(records, scenario, everyone).between(edges)
    spans = enumerate(_parts(records, counted, edges))
    parts = [averages(part, scenario, sample, left.span(place), means).values for place, (part, sample) in spans]
    wanted = [key for key in whole.values if key.partition("(")[0] in AVERAGES and key not in whole.censored]
    found = {key: batch_interval(whole.values[key], [part.get(key, np.nan) for part in parts], confidence, Bounds(*limits_of(key))) for key in wanted}
    of_all = _percentiles(counted, edges, confidence)
    for route, its in (("", counted), *by_route(records, scenario, counted, left)):
        percentiles = of_all if its is counted else _percentiles(its, edges, confidence)
        known = {key_of(name, route): interval for name, interval in percentiles.items() if key_of(name, route) not in whole.censored}
        if records.summary is not None:
            known = {key: _widened(replace(interval, value=whole.values[key]), records.summary) for key, interval in known.items()}
        found |= known
    return {key: interval for key, interval in found.items() if not math.isnan(interval.low)}


def _parts(records: Records, counted: Sample, edges: NDArray[np.float64]) -> Iterator[tuple[Records, Sample]]:
    """The run between neighbouring edges, each with the requests that arrived there, as old as they were at its end."""
    answers, orders = counted.answers.by_arrival(), counted.orders.by_arrival()
    places = (np.searchsorted(part.arrival, edges, side="left") for part in (answers, orders))
    spans = ([slice(first, last) for first, last in pairwise(place)] for place in places)
    for (begin, end), its_answers, its_orders in zip(pairwise(edges), *spans, strict=True):
        sample = Sample(answers.at(its_answers), orders.at(its_orders)).seen_at(float(end))
        yield replace(records, warmup=float(begin), duration=float(end)), sample


def _percentiles(sample: Sample, edges: NDArray[np.float64], confidence: float) -> dict[str, Interval]:
    """Those of the three clocks, whose names are without a route."""
    answers, orders = sample.answers, sample.orders
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
    shares_asked = tuple(PERCENTILES.values())
    if not ranked.size:
        return [Interval(math.nan, n=0)] * len(shares_asked)
    place = np.searchsorted(edges, requests.arrival[mask], side="right") - 1
    above = np.searchsorted([ranked.quantile(q) for q in shares_asked], times[mask], side="left")  # how many of the percentiles a value lies above
    kinds = len(shares_asked) + 1
    parts = requests.bins(place * kinds + above, PIECES * kinds, mask).reshape(PIECES, kinds)
    below, sizes = parts.cumsum(axis=1).astype(float), parts.sum(axis=1).astype(float)
    found = []
    for place_of_q, q in enumerate(shares_asked):
        effective = effective_size(ratio(below[:, place_of_q], sizes), q, ranked.size, confidence)
        found.append(quantile_interval(ranked, q, confidence, effective=effective))
    return found


def _widened(interval: Interval, summary: Summary) -> Interval:
    """To the ends of the buckets that its limits stand for, which is all that is known of them."""
    if math.isnan(interval.low):
        return interval
    below, above = np.searchsorted(summary.edges, [interval.low, interval.high])
    return replace(interval, low=float(summary.edges[max(0, below - 1)]), high=float(summary.edges[above]))
