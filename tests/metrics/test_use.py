"""Utilisation, saturation and errors, on runs made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sim.metrics.use import use_table
from sim.records.tables import Book
from sim.vocabulary import Outcome

from .building import records, scenario, span

TICKS = [float(tick) for tick in range(10, 101, 10)]


def table(**options):
    return {(use.station, use.resource): use for use in use_table(records(**options), scenario())}


def test_utilisation_and_queue_are_those_after_the_warm_up_and_of_the_worst_interval():
    busy, queue = [8.0] + [2.0] * 8 + [7.0], [50.0] + [0.0] * 8 + [4.5]
    use = table(gauges={"payments.busy": busy, "payments.workers": [8.0] * 10, "payments.queue": queue})["payments", "workers"]
    assert use.utilisation == pytest.approx((8 * 2 + 7) / 9 / 8)
    assert use.utilisation_max == pytest.approx(7 / 8)
    assert use.queue_mean == pytest.approx(0.5)
    assert use.queue_max == 4.5


def test_a_station_is_full_from_the_beginning_of_the_first_interval_of_a_lasting_spell():
    busy = [0.0, 8.0, 8.0, 0.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0]
    gauges = {"payments.busy": busy, "payments.workers": [8.0] * 10, "payments.queue": [0.0] * 10}
    assert table(gauges=gauges)["payments", "workers"].full_at == 10.0
    assert table(gauges=gauges, ticks=[*range(1, 11)], duration=10.0, warmup=0.0)["payments", "workers"].full_at == 4.0


def test_unlimited_workers_are_never_full():
    gauges = {"payments.busy": [100.0] * 10, "payments.workers": [math.inf] * 10, "payments.queue": [0.0] * 10}
    use = table(gauges=gauges)["payments", "workers"]
    assert math.isnan(use.utilisation)
    assert use.full_at == math.inf


def test_errors_are_counted_by_outcome_of_the_attempts_that_arrived_after_the_warm_up():
    gauges = {"payments.busy": [1.0] * 10, "payments.workers": [8.0] * 10, "payments.queue": [0.0] * 10}
    early = {**span(5, 5, 6), "outcome": Outcome.SHED}
    spans = [early, *({**span(20, 21, 22), "outcome": outcome} for outcome in (Outcome.OK, Outcome.REFUSED, Outcome.SHED, Outcome.SHED, Outcome.ERROR))]
    use = table(gauges=gauges, spans=spans)["payments", "workers"]
    assert use.attempts == 5
    assert use.errors == {"shed": 2, "error": 1}


def test_a_sample_of_spans_is_not_taken_for_all_of_them():
    gauges = {"payments.busy": [1.0] * 10, "payments.workers": [8.0] * 10, "payments.queue": [0.0] * 10}
    run = replace(records(gauges=gauges, spans=[span(20, 21, 22)]), exemplary=True, books=(Book("payments", 70, {"ok": 60, "shed": 9}, 1),))
    use = next(use for use in use_table(run, scenario()) if use.station == "payments")
    assert use.attempts == 70
    assert use.errors == {"shed": 9}


def test_a_group_waits_for_messages():
    component = "payment-group order-events"
    gauges = {f"{component}.busy": [4.0] * 10, f"{component}.workers": [4.0] * 10, f"{component}.lag": [float(lag) for lag in range(10)]}
    use = table(gauges=gauges)[component, "consumers"]
    assert (use.utilisation, use.queue_max, use.full_at) == (1.0, 9.0, 0.0)
