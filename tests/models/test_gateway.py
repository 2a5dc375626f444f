"""The gateway's own place in the order of things: queue, work, authentication, limits, translation, call."""

import pytest

from sim import testing

TEXT = """
duration: 30s
traffic: {clients: {sends: GET /, users: {count: 1}}}
gateway: {workers: 1, QUEUE AUTH LIMIT routes: {GET /: {to: shop.get, ROUTE}}}
services: {shop: {workers: unlimited, endpoints: {get: [{work: 100ms}]}}}
"""


def gateway(queue="", auth="", limit="", route=""):
    text = TEXT.replace("QUEUE", queue).replace("AUTH", auth).replace("LIMIT", limit)
    return text.replace(", ROUTE", f", {route}" if route else "")


def test_own_work_queues_for_the_gateways_workers():
    played = testing.play(gateway("work: 10ms,"), [0.0, 0.0, 0.0])
    assert played.responses() == [0.11, 0.12, 0.13]


def test_a_full_queue_of_the_gateway_sheds_before_anything_else_is_asked():
    played = testing.play(
        gateway("work: 10ms, queue: {capacity: 1},", limit="rate_limits: [{per: all, rate: 1/s}],"), [0.0] * 4
    )
    assert played.outcomes() == ["ok", "rate_limited", "shed", "shed"]


def test_a_limit_is_asked_when_the_request_has_its_worker_and_is_authenticated():
    """Two tokens come at 0 s and at 1 s; the request of 0.995 s is authenticated for 10 ms, and so asks when the second is there."""
    text = gateway(auth="authentication: {jwt: {work: 10ms}},", limit="rate_limits: [{per: all, rate: 1/s, burst: 1}],")
    assert testing.play(text, [0.0, 0.995]).outcomes() == ["ok", "rate_limited"]
    assert testing.play(text, [0.0, 1.0]).outcomes() == ["ok", "ok"]


def test_every_limit_is_asked_in_its_order_and_the_first_refusal_counts():
    limits = "rate_limits: [{per: all, rate: 1/s, burst: 2}, {per: route, rate: 1/s, burst: 5}],"
    played = testing.play(gateway(limit=limits), [0.0] * 4)
    assert played.outcomes() == ["ok", "ok", "rate_limited", "rate_limited"]
    assert [event.object for event in played.events("limiting_began")] == ["all limit"]


@pytest.mark.parametrize(
    ("words", "arrived", "answered"),
    [
        ("timeout: 50ms, policy: {timeout: 10s, retry: {max_attempts: 2, backoff: {constant: 0s}}}", [0.0], 0.05),
        (
            "per_try_timeout: 50ms, policy: {timeout: 10s, retry: {max_attempts: 2, backoff: {constant: 0s}}}",
            [0.0, 0.05],
            0.1,
        ),
        (
            "timeout: 80ms, per_try_timeout: 50ms, policy: {retry: {max_attempts: 9, backoff: {constant: 0s}}}",
            [0.0, 0.05],
            0.08,
        ),
        (
            "timeout: 80ms, policy: {timeout: 50ms, retry: {max_attempts: 9, backoff: {constant: 20ms}}}",
            [0.0, 0.07],
            0.08,
        ),
        ("timeout: 60ms, policy: {timeout: 50ms, retry: {max_attempts: 9, backoff: {constant: 20ms}}}", [0.0], 0.06),
        (
            "timeout: 90ms, policy: {timeout: 30ms, retry: {max_attempts: 9, backoff: {constant: 0s}}}",
            [0.0, 0.03, 0.06],
            0.09,
        ),
        ("timeout: 90ms, policy: {timeout: 10s}", [0.0], 0.09),
    ],
)
def test_the_timeout_of_a_route_is_that_of_all_attempts_and_pauses_and_per_try_timeout_that_of_each(
    words, arrived, answered
):
    """Also where the deadline falls into a pause, or onto the end of an attempt: then no further one begins."""
    played = testing.play(gateway(route=words), [0.0])
    assert (played.outcomes(), played.responses()) == (["timeout"], [answered])
    assert [attempt.arrived for attempt in played.attempts("shop.get")] == arrived


def test_clients_go_round_the_replicas_of_the_gateway():
    text = gateway("work: 10ms,").replace("workers: 1,", "workers: 1, replicas: 3,")
    played = testing.play(text, [0.0] * 6)
    assert sorted(played.responses()) == [0.11] * 3 + [0.12] * 3
    assert [attempt.replica for attempt in played.attempts("gateway")] == [0, 1, 2, 0, 1, 2]


def test_invalid_tokens_are_refused_by_oauth_too():
    auth = "authentication: {oauth: {introspect: shop.get, lookup: 0s, invalid: 100%}},"
    assert testing.play(gateway(auth=auth), [0.0]).outcomes() == ["unauthorized"]


def test_users_of_two_gateway_replicas_share_what_is_known_but_not_the_call_that_is_under_way():
    text = gateway(auth="authentication: {oauth: {introspect: identity.get, lookup: 0s, cache_ttl: 60s}},").replace(
        "workers: 1,", "workers: 1, replicas: 2,"
    )
    text = text.replace("services: {", "services: {identity: {workers: 9, endpoints: {get: [{work: 20ms}]}}, ")
    played = testing.play(text, [0.0, 0.01, 1.0, 1.0])
    assert len(played.attempts("identity.get")) == 2
    assert played.responses() == [0.12, 0.12, 0.1, 0.1]
