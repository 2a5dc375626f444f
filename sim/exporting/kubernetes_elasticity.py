"""What changes how many replicas there are, how large they are and where they stand, as Kubernetes is told of it:
HorizontalPodAutoscalers, KEDA's ScaledObjects, VerticalPodAutoscalers, strategies of Deployments, Argo's Rollouts,
Karpenter's NodePools.

Objects are those of autoscaling/v2, keda.sh/v1alpha1, autoscaling.k8s.io/v1, apps/v1, argoproj.io/v1alpha1 and
karpenter.sh/v1. A HorizontalPodAutoscaler looks at a share of what a pod requests, `cpu` of the scenario at one of its
limit, so it is converted. Metrics of pods have names that only an adapter knows: they are called as the importer knows
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.exporting.settings_text import dumped, host_of, remarks
from sim.spec.autoscaling import Autoscaling, ScalingRules
from sim.spec.fault import Deploy
from sim.spec.node_pool import NodePool
from sim.spec.scenario import Scenario
from sim.spec.service import Service
from sim.spec.vertical import VerticalScaling

_MODES = {
    "recreate": "Recreate",
    "in_place_or_recreate": "InPlaceOrRecreate",
    "initial": "Initial",
    "recommend": "Off",
}
_OF_PODS = {"requests": "requests_per_second", "in_flight": "in_flight_requests"}


def objects_of(service: Service, target: dict[str, str]) -> Iterator[str]:
    """Its autoscalers; `target` is the reference to its workload."""
    if service.autoscaling is not None:
        yield _horizontal(service, service.autoscaling, target)
    if service.vertical_scaling is not None:
        yield _vertical(service.vertical_scaling, target)


def _horizontal(service: Service, its: Autoscaling, target: dict[str, str]) -> str:
    lags = [metric.lag for metric in its.measured if metric.lag is not None]
    unsaid = [f"{metric.word}: no object says so" for metric in its.measured if metric.word in ("workers", "queue")]
    unsaid += ["scheduled: a trigger `cron` of KEDA"] if its.scheduled else []
    behavior = {
        "scaleUp": _rules(its.behavior.scale_up),
        "scaleDown": _rules(its.behavior.scale_down),
    }
    name = {"name": target["name"]}
    if lags or its.min == 0:
        topics = {consume.group: topic for topic, consume in service.consumes.items() if consume.group}
        triggers = [
            {
                "type": "kafka",
                "metadata": {
                    "topic": topics.get(lag.of, lag.of),
                    "consumerGroup": lag.of,
                    "lagThreshold": f"{lag.for_each:g}",
                },
            }
            for lag in lags
            if lag.group is not None
        ]
        triggers += [
            {"type": "rabbitmq", "metadata": {"queueName": lag.of, "mode": "QueueLength", "value": f"{lag.for_each:g}"}}
            for lag in lags
            if lag.queue is not None
        ]
        spec: dict[str, Any] = {"scaleTargetRef": target, "minReplicaCount": its.min, "maxReplicaCount": its.max}
        spec |= {"pollingInterval": round(its.polling_interval), "cooldownPeriod": round(its.cooldown_period)}
        spec |= {"advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}}, "triggers": triggers}
        body = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": name, "spec": spec}
        return remarks(unsaid) + dumped(body)
    metrics = [metric for word in its.measured if (metric := _metric(service, word)) is not None]
    spec = {"scaleTargetRef": target, "minReplicas": its.min, "maxReplicas": its.max}
    spec |= {"metrics": metrics, "behavior": behavior}
    body = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": name, "spec": spec}
    return remarks(unsaid) + dumped(body)


def _metric(service: Service, metric: Any) -> dict[str, Any] | None:  # noqa: ANN401 - a ScalingMetric
    if metric.cpu is not None:
        limit, asked = service.computes_on or 1.0, service.asks_for / 1000.0 or 1.0
        target = {"type": "Utilization", "averageUtilization": max(1, round(100 * metric.cpu * limit / asked))}
        return {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    if metric.word in _OF_PODS:
        value = getattr(metric, metric.word)
        target = {"type": "AverageValue", "averageValue": f"{round(value * 1000)}m"}
        return {"type": "Pods", "pods": {"metric": {"name": _OF_PODS[metric.word]}, "target": target}}
    return None


def _rules(rules: ScalingRules) -> dict[str, Any]:
    policies = [
        {
            "type": "Pods" if pace.pods is not None else "Percent",
            "value": pace.pods if pace.pods is not None else max(1, round(pace.percent or 0)),
            "periodSeconds": max(1, round(pace.period)),
        }
        for pace in rules.policies
    ]
    found: dict[str, Any] = {"stabilizationWindowSeconds": round(rules.stabilization)}
    return found | {"selectPolicy": rules.select.capitalize(), "policies": policies}


def _vertical(its: VerticalScaling, target: dict[str, str]) -> str:
    update = {"updateMode": _MODES[its.mode], "minReplicas": max(1, its.min_replicas)}
    bounds = {
        theirs: {"cpu": f"{cores * 1000:g}m"}
        for theirs, cores in (("minAllowed", its.min_allowed), ("maxAllowed", its.max_allowed))
        if cores is not None
    }
    policy = {"containerName": "*", "controlledResources": ["cpu"], **bounds}
    spec = {"targetRef": target, "updatePolicy": update, "resourcePolicy": {"containerPolicies": [policy]}}
    metadata = {"name": target["name"]}
    told = ["percentiles, margin, half-life and intervals are flags of its recommender and updater"]
    return remarks(told) + dumped(
        {"apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler", "metadata": metadata, "spec": spec}
    )


def deployment_of(scenario: Scenario, name: str) -> Deploy | None:
    """The first deployment of a service that is planned."""
    return next((fault for fault in scenario.deployments if fault.of == name), None)


def workload_of(deploy: Deploy | None) -> tuple[str, str, dict[str, Any]]:
    """The API, the kind and the strategy of its workload."""
    if deploy is None:
        return "apps/v1", "Deployment", {}
    if deploy.blue_green is not None:
        strategy: dict[str, Any] = {"scaleDownDelaySeconds": round(deploy.blue_green.scale_down_delay)}
        return "argoproj.io/v1alpha1", "Rollout", {"strategy": {"blueGreen": strategy}}
    shares = {"maxSurge": f"{deploy.surge * 100:.0f}%", "maxUnavailable": f"{deploy.unavailable * 100:.0f}%"}
    if deploy.canary is None:
        return "apps/v1", "Deployment", {"strategy": {"type": "RollingUpdate", "rollingUpdate": shares}}
    steps: list[dict[str, Any]] = []
    for step in deploy.canary.steps:
        steps.append({"setWeight": round(step.weight * 100)})
        steps.append({"pause": {"duration": max(1, round(step.pause))}})
    return "argoproj.io/v1alpha1", "Rollout", {"strategy": {"canary": {"steps": steps, **shares}}}


def ending_of(service: Service) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of its pods and of its container: how they end."""
    pod: dict[str, Any] = {"terminationGracePeriodSeconds": round(service.drain.grace)}
    if "drain" not in service.model_fields_set:
        return {}, {}
    if service.drain.pre_stop:
        return pod, {"lifecycle": {"preStop": {"sleep": {"seconds": max(1, round(service.drain.pre_stop))}}}}
    return pod, {}


def node_pools(scenario: Scenario) -> Iterator[str]:
    """Karpenter's NodePools."""
    for name, pool in scenario.node_pools.items():
        yield _pool(name, pool)


def _pool(name: str, pool: NodePool) -> str:
    told = ["how long a node takes to start no object says"]
    told += [f"at least {pool.min} nodes: Karpenter starts from none"] if pool.min else []
    spec: dict[str, Any] = {}
    if pool.cores is not None:
        values = {"key": "karpenter.k8s.aws/instance-cpu", "operator": "In", "values": [str(pool.cores)]}
        spec = {"template": {"spec": {"requirements": [values]}}, "limits": {"cpu": str(pool.cores * pool.max)}}
    else:
        told.append(f"at most {pool.max} nodes of {pool.replicas} pods")
    empty = pool.scale_down_utilization_threshold == 0.0
    spec["disruption"] = {
        "consolidationPolicy": "WhenEmpty" if empty else "WhenEmptyOrUnderutilized",
        "consolidateAfter": f"{round(pool.scale_down_unneeded_time)}s",
    }
    return remarks(told) + dumped(
        {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": host_of(name)}, "spec": spec}
    )
