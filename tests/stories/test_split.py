"""A route that leads to several endpoints: each request goes to one, with the retries and the breaker of that."""

import pytest

from sim import testing

TEXT = """
duration: 100s
traffic: {a: {sends: GET /}}
gateway:
  workers: unlimited
  routes: {GET /: {to: old.get, split: {new.get: 20%, newest.get: 10%} MORE}}
services:
  old: {workers: unlimited, endpoints: {get: [{work: 1ms}]}}
  new: {workers: unlimited, endpoints: {get: [{work: 10ms}]}}
  newest: {workers: unlimited, endpoints: {get: [{work: 100ms}, LAST]}}
"""
TIMES = [index * 0.01 for index in range(5000)]


def played(more="", last="{work: 0ms}", times=TIMES):
    return testing.play(TEXT.replace("MORE", more and f", {more}").replace("LAST", last), {"a": times})


def shares(run):
    found = [round(response, 3) for response in run.responses("a")]
    return {seconds: found.count(seconds) / len(found) for seconds in set(found)}


def test_shares_go_where_they_are_said_to():
    """Three standard errors of a share of 5,000 are at most 2 %."""
    assert shares(played()) == pytest.approx({0.001: 0.7, 0.01: 0.2, 0.1: 0.1}, abs=0.02)


def test_a_retry_of_the_route_stays_with_the_endpoint_that_was_drawn():
    """The newest fails always: three attempts of 100 ms and two pauses of 1 s. A request that could go on to another
    endpoint would be answered sooner.
    """
    run = played("policy: {retry: {max_attempts: 3, backoff: {constant: 1s}}}", "{fail: 100%}")
    assert shares(run) == pytest.approx({0.001: 0.7, 0.01: 0.2, 2.3: 0.1}, abs=0.02)


def test_a_breaker_opens_for_one_endpoint_and_not_for_the_other():
    run = played("policy: {circuit_breaker: {failures: 3, within: 10s, open_for: 100s}}", "{fail: 100%}")
    outcomes = run.outcomes("a")
    assert outcomes.count("ok") == pytest.approx(0.9 * len(TIMES), rel=0.03)
    assert outcomes.count("error") < 30  # three, and those that were under way
    assert outcomes.count("breaker_open") == len(TIMES) - outcomes.count("ok") - outcomes.count("error")


def test_what_a_client_tries_again_is_drawn_anew():
    """Of ten attempts at a route of which a tenth fails all ten fail once in 10**10."""
    text = TEXT.replace("{sends: GET /}", "{sends: GET /, retry: {max_attempts: 10, backoff: {constant: 0s}}}")
    run = testing.play(text.replace("MORE", "").replace("LAST", "{fail: 100%}"), {"a": TIMES})
    assert set(run.outcomes("a")) == {"ok"}
