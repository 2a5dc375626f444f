"""Autoscalers, how pods come and go, connections and limits of single routes, in the words of the language."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from sim.spec import load_document

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
    assert "{name: release, at: 2m, deploy: web, surge: 25%, unavailable: 25%}" in found.text


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


VPA = """
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: web}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  updatePolicy: {updateMode: MODE, minReplicas: 1}
  resourcePolicy: {containerPolicies: [{containerName: "*", minAllowed: {cpu: 100m}, maxAllowed: {cpu: "4"}}]}
"""


def test_a_vertical_autoscaler_is_taken_with_its_mode_and_bounds_and_the_request(tmp_path):
    """Auto is Recreate; requests of 500m and a limit of 2."""
    web = imported(tmp_path, a_yaml=POD.format(scaler=VPA.replace("MODE", "Auto"))).scenario.services["web"]
    its = web.vertical_scaling
    assert (its.mode, its.min_replicas, its.min_allowed, its.max_allowed) == ("recreate", 1, 0.1, 4.0)
    assert (web.cpu.limit, web.cpu.request) == (2.0, 0.5)
    placed = imported(tmp_path, a_yaml=POD.format(scaler=VPA.replace("MODE", "InPlaceOrRecreate")))
    assert placed.scenario.services["web"].vertical_scaling.mode == "in_place_or_recreate"


def test_a_vertical_autoscaler_without_a_limit_to_move_is_told_of(tmp_path):
    pod = POD.replace(', limits: {{cpu: "2"}}', "")
    found = imported(tmp_path, a_yaml=pod.format(scaler=VPA.replace("MODE", "Off")))
    assert found.scenario.services["web"].vertical_scaling is None
    assert "its workload has no limits.cpu" in found.text


KARPENTER = """
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: general}
spec:
  template: {spec: {requirements: [{key: karpenter.k8s.aws/instance-cpu, operator: In, values: ["2", "4"]}]}}
  limits: {cpu: LIMIT}
  disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: 30s}
"""


def test_a_node_pool_of_karpenter_holds_all_services(tmp_path):
    """40 cores in nodes of 4 are 10 of them; a replica asks for 500m, so that the four at first are on one."""
    found = imported(tmp_path, a_yaml=POD.format(scaler=KARPENTER.replace("LIMIT", '"40"'))).scenario
    pool = found.node_pools["general"]
    assert (pool.cores, pool.min, pool.max) == (4, 0, 10)
    assert (pool.scale_down_unneeded_time, pool.scale_down_utilization_threshold) == (30.0, 0.0)
    assert (found.services["web"].node_pool, found.services["web"].asks_for) == ("general", 500)


def test_a_pool_that_is_too_small_for_what_is_there_grows_and_says_so(tmp_path):
    """Four replicas of 2 cores, their limit, need two nodes of 4, and the limit allows one."""
    pod = POD.replace("requests: {{cpu: 500m}}, ", "")
    found = imported(tmp_path, a_yaml=pod.format(scaler=KARPENTER.replace("LIMIT", "4")))
    assert found.scenario.node_pools["general"].max == 2
    assert "as many as the replicas need, where it allows 1" in found.text


def test_node_groups_of_the_cluster_autoscaler_have_their_bounds_in_annotations(tmp_path):
    group = """
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata:
  name: workers
  annotations:
    cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size: "2"
    cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: "6"
    capacity.cluster-autoscaler.kubernetes.io/cpu: "16"
"""
    pool = imported(tmp_path, a_yaml=POD.format(scaler=group)).scenario.node_pools["workers"]
    assert (pool.cores, pool.min, pool.max) == (16, 2, 6)


def test_of_several_pools_none_is_taken(tmp_path):
    second = KARPENTER.replace("general", "other").replace("LIMIT", "8")
    text = POD.format(scaler=KARPENTER.replace("LIMIT", "8") + "---" + second)
    found = imported(tmp_path, a_yaml=text)
    assert not found.scenario.node_pools
    assert "which pods stand on which no file says" in found.text


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (
            "{canary: {steps: [{setWeight: 20}, {pause: {duration: 10m}}, {setWeight: 50}, {pause: {duration: 90}}]}}",
            "deploy: web, canary: [{weight: 20%, pause: 10m}, {weight: 50%, pause: 90s}]}",
        ),
        ("{blueGreen: {activeService: web}}", "deploy: web, blue_green: 30s}"),
        ("{blueGreen: {activeService: web, scaleDownDelaySeconds: 5}}", "deploy: web, blue_green: 5s}"),
    ],
)
def test_an_argo_rollout_is_kept_as_the_fault_that_it_is_here(tmp_path, strategy, words):
    """What is written as a comment can be put under `faults`."""
    pod = POD.replace("apps/v1", "argoproj.io/v1alpha1").replace("kind: Deployment", "kind: Rollout")
    pod = pod.replace(
        "{{rollingUpdate: {{maxSurge: 1, maxUnavailable: 25%}}}}", strategy.replace("{", "{{").replace("}", "}}")
    )
    found = imported(tmp_path, a_yaml=pod.format(scaler=""))
    assert words in found.text
    fault = YAML(typ="safe").load(found.text[found.text.index("{name: release") :].partition(" (")[0])
    document = YAML(typ="safe").load(found.text)
    (study,) = load_document({**document, "faults": [fault]}).variants.values()
    assert study.deployments[0].of == "web"
