"""A run over time, for charts: rates, outcomes, percentiles and all time series in buckets of equal length, warm-up included."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from sim.metrics.gauges import Gauges
from sim.metrics.sample import Floats, Sample, sample_of
from sim.metrics.service_level import within_objective
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.vocabulary import Outcome

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
BUCKETS = 300  # as many as a chart can show


def timeline(records: Records, scenario: Scenario, bucket: float | None = None) -> pd.DataFrame:
    """One row per bucket, indexed by its start in seconds. Rates are per second; all but `completed` and the gauges go by the arrival.

    Columns: offered; one per outcome word (they add up to offered); completed (by the moment of completion); goodput; p50, p95 and p99 of response
    and completion; then every time series by its name: averages of means and levels, totals as rates. A percentile is nan where nothing was
    answered, and that of completion also where it falls on an order that is still unfinished at the end: it is not known yet.
    """
    edges = bucket_edges(records.duration, default_bucket(records, scenario) if bucket is None else bucket)
    sample = sample_of(records, scenario)
    place = np.searchsorted(edges, sample.arrival, side="right") - 1
    place = np.where((sample.arrival >= 0) & (sample.arrival < records.duration), place, -1)
    columns = {**_rates(sample, place, edges), **_percentiles(sample, place, edges.size - 1)}
    gauges = Gauges(records)
    columns |= {series.name: gauges.between(series, edges) for series in records.series}
    return pd.DataFrame(columns, index=pd.Index(edges[:-1], name="time"))


def mean_timelines(timelines: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The mean over replications, cell by cell, over those that have a value there."""
    if len(timelines) == 1:
        return timelines[0]
    columns = list(dict.fromkeys(column for frame in timelines for column in frame.columns))
    return pd.concat(timelines).groupby(level=0).mean()[columns]


def default_bucket(records: Records, scenario: Scenario) -> float:
    """The interval of the recording, or the multiple of it that gives at most 300 buckets."""
    interval = float(scenario.record.interval)
    return interval * max(1, math.ceil(records.duration / BUCKETS / interval - 1e-9))


def bucket_edges(duration: float, bucket: float) -> Floats:
    """0, bucket, 2 x bucket, ..., duration; the last bucket may be shorter."""
    return np.append(np.arange(max(1, math.ceil(duration / bucket - 1e-9))) * bucket, duration)


def _rates(sample: Sample, place: np.ndarray, edges: Floats) -> dict[str, Floats]:
    n, width = edges.size - 1, np.diff(edges)

    def rate(places: np.ndarray) -> Floats:
        return np.bincount(places[(places >= 0) & (places < n)], minlength=n) / width

    by_outcome = np.bincount(place[place >= 0] * len(Outcome) + sample.outcome[place >= 0], minlength=n * len(Outcome)).reshape(n, len(Outcome))
    done = (sample.arrival + sample.completion)[sample.finished]
    return {
        "offered": rate(place),
        **{outcome.word: by_outcome[:, outcome] / width for outcome in Outcome},
        "completed": rate(np.searchsorted(edges, done, side="left") - 1),
        "goodput": rate(place[within_objective(sample)]),
    }


def _percentiles(sample: Sample, place: np.ndarray, n: int) -> dict[str, Floats]:
    answered = sample.good & ~np.isnan(sample.response)
    orders = sample.finished | sample.unfinished
    response = bucket_quantiles(place[answered], sample.response[answered], n)
    completion = bucket_quantiles(place[orders], np.where(sample.finished, sample.completion, math.inf)[orders], n)
    return {
        **{f"response_{statistic}": values for statistic, values in response.items()},
        **{f"completion_{statistic}": np.where(np.isinf(values), math.nan, values) for statistic, values in completion.items()},
    }


def bucket_quantiles(place: np.ndarray, values: Floats, n: int) -> dict[str, Floats]:
    """The percentiles of the values in each of n buckets by rank, nan in empty ones; a place of -1 is in none."""
    order = np.lexsort((values, place))
    place, values = place[order], values[order]
    begin = np.searchsorted(place, np.arange(n), side="left")
    size = np.searchsorted(place, np.arange(n), side="right") - begin
    found = {}
    for statistic, q in PERCENTILES.items():
        rank = np.maximum(np.ceil(q * size - 1e-9), 1).astype(np.int64)
        found[statistic] = np.full(n, math.nan)
        found[statistic][size > 0] = values[(begin + rank - 1)[size > 0]]
    return found
