"""Connections: one for each attempt, a line before them, what opening one costs, and what a timeout does to them."""

import numpy as np
import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.models import simulate
from sim.spec import load_document

TEXT = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, REPLICAS endpoints: {ask: [{call: b.tell, policy: {POLICY}}]}}
  b: {workers: unlimited, endpoints: {tell: [{wait: STEP}]}}
FAULTS
"""


def played(policy, times, step="100ms", replicas="", faults=""):
    text = TEXT.replace("POLICY", policy).replace("STEP", step).replace("REPLICAS", replicas).replace("FAULTS", faults)
    return testing.play(text, times)


def test_an_attempt_has_a_connection_to_itself_and_others_wait_in_order_of_arrival():
    assert played("pool: {size: 2}", [1.0, 1.0, 1.0, 1.05]).responses() == [0.1, 0.1, 0.2, 0.15]


def test_who_gets_none_in_time_is_refused_then_and_one_too_many_at_once():
    run = played("pool: {size: 1, acquire_timeout: 150ms, max_pending: 2}", [1.0, 1.0, 1.0, 1.0])
    assert run.outcomes() == ["ok", "ok", "bulkhead_full", "bulkhead_full"]
    assert run.responses() == [0.1, 0.2, 0.15, 0.0]


def test_a_connection_that_comes_free_at_the_very_end_of_the_wait_is_in_time():
    assert played("pool: {size: 1, acquire_timeout: 100ms}", [1.0, 1.0]).outcomes() == ["ok", "ok"]


def test_a_cold_pool_opens_connections_as_they_are_asked_for_and_keeps_them():
    run = played("pool: {size: 2, minimum_idle: 0, connect: 30ms}", [1.0, 1.0, 2.0])
    assert run.responses() == [0.13, 0.13, 0.1]


def test_idle_connections_are_closed_where_the_pool_may_shrink():
    shrinks = played("pool: {size: 2, minimum_idle: 1, connect: 30ms, idle_timeout: 5s}", [1.0, 2.0, 20.0])
    assert shrinks.responses() == [0.1, 0.1, 0.13]
    assert played("pool: {size: 2, connect: 30ms, idle_timeout: 5s}", [1.0, 20.0]).responses() == [0.1, 0.1]


def test_a_timeout_closes_its_connection_where_the_place_of_a_bulkhead_is_free_at_once():
    """Both let the second one go when the first gives up; by the pool it has to open a connection first."""
    pool = played("timeout: 50ms, pool: {size: 1, connect: 20ms}", [1.0, 1.02], "45ms")
    assert pool.outcomes() == ["ok", "timeout"]
    slow = "timeout: 60ms, {}"
    step = "{replay: {data: [1.0, 0.03]}}"
    pool = played(slow.format("pool: {size: 1, connect: 20ms}"), [1.0, 1.03], step)
    bulkhead = played(slow.format("bulkhead: {max_concurrent_calls: 1, max_wait: 1s}"), [1.0, 1.03], step)
    assert (pool.outcomes(), bulkhead.outcomes()) == (["timeout", "timeout"], ["timeout", "ok"])
    assert bulkhead.responses()[1] == 0.06


def test_the_wait_and_the_opening_count_for_the_timeout_and_an_opened_one_is_there_for_the_next():
    run = played("timeout: 50ms, pool: {size: 1, minimum_idle: 0, connect: 80ms}", [1.0, 2.0], "10ms")
    assert run.outcomes() == ["timeout", "ok"]
    assert run.responses() == [0.05, 0.01]


def test_a_bulkhead_and_a_pool_stand_one_inside_the_other():
    words = "timeout: 130ms, bulkhead: {max_concurrent_calls: 2}, pool: {size: 1}"
    run = played(words, [1.0, 1.0, 1.0, 2.0])
    assert run.outcomes() == ["ok", "timeout", "bulkhead_full", "ok"]


def test_each_replica_of_the_caller_has_a_pool_and_a_crashed_one_starts_cold():
    words = "pool: {size: 1, connect: 30ms}"
    assert played(words, [1.0, 1.0], replicas="replicas: 2,").responses() == [0.1, 0.1]
    crash = "faults: [{crash: {of: a, replicas: 1, restart_after: 1s}, at: 1.05s}]"
    run = played(words, [1.0, 1.0, 3.0], faults=crash)
    assert run.outcomes() == ["unreachable", "unreachable", "ok"]
    assert run.responses()[2] == 0.13


def test_a_connection_that_opens_in_a_freeze_is_there_at_the_thaw_for_the_next_attempt():
    """Opened at 1.1 s, given up at 1.3 s; the caller hears of both at 2.05 s, and its second attempt takes 100 ms."""
    again = "retry: {max_attempts: 2, backoff: {constant: 0s}}"
    words = f"timeout: 300ms, {again}, pool: {{size: 1, minimum_idle: 0, connect: 100ms}}"
    run = played(words, [1.0], faults="faults: [{outage: a, how: hang, at: 1.05s, for: 1s}]")
    assert run.outcomes() == ["ok"]
    assert run.responses() == [1.15]


@pytest.mark.parametrize(
    ("size", "rate", "expected"), [(4, 64.0, 0.0372770295), (1, 16.0, 0.2)], ids=["M/M/4", "M/M/1"]
)
@pytest.mark.long
def test_the_line_before_a_pool_is_that_of_m_m_c(size, rate, expected):
    """Erlang's second formula: T02 of the golden answers, and rho / (mu - lambda)."""
    mean = "50ms"
    document = {
        "version": 1,
        "duration": "3000s",
        "warmup": "20s",
        "seed": 3,
        "record": {"interval": "10s"},
        "traffic": {"c": {"sends": "a.ask", "arrivals": {"poisson": f"{rate}/s"}}},
        "services": {
            "a": {
                "workers": "unlimited",
                "endpoints": {"ask": [{"call": "b.tell", "policy": {"pool": {"size": size, "acquire_timeout": "1h"}}}]},
            },
            "b": {"workers": "unlimited", "endpoints": {"tell": [{"wait": {"exponential": mean}}]}},
        },
    }
    (scenario,) = load_document(document).variants.values()
    rows = simulate(scenario).request_frame().query("arrival > 20").dropna(subset="end")
    assert np.mean(rows["end"] - rows["arrival"]) - 0.05 == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("pool", "told"),
    [
        ("{sizes: 3}", "did you mean 'size'"),
        ("{size: 0}", "at least 1|greater than or equal to 1"),
        ("{size: 3, timeout: 1s}", "unknown field"),
    ],
)
def test_slips_are_told(pool, told):
    with pytest.raises(ScenarioError, match=told):
        played(f"pool: {pool}", [1.0])
