"""Deadlines that travel along: who is told, what is not begun, and what is cancelled."""

import pytest

from sim import testing
from sim.errors import ScenarioError

CHAIN = """
duration: 1m
traffic: {clients: {sends: a.ask, timeout: 300ms TOLD}}
services:
  a: {workers: unlimited, endpoints: {ask: [{wait: 100ms}, {call: b.ask, policy: p}]}}
  b: {workers: unlimited, endpoints: {ask: [{wait: 100ms}, {call: c.ask, policy: p}]}}
  c: {workers: unlimited, endpoints: {ask: [{wait: LONG}]}}
policies: {p: {POLICY}}
"""


def played(policy, times, told=", deadline: propagate", long="1s"):
    text = CHAIN.replace("POLICY", policy).replace("TOLD", told).replace("LONG", long)
    return testing.play(text, times)


def ended(run):
    return {(a.endpoint, a.number): (round(a.ended, 9), a.outcome) for a in run.attempts()}


def test_who_is_not_told_works_on_for_nobody():
    run = played("timeout: 10s", [1.0], told="")
    assert run.outcomes() == ["timeout"]
    assert {key: end for key, (end, _) in ended(run).items()} == {
        ("a.ask", 1): 2.2,
        ("b.ask", 1): 2.2,
        ("c.ask", 1): 2.2,
    }


def test_at_the_deadline_of_the_client_all_of_a_chain_stops():
    run = played("timeout: 10s, deadline: propagate", [1.0])
    assert run.responses() == [0.3]
    assert {end for end, _ in ended(run).values()} == {1.3}


def test_a_call_is_cut_at_the_deadline_and_what_comes_too_late_is_not_begun():
    """Of 300 ms the first hop takes 100, the second 100; where the second takes 250 the third is never asked."""
    text = CHAIN.replace("POLICY", "deadline: propagate").replace("TOLD", ", deadline: propagate").replace("LONG", "1s")
    run = testing.play(
        text.replace(
            "b: {workers: unlimited, endpoints: {ask: [{wait: 100ms}",
            "b: {workers: unlimited, endpoints: {ask: [{wait: 250ms}",
        ),
        [1.0],
    )
    assert run.attempts("c.ask") == []
    assert run.outcomes() == ["timeout"]


def test_the_timeout_of_a_call_is_a_deadline_for_those_below():
    text = (
        CHAIN.replace("timeout: 300ms TOLD", "timeout: 10s")
        .replace("POLICY", "timeout: 150ms, deadline: propagate")
        .replace("LONG", "1s")
    )
    run = testing.play(text, [1.0])
    assert run.outcomes() == ["timeout"]
    assert ended(run)[("c.ask", 1)][0] == 1.25  # what is left of the 150 ms of the first call, not 150 ms of its own


def test_a_retry_is_not_begun_after_the_deadline():
    run = played("timeout: 80ms, retry: {max_attempts: 9, backoff: {constant: 30ms}}, deadline: propagate", [1.0])
    assert run.responses() == [0.3]
    assert max(attempt.arrived for attempt in run.attempts()) < 1.3


def test_a_publication_that_nobody_hears_of_is_told_no_deadline():
    text = """
    duration: 10s
    traffic: {clients: {sends: a.ask, timeout: 300ms, deadline: propagate}}
    services: {a: {workers: unlimited, endpoints: {ask: [{publish: orders, policy: {deadline: propagate}}]}}}
    brokers: {kafka: {kind: log, acks: 0, topics: {orders: {partitions: 1}}}}
    """
    assert testing.play(text, [1.0]).outcomes() == ["ok"]


def test_who_is_in_time_is_not_touched():
    run = played("timeout: 10s, deadline: propagate", [1.0, 2.0], long="50ms")
    assert run.outcomes() == ["ok", "ok"]
    assert run.responses() == [0.25, 0.25]


def test_through_a_gateway_too():
    text = """
    duration: 1m
    traffic: {clients: {sends: GET /, timeout: 300ms, deadline: propagate}}
    gateway: {workers: 4, routes: {GET /: {to: b.ask, policy: {deadline: propagate}}}}
    services: {b: {workers: 4, endpoints: {ask: [{wait: 1s}]}}}
    """
    run = testing.play(text, [1.0])
    assert [attempt.ended for attempt in run.attempts("b.ask")] == [1.3]


def test_in_an_overload_it_spares_the_work_that_nobody_waits_for():
    """Twice what ten workers can do: without it they work for those who have gone."""
    text = """
    duration: 30s
    traffic: {clients: {sends: shop.buy, timeout: 500ms TOLD, arrivals: {poisson: 200/s}}}
    services: {shop: {workers: 10, endpoints: {buy: [{work: {exponential: 100ms}}]}}}
    record: {spans: none}
    """
    good = {}
    for told in ("", ", deadline: propagate"):
        requests = testing.play(text.replace(" TOLD", told)).requests.query("arrival >= 10")
        good[told] = (requests["outcome"] == "ok").sum() / 20
    assert good[""] < 10
    assert good[", deadline: propagate"] > 60


def test_a_client_without_a_timeout_has_no_deadline_to_tell():
    with pytest.raises(ScenarioError, match="hands on the `timeout`"):
        testing.play(
            CHAIN.replace("timeout: 300ms TOLD", "deadline: propagate").replace("POLICY", "").replace("LONG", "1s"),
            [1.0],
        )
