"""The laws, on runs made by hand."""

import heapq
from dataclasses import replace

import numpy as np
import pytest

from sim.errors import UsageError
from tests.laws.both_sides import little, utilisation_law
from tests.metrics.building import records, span


def test_one_attempt_seen_from_both_sides():
    """It arrives in the warm-up at 5, starts at 20 and ends at 40: after 10 there are 10 s of waiting and 20 s of work in 90 s."""
    gauges = {"payments.queue": [0.5, 1] + [0] * 8, "payments.busy": [0, 0, 1, 1] + [0] * 6}
    run = records(spans=[span(5, 20, 40), span(5, 20, 40, "orders.create")], gauges=gauges)
    assert little(run, "payments") == pytest.approx((30 / 90, 30 / 90))
    assert utilisation_law(run, "payments") == pytest.approx((20 / 90, 20 / 90))


def test_exemplars_are_too_few_for_a_law():
    run = replace(
        records(spans=[span(20, 21, 22)], gauges={"payments.queue": 0.0, "payments.busy": 1 / 90}), exemplary=True
    )
    with pytest.raises(UsageError, match=r"record\.spans: found exemplars, expected all"):
        little(run, "payments")


def test_attempts_without_a_worker_or_an_end():
    """One was shed from the queue without ever starting, one still runs when the clock stops."""
    run = records(
        spans=[span(20, float("nan"), 30), span(50, 60, float("nan"))],
        gauges={"payments.queue": 2 / 9, "payments.busy": 4 / 9},
    )
    assert little(run, "payments") == pytest.approx((6 / 9, 6 / 9))
    assert utilisation_law(run, "payments") == pytest.approx((4 / 9, 4 / 9))


def test_a_queue_of_two_workers_obeys_the_laws():
    """A little M/M/2: the integral of its state is the sum of its sojourns."""
    generator = np.random.default_rng(2)
    arrivals = np.cumsum(generator.exponential(0.5, 250))
    free, spans = [0.0, 0.0], []
    for arrived, work in zip(arrivals[arrivals < 100], generator.exponential(0.8, 250), strict=False):
        started = max(arrived, heapq.heappop(free))
        heapq.heappush(free, started + work)
        spans.append(span(arrived, started, started + work))
    grid = np.arange(0.005, 100, 0.01)
    waiting = sum((s["arrived"] <= grid) & (grid < s["started"]) for s in spans)
    busy = sum((s["started"] <= grid) & (grid < s["ended"]) for s in spans)
    gauges = {
        "payments.queue": waiting.reshape(10, -1).mean(axis=1),
        "payments.busy": busy.reshape(10, -1).mean(axis=1),
    }
    run = records(spans=spans, gauges=gauges)
    assert little(run, "payments")[0] == pytest.approx(little(run, "payments")[1], rel=0.02)
    assert utilisation_law(run, "payments")[0] == pytest.approx(utilisation_law(run, "payments")[1], rel=0.02)
