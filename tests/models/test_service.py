"""Replicas and the balancers of their callers."""

from collections import Counter

import pytest

from sim import testing


def spread(balancing, arrivals, replicas=3, work="10ms", callers=1, faults=""):
    text = f"""
    duration: 100s
    services:
      app: {{replicas: {callers}, workers: unlimited, endpoints: {{get: [{{call: bank.get}}]}}}}
      bank: {{replicas: {replicas}, workers: unlimited, load_balancing: {balancing}, endpoints: {{get: [{{work: {work}}}]}}}}
    """ + (f"faults: [{faults}]" if faults else "")
    return testing.play(text, arrivals, sends="app.get")


def replicas_of(played, endpoint="bank.get"):
    return [attempt.replica for attempt in played.attempts(endpoint)]


def test_round_robin_goes_strictly_round():
    assert replicas_of(spread("round_robin", [0.1 * k for k in range(9)])) == [0, 1, 2] * 3


def test_callers_do_not_march_in_step():
    """Each caller replica has a balancer of its own, and they do not all begin at replica 0."""
    played = spread("round_robin", [0.0, 0.0, 0.0], callers=3)
    assert sorted(replicas_of(played)) == [0, 1, 2]


def test_least_request_sends_to_the_idle():
    """The first call holds replica 0 for ten seconds: nobody else is sent there."""
    played = spread(
        "least_request",
        [0.0] + [1.0 + k * 0.1 for k in range(20)],
        work="{replay: {data: [10.0" + ", 0.01" * 20 + "]}}",
    )
    assert Counter(replicas_of(played)) == {0: 1, 1: 10, 2: 10}


def test_random_and_power_of_two_reach_everybody_about_equally_when_idle():
    for balancing in ("random", "power_of_two"):
        counts = Counter(replicas_of(spread(balancing, [0.02 * k for k in range(3000)])))
        assert all(900 < counts[replica] < 1100 for replica in range(3)), balancing


def test_power_of_two_avoids_the_busy_one_where_it_has_the_choice():
    """Replica r is busy: it is taken only when both picks are it, one time in nine."""
    work = "{replay: {data: [90.0" + ", 0.001" * 2000 + "]}}"
    played = spread("power_of_two", [0.0] + [1.0 + 0.02 * k for k in range(2000)], work=work)
    first, *others = replicas_of(played)
    assert 2000 / 9 - 60 < Counter(others)[first] < 2000 / 9 + 60


@pytest.mark.parametrize("balancing", ["round_robin", "random", "least_request", "power_of_two", "two_choices"])
def test_a_replica_that_is_down_gets_nothing(balancing):
    played = spread(balancing, [5.0 + 0.1 * k for k in range(60)], faults="{at: 1s, crash: {of: bank, replicas: 1}}")
    counts = Counter(replicas_of(played))
    assert counts[0] == 0
    assert all(counts[replica] > 15 for replica in (1, 2))
    assert set(played.outcomes()) == {"ok"}


@pytest.mark.parametrize("balancing", ["round_robin", "random", "least_request", "power_of_two", "two_choices"])
def test_a_replica_that_is_back_gets_its_share_again(balancing):
    played = spread(
        balancing,
        [5.0 + 0.1 * k for k in range(90)],
        faults="{at: 1s, crash: {of: bank, replicas: 1, restart_after: 1s}}",
    )
    assert Counter(replicas_of(played))[0] > 20


def test_a_retry_asks_the_balancer_again():
    text = """
    services:
      app: {workers: 1, endpoints: {get: [{call: bank.get, policy: {retry: {max_attempts: 3, backoff: {constant: 0s}}}}]}}
      bank: {replicas: 3, workers: 1, endpoints: {get: [{work: 1ms}, {fail: 100%}]}}
    """
    assert replicas_of(testing.play(text, [0.0], sends="app.get")) == [0, 1, 2]


def test_an_attempt_that_timed_out_no_longer_counts_as_active_for_its_caller():
    text = """
    services:
      app: {workers: unlimited, endpoints: {get: [{call: bank.get, policy: {timeout: 100ms}}]}}
      bank: {replicas: 2, workers: unlimited, load_balancing: least_request, endpoints: {get: [{work: {replay: {data: [50.0, 0.01]}}}]}}
    """
    played = testing.play(text, [0.0] + [1.0 + 0.2 * k for k in range(10)], sends="app.get")
    assert Counter(replicas_of(played)[1:]) == {0: 5, 1: 5}
