"""Settings: what goes out to Kubernetes and Kong comes back by `sim import`, and what a target cannot say stands in the file."""

from __future__ import annotations

import json

import pytest
from ruamel.yaml import YAML

import sim
from sim.cli import answer
from sim.errors import UsageError
from sim.exporting import Subject, kong, kubernetes, resilience4j
from sim.importing import import_files

SHOP = """
version: 1
name: web-shop
duration: 1m
traffic: {shoppers: {sends: {POST /orders: 25%, GET /cart: 75%}, arrivals: {poisson: 10/s}, users: {count: 100}}}
gateway:
  replicas: 2
  workers: 8
  authentication: {jwt: {work: 80us}}
  rate_limits: [{per: user, rate: 100/s, scope: node}, {per: all, rate: 600/m, scope: cluster}]
  routes:
    POST /orders: {to: orders.create, per_try_timeout: 800ms, translate: {to: grpc, work: 50us}}
    GET /cart: {to: cart.show, policy: patient, authenticate: false}
services:
  orders:
    replicas: 4
    workers: 32
    cores: 2
    queue: {capacity: 50, timeout: 1s}
    endpoints: {create: [{work: 5ms}, {call: payments.charge, policy: provider}, {publish: order-events}]}
  cart: {replicas: 2, workers: 16, load_balancing: power_of_two, endpoints: {show: [{work: 2ms}]}}
  payments: {workers: 8, endpoints: {charge: [{wait: 60ms}]}}
  mailer: {workers: 1, concurrency: event_loop, consumes: {order-events: {group: mailers, do: [{work: 1ms}]}}}
brokers: {kafka: {kind: log, topics: {order-events: {partitions: 12}}}}
policies:
  patient: {timeout: 2s, retry: {max_attempts: 3, backoff: {constant: 0s}, on: [timeout, unreachable]}, bulkhead: {max_concurrent_calls: 9}}
  provider:
    timeout: 1s
    total_timeout: 5s
    retry: {max_attempts: 3, backoff: {exponential: {base: 100ms, max: 2s}}, jitter: 20%, on: [timeout, error], budget: {ratio: 20%}}
    circuit_breaker: {resilience4j: {sliding_window_size: 20, minimum_number_of_calls: 10, failure_rate_threshold: 40, wait_duration_in_open_state: 30s}}
    bulkhead: {max_concurrent_calls: 24, max_wait: 50ms}
"""


def subject(text=SHOP):
    study = sim.load_text(text)
    name, scenario = next(iter(study.variants.items()))
    return Subject(study.name, name, scenario)


def imported(tmp_path, **files):
    """The scenario that `sim import` makes of these files."""
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    text = import_files([str(tmp_path / f"{name}.yaml") for name in files]).text
    return next(iter(sim.load_text(text).variants.values()))


# ---- round trips


def test_what_kubernetes_is_told_comes_back(tmp_path):
    before, after = subject().scenario, imported(tmp_path, kubernetes=kubernetes.write(subject()))
    assert set(after.services) == set(before.services)
    for name, service in before.services.items():
        found = after.services[name]
        assert (found.replicas, found.workers) == (service.replicas, service.workers), name
        assert found.computes_on == service.computes_on, name
    assert [step.target for step in after.services["orders"].endpoints["handle"].do if hasattr(step, "target")] == [
        "payments.handle"
    ]
    assert after.brokers["kafka"].topics["order-events"].partitions == 12


def test_what_kong_is_told_comes_back(tmp_path):
    before, after = subject().scenario.gateway, imported(tmp_path, kong=kong.write(subject())).gateway
    assert {name: route.to.partition(".")[0] for name, route in after.routes.items()} == {
        name: route.to.partition(".")[0] for name, route in before.routes.items()
    }
    assert [(its.per, its.rate, its.window, its.scope, its.algorithm) for its in after.rate_limits] == [
        (its.per, its.rate, its.window, its.scope, its.algorithm) for its in before.rate_limits
    ]
    assert type(after.authentication) is type(before.authentication)
    assert {name: route.authenticate for name, route in after.routes.items()} == {
        name: route.authenticate for name, route in before.routes.items()
    }
    assert [name for name, route in after.routes.items() if route.translate is not None] == ["POST /orders"]


