"""A client that has gone: the gateway stops at once, the services behind it work on, and so does a service that was called directly."""

import pytest

from sim import testing

GONE = """
duration: 60s
traffic: {clients: {sends: POST /x, timeout: 1s}}
gateway: {workers: 1, CONCURRENCY routes: {POST /x: {to: a.x, policy: three}}}
services:
  a: {workers: unlimited, endpoints: {x: [{work: 10s}, {effect: done}]}}
policies: {three: {timeout: 1s, retry: {max_attempts: 3, backoff: {constant: 0s}}}}
"""


@pytest.mark.parametrize("concurrency", ["", "concurrency: threads,"])
@pytest.mark.parametrize("timeout", ["1s", "5s"])
def test_one_attempt_for_a_client_that_leaves_during_it(concurrency, timeout):
    """Also where the client's second ends together with that of the attempt: a further one would be sent into the void."""
    played = testing.play(
        GONE.replace("CONCURRENCY", concurrency).replace("{timeout: 1s, retry", f"{{timeout: {timeout}, retry"), [0.0]
    )
    (attempt,) = played.attempts("a.x")
    assert (attempt.ended, attempt.abandoned) == (10.0, True), "a works on, and nobody hears of it"
    assert (played.outcomes(), played.responses()) == (["timeout"], [1.0])
    (door,) = played.attempts("gateway")
    assert (door.ended, door.outcome) == (1.0, "timeout")
    assert played.records.gauge("a", "work_wasted")[-1] == played.records.gauge("a", "work_done")[-1] == 10.0


def test_its_worker_is_free_for_the_next():
    played = testing.play(GONE.replace("CONCURRENCY", "concurrency: threads,"), [0.0, 0.5])
    assert [attempt.started for attempt in played.attempts("gateway")] == [0.0, 1.0]
    assert [attempt.arrived for attempt in played.attempts("a.x")] == [0.0, 1.0]
    assert played.responses() == [1.0, 1.0]


def test_no_attempt_follows_a_back_off_that_nobody_waits_for():
    system = (
        GONE.replace("CONCURRENCY", "")
        .replace("timeout: 1s, retry", "timeout: 700ms, retry")
        .replace("constant: 0s", "constant: 2s")
    )
    assert len(testing.play(system, [0.0]).attempts("a.x")) == 1


def test_a_service_that_is_called_directly_does_not_know_and_goes_on():
    system = GONE.replace("sends: POST /x", "sends: b.x").replace(
        "gateway: {workers: 1, CONCURRENCY routes: {POST /x: {to: a.x, policy: three}}}\n", ""
    )
    system = system.replace("services:", "services:\n  b: {workers: 1, endpoints: {x: [{call: a.x, policy: three}]}}")
    played = testing.play(system, [0.0])
    assert [attempt.arrived for attempt in played.attempts("a.x")] == [0.0, 1.0, 2.0]


def test_who_asks_the_identity_provider_for_others_too_finishes_that_and_then_stops():
    """Both are of one user: the second waits for the answer to the question of the first, whose client leaves meanwhile."""
    system = """
    duration: 30s
    traffic:
      hasty: {sends: GET /, users: {count: 1, population: people}, timeout: 50ms}
      patient: {sends: GET /, users: {count: 1, population: people}}
    gateway: {workers: 1, authentication: {oauth: {introspect: identity.check, lookup: 0s}}, routes: {GET /: {to: shop.get}}}
    services:
      identity: {workers: 1, endpoints: {check: [{work: 100ms}]}}
      shop: {workers: unlimited, endpoints: {get: [{work: 10ms}]}}
    """
    played = testing.play(system, {"hasty": [0.0], "patient": [0.02]})
    assert played.outcomes() == ["timeout", "ok"]
    assert played.responses() == [0.05, 0.09]
    assert [len(played.attempts(where)) for where in ("identity.check", "shop.get")] == [1, 1]
    assert [(attempt.ended, attempt.outcome) for attempt in played.attempts("gateway")] == [
        (0.1, "timeout"),
        (0.11, "ok"),
    ]
