"""Availability, goodput, throughput, Apdex, error budget, outcomes."""

import math

import pytest

from sim.metrics import measure
from sim.vocabulary import Outcome

from .building import ORDERS, records, request, scenario

EACH = [request(20, 1, outcome) for outcome in Outcome if outcome is not Outcome.IN_FLIGHT]


def values(requests, **changes):
    return measure(records(requests), scenario(**changes)).values


def test_one_of_each_outcome():
    """Eleven ways to end: ok, degraded and refused of ten authorized ones are available; nine per cent each of all."""
    found = values(EACH)
    assert found["availability"] == pytest.approx(3 / 10)
    assert found["outcome_share(unauthorized)"] == pytest.approx(1 / 11)
    assert sum(found[f"outcome_share({outcome.word})"] for outcome in Outcome) == pytest.approx(1)


def test_rates_are_per_second_of_the_measured_window():
    found = values(EACH)
    assert found["offered"] == pytest.approx(11 / 90)
    assert found["throughput"] == pytest.approx(3 / 90)
    assert found["goodput"] == pytest.approx(1 / 90)
    assert found[f"offered({ORDERS})"] == pytest.approx(11 / 90)


def test_completed_counts_orders_whose_effects_exist():
    found = values([request(20, 1, completion=2), request(20, 1, Outcome.TIMEOUT, completion=2), request(20, 1, completion=math.nan)])
    assert found["completed"] == pytest.approx(2 / 90)


def test_a_hanging_system_is_not_available():
    """In flight for longer than its client would wait (10 s) is a failure; a request of the last seconds is neither good nor bad."""
    assert values([request(20, 1), request(30), request(95)])["availability"] == pytest.approx(1 / 2)
    assert values([request(20)])["availability"] == 0
    assert math.isnan(values([request(99)])["availability"])


def test_the_client_says_how_long_it_waits():
    patient = {"shoppers": {"sends": ORDERS, "arrivals": {"poisson": "1/s"}, "timeout": "60s"}}
    assert values([request(20, 1), request(50)], traffic=patient)["availability"] == 1
    assert values([request(20, 1), request(30)], traffic=patient)["availability"] == 0.5


def test_goodput_is_ok_within_the_objective():
    """On time means not later: 800 ms is within 800 ms, whatever the clock says in its last digit; degraded is not good enough."""
    requests = [request(20.1, 0.8), request(33.3, 0.8), request(20, 0.81), request(20, 0.1, Outcome.DEGRADED)]
    assert values(requests, objective={"latency": "800ms"})["goodput"] == pytest.approx(2 / 90)
    assert values(requests)["goodput"] == pytest.approx(3 / 90)


def test_the_objective_of_the_traffic_serves_where_no_route_states_one():
    traffic = {"shoppers": {"sends": ORDERS, "arrivals": {"poisson": "1/s"}, "objective": {"latency": "1s"}}}
    requests = [request(20, 0.9), request(20, 1.1), request(20, 9, source="robots")]
    assert values(requests, traffic=traffic)["goodput"] == pytest.approx(2 / 90)
    assert values(requests, traffic=traffic, objective={"latency": "100ms"})["goodput"] == 0


def test_apdex():
    """T = 1 s: two satisfied (a refusal is an answer), one tolerating at 4 s, one frustrated, one failed fast, one unauthorized who does not count."""
    requests = [request(20, 1), request(20, 0.5, Outcome.REFUSED), request(20, 4), request(20, 4.1)]
    requests += [request(20, 0.1, Outcome.ERROR), request(20, 0.1, Outcome.UNAUTHORIZED)]
    assert values(requests, objective={"latency": "1s"})["apdex"] == pytest.approx(2.5 / 5)
    assert values([request(20, 0.6)])["apdex"] == 0.5


def test_error_budget_burn():
    """One failure in a hundred burns a budget of one in a thousand ten times as fast as it may."""
    requests = [request(20, 1) for _ in range(99)] + [request(20, 1, Outcome.ERROR)]
    found = values(requests, objective={"availability": "99.9%"})
    assert found["error_budget_burn"] == found[f"error_budget_burn({ORDERS})"] == pytest.approx(10)
    assert math.isnan(values(requests)["error_budget_burn"])


def test_a_budget_of_nothing():
    everything = {"objective": {"availability": 1.0}}
    assert values([request(20, 1)], **everything)["error_budget_burn"] == 0
    assert values([request(20, 1, Outcome.ERROR)], **everything)["error_budget_burn"] == math.inf


def test_no_requests_at_all():
    found = values([])
    assert found["offered"] == found["goodput"] == 0
    assert math.isnan(found["availability"])
    assert math.isnan(found["outcome_share(ok)"])


def test_a_request_without_source_or_route_promises_nothing():
    """A measured trace need not know who sent what."""
    run = records([request(20, 0.9), request(20, 0.9)])
    run.requests["source"][1] = run.requests["route"][1] = -1
    found = measure(run, scenario(objective={"latency": "100ms", "availability": "99%"})).values
    assert found["goodput"] == pytest.approx(1 / 90)
    assert found["offered"] == pytest.approx(2 / 90)
    assert found[f"offered({ORDERS})"] == pytest.approx(1 / 90)