def test_timeouts_and_retries_of_kong_come_back(tmp_path):
    after = imported(tmp_path, kong=kong.write(subject()))
    policies = {name: after.policies[route.policy] for name, route in after.gateway.routes.items()}
    assert policies["POST /orders"].timeout == pytest.approx(0.8)
    assert policies["POST /orders"].retry is None
    assert policies["GET /cart"].timeout == pytest.approx(2.0)
    assert policies["GET /cart"].retry == subject().scenario.policies["patient"].retry


def test_both_together_are_one_system_again(tmp_path):
    after = imported(tmp_path, kubernetes=kubernetes.write(subject()), kong=kong.write(subject()))
    assert set(after.services) == {"orders", "cart", "payments", "mailer"}
    assert after.gateway.routes["POST /orders"].to == "orders.handle"


def test_a_limit_in_a_window_of_its_own_comes_back(tmp_path):
    """90 in 30 s, sliding, is Kong's rate-limiting-advanced with window_size 30."""
    text = SHOP.replace(
        "{per: user, rate: 100/s, scope: node}",
        "{per: user, rate: 3/s, window: 30s, algorithm: sliding_window_counter}",
    )
    written = kong.write(subject(text))
    (advanced,) = [
        plugin for plugin in YAML(typ="safe").load(written)["plugins"] if plugin["name"] == "rate-limiting-advanced"
    ]
    assert (advanced["config"]["limit"], advanced["config"]["window_size"]) == ([90], [30])
    limit = imported(tmp_path, kong=written).gateway.rate_limits[0]
    assert (limit.rate, limit.window, limit.algorithm) == (3.0, 30.0, "sliding_window_counter")


def test_introspection_comes_back_with_its_cache(tmp_path):
    text = SHOP.replace("{jwt: {work: 80us}}", "{oauth: {introspect: payments.charge, lookup: 20us, cache_ttl: 90s}}")
    found = imported(
        tmp_path, kubernetes=kubernetes.write(subject(text)), kong=kong.write(subject(text))
    ).gateway.authentication
    assert (found.introspect, found.cache_ttl) == ("payments.handle", 90.0)


# ---- Kubernetes


def documents(text):
    return list(YAML(typ="safe").load_all(text))


