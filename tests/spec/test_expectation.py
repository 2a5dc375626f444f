"""What a scenario expects of itself."""

import math

import pytest

from sim.errors import ScenarioError, UsageError
from sim.spec import expectations, load_text, metric_key


def with_expectation(example, text):
    """The async variant, in which the first expectation is this one."""
    return load_text(example.replace("- p99(response, POST /orders) < 800ms", f"- '{text}'")).variants["async"]


@pytest.mark.parametrize(
    ("text", "key", "operator", "threshold"),
    [
        ("p99(response, POST /orders) < 800ms", "response_p99(POST /orders)", "<", 0.8),
        ("p999(completion) <= 5m", "completion_p999", "<=", 300.0),
        ("mean(response_all, POST /orders) < 1s", "response_all_mean(POST /orders)", "<", 1.0),
        ("availability(POST /orders) >= 99.9%", "availability(POST /orders)", ">=", 0.999),
        ("availability >= 0.999", "availability", ">=", 0.999),
        ("lost_orders == 0", "lost_orders", "==", 0.0),
        ("recovery_time(payments outage) < 60s", "recovery_time(payments outage)", "<", 60.0),
        ("recovery_time(payments outage, response) < 60s", "recovery_time(payments outage)", "<", 60.0),
        ("recovery_time(payments outage, completion) < 5m", "recovery_time(payments outage, completion)", "<", 300.0),
        (" response_p99<1s ", "response_p99", "<", 1.0),
        ("utilisation(payments) < 80%", "utilisation(payments)", "<", 0.8),
        ("utilisation(gateway) < 80%", "utilisation(gateway)", "<", 0.8),
        ("goodput > 100/s", "goodput", ">", 100.0),
        ("outcome_share(timeout) != 1%", "outcome_share(timeout)", "!=", 0.01),
        ("lag_max(payment-group) < 1e3", "lag_max(payment-group)", "<", 1000.0),
        ("cost < 1.5", "cost", "<", 1.5),
    ],
)
def test_an_expectation_names_a_metric_and_a_threshold_in_its_unit(example, text, key, operator, threshold):
    found = expectations(with_expectation(example, text))[0]
    assert (found.text, found.metric_key, found.operator, found.threshold) == (text.strip(), key, operator, threshold)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("p99(response, POST /ordrs) < 1s", "unknown route 'POST /ordrs'; did you mean 'POST /orders'?"),
        ("p99(respons) < 1s", "did you mean 'response'?"),
        ("p99 < 1s", "p99 is of response, response_all, completion: found nothing"),
        ("p98(response) < 1s", "unknown metric 'p98'; did you mean 'p99'?"),
        ("speed > 3", "unknown metric 'speed', expected one such as p99(response), availability or lost_orders"),
        ("lost_order == 0", "unknown metric 'lost_order'; did you mean 'lost_orders'?"),
        ("lost_orders(x) == 0", "lost_orders takes nothing in brackets"),
        ("recovery_time(outage) < 60s", "unknown fault 'outage'"),
        ("recovery_time < 60s", "recovery_time needs a fault in brackets; known: payments outage"),
        (
            "recovery_time(payments outage, complete) < 5m",
            "expected response or completion; did you mean 'completion'?",
        ),
        ("utilisation(payment) < 80%", "unknown station 'payment'; did you mean 'payments'?"),
        ("lag_max(payments-group) < 5", "unknown group 'payments-group'; did you mean 'payment-group'?"),
        ("outcome_share(timeot) < 1%", "unknown outcome 'timeot'; did you mean 'timeout'?"),
        ("response_p99 < 800", "found '800', expected a duration"),
        ("availability > 99.9", "expected a share"),
        ("goodput > 100", "expected a rate"),
        ("lost_orders == none", "expected a plain number"),
        ("lost_orders = 0", "operators are < <= > >= == !="),
        ("lost_orders", "expected METRIC OPERATOR THRESHOLD"),
        ("", "expected METRIC OPERATOR THRESHOLD"),
        ("x" * 5000, "expected METRIC OPERATOR THRESHOLD"),
        ("(" * 900, "expected METRIC OPERATOR THRESHOLD"),
    ],
)
def test_an_expectation_that_nobody_could_judge_is_refused_at_load(example, text, words):
    with pytest.raises(ScenarioError) as caught:
        with_expectation(example, text)
    assert words in str(caught.value)
    assert len(caught.value.problems) == 1


def test_no_data_meets_no_expectation(example):
    found = expectations(with_expectation(example, "lost_orders != 5"))[0]
    assert found.holds(3)
    assert not found.holds(5)
    assert not found.holds(math.nan)


def test_a_user_names_metrics_in_the_same_way(example):
    scenario = load_text(example).variants["async"]
    assert metric_key("p99(response, POST /orders)", scenario) == "response_p99(POST /orders)"
    assert metric_key("lost_orders", scenario) == "lost_orders"
    with pytest.raises(UsageError, match="did you mean 'lost_orders'"):
        metric_key("lost_order", scenario)
