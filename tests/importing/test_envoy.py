"""Envoy and Istio: what their references document a file to mean, as far as a scenario can say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importing.files import imported

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture
def istio(tmp_path):
    return imported(tmp_path, a_yaml=(SAMPLES / "istio.yaml").read_text())


@pytest.fixture
def envoy(tmp_path):
    return imported(tmp_path, a_yaml=(SAMPLES / "envoy.yaml").read_text())


def test_a_virtual_service_of_a_gateway_is_a_route_with_timeout_and_tries(istio):
    """4 attempts are tries beyond the first; the timeout is of all of them; a back-off doubles from 25 ms to 250 ms with full jitter."""
    route = istio.scenario.gateway.routes["/shop"]
    policy = istio.scenario.policies[route.policy]
    assert (route.to, route.timeout) == ("front.handle", 3.0)
    assert (policy.timeout, policy.retry.max_attempts, policy.retry.jitter) == (0.8, 5, "full")
    assert (policy.retry.backoff.base, policy.retry.backoff.longest) == (0.025, 0.25)
    assert set(policy.retry.on) == {"timeout", "error", "unreachable", "shed"}
    assert list(istio.scenario.gateway.routes) == ["/shop"]
    assert istio.left_out("redirect of VirtualService shop")[0][1] == "leads to no service"


def test_a_virtual_service_without_gateways_is_about_calls(istio):
    """Nothing is said of retries: two beyond the first. The limit of the DestinationRule stands beside."""
    call = istio.scenario.services["front"].endpoints["handle"].do[1]
    policy = istio.scenario.policies[call.policy]
    assert call.target == "stock.handle"
    assert (policy.total_timeout, policy.retry.max_attempts) == (0.5, 3)
    assert set(policy.retry.on) == {"unreachable", "shed"}
    assert policy.bulkhead.max_concurrent_calls == 60


def test_outlier_detection_of_istio_has_no_success_rate_and_no_panic(istio):
    balancing = istio.scenario.services["stock"].load_balancing
    assert (balancing.policy, balancing.panic_threshold) == ("power_of_two", 0.0)
    its = balancing.outlier_detection
    assert (its.consecutive_5xx, its.interval, its.success_rate) == (5, 10.0, False)


def test_what_istio_has_and_the_language_lacks_is_told(istio):
    assert "fault on purpose" in istio.left_out("delay 2s for 10 % of VirtualService stock")[0][1]
    assert "nobody waits" in istio.left_out("http1MaxPendingRequests of DestinationRule stock")[0][1]


def test_routes_of_envoy_have_its_defaults_where_nothing_is_said(envoy):
    routes = envoy.scenario.gateway.routes
    assert {name: route.to for name, route in routes.items()} == {
        "/orders": "orders.handle",
        "/goods": "goods.handle",
        "/stream": "goods.handle",
        "/split": "orders.handle",
    }
    assert {name: route.timeout for name, route in routes.items()} == {
        "/orders": 2.0,
        "/goods": 15.0,
        "/stream": None,
        "/split": 15.0,
    }
    retried, plain = (envoy.scenario.policies[routes[name].policy] for name in ("/orders", "/goods"))
    assert (retried.timeout, retried.retry.max_attempts) == (0.6, 4)
    assert (retried.bulkhead.max_concurrent_calls, plain.bulkhead.max_concurrent_calls) == (50, 1024)
    assert plain.retry is None


@pytest.mark.parametrize(
    ("header", "most", "expected"),
    [
        ("Retry-After", "", (True, 300.0, "ignore")),  # Envoy's default max_interval
        ("retry-after", ", max_interval: 20s", (True, 20.0, "ignore")),
        ("X-RateLimit-Reset", "", (False, None, "give_up")),
    ],
)
def test_the_reset_header_of_envoy_is_obeyed_where_it_is_one_that_limits_send(tmp_path, header, most, expected):
    words = f", rate_limited_retry_back_off: {{reset_headers: [{{name: {header}, format: SECONDS}}]{most}}}"
    text = (SAMPLES / "envoy.yaml").read_text().replace("per_try_timeout: 0.6s", f"per_try_timeout: 0.6s{words}")
    scenario = imported(tmp_path, a_yaml=text).scenario
    retry = scenario.policies[scenario.gateway.routes["/orders"].policy].retry
    assert (retry.honor_retry_after, retry.max_retry_after, retry.above_max_retry_after) == expected


def test_a_local_rate_limit_is_a_bucket_in_each_proxy(envoy):
    (limit,) = envoy.scenario.gateway.rate_limits
    assert (limit.per, limit.rate, limit.burst, limit.algorithm, limit.scope) == (
        "all",
        40.0,
        40,
        "token_bucket",
        "node",
    )


def test_endpoints_of_a_cluster_are_replicas_and_its_balancing_is_taken(envoy):
    assert envoy.scenario.services["goods"].replicas == 2
    orders = envoy.scenario.services["orders"].load_balancing
    assert (orders.policy, orders.outlier_detection.consecutive_5xx, orders.panic_threshold) == ("power_of_two", 5, 0.5)
    assert envoy.left_out("filter fault")


def test_what_envoy_enforces_now_and_then_and_splits_is_taken(tmp_path):
    words = "enforcing_consecutive_5xx: 40, enforcing_success_rate: 0, max_ejection_time_jitter: 3s, split_external_local_origin_errors: true"
    before = (SAMPLES / "envoy.yaml").read_text()
    text = before.replace("consecutive_5xx: 5", f"consecutive_5xx: 5, {words}, consecutive_local_origin_failure: 0")
    assert text != before
    its = imported(tmp_path, a_yaml=text).scenario.services["orders"].load_balancing.outlier_detection
    assert (its.enforcing_consecutive_5xx, its.success_rate, its.max_ejection_time_jitter) == (40.0, False, 3.0)
    assert (its.split_external_local_origin_errors, its.consecutive_local_origin_failure) == (True, None)


def test_health_checks_of_a_cluster_are_taken(envoy):
    checks = envoy.scenario.services["goods"].health_checks
    found = (checks.timeout, checks.interval, checks.unhealthy_threshold, checks.healthy_threshold)
    assert found == (2.0, 5.0, 3, 2)


def test_clusters_are_the_services_of_other_files(tmp_path):
    found = imported(
        tmp_path,
        a_yaml=(SAMPLES / "envoy.yaml").read_text(),
        compose_yaml="services: {order-api: {deploy: {replicas: 4}}, other: {image: x}}\n",
        a_env="ORDERS=order-api\n",
    )
    assert found.scenario.gateway.routes["/orders"].to == "order-api.handle"
    assert found.scenario.services["order-api"].replicas == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5s", 1.5),
        ("1m30s", 90.0),
        ("250ms", 0.25),
        ("PT2.5S", 2.5),
        ("PT1M", 60.0),
        ("1d", 86400.0),
        ("soon", None),
        ("-1s", None),
    ],
)
def test_durations_are_read_as_go_protobuf_and_java_write_them(text, expected):
    from sim.importing.durations import written
    from sim.importing.parts import Notes, Part
    from sim.spec.document import Place
    from sim.units import duration

    notes = Notes()
    found = written(Part(text, Place("a", 1), "timeout", notes))
    assert (duration(found) if found else None) == expected
    assert bool(notes.left_out) == (expected is None)
