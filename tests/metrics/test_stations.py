"""What the time series say of the machines."""

import math

import numpy as np
import pytest

from sim.metrics import measure
from sim.metrics.gauges import Gauges
from sim.vocabulary import Outcome

from .building import records, request, scenario


def values(gauges, requests=(), ticks=None, **changes):
    return measure(records(requests, gauges=gauges, ticks=ticks), scenario(**changes)).values


def test_utilisation_is_of_the_workers_after_the_warm_up():
    """All eight busy in the warm-up do not count; then half of them."""
    assert values({"payments.busy": [8] + [4] * 9, "payments.workers": 8})["utilisation(payments)"] == pytest.approx(
        0.5
    )


def test_utilisation_is_of_the_cores_where_there_are_cores():
    gauges = {"payments.busy": 60, "payments.workers": 64, "payments.cores_busy": 3, "payments.cores": 4}
    assert values(gauges)["utilisation(payments)"] == pytest.approx(0.75)


def test_utilisation_is_weighted_by_time_and_by_what_there_was():
    """Ticks at 10, 30 and 100 s: 20 s with 10 of 10 busy, then 70 s with 10 of 20."""
    found = values({"payments.busy": [0, 10, 10], "payments.workers": [10, 10, 20]}, ticks=[10, 30, 100])
    assert found["utilisation(payments)"] == pytest.approx(900 / (20 * 10 + 70 * 20))


def test_unlimited_workers_have_no_utilisation():
    assert math.isnan(values({"payments.busy": 5, "payments.workers": math.inf})["utilisation(payments)"])


def test_the_busiest_station_may_be_the_gateway():
    gauges = {"payments.busy": 2, "payments.workers": 8, "gateway.busy": 3, "gateway.workers": 4}
    assert values(gauges)["utilisation_max"] == pytest.approx(0.75)
    assert math.isnan(values({})["utilisation_max"])


def test_the_members_of_a_consumer_group_are_a_station_too():
    """They work on threads of their own: the service looks idle while its consumers are the bottleneck."""
    found = values(
        {
            "payments.busy": 0,
            "payments.workers": 8,
            "payment-group order-events.busy": 23,
            "payment-group order-events.workers": 24,
        }
    )
    assert found["utilisation(payments)"] == 0
    assert found["utilisation_max"] == pytest.approx(23 / 24)


def test_queue_mean():
    assert values({"payments.queue": [100] + [2, 4, 0] * 3})["queue_mean(payments)"] == pytest.approx(2)


def test_lag_is_added_up_over_the_topics_of_a_group_before_its_largest_is_taken():
    gauges = {
        "payment-group order-events.lag": [90, 5, 1] + [0] * 7,
        "payment-group retries.lag": [9, 1, 3] + [0] * 7,
        "other-group order-events.lag": 70,
    }
    assert values(gauges, ticks=[5, *range(20, 101, 10)])["lag_max(payment-group)"] == 6


def test_amplification_and_waste_grow_from_the_warm_up_on_and_leave_the_gateway_out():
    """Totals of 100 at the warm-up: 300 attempts for 200 first ones since, and 30 s of 120 s of work for nobody."""
    gauges = {
        "orders.attempts": np.linspace(100, 200, 10),
        "orders.first_attempts": np.linspace(100, 200, 10),
        "orders.work_done": np.linspace(50, 150, 10),
        "orders.work_wasted": np.linspace(0, 10, 10),
        "payments.attempts": np.linspace(100, 300, 10),
        "payments.first_attempts": np.linspace(100, 200, 10),
        "payments.work_done": np.linspace(10, 30, 10),
        "payments.work_wasted": np.linspace(0, 20, 10),
        "gateway.attempts": np.linspace(100, 900, 10),
        "gateway.first_attempts": np.linspace(100, 200, 10),
    }
    found = values(gauges)
    assert found["amplification"] == pytest.approx(300 / 200)
    assert found["wasted_work"] == pytest.approx(30 / 120)


def test_cost():
    """Two replicas, then four, at 0.36 an hour, 45 s each; and a gateway at half that; eight orders completed."""
    service = {"workers": 8, "cost": "0.36/h", "endpoints": {"create": []}}
    gateway = {"workers": 4, "cost": "0.18/h", "routes": {"POST /orders": {"to": "orders.create"}}}
    changes = {"services": {"orders": service}, "gateway": gateway}
    gauges = {"orders.replicas": [2, 2, 4], "gateway.replicas": 1}
    done = [request(20, 1, completion=1) for _ in range(8)] + [request(20, 1, completion=math.nan)]
    found = values(gauges, done, ticks=[10, 55, 100], **changes)
    assert found["cost"] == pytest.approx(45 * 6 * 0.0001 + 90 * 0.00005)
    assert found["cost_per_thousand"] == pytest.approx(found["cost"] / 8 * 1000)
    answered = [request(20, 1), request(20, 1, Outcome.REFUSED), request(20, 1, Outcome.ERROR)]
    assert values(gauges, answered, ticks=[10, 55, 100], **changes)["cost_per_thousand"] == pytest.approx(
        found["cost"] / 2 * 1000
    )
    assert values(gauges, [], ticks=[10, 55, 100], **changes)["cost_per_thousand"] == math.inf


def test_what_has_no_price_has_no_cost():
    assert math.isnan(values({"orders.replicas": 2})["cost"])


def test_a_warm_up_between_two_ticks_takes_its_share_of_the_interval():
    """A measured run has no tick at the warm-up: of the interval 0 to 20 s, half counts."""
    gauges = Gauges(records(gauges={"payments.busy": [1, 9], "payments.attempts": [100, 200]}, ticks=[20, 100]))
    assert gauges.mean("payments", "busy") == pytest.approx((10 * 1 + 80 * 9) / 90)
    assert gauges.growth("payments", "attempts") == pytest.approx(150)


def test_holes_in_a_measured_series_are_left_out():
    gauges = Gauges(records(gauges={"payments.busy": [5, math.nan, 7]}, ticks=[10, 50, 100]))
    assert gauges.mean("payments", "busy") == pytest.approx(7)
    assert math.isnan(gauges.mean("orders", "busy"))
    assert math.isnan(gauges.growth("orders", "attempts"))
