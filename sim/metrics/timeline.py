"""A run over time, for charts: rates, outcomes, percentiles and all time series in buckets of equal length, warm-up
included.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.metrics.departures import Left
from sim.metrics.gauges import Gauges
from sim.metrics.observed import Observed, observe
from sim.metrics.pools import MEMBER
from sim.metrics.sample import Sample
from sim.records.buckets import bucket_edges, default_bucket
from sim.records.columns import Columns
from sim.records.counted import Counts, Floats, Requests, chosen
from sim.records.tables import Records, Series
from sim.spec.scenario import Scenario
from sim.stats.quantile import Ranked
from sim.vocabulary import Outcome

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def timeline(
    records: Records, scenario: Scenario, bucket: float | None = None, seen: Observed | None = None
) -> Columns:
    """One row per bucket, indexed by its start in seconds. Rates are per second: `offered` of what arrived then, all
    others of what left then.

    Columns: offered; one per outcome word, of those who had their answer then (`in_flight`: of those who arrived then
    and never had one); throughput (ok, degraded and refused); completed; goodput; p50, p95 and p99 of response and
    completion of those who arrived then; then every time series by its name, but those of single consumers: averages of
    means and levels, totals as rates. A percentile is nan where nothing was answered, and that of completion also where
    it falls on an order that is still unfinished at the end: it is not known yet. A run that kept a summary is known no
    more finely than by its default buckets. `seen` is what `observe` gives, for whoever has it already.
    """
    edges = bucket_edges(
        records.duration, default_bucket(records.duration, scenario.record.interval) if bucket is None else bucket
    )
    seen = observe(records, scenario) if seen is None else seen
    sample = seen.everyone.by_arrival
    columns = {**_rates(sample, seen.departures.between(edges), edges), **_percentiles(sample, edges)}
    gauges = Gauges(records)
    columns |= {
        series.name: gauges.between(series, edges)
        for series in records.series
        if not series.quantity.startswith(MEMBER)
    }
    return Columns(edges[:-1], columns, "time")


def column_names(series: Iterable[Series]) -> list[str]:
    """The columns of the timeline of a run that has these time series, in their order."""
    rates = ("offered", *(outcome.word for outcome in Outcome), "throughput", "completed", "goodput")
    percentiles = (f"{clock}_{statistic}" for clock in ("response", "completion") for statistic in PERCENTILES)
    return list(
        dict.fromkeys((*rates, *percentiles, *(its.name for its in series if not its.quantity.startswith(MEMBER))))
    )


def _rates(sample: Sample, left: Left, edges: Floats) -> dict[str, Floats]:
    width, answers, by_outcome = np.diff(edges), sample.answers, left.by_outcome
    outcomes = {outcome.word: by_outcome[:, outcome] / width for outcome in Outcome}
    return {
        "offered": _arrived(answers, edges) / width,
        **outcomes,
        Outcome.IN_FLIGHT.word: _arrived(answers.where(answers.in_flight), edges) / width,
        "throughput": left.served / width,
        "completed": left.completed / width,
        "goodput": left.in_time / width,
    }


def _arrived(requests: Requests, edges: Floats) -> Counts:
    """How many of these, in the order of their arrival, arrived in each bucket."""
    until = requests.arrival.searchsorted(edges)
    return np.diff(until if requests.count is None else np.append(0, np.cumsum(requests.count))[until])


def _percentiles(sample: Sample, edges: Floats) -> dict[str, Floats]:
    answers, orders = sample.answers, sample.orders
    answered, wanted = answers.good & answers.answered, orders.finished | orders.unfinished
    times = np.where(orders.finished, orders.completion, math.inf)[wanted]
    response = bucket_quantiles(
        chosen(answers.arrival, answered).searchsorted(edges),
        chosen(answers.response, answered),
        answers.counts(answered),
    )
    completion = bucket_quantiles(orders.arrival[wanted].searchsorted(edges), times, orders.counts(wanted))
    return {
        **{f"response_{statistic}": values for statistic, values in response.items()},
        **{
            f"completion_{statistic}": np.where(np.isinf(values), math.nan, values)
            for statistic, values in completion.items()
        },
    }


def bucket_quantiles(until: NDArray[np.int64], values: Floats, counts: Counts | None = None) -> dict[str, Floats]:
    """The percentiles by rank in each bucket, nan in empty ones. Bucket i holds the values from place until[i] up to
    until[i + 1].

    `counts` says how often each value occurs, where that is not once.
    """
    found = {statistic: np.full(until.size - 1, math.nan) for statistic in PERCENTILES}
    for bucket, (first, last) in enumerate(pairwise(until.tolist())):
        if first < last:
            quantiles = Ranked(values[first:last], None if counts is None else counts[first:last]).quantiles(
                tuple(PERCENTILES.values())
            )
            for statistic, value in zip(PERCENTILES, quantiles, strict=True):
                found[statistic][bucket] = value
    return found
