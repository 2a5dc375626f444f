"""Three clocks: response, response_all and completion."""

import math

import pytest

from sim.metrics import measure
from sim.vocabulary import Outcome

from .building import NAN, ORDERS, records, request, scenario


def figures(requests, **run):
    return measure(records(requests, **run), scenario())


def test_response_is_of_those_answered_well():
    """Fast failures do not improve p99; response_all shows what everyone waited."""
    answered = [request(20, seconds) for seconds in range(1, 101)]
    failed = [request(20, 0.5, Outcome.SHED) for _ in range(100)]
    found = figures(answered + failed).values
    assert (
        found["response_p50"],
        found["response_p90"],
        found["response_p95"],
        found["response_p99"],
        found["response_p999"],
    ) == (50, 90, 95, 99, 100)
    assert found["response_mean"] == pytest.approx(50.5)
    assert found["response_all_p50"] == 0.5
    assert found["response_all_mean"] == pytest.approx((5050 + 50) / 200)


def test_a_degraded_answer_is_an_answer_and_a_refusal_is_not_a_fast_one():
    found = figures([request(20, 2, Outcome.DEGRADED), request(20, 4), request(20, 0.1, Outcome.REFUSED)]).values
    assert found["response_mean"] == 3
    assert found["response_all_mean"] == pytest.approx(6.1 / 3)


def test_only_arrivals_of_the_measured_window_count():
    """From the warm-up, included, to the end, excluded; when they ended does not matter."""
    found = figures([request(9.99, 50), request(10, 1), request(99.9, 3), request(100, 70)]).values
    assert found["response_mean"] == pytest.approx(2)
    assert found["offered"] == pytest.approx(2 / 90)


def test_each_route_has_its_own():
    other = [request(20, 9, route="GET /orders") for _ in range(3)]
    found = figures([request(20, 1), *other]).values
    assert (found[f"response_p50({ORDERS})"], found["response_p50(GET /orders)"], found["response_p50"]) == (1, 9, 9)
    assert found["response_mean"] == 7


def test_completion_may_come_before_the_response():
    found = figures([request(20, 2, completion=1)]).values
    assert (found["response_p50"], found["completion_p50"]) == (2, 1)


def test_requests_that_expect_no_effects_have_no_completion():
    found = figures([request(20, 1)]).values
    assert math.isnan(found["completion_p50"])
    assert math.isnan(found["completed"])


def test_an_unfinished_completion_counts_as_later_than_its_age():
    """96 orders completed within a second; four that arrived at 20, 30, 40 and 50 s never did: p99 is 'more than 70 s'."""
    done = [request(20, 0.1, completion=1) for _ in range(96)]
    lost = [request(at, 0.1, completion=NAN) for at in (20, 30, 40, 50)]
    found = figures(done + lost)
    assert (found.values["completion_p50"], found.values["completion_p95"], found.values["completion_p99"]) == (
        1,
        1,
        70,
    )
    assert {"completion_p99", f"completion_p99({ORDERS})", "completion_mean"} <= found.censored
    assert not {"completion_p95", "response_p99"} & found.censored


def test_the_mean_of_orders_that_may_yet_complete_is_marked_only_when_they_are_many():
    done = [request(20, 0.1, completion=1) for _ in range(995)]
    waiting = [request(99, 0.1, completion=NAN, pending=True) for _ in range(5)]
    assert "completion_mean" not in figures(done + waiting).censored
    assert "completion_mean" in figures(done + 3 * waiting).censored


def test_whose_completion_counts():
    """Failed orders that never complete are failures, not late; those that completed anyway, and those in flight, are orders."""
    failed = request(20, 0.1, Outcome.TIMEOUT, completion=NAN)
    anyway = request(20, 0.1, Outcome.TIMEOUT, completion=30)
    hanging = request(50, completion=NAN, pending=True)
    refused = request(20, 0.1, Outcome.REFUSED, completion=NAN)
    found = figures([failed, anyway, hanging, refused])
    assert found.values["completion_p50"] == 30
    assert found.values["completion_p99"] == 50
    assert "completion_p99" in found.censored
