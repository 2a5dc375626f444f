"""A run over time."""

import math

import numpy as np
import pytest

from sim.metrics import measure
from sim.metrics.timeline import bucket_quantiles, timeline
from sim.records.buckets import bucket_edges, default_bucket
from sim.records.columns import Columns, mean_of
from sim.vocabulary import Outcome

from .building import NAN, records, request, scenario


def draw(requests=(), bucket=10.0, **run):
    return timeline(records(requests, **run), scenario(), bucket).frame()


def test_what_is_offered_goes_by_arrival_and_outcomes_by_the_answer():
    frame = draw([request(3, 50), request(12, 1), request(13, 1, Outcome.ERROR), request(99)])
    assert list(frame.index) == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert frame.index.name == "time"
    assert list(frame["offered"]) == [0.1, 0.2, 0, 0, 0, 0, 0, 0, 0, 0.1]
    assert frame.loc[10, "ok"] == frame.loc[50, "ok"] == frame.loc[10, "error"] == frame.loc[90, "in_flight"] == 0.1
    assert list(frame["throughput"]) == list(frame["goodput"]) == [0, 0.1, 0, 0, 0, 0.1, 0, 0, 0, 0]
    assert frame[[outcome.word for outcome in Outcome]].sum().sum() == pytest.approx(frame["offered"].sum())


def test_throughput_is_the_same_rate_in_the_table_and_over_time():
    run = records([request(second / 2, 3) for second in range(200)])
    found = measure(run, scenario()).values["throughput"]
    assert timeline(run, scenario(), 10.0).frame().loc[10:, "throughput"].mean() == pytest.approx(found)


def test_completions_go_by_the_moment_they_happen():
    frame = draw([request(3, 1, completion=20), request(5, 1, completion=21), request(7, 1, completion=NAN)])
    assert frame.loc[20, "completed"] == 0.2
    assert frame["completed"].sum() == pytest.approx(0.2)


def test_percentiles_of_a_bucket():
    frame = draw([request(20 + i / 100, i, completion=2 * i) for i in range(1, 101)] + [request(40, 9, Outcome.ERROR)])
    assert list(frame.loc[20, ["response_p50", "response_p95", "response_p99", "completion_p50"]]) == pytest.approx(
        [50, 95, 99, 100]
    )
    assert math.isnan(frame.loc[40, "response_p50"])


def test_what_is_not_finished_is_not_known_and_never_looks_fast():
    """Half of the orders of the bucket are still open at the end: their median is known, their p95 is not."""
    frame = draw(
        [request(95, 0.1, completion=1) for _ in range(10)]
        + [request(95, 0.1, completion=NAN, pending=True) for _ in range(10)]
    )
    assert frame.loc[90, "completion_p50"] == 1
    assert math.isnan(frame.loc[90, "completion_p95"])


def test_goodput():
    requests = [request(20, 0.5), request(20, 1.5), request(20, 0.1, Outcome.REFUSED)]
    frame = timeline(records(requests), scenario(objective={"latency": "1s"}), 10.0).frame()
    assert frame.loc[20, "goodput"] == 0.1


def test_gauges_become_columns():
    """Means are averaged over time, levels over ticks, totals become rates; a tick belongs to the bucket that it ends."""
    frame = draw(
        bucket=20.0,
        gauges={
            "payments.busy": range(1, 11),
            "g t.lag": range(1, 11),
            "payments.attempts": [10, 30, 60, 60, 60, 60, 60, 60, 60, 100],
        },
    )
    assert list(frame["payments.busy"]) == [1.5, 3.5, 5.5, 7.5, 9.5]
    assert list(frame["g t.lag"]) == [1.5, 3.5, 5.5, 7.5, 9.5]
    assert list(frame["payments.attempts"]) == [1.5, 1.5, 0, 0, 2]


def test_a_tick_at_the_warm_up_between_two_others_does_no_harm():
    ticks = [10, 13, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    frame = draw(gauges={"payments.busy": [1, 2, 9] + [0] * 8}, ticks=ticks)
    assert frame.loc[10, "payments.busy"] == pytest.approx((3 * 2 + 7 * 9) / 10)


def test_the_last_bucket_may_be_shorter():
    frame = draw([request(95, 1), request(99, 1)], bucket=30.0)
    assert list(frame.index) == [0, 30, 60, 90]
    assert frame.loc[90, "offered"] == pytest.approx(0.2)


def test_a_chart_has_at_most_300_buckets_of_whole_intervals():
    assert default_bucket(900, 1) == 3
    assert default_bucket(301, 1) == 2
    assert default_bucket(300, 1) == 1
    assert default_bucket(3600, 5) == 15
    assert default_bucket(10, 5) == 5
    assert bucket_edges(0.3, 0.1) == pytest.approx([0, 0.1, 0.2, 0.3])


def test_arrivals_outside_the_run_are_in_no_bucket():
    assert draw([request(100, 1), request(-1, 1)])["offered"].sum() == 0


def test_an_empty_run_has_a_timeline():
    assert draw().shape[0] == 10


def test_bucket_quantiles_agree_with_the_plain_ones():
    from sim.stats.quantile import quantile

    generator = np.random.default_rng(5)
    place, values = np.sort(generator.integers(-1, 7, 500)), generator.exponential(1, 500)
    found = bucket_quantiles(np.searchsorted(place, np.arange(9)), values)
    assert list(found["p95"][:7]) == [quantile(values[place == bucket], 0.95) for bucket in range(7)]
    assert math.isnan(found["p95"][7])


def test_the_mean_of_replications_leaves_out_what_is_not_there():
    """A breaker series that one replication lacks, a bucket in which one had no answer."""
    one = draw([request(20, 1)], gauges={"payments.busy": 2})
    two = draw([request(20, 3), request(30, 5)], gauges={"a -> b.breaker_open": 1})
    mean = mean_of([Columns.of(one), Columns.of(two)]).frame()
    assert (
        mean.loc[20, "response_p50"],
        mean.loc[30, "response_p50"],
        mean.loc[20, "offered"],
        mean.loc[30, "ok"],
    ) == (2, 5, 0.1, 0.05)
    assert (mean.loc[0, "payments.busy"], mean.loc[0, "a -> b.breaker_open"]) == (2, 1)
    assert mean.index.name == "time"
