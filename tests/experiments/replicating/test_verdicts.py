"""Expectations are judged on the mean over replications; no data fails, and so does a lower bound."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import sim
from sim.experiments.replicating.verdicts import judge
from sim.stats.mean import mean_interval
from tests.experiments import fakes


def verdict(text: str, key: str, values: list[float], censored: bool = False):
    scenario = fakes.shop().variants["one"].model_copy(update={"expect": (text,)})
    table = pd.DataFrame({key: values})
    (found,) = judge(scenario, table, {key: mean_interval(values, censored=censored)})
    return found


@pytest.mark.parametrize(("values", "passed"), [([0.4, 0.6], False), ([0.4, 0.5], True), ([0.7, 0.2], True)])
def test_the_mean_over_replications_is_judged(values, passed):
    assert verdict("p99(response) < 500ms", "response_p99", values).passed is passed


def test_a_metric_that_the_run_does_not_have_fails():
    found = verdict("p99(response) < 500ms", "response_p95", [0.1])
    assert not found.passed
    assert "no metric 'response_p99'; did you mean 'response_p95'?" in found.reason


def test_a_replication_without_data_fails_and_says_how_many_there_were():
    found = verdict("p99(response) < 500ms", "response_p99", [0.1, math.nan, 0.1])
    assert (found.passed, found.reason) == (False, "no data in 1 of 3 replications")
    assert verdict("p99(response) < 500ms", "response_p99", [math.nan]).reason == "no data"


@pytest.mark.parametrize("text", ["p99(completion) < 500s", "p99(completion) > 1s"])
def test_a_lower_bound_passes_nothing(text):
    found = verdict(text, "completion_p99", [10.0, 10.0], censored=True)
    assert not found.passed
    assert "lower bound" in found.reason


def test_what_never_happened_is_infinite_and_fails():
    found = verdict("p99(completion) < 500s", "completion_p99", [10.0, math.inf])
    assert (found.passed, found.value, found.reason) == (False, math.inf, "never")


def test_what_requests_in_flight_leave_open_is_judged_only_where_it_is_the_same_however_they_end():
    """Ten workers of a second under twice their load for a minute, from the thirtieth second on: nobody who comes then is answered."""
    text = """
        version: 1
        duration: 60s
        warmup: 30s
        traffic: {u: {sends: s.go, arrivals: {deterministic: 20/s}}}
        services: {s: {workers: 10, endpoints: {go: [{work: 1s}]}}}
        expect: [availability >= 99%, availability >= 0%, availability_most < 99%, throughput >= 10/s, goodput(s.go) <= 10/s, requests == 600]
    """
    result = sim.run(sim.load_text(text), replications=1).variants["base"]
    open_, surely, no, *rates = result.verdicts
    assert (open_.passed, surely.passed, no.passed, [verdict.passed for verdict in rates]) == (
        False,
        True,
        False,
        [True] * 3,
    )
    assert open_.reason.startswith(
        "undecided: between 0% and 100%, however the requests end that were in flight at the end"
    )
