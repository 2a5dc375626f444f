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
    """Thirteen ways to end: ok, degraded and refused of twelve authorized ones are available."""
    found = values(EACH)
    assert found["availability"] == pytest.approx(3 / 12)
    assert found["outcome_share(unauthorized)"] == pytest.approx(1 / 13)
    assert sum(found[f"outcome_share({outcome.word})"] for outcome in Outcome) == pytest.approx(1)


def test_rates_are_per_second_of_the_measured_window():
    found = values(EACH)
    assert found["offered"] == pytest.approx(13 / 90)
    assert found["throughput"] == pytest.approx(3 / 90)
    assert found["goodput"] == pytest.approx(1 / 90)
    assert found[f"offered({ORDERS})"] == pytest.approx(13 / 90)


def test_completed_counts_orders_whose_effects_exist():
    found = values(
        [
            request(20, 1, completion=2),
            request(20, 1, Outcome.TIMEOUT, completion=2),
            request(20, 1, completion=math.nan),
        ]
    )
    assert found["completed"] == pytest.approx(2 / 90)


def test_who_is_in_flight_at_the_end_is_neither_good_nor_bad():
    """Twenty requests: seventeen ok, one failed, two without an end. They can make 17/20 or 19/20 of it."""
    found = values([*[request(20, 1)] * 17, request(20, 1, Outcome.ERROR), request(30), request(95)])
    assert found["availability"] == pytest.approx(17 / 18)
    assert (found["availability_least"], found["availability_most"]) == pytest.approx((17 / 20, 19 / 20))


def test_where_the_end_of_many_is_open_there_is_no_figure_but_its_bounds():
    """One in ten may be in flight, one in nine may not: a share of the others says too little of them."""
    assert values([*[request(20, 1)] * 9, request(95)])["availability"] == 1
    found = values([*[request(20, 1)] * 7, request(20, 1, Outcome.ERROR), request(95)])
    assert math.isnan(found["availability"])
    assert (found["availability_least"], found["availability_most"]) == pytest.approx((7 / 9, 8 / 9))
    assert [values([request(20)])[f"availability{end}"] for end in ("_least", "_most")] == [0, 1]


def test_bounds_count_those_who_count():
    """The unauthorized are no part of availability, however many they are."""
    found = values([*[request(20, 1)] * 9, *[request(20, 1, Outcome.UNAUTHORIZED)] * 90, request(95)])
    assert (found["availability_least"], found["availability_most"]) == (0.9, 1)


def test_who_has_waited_for_four_times_t_will_not_be_satisfied_any_more():
    """T = 1 s: of three in flight one has waited for 3.9 s, one for 4.1 s, one for 30 s."""
    found = values([*[request(20, 0.5)] * 9, request(70), request(95.9), request(96.1)], objective={"latency": "1s"})
    assert found["apdex"] == pytest.approx(9 / 11)
    assert (found["apdex_least"], found["apdex_most"]) == pytest.approx((9 / 12, 10 / 12))


def test_the_burn_of_a_budget_is_bounded_too():
    """A budget of one in ten, one failure among nineteen and one open: at least 1 and at most 2 of 2 allowed failures in 20."""
    found = values(
        [*[request(20, 1)] * 18, request(20, 1, Outcome.ERROR), request(95)], objective={"availability": "90%"}
    )
    assert found["error_budget_burn"] == pytest.approx(1 / 1.9)
    assert (found["error_budget_burn_least"], found["error_budget_burn_most"]) == pytest.approx((0.5, 1.0))


def test_what_leaves_in_the_window_counts_whenever_it_came():
    """The window begins at 10 s: of answers at 9.9, 10, and 50 s two count, and of arrivals before it none is offered."""
    found = values([request(9, 0.9), request(9, 1), request(5, 45), request(99, 1)])
    assert (
        found["throughput"] == found["goodput"] == pytest.approx(2 / 90)
    )  # what leaves at 100 s leaves behind the end
    assert (found["offered"], found["requests"]) == (pytest.approx(1 / 90), 1)


def test_noise_in_the_last_digits_moves_nobody_over_an_edge():
    """Ten answers a second, the k-th at k tenths added up: 10 s is 9.99999999999998, and 900 of them fit into 90 s."""
    moments = [sum(0.1 for _ in range(k)) for k in (100, 999, 1000)]
    assert moments[0] < 10.0
    assert values([request(0, moment) for moment in moments])["throughput"] == pytest.approx(2 / 90)


def test_completions_count_when_they_come():
    found = values([request(5, 1, completion=10), request(5, 1, completion=2), request(95, 1, completion=10)])
    assert found["completed"] == pytest.approx(1 / 90)
    assert (found["orders"], found["requests"]) == (1, 1)
    assert math.isnan(values([request(20, 1)])["completed"])


def test_a_percentile_that_those_in_flight_exceed_is_a_lower_bound():
    """Quick ones at first, then nobody is answered. Where all took ten seconds and the last have not waited for them yet, nothing is bent."""
    stuck = measure(records([*[request(20, 1)] * 10, *[request(30)] * 40]), scenario())
    assert {"response_p50", "response_p99", "response_mean", "response_all_p50"} <= stuck.censored
    steady = measure(
        records([request(20 + second, 10) if second < 70 else request(20 + second) for second in range(80)]), scenario()
    )
    assert not any(key.startswith("response") for key in steady.censored)


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
