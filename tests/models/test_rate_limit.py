"""The caller's own rate limit: who goes when, who is refused, and the line that M/D/1 says."""

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.spec import load_document

TEXT = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, REPLICAS endpoints: {ask: [{call: b.tell, policy: p}]}}
  b: {workers: unlimited, endpoints: {tell: [{wait: 10ms}]}}
policies: {p: {POLICY}}
"""


def played(policy, times, replicas=""):
    return testing.play(TEXT.replace("POLICY", policy).replace("REPLICAS", replicas), times)


def test_calls_leave_one_after_the_other_at_the_rate():
    run = played("rate_limit: {rate: 10/s, wait: 1s}", [1.0, 1.0, 1.0, 1.25])
    assert [attempt.arrived for attempt in run.attempts("b.tell")] == [1.0, 1.1, 1.2, 1.3]
    assert run.responses() == [0.01, 0.11, 0.21, 0.06]


def test_who_would_wait_too_long_is_refused_at_once_and_uses_up_no_turn():
    run = played("rate_limit: {rate: 10/s, wait: 100ms}", [1.0, 1.0, 1.0, 1.15])
    assert run.outcomes() == ["ok", "ok", "rate_limited", "ok"]
    assert run.responses() == [0.01, 0.11, 0.0, 0.06]
    assert [event.object for event in run.events("limiting_began")] == ["b rate limit"]


def test_a_burst_goes_at_once_after_a_rest():
    run = played("rate_limit: {rate: 10/s, burst: 3, wait: 1s}", [1.0] * 4)
    assert run.responses() == [0.01, 0.01, 0.01, 0.11]


def test_resilience4j_refuses_only_when_its_timeout_is_over():
    words = "rate_limit: {resilience4j: {limit_for_period: 1, limit_refresh_period: 1s, timeout_duration: 500ms}}"
    run = played(words, [0.25, 0.25, 0.75])
    assert run.outcomes() == ["ok", "rate_limited", "ok"]
    assert run.responses() == [0.01, 0.5, 0.26]


def test_guava_makes_the_next_one_pay():
    run = played("rate_limit: {rate: 2/s, preset: guava, wait: 10s}", [10.0] * 4)
    assert run.responses() == [0.01, 0.01, 0.01, 0.51]


def test_the_wait_counts_for_the_total_timeout_and_not_for_that_of_an_attempt():
    run = played("timeout: 50ms, rate_limit: {rate: 1/s, wait: 10s}", [1.0, 1.0])
    assert run.outcomes() == ["ok", "ok"]
    run = played("timeout: 50ms, total_timeout: 300ms, rate_limit: {rate: 1/s, wait: 10s}", [1.0, 1.0, 3.0])
    assert run.outcomes() == ["ok", "timeout", "ok"]
    assert run.responses()[1] == 0.3


def test_a_refusal_is_tried_again_where_the_policy_says_so_and_counts_for_no_breaker():
    again = "retry: {max_attempts: 2, backoff: {constant: 100ms}, on: [rate_limited]}"
    run = played(f"{again}, rate_limit: 10/s, circuit_breaker: {{failures: 1}}", [1.0, 1.0])
    assert run.outcomes() == ["ok", "ok"]
    assert run.responses() == [0.01, 0.11]
    assert run.events("breaker_opened") == []


def test_each_replica_of_the_caller_has_a_limit_of_its_own_unless_the_service_shares_it():
    one = "rate_limit: {rate: 1/s, wait: 10s}"
    assert played(one, [1.0, 1.0], "replicas: 2,").responses() == [0.01, 0.01]
    assert played(f"{one}, scope: service", [1.0, 1.0], "replicas: 2,").responses() == [0.01, 1.01]


def test_a_crashed_replica_forgets_whose_turn_it_is():
    text = TEXT.replace("POLICY", "rate_limit: {rate: 1/s, wait: 10s}").replace("REPLICAS", "")
    fault = "faults: [{crash: {of: a, replicas: 1, restart_after: 1s}, at: 2.5s}]"
    run = testing.play(text + fault, [1.0, 1.0, 1.0, 1.0, 4.0])
    assert run.outcomes() == ["ok", "ok", "unreachable", "unreachable", "ok"]
    assert run.responses()[4] == 0.01


def test_a_spell_of_refusals_ends_with_the_replica():
    """Its last one was at 1.2 s; the crash comes before it has been quiet for long enough to be told."""
    text = TEXT.replace("POLICY", "rate_limit: 1/s").replace("REPLICAS", "")
    fault = "faults: [{crash: {of: a, replicas: 1, restart_after: 1s}, at: 2.5s}]"
    run = testing.play(text + fault, [1.0, 1.1, 1.2, 4.0])
    kinds = "limiting_began", "limiting_ended"
    assert [(event.time, event.kind) for event in run.events(*kinds)] == [(1.1, kinds[0]), (1.2, kinds[1])]


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_a_steady_line_is_that_of_m_d_1(load):
    """Pollaczek-Khinchine: rho / (2 mu (1 - rho)). And each wait is Lindley's, to the last nanosecond."""
    document = {
        "version": 1,
        "duration": "30m",
        "warmup": "1m",
        "seed": 5,
        "traffic": {"c": {"sends": "a.ask", "arrivals": {"poisson": f"{10 * load}/s"}}},
        "services": {
            "a": {
                "workers": "unlimited",
                "endpoints": {"ask": [{"call": "b.tell", "policy": {"rate_limit": {"rate": "10/s", "wait": "1h"}}}]},
            },
            "b": {"workers": "unlimited", "endpoints": {"tell": [{"wait": "10ms"}]}},
        },
    }
    (scenario,) = load_document(document).variants.values()
    from sim.models import simulate

    rows = simulate(scenario).request_frame().sort_values("arrival")
    waits, free = [], 0.0
    for arrival in rows["arrival"]:
        waits.append(max(0.0, free - arrival))
        free = max(arrival, free) + 0.1
    ended = rows["end"].notna()
    found = (rows["end"] - rows["arrival"] - 0.01)[ended]
    assert found.to_list() == pytest.approx([wait for wait, done in zip(waits, ended, strict=True) if done], abs=1e-9)
    assert found.mean() == pytest.approx(load / (2 * 10 * (1 - load)), rel=0.12)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("{wait: 1s}", "the field 'rate' is missing"),
        ("{rate: 1/s, resilience4j: {limit_for_period: 1}}", "in its own words"),
        ("{rate: 1/s, preset: guava, burst: 2}", "stores what one second brings"),
        ("{rate: 1/s, timeout: 1s}", "unknown field 'timeout'"),
    ],
)
def test_slips_are_told(limit, told):
    with pytest.raises(ScenarioError, match=told):
        played(f"rate_limit: {limit}", [1.0])
