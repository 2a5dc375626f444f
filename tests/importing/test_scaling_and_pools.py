"""Autoscalers, how pods come and go, connections and limits of single routes, in the words of the language."""

from __future__ import annotations

import pytest

from .files import imported

POD = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 4
  strategy: {{rollingUpdate: {{maxSurge: 1, maxUnavailable: 25%}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 45
      containers:
        - name: web
          image: x
          resources: {{requests: {{cpu: 500m}}, limits: {{cpu: "2"}}}}
          readinessProbe: {{initialDelaySeconds: 20, periodSeconds: 5}}
          lifecycle: {{preStop: {{exec: {{command: [sh, -c, "sleep 15"]}}}}}}
---
{scaler}
"""
HPA = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: web}}
spec:
  scaleTargetRef: {{kind: Deployment, name: web}}
  minReplicas: 3
  maxReplicas: 12
  metrics: [{metrics}]
  behavior: {behavior}
"""


def hpa(tmp_path, metrics, behavior="{}"):
    return imported(tmp_path, a_yaml=POD.format(scaler=HPA.format(metrics=metrics, behavior=behavior)))


def test_utilisation_of_requests_is_a_share_of_the_limit(tmp_path):
    """80 % of 500m are 0.4 of the 2 cores that a pod may use: 20 %."""
    found = hpa(
        tmp_path, "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}"
    )
    web = found.scenario.services["web"]
    assert web.autoscaling.metrics[0].cpu == pytest.approx(0.2)
    assert (web.autoscaling.min, web.autoscaling.max, web.replicas, web.cpu.limit) == (3, 12, 4, 2.0)
    assert web.start.time.value == 20.0
    assert "at least the initial delay of its probes, 20s" in found.text


def test_requests_per_second_of_pods_are_taken_and_other_metrics_told(tmp_path):
    found = hpa(
        tmp_path,
        "{type: Pods, pods: {metric: {name: http_requests_per_second}, target: {type: AverageValue, averageValue: '150'}}},"
        "{type: External, external: {metric: {name: queue_depth}, target: {type: Value, value: '30'}}}",
    )
    (metric,) = found.document["services"]["web"]["autoscaling"]["metrics"]
    assert metric == {"requests": "150/s"}
    assert found.left_out("metric queue_depth")


def test_an_autoscaler_of_nothing_that_is_modelled_stays_a_comment(tmp_path):
    found = hpa(tmp_path, "{type: Resource, resource: {name: memory, target: {averageUtilization: 80}}}")
    assert "autoscaling" not in found.document["services"]["web"]
    assert (
        found.remark("# HorizontalPodAutoscaler web:")
        == "# HorizontalPodAutoscaler web: 3 to 12 replicas, memory 80% (line 20)"
    )


def test_behaviour_keeps_what_kubernetes_has_where_nothing_is_said(tmp_path):
    """Policies of scaling up by default: 4 pods or 100 % in 15 s, whichever is more; down it waits for 300 s."""
    found = hpa(
        tmp_path,
        "",
        "{scaleUp: {stabilizationWindowSeconds: 10}, scaleDown: {selectPolicy: Disabled}}",
    )
    behavior = found.document["services"]["web"]["autoscaling"]["behavior"]
    assert behavior["scale_up"] == {
        "policies": [{"pods": 4, "period": "15s"}, {"percent": 100, "period": "15s"}],
        "stabilization": "10s",
    }
    assert behavior["scale_down"]["select"] == "disabled"
    assert behavior["scale_down"]["stabilization"] == "300s"
    # no metric is named: cpu at 80 % of what is requested
    assert found.scenario.services["web"].autoscaling.metrics[0].cpu == pytest.approx(0.2)


def test_grace_pre_stop_and_a_rolling_update(tmp_path):
    found = hpa(tmp_path, "")
    assert found.document["services"]["web"]["drain"] == {"grace": "45s", "pre_stop": "15s"}
    # one pod of four is a quarter
    assert "{deploy: {of: web, at: 2m, surge: 25%, unavailable: 25%}}" in found.text


ISTIO = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, image: x, env: [{name: STOCK_ADDR, value: "stock:80"}]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: stock}
spec: {template: {spec: {containers: [{name: stock, image: x}]}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: stock}
spec:
  host: stock
  trafficPolicy:
    connectionPool: {tcp: {maxConnections: 8}, http: {http1MaxPendingRequests: 3, http2MaxRequests: 20%s}}
    outlierDetection: {consecutiveGatewayErrors: 4, consecutive5xxErrors: 0, baseEjectionTime: 90s, minHealthPercent: 40}
"""


def policy_of(found, service="web"):
    call = found.scenario.services[service].endpoints["handle"].do[1]
    return found.scenario.policies[call.policy]


def test_connections_of_a_destination_rule_are_a_pool(tmp_path):
    found = imported(tmp_path, a_yaml=ISTIO % "")
    policy = policy_of(found)
    assert (policy.pool.size, policy.pool.max_pending, policy.bulkhead.max_concurrent_calls) == (8, 3, 20)
    balancing = found.scenario.services["stock"].load_balancing
    its = balancing.outlier_detection
    assert (its.consecutive_5xx, its.consecutive_gateway_failure, its.base_ejection_time) == (None, 4, 90.0)
    assert balancing.panic_threshold == 0.4


def test_of_http2_connections_are_no_pool(tmp_path):
    found = imported(tmp_path, a_yaml=ISTIO % ", h2UpgradePolicy: UPGRADE")
    assert policy_of(found).pool is None
    assert "one connection" in found.left_out("maxConnections of DestinationRule stock")[0][1]


def test_hikari_is_a_pool_of_the_calls_of_the_database(tmp_path):
    application = """
        spring:
          application: {name: orders}
          datasource:
            url: jdbc:postgresql://orders-db:5432/shop
            hikari: {maximum-pool-size: 15, connection-timeout: 2000, minimum-idle: 5}
        """
    compose = "services: {orders: {ports: ['80:80']}, orders-db: {image: postgres}}\n"
    pool = policy_of(imported(tmp_path, a_yaml=application, compose_yaml=compose), "orders").pool
    assert (pool.size, pool.acquire_timeout, pool.minimum_idle, pool.idle_timeout) == (15, 2.0, 5, 600.0)
    plain = application.replace(
        "            hikari: {maximum-pool-size: 15, connection-timeout: 2000, minimum-idle: 5}\n", ""
    )
    found = imported(tmp_path, a_yaml=plain, compose_yaml=compose)
    assert (policy_of(found, "orders").pool.size, policy_of(found, "orders").pool.acquire_timeout) == (10, 30.0)
    assert "10 is its default" in found.text


def test_a_limit_of_one_route_stands_there_and_beside_another_plugin_for_all(tmp_path):
    found = imported(
        tmp_path,
        a_yaml="""
        services:
          - name: a
            host: a
            routes:
              - {name: r, paths: [/r], plugins: [{name: rate-limiting, config: {minute: 6}}]}
              - {name: s, paths: [/s]}
        plugins:
          - {name: rate-limiting-advanced, config: {limit: [90], window_size: [60], identifier: ip, disable_penalty: true}}
        """,
    )
    gateway = found.document["gateway"]
    assert gateway["rate_limits"] == [
        {"per": "ip", "preset": "kong-advanced", "rate": "1.5/s", "window": "60s", "disable_penalty": True}
    ]
    assert gateway["routes"]["r"]["rate_limits"] == [{"per": "consumer", "preset": "kong", "rate": "6/m"}]
    assert gateway["routes"]["r"]["gateway_limits"] == "kept"
    assert "gateway_limits" not in gateway["routes"]["s"]


def test_a_rate_limiter_of_a_route_of_spring_stands_there(tmp_path):
    found = imported(
        tmp_path,
        a_yaml="""
        spring.cloud.gateway.routes:
          - id: a
            uri: http://a
            predicates: [Path=/a]
            filters: [{name: RequestRateLimiter, args: {redis-rate-limiter.replenishRate: 2, redis-rate-limiter.burstCapacity: 60, redis-rate-limiter.requestedTokens: 30}}]
          - {id: b, uri: "http://b", predicates: [Path=/b]}
        """,
    )
    routes = found.document["gateway"]["routes"]
    assert routes["a"]["rate_limits"] == [
        {"preset": "spring-cloud-gateway", "per": "user", "rate": "2/s", "burst": 60, "requested_tokens": 30}
    ]
    assert "rate_limits" not in routes["b"]
