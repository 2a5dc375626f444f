"""Which figures a scenario has is known before it runs."""

import math

import pytest

from sim.metrics import key_of, measure, metric_keys
from sim.metrics.keys import before_harm, named_faults
from sim.spec.expectation import metric_key as spec_key
from sim.vocabulary import METRICS, Outcome

from .building import records, request, scenario

FAULTS = [
    {"name": "dark", "at": "20s", "for": "10s", "outage": "payments"},
    {"name": "for ever", "at": "30s", "slow": {"of": "orders", "by": "2x"}},
    {"name": "too long", "at": "30s", "for": "70s", "outage": "orders"},
    {"name": "crash", "at": "40s", "crash": {"of": "orders", "restart_after": "5s"}},
    {"name": "after the end", "at": "200s", "for": "5s", "outage": "orders"},
    {"at": "50s", "for": "1s", "outage": "orders"},
]


def test_a_key_names_its_labels():
    assert key_of("lost_orders") == "lost_orders"
    assert key_of("recovery_time", "payments outage", "completion") == "recovery_time(payments outage, completion)"
    assert key_of("recovery_time", "payments outage", "") == "recovery_time(payments outage)"


@pytest.mark.parametrize("requests", [[], [request(20, 1)], [request(20, 1, completion=2, charges=1)]])
def test_measure_gives_what_was_promised(requests):
    run = scenario(faults=FAULTS)
    assert set(measure(records(requests), run).values) == metric_keys(run)


def test_every_metric_of_the_catalogue_is_measured():
    assert {key.partition("(")[0] for key in metric_keys(scenario(faults=FAULTS))} == set(METRICS)


def test_a_fault_that_outlasts_the_run_has_keys_and_nothing_to_recover_from():
    values = measure(records([request(20, 1)]), scenario(faults=FAULTS)).values
    assert math.isnan(values["recovery_time(for ever)"])
    assert math.isnan(values["recovery_time(too long, completion)"])
    assert math.isnan(values["drain_time(after the end)"])
    assert math.isnan(values["detection_time(after the end)"])


def test_a_crash_ends_with_the_restart():
    ends = {fault.name: fault.end for fault in named_faults(scenario(faults=FAULTS))}
    assert (ends["dark"], ends["crash"], ends["for ever"]) == (30, 45, math.inf)


def test_before_a_fault_is_before_any_harm():
    """For the second as for the first: from the warm-up to 20 s. A fault of the warm-up belongs to how things are."""
    run = scenario(faults=[{"name": "early", "at": "5s", "slow": {"of": "orders", "by": "2x"}}, *FAULTS])
    assert {before_harm(records(), run, fault) for fault in named_faults(run)[1:]} == {(10, 20)}


def test_an_expectation_may_be_of_every_figure_there_is():
    """What the scenario language takes for a metric is what a run measures."""
    run = scenario(faults=FAULTS)
    assert {spec_key(key, run) for key in metric_keys(run)} == metric_keys(run)
    written = [
        "p99(response_all)",
        "p95(completion, POST /orders)",
        "utilisation(gateway)",
        "recovery_time(dark, response)",
        "drain_time(for ever)",
    ]
    assert {spec_key(text, run) for text in written} <= metric_keys(run)


def test_labels():
    keys = metric_keys(scenario())
    assert {
        "utilisation(gateway)",
        "queue_mean(orders)",
        "lag_max(payment-group)",
        "availability(POST /orders)",
        "outcome_share(in_flight)",
    } <= keys
    assert not {"utilisation", "outcome_share", "lag_max", "recovery_time"} & keys
    assert len([key for key in keys if key.startswith("outcome_share")]) == len(Outcome)


def test_without_a_gateway_the_targets_are_the_routes():
    direct = scenario(
        gateway=None,
        traffic={"a": {"sends": {"orders.create": 0.5, "payments.charge": 0.5}, "arrivals": {"poisson": "1/s"}}},
    )
    assert {"response_p99(orders.create)", "response_p99(payments.charge)"} <= metric_keys(direct)


def test_a_route_that_only_a_measured_trace_knows_is_measured_too():
    found = measure(records([request(20, 3, route="GET /old", source="elsewhere")]), scenario()).values
    assert found["response_p50(GET /old)"] == 3


def test_figures_stand_in_the_order_of_the_catalogue():
    names = [key.partition("(")[0] for key in measure(records([request(20, 1)]), scenario(faults=FAULTS)).values]
    assert list(dict.fromkeys(names)) == list(METRICS)
