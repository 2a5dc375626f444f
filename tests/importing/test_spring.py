"""Spring: what its references document settings to mean, however they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.importing.parts import Notes, Part
from sim.importing.relaxed import setting, unfolded
from sim.spec.document import Place
from sim.spec.reading import read_yaml
from tests.importing.files import imported

SAMPLE = (Path(__file__).parent / "samples" / "spring.yaml").read_text()


@pytest.fixture
def gateway(tmp_path):
    return imported(tmp_path, a_yaml=SAMPLE)


def policy(found, route):
    return found.scenario.policies[found.scenario.gateway.routes[route].policy]


def test_routes_lead_to_the_hosts_of_their_uris(gateway):
    assert {name: route.to for name, route in gateway.scenario.gateway.routes.items()} == {
        "orders": "order-service.handle",
        "goods": "goods.handle",
    }
    assert gateway.left_out("route away")[0][1] == "leads to no host: no://"


def test_tries_of_the_filter_are_beyond_the_first_and_timeouts_are_of_each(gateway):
    """Retry=4 is five attempts without a pause; response-timeout is 4 s for all and 900 ms by the metadata of one."""
    orders, goods = policy(gateway, "orders"), policy(gateway, "goods")
    assert (orders.retry.max_attempts, orders.retry.backoff.base, orders.retry.backoff.longest) == (3, 0.01, 0.05)
    assert (goods.retry.max_attempts, goods.retry.backoff.delay) == (5, 0.0)
    routes = gateway.scenario.gateway.routes
    assert (routes["orders"].per_try_timeout, routes["goods"].per_try_timeout) == (4.0, 0.9)


def test_a_breaker_of_the_gateway_has_its_instance_with_its_base_and_its_time_limiter(gateway):
    orders = policy(gateway, "orders")
    breaker = orders.circuit_breaker.resilience4j
    assert (breaker.sliding_window_size, breaker.failure_rate_threshold, breaker.wait_duration_in_open_state) == (
        20,
        40,
        15.0,
    )
    assert (breaker.minimum_number_of_calls, breaker.permitted_number_of_calls_in_half_open_state) == (8, 3)
    assert orders.timeout == 2.0
    assert gateway.left_out("fallbackUri of route orders")


def test_a_limit_of_the_default_filters_is_a_bucket_for_each_user_of_all_replicas(gateway):
    (limit,) = gateway.scenario.gateway.rate_limits
    assert (limit.per, limit.rate, limit.burst, limit.algorithm, limit.scope) == (
        "user",
        20.0,
        40,
        "token_bucket",
        "cluster",
    )


def test_settings_of_a_profile_are_left_out(gateway):
    assert gateway.left_out("settings of the profile local") == [(36, "hold only with it")]


def test_an_application_has_threads_neighbours_and_instances_called_like_them(tmp_path):
    found = imported(
        tmp_path,
        a_yaml="""
            spring.application.name: orders
            server: {tomcat: {threads: {max: 50}}}
            shop.stock-url: http://stock:8080/api
            resilience4j:
              retry: {instances: {stock: {maxAttempts: 4, waitDuration: 200ms, enableExponentialBackoff: true}, unknown: {maxAttempts: 2}}}
              bulkhead: {instances: {stock: {}}}
              ratelimiter: {instances: {stock: {limitForPeriod: 5}}}
            """,
        compose_yaml="services: {orders: {ports: ['80:80']}, stock: {image: x}}\n",
    )
    call = found.scenario.services["orders"].endpoints["handle"].do[1]
    assert (found.scenario.services["orders"].workers, call.target) == (50, "stock.handle")
    its = found.scenario.policies[call.policy]
    backoff = its.retry.backoff  # 1.5: IntervalFunction.DEFAULT_MULTIPLIER
    assert (its.retry.max_attempts, backoff.wait_duration, backoff.exponential_backoff_multiplier) == (4, 0.2, 1.5)
    assert its.bulkhead.max_concurrent_calls == 25
    assert found.left_out("instance unknown of resilience4j")
    limit = its.rate_limit.resilience4j
    assert (limit.limit_for_period, limit.limit_refresh_period, limit.timeout_duration) == (5, 500e-9, 5.0)


def test_what_an_instance_says_of_waits_that_grow_and_of_exceptions(tmp_path):
    """What the library refuses, a factor of 1 and a multiplier below it, is told and left to its default."""
    found = imported(
        tmp_path,
        a_yaml="""
            spring.application.name: orders
            shop.stock-url: http://stock:8080/api
            resilience4j:
              retry: {instances: {stock: {enableRandomizedWait: true, randomizedWaitFactor: 1}}}
              circuitbreaker: {instances: {stock: {waitDurationInOpenState: 2s, enableExponentialBackoff: true,
                exponentialBackoffMultiplier: 0.5, exponentialMaxWaitDurationInOpenState: 20s,
                automaticTransitionFromOpenToHalfOpenEnabled: true, ignoreExceptions: [java.io.IOException]}}}
            """,
        compose_yaml="services: {orders: {ports: ['80:80']}, stock: {image: x}}\n",
    )
    its = found.scenario.policies[found.scenario.services["orders"].endpoints["handle"].do[1].policy]
    assert (its.retry.backoff.randomized_wait_factor, its.retry.backoff.exponential_backoff_multiplier) == (0.5, None)
    breaker = its.circuit_breaker.resilience4j
    assert breaker.automatic_transition_from_open_to_half_open_enabled
    assert (breaker.exponential_backoff_multiplier, breaker.exponential_max_wait_duration_in_open_state) == (1.5, 20.0)
    assert found.left_out("ignore-exceptions of a circuit breaker")
    assert len(found.left_out("randomizedWaitFactor")) == len(found.left_out("exponentialBackoffMultiplier")) == 1


@pytest.mark.parametrize("text", ["{a.b-c: 1}", "{a: {b_c: 1}}", "{a: {bC: 1}}", "a.bC: 1", "a: {x: 2}\na.BC: 1"])
def test_names_are_one_however_they_are_written(text):
    part = Part(unfolded(read_yaml(text)), Place("a", 1), "file", Notes())
    assert setting(part, "a", "b-c").number() == 1
    assert not setting(part, "a", "d")
