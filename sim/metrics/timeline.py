"""A run over time, for charts: rates, outcomes, percentiles and all time series in buckets of equal length, warm-up included."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.metrics.departures import Departures, Left
from sim.metrics.gauges import Gauges
from sim.metrics.pools import MEMBER
from sim.metrics.sample import Sample, sample_of
from sim.records.buckets import bucket_edges, default_bucket
from sim.records.columns import Columns
from sim.records.counted import Counts, Floats, Requests
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.stats.quantile import Ranked
from sim.vocabulary import Outcome

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def timeline(records: Records, scenario: Scenario, bucket: float | None = None) -> Columns:
    """One row per bucket, indexed by its start in seconds. Rates are per second: `offered` of what arrived then, all others of what left then.

    Columns: offered; one per outcome word, of those who had their answer then (`in_flight`: of those who arrived then and never had one); throughput
    (ok, degraded and refused); completed; goodput; p50, p95 and p99 of response and completion of those who arrived then; then every time series by its
    name, but those of single consumers: averages of means and levels, totals as rates. A percentile is nan where nothing was answered, and that of
    completion also where it falls on an order that is still unfinished at the end: it is not known yet. A run that kept a summary is known no more finely
    than by its default buckets.
    """
    edges = bucket_edges(records.duration, default_bucket(records.duration, scenario.record.interval) if bucket is None else bucket)
    sample = sample_of(records, scenario)
    columns = {**_rates(sample, Departures(records, scenario, sample).between(edges), edges), **_percentiles(sample, edges)}
    gauges = Gauges(records)
    columns |= {series.name: gauges.between(series, edges) for series in records.series if not series.quantity.startswith(MEMBER)}
    return Columns(edges[:-1], columns, "time")


def _places(requests: Requests, edges: Floats) -> NDArray[np.int64]:
    """The bucket in which each arrived; -1: in none."""
    place = np.searchsorted(edges, requests.arrival, side="right") - 1
    return np.where((requests.arrival >= 0) & (requests.arrival < edges[-1]), place, -1)


def _rates(sample: Sample, left: Left, edges: Floats) -> dict[str, Floats]:
    n, width = edges.size - 1, np.diff(edges)
    answers, by_outcome = sample.answers, left.by_outcome
    place = _places(answers, edges)
    arrived, still_there = place >= 0, (place >= 0) & answers.in_flight
    outcomes = {outcome.word: by_outcome[:, outcome] / width for outcome in Outcome}
    return {
        "offered": answers.bins(place[arrived], n, arrived) / width,
        **outcomes,
        Outcome.IN_FLIGHT.word: answers.bins(place[still_there], n, still_there) / width,
        "throughput": left.served / width,
        "completed": left.completed / width,
        "goodput": left.in_time / width,
    }


def _percentiles(sample: Sample, edges: Floats) -> dict[str, Floats]:
    answers, orders = sample.answers, sample.orders
    answered, wanted = answers.good & answers.answered, orders.finished | orders.unfinished
    times = np.where(orders.finished, orders.completion, math.inf)[wanted]
    response = bucket_quantiles(_places(answers, edges)[answered], answers.response[answered], edges.size - 1, answers.counts(answered))
    completion = bucket_quantiles(_places(orders, edges)[wanted], times, edges.size - 1, orders.counts(wanted))
    return {
        **{f"response_{statistic}": values for statistic, values in response.items()},
        **{f"completion_{statistic}": np.where(np.isinf(values), math.nan, values) for statistic, values in completion.items()},
    }


def bucket_quantiles(place: NDArray[np.int64], values: Floats, n: int, counts: Counts | None = None) -> dict[str, Floats]:
    """The percentiles of the values in each of n buckets by rank, nan in empty ones; a place of -1 is in none.

    `counts` says how often each value occurs, where that is not once.
    """
    order = np.argsort((place + 1).astype(np.uint16 if n < 1 << 16 else np.int64), kind="stable")  # of short numbers at a tenth of the cost
    until = np.searchsorted(place[order], np.arange(n + 1), side="left")
    found = {statistic: np.full(n, math.nan) for statistic in PERCENTILES}
    for bucket in np.flatnonzero(np.diff(until)):
        its = order[until[bucket] : until[bucket + 1]]
        quantiles = Ranked(values[its], None if counts is None else counts[its]).quantiles(tuple(PERCENTILES.values()))
        for statistic, value in zip(PERCENTILES, quantiles, strict=True):
            found[statistic][bucket] = value
    return found