def test_every_object_is_whole_and_its_selector_finds_its_pods():
    for thing in (its for its in documents(kubernetes.write(subject())) if its is not None):
        assert {"apiVersion", "kind", "metadata", "spec"} <= set(thing)
        if thing["kind"] == "Deployment":
            assert thing["spec"]["selector"]["matchLabels"] == thing["spec"]["template"]["metadata"]["labels"]
            assert thing["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":to-be-supplied")


def test_what_a_manifest_cannot_say_stands_above_its_object():
    text = kubernetes.write(subject())
    for words in (
        "queue of 50",
        "waits for 1s",
        "load_balancing: power_of_two",
        "consumes order-events as mailers",
        "sim export --to resilience4j",
    ):
        assert any(words in line for line in text.splitlines() if line.startswith("#")), words


def test_a_service_that_clients_reach_is_published_where_no_gateway_is():
    text = "version: 1\nduration: 1m\ntraffic: {a: {sends: b.c, arrivals: {poisson: 1/s}}}\nservices: {b: {workers: 1, endpoints: {c: [{work: 1ms}]}}}\n"
    services = [thing for thing in documents(kubernetes.write(subject(text))) if thing and thing["kind"] == "Service"]
    assert [thing["spec"]["type"] for thing in services] == ["LoadBalancer"]


def test_names_become_labels_of_dns_and_stay_apart():
    text = """
version: 1
duration: 1m
traffic: {a: {sends: Order Service.c, arrivals: {poisson: 1/s}}}
services: {Order Service: {workers: 1, endpoints: {c: [{work: 1ms}]}}, order-service: {workers: 1, endpoints: {c: [{work: 1ms}]}}}
"""
    names = [
        thing["metadata"]["name"]
        for thing in documents(kubernetes.write(subject(text)))
        if thing and thing["kind"] == "Deployment"
    ]
    assert names == ["order-service", "order-service-2"]


# ---- Kong


def test_a_cache_of_answers_is_the_plugin_of_kong_where_it_keeps_as_that_does():
    shop = SHOP.replace("users: {count: 100}", "users: {count: 100}, items: {count: 500}")
    route = "GET /cart: {to: cart.show, cache: {CACHE}}"
    text = shop.replace("GET /cart: {to: cart.show, policy: patient, authenticate: false}", route)
    written = kong.write(subject(text.replace("CACHE", "key: item_of_user, ttl: 30s, negative_ttl: 30s")))
    (service,) = [its for its in YAML(typ="safe").load(written)["services"] if its["name"] == "cart"]
    (plugin,) = service["routes"][0]["plugins"]
    assert plugin == {
        "name": "proxy-cache",
        "config": {"strategy": "memory", "cache_ttl": 30, "response_code": [200, 301, 404]},
    }
    assert "the key of proxy-cache has the consumer in it" in kong.write(subject(text.replace("CACHE", "key: item")))
    shared = kong.write(subject(text.replace("CACHE", "key: item, scope: shared")))
    assert "name: proxy-cache" not in shared
    assert "proxy-cache keeps none so" in shared


def test_kong_needs_a_gateway():
    with pytest.raises(UsageError, match="found no gateway"):
        kong.write(
            subject(
                "version: 1\nduration: 1m\ntraffic: {a: {sends: b.c, arrivals: {poisson: 1/s}}}\nservices: {b: {workers: 1, endpoints: {c: []}}}\n"
            )
        )


def test_what_kong_cannot_count_is_a_comment_and_no_plugin():
    text = kong.write(
        subject(SHOP.replace("{per: user, rate: 100/s, scope: node}", "{per: user, rate: 100/s, burst: 20}"))
    )
    assert "# limit of 100/s per user, token_bucket, burst 20: no plugin of Kong counts so" in text
    assert [plugin["name"] for plugin in YAML(typ="safe").load(text)["plugins"]] == ["rate-limiting"]


def test_what_kong_cannot_do_for_a_route_stands_above_it():
    text = kong.write(subject(SHOP.replace("policy: patient", "policy: provider, timeout: 4s")))
    for words in (
        "timeout of all attempts together (4s)",
        "tried again on error",
        "pauses between attempts",
        "retry budget",
        "circuit breaker",
        "bulkhead of 24",
    ):
        assert any(words in line for line in text.splitlines() if line.lstrip().startswith("#")), words


# ---- resilience4j


def test_resilience4j_has_an_instance_for_each_policy_that_calls_use():
    settings = YAML(typ="safe").load(resilience4j.write(subject()))["resilience4j"]
    assert set(settings["timelimiter"]["instances"]) == {"patient", "provider"}
    assert set(settings["circuitbreaker"]["instances"]) == {"provider"}
    breaker = settings["circuitbreaker"]["instances"]["provider"]
    assert (breaker["slidingWindowType"], breaker["slidingWindowSize"], breaker["minimumNumberOfCalls"]) == (
        "COUNT_BASED",
        20,
        10,
    )
    assert (breaker["failureRateThreshold"], breaker["waitDurationInOpenState"]) == (40, "30s")
    retry = settings["retry"]["instances"]["provider"]
    assert (
        retry["maxAttempts"],
        retry["waitDuration"],
        retry["exponentialMaxWaitDuration"],
        retry["randomizedWaitFactor"],
    ) == (3, "100ms", "2s", 0.2)
    assert settings["bulkhead"]["instances"]["provider"] == {"maxConcurrentCalls": 24, "maxWaitDuration": "50ms"}
    assert settings["timelimiter"]["instances"]["provider"] == {"timeoutDuration": "1s", "cancelRunningFuture": False}


GROWING = SHOP.replace(
    "backoff: {exponential: {base: 100ms, max: 2s}}, jitter: 20%",
    "backoff: {resilience4j: {wait_duration: 200ms, exponential_backoff_multiplier: 2x, "
    "exponential_max_wait_duration: 5s, randomized_wait_factor: 50%}}",
).replace(
    "wait_duration_in_open_state: 30s}}",
    "wait_duration_in_open_state: 30s, exponential_backoff_multiplier: 3x, exponential_max_wait_duration_in_open_state: 2m, "
    "automatic_transition_from_open_to_half_open_enabled: true}, records: [timeout]}",
)


DRAWN = SHOP.replace(
    "wait_duration_in_open_state: 30s}}", "wait_duration_in_open_state: 30s, randomized_wait_factor: 30%}}"
).replace(
    "bulkhead: {max_concurrent_calls: 24, max_wait: 50ms}",
    "bulkhead: {thread_pool: {core_thread_pool_size: 8, max_thread_pool_size: 12, queue_capacity: 40}}",
)


def policy_after(tmp_path, text):
    """The policy of the provider as `sim import` reads what was written of it."""
    settings = YAML(typ="safe").load(resilience4j.write(subject(text)))["resilience4j"]
    instances = {
        module: {"instances": {"payments": its["instances"]["provider"]}}
        for module, its in settings.items()
        if "provider" in its["instances"]
    }
    text = json.dumps(
        {"spring.application.name": "orders", "payments-url": "http://payments", "resilience4j": instances}
    )
    compose = json.dumps({"services": {"orders": {"ports": ["80:80"]}, "payments": {"image": "x"}}})
    after = imported(tmp_path, application=text, compose=compose)
    return after.policies[after.services["orders"].endpoints["handle"].do[1].policy]


def test_waits_of_resilience4j_that_are_drawn_and_pools_of_threads_come_back(tmp_path):
    found, before = policy_after(tmp_path, DRAWN), subject(DRAWN).scenario.policies["provider"]
    assert found.circuit_breaker.resilience4j == before.circuit_breaker.resilience4j
    assert found.bulkhead == before.bulkhead


def test_waits_of_resilience4j_that_grow_come_back(tmp_path):
    found, before = policy_after(tmp_path, GROWING), subject(GROWING).scenario.policies["provider"]
    assert found.retry.backoff == before.retry.backoff
    assert found.circuit_breaker.resilience4j == before.circuit_breaker.resilience4j
    assert "# what it records and ignores" in resilience4j.write(subject(GROWING))


def test_what_resilience4j_lacks_stands_above_the_instance():
    text = resilience4j.write(subject())
    for words in ("retry budget", "tried again on error", "all attempts together end after 5s"):
        assert any(words in line for line in text.splitlines() if line.lstrip().startswith("#")), words


def test_resilience4j_needs_a_policy():
    with pytest.raises(UsageError, match="found no policy"):
        resilience4j.write(
            subject(
                "version: 1\nduration: 1m\ntraffic: {a: {sends: b.c, arrivals: {poisson: 1/s}}}\nservices: {b: {workers: 1, endpoints: {c: []}}}\n"
            )
        )


@pytest.mark.parametrize("write", [kubernetes.write, kong.write, resilience4j.write])
def test_no_name_ends_a_comment_or_begins_a_key(write):
    """A name of the scenario may hold what means something to YAML."""
    text = (
        SHOP.replace("name: web-shop", 'name: "shop: {evil: true} #"')
        .replace("provider", "'a: b #'")
        .replace("order-events", "'t: #'")
    )
    documents(write(subject(text)))


def test_settings_are_written_without_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(SHOP)
    assert answer(["export", "shop.yaml", "--to", "kong"]) == 0
    told = capsys.readouterr()
    assert told.out == kong.write(subject())
    assert told.err == ""


def test_a_limit_that_adapts_is_exported_as_the_most_and_says_so():
    text = SHOP.replace(
        "bulkhead: {max_concurrent_calls: 24, max_wait: 50ms}",
        "bulkhead: {vegas: {}}\n    rate_limit: {preset: aws_adaptive}",
    )
    written = resilience4j.write(subject(text))
    assert "maxConcurrentCalls: 1000" in written
    assert "vegas sets the limit" in written
    assert "ratelimiter" not in written


ELASTIC = """
version: 1
duration: 10m
traffic: {shoppers: {sends: shop.buy, arrivals: {poisson: 10/s}}}
services:
  shop:
    replicas: 4
    workers: 8
    cpu: {limit: 1500m, request: 500m}
    node_pool: general
    drain: {grace: 45s, pre_stop: 10s}
    vertical_scaling: {mode: in_place_or_recreate, min_replicas: 1, min_allowed: 100m, max_allowed: 2}
    endpoints: {buy: [{work: 5ms}, {call: front.show}, {call: green.show}]}
  front:
    replicas: 2
    workers: 8
    cpu: {limit: 2, request: 500m}
    node_pool: general
    autoscaling:
      {min: 2, max: 8, metrics: [{cpu: 20%}, {requests: 30/s}], behavior: {scale_down: {stabilization: 120s, policies: [{pods: 1, period: 60s}]}}}
    endpoints: {show: [{work: 5ms}]}
  green: {replicas: 2, workers: 8, cpu: 500m, node_pool: general, endpoints: {show: [{work: 5ms}]}}
node_pools: {general: {cores: 8, min: 0, max: 6, start: 1m, scale_down_unneeded_time: 90s, scale_down_utilization_threshold: 0%}}
faults:
  - {name: one, at: 2m, deploy: shop, surge: 50%, unavailable: 0%}
  - {name: two, at: 3m, deploy: front, canary: [{weight: 20%, pause: 1m}]}
  - {name: three, at: 4m, deploy: green, blue_green: 40s}
"""


def test_what_scales_and_where_it_stands_comes_back(tmp_path):
    written = kubernetes.write(subject(ELASTIC))
    found = imported(tmp_path, kubernetes=written)
    before = subject(ELASTIC).scenario
    for name, service in before.services.items():
        after = found.services[name]
        assert (after.cpu, after.node_pool, after.vertical_scaling) == (
            service.cpu,
            service.node_pool,
            service.vertical_scaling,
        )
    pool, said = found.node_pools["general"], before.node_pools["general"]
    same = ("cores", "min", "max", "scale_down_unneeded_time", "scale_down_utilization_threshold")
    assert [getattr(pool, word) for word in same] == [getattr(said, word) for word in same]
    assert found.services["shop"].drain == before.services["shop"].drain
    scaling = found.services["front"].autoscaling
    assert (scaling.min, scaling.max, scaling.metrics[0].cpu, scaling.metrics[1].requests) == (2, 8, 0.2, 30.0)
    assert scaling.behavior.scale_down == before.services["front"].autoscaling.behavior.scale_down


def test_deployments_are_strategies_of_workloads():
    """Argo's blue-green delays the end of the old ones; a canary's steps are weights and pauses in seconds."""
    objects = [thing for thing in YAML(typ="safe").load_all(kubernetes.write(subject(ELASTIC))) if thing]
    strategies = {
        thing["metadata"]["name"]: thing["spec"]["strategy"]
        for thing in objects
        if "template" in thing["spec"] and "strategy" in thing["spec"]
    }
    assert strategies == {
        "shop": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "50%", "maxUnavailable": "0%"}},
        "front": {
            "canary": {
                "steps": [{"setWeight": 20}, {"pause": {"duration": 60}}],
                "maxSurge": "25%",
                "maxUnavailable": "25%",
            }
        },
        "green": {"blueGreen": {"scaleDownDelaySeconds": 40}},
    }
    assert {thing["kind"] for thing in objects} == {
        *("Deployment", "Rollout", "Service", "HorizontalPodAutoscaler", "VerticalPodAutoscaler", "NodePool"),
    }


def test_kong_tells_routes_of_one_path_apart_as_the_scenario_does():
    few = "    few: {matches: GET /cart, hosts: '*.eu', headers: {x-tier: gold}, to: cart.show}\n"
    text = SHOP.replace("  routes:\n", f"  routes:\n{few}").replace(
        "users: {c", "headers: {host: shop.eu, x-tier: gold}, users: {c"
    )
    service = YAML(typ="safe").load(kong.write(subject(text)))["services"][0]
    (route,) = service["routes"]
    assert (service["host"], route["paths"], route["methods"]) == ("cart", ["/cart"], ["GET"])
    assert (route["hosts"], route["headers"]) == (["*.eu"], {"x-tier": ["gold"]})
