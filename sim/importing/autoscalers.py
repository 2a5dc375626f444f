"""HorizontalPodAutoscalers and KEDA's ScaledObjects: `autoscaling` of the services that they scale.

Defaults: Kubernetes (autoscaling/v2: `minReplicas` 1, CPU at 80 % where no metric is named), KEDA (`minReplicaCount` 0,
`maxReplicaCount` 100, `pollingInterval` 30 s, `cooldownPeriod` 300 s, `lagThreshold` 10). Of Kubernetes CPU is a share
of what a pod requests, here of its cores, so it is converted. Metrics of other systems are told of by queries that
nobody here can run; where nothing else is looked at, the settings are a comment. How long a replica takes to start no
manifest says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from sim.importing.capacity import cpus_of
from sim.importing.draft import Consumer, Draft, Said, Service, Topic, where
from sim.importing.objects import Object
from sim.importing.parts import Part
from sim.spec.cpu import MOST_CORES
from sim.spec.document import Data

_WHY = "looks at nothing that is modelled; kept as a comment, write it as `autoscaling` of the service"
_MOST = 100_000
_STARTS = 30.0  # s: a stand-in


def horizontal(thing: Object, draft: Draft) -> None:
    """A HorizontalPodAutoscaler, of autoscaling/v1 or v2."""
    service = _target(thing, draft)
    if service is None:
        return
    least = thing.spec["minReplicas"].whole(0, _MOST)
    most = thing.spec["maxReplicas"].whole(1, _MOST)
    metrics = list(_metrics(thing.spec, service))
    words = "; ".join(_words(thing.spec)) or "cpu 80%"
    if not thing.spec["metrics"].value and not thing.spec["targetCPUUtilizationPercentage"]:
        metrics = [_cpu(80.0, service)]
    fields: dict[str, Data] = {"metrics": metrics} if metrics else {}
    if behavior := _behavior(thing.spec["behavior"]):
        fields["behavior"] = behavior
    _take(thing, service, draft, 1 if least is None else least, most, fields, words)


def keda(thing: Object, draft: Draft) -> None:
    """A ScaledObject of KEDA; a trigger on a topic of Kafka also says who consumes it, as which group."""
    service = _target(thing, draft)
    if service is None:
        return
    least, most = thing.spec["minReplicaCount"].whole(0, _MOST), thing.spec["maxReplicaCount"].whole(1, _MOST)
    polling, cooling = thing.spec["pollingInterval"].number(), thing.spec["cooldownPeriod"].number()
    metrics: list[dict[str, Data]] = []
    words = []
    for trigger in thing.spec["triggers"].items():
        words.append(_trigger(trigger))
        if trigger["type"].text() == "kafka":
            metrics += _lag(trigger["metadata"], service, draft)
        elif trigger["type"].text() == "cpu":
            share = trigger["metadata"]["value"].number()
            metrics += [_cpu(share, service)] if share else []
        else:
            trigger.leave_out(
                f"trigger {words[-1]} of {thing.name}"[:150], "asks another system, of which no file tells"
            )
    fields: dict[str, Data] = {"metrics": metrics} if metrics else {}
    if behavior := _behavior(thing.spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]):
        fields["behavior"] = behavior
    if polling:
        fields["polling_interval"] = f"{polling:g}s"
    if cooling:
        fields["cooldown_period"] = f"{cooling:g}s"
    _take(thing, service, draft, least or 0, 100 if most is None else most, fields, ", ".join(words))


READERS: Mapping[str, Callable[[Object, Draft], None]] = {"HorizontalPodAutoscaler": horizontal, "ScaledObject": keda}


def _target(thing: Object, draft: Draft) -> Service | None:
    name = thing.spec["scaleTargetRef"]["name"]
    service = draft.services.get((thing.namespace, name.text())) or draft.find(name.text(), thing.namespace)
    if service is None:
        thing.part.leave_out(
            f"{thing.kind} {thing.name}", f"found the target '{name.text()[:80]}', expected a workload of these files"
        )
    return service


def _take(
    thing: Object,
    service: Service,
    draft: Draft,
    least: int,
    most: int | None,
    fields: dict[str, Data],
    words: str,
) -> None:
    """The replicas that the autoscaler lets stand, and by what it changes them."""
    count = service.replicas.value if service.replicas is not None else 1
    begins = max(count, least, 1) if most is None else min(max(count, least, 1), max(most, least, 1))
    if begins != count:
        before = service.replicas.remark if service.replicas is not None else "unsaid"
        service.replicas = Said(
            begins,
            f"{thing.kind} {thing.name} ({where(thing.at)}) allows {least} to {most}; {count} is what the workload "
            f"says ({before})",
        )
    if "metrics" not in fields or most is None or most < max(least, 1):
        span = f"{least} to {'any number' if most is None else most} replicas"
        service.remarks.append(f"{thing.kind} {thing.name}: {span}, {words} ({where(thing.at)})")
        thing.part.leave_out(f"{thing.kind} {thing.name}", _WHY)
        draft.take(thing.at, "commented autoscaler")
        return
    service.autoscaling = Said(
        {"min": least, "max": most, **fields}, f"{thing.kind} {thing.name}: {words} ({where(thing.at)})"
    )
    after = service.ready_after
    known = f", at least the initial delay of its probes, {after:g}s" if after else ""
    service.start = Said({"time": f"{after or _STARTS:g}s"}, f"from the decision until a replica is ready{known}", True)
    draft.take(thing.at, "autoscaler")


def _metrics(spec: Part, service: Service) -> Iterator[dict[str, Data]]:
    """What is looked at, of what is modelled."""
    if share := spec["targetCPUUtilizationPercentage"].number():
        yield _cpu(share, service)
    for metric in spec["metrics"].items():
        kind = metric["type"].text()
        body = metric[f"{kind[:1].lower()}{kind[1:]}"] if kind else metric["resource"]
        name = body["name"].text() or body["metric"]["name"].text()
        target = body["target"] if body["target"] else body
        share, value = target.first("averageUtilization", "targetAverageUtilization").number(), _per_pod(target)
        plain = name.lower().replace("_", " ")
        if kind in ("Resource", "ContainerResource", "") and name == "cpu" and share:
            yield _cpu(share, service)
        elif kind == "Pods" and value and ("per second" in plain or "rps" in plain.split() or "qps" in plain.split()):
            yield {"requests": f"{value:g}/s"}
        elif kind == "Pods" and value and ("in flight" in plain or "concurren" in plain):
            yield {"in_flight": value}
        else:
            metric.leave_out(f"metric {name[:80] or kind[:40]}", "is not modelled; cpu and requests per second are")


def _per_pod(target: Part) -> float | None:
    """A quantity such as `100` or `500m`, for each pod."""
    text = target.first("averageValue", "targetAverageValue").text()
    try:
        return float(text[:-1]) / 1000 if text.endswith("m") else float(text) if text else None
    except ValueError:
        return None


def _cpu(percent: float, service: Service) -> dict[str, Data]:
    """Of what a pod requests -> of what a replica may use; without a limit as many whole cores as it requests."""
    asked = service.requested
    limit = service.cpu or service.cores
    if limit is None:
        cores = min(MOST_CORES, max(1, math.ceil(asked - 1e-9)))
        limit = service.cores = Said(
            cores, "no limit: what the node lets a replica have; its autoscaler looks at the share of it", True
        )
    share = percent * (asked / (cpus_of(str(limit.value)) or 1.0) if asked else 1.0)
    return {"cpu": f"{min(100.0, max(share, 1.0)):.4g}%"}


_POLICIES = {"Pods": "pods", "Percent": "percent"}
_DEFAULTS: dict[str, list[Data]] = {  # of Kubernetes
    "scale_up": [{"pods": 4, "period": "15s"}, {"percent": 100, "period": "15s"}],
    "scale_down": [{"percent": 100, "period": "15s"}],
}


def _behavior(part: Part) -> dict[str, Data]:
    """How fast it goes in each direction that is said; what a rule leaves open is Kubernetes' default."""
    found: dict[str, Data] = {}
    for theirs, ours in (("scaleUp", "scale_up"), ("scaleDown", "scale_down")):
        rules = part[theirs]
        if not rules:
            continue
        window = rules["stabilizationWindowSeconds"].number()
        paces: list[Data] = []
        for policy in rules["policies"].items():
            word, value = _POLICIES.get(policy["type"].text()), policy["value"].whole(1, 10**6)
            period = policy["periodSeconds"].whole(1, 1800)
            if word and value:
                paces.append({word: value, **({"period": f"{period}s"} if period else {})})
        usual = 300.0 if ours == "scale_down" else 0.0
        rule: dict[str, Data] = {"policies": paces or _DEFAULTS[ours]}
        rule["stabilization"] = f"{usual if window is None else min(window, 3600.0):g}s"
        if (select := rules["selectPolicy"].text().lower()) in ("min", "disabled"):
            rule["select"] = select
        found[ours] = rule
    return found


def _words(spec: Part) -> Iterator[str]:
    if share := spec["targetCPUUtilizationPercentage"]:
        yield f"cpu {share.text()[:10]}%"
    for metric in spec["metrics"].items():
        kind = metric["type"].text()
        body = metric[f"{kind[:1].lower()}{kind[1:]}"] if kind else metric["resource"]
        name = body["name"].text() or body["metric"]["name"].text()
        target = body["target"] if body["target"] else body
        share, value = (
            target.first("averageUtilization", "targetAverageUtilization"),
            target.first("averageValue", "value", "targetAverageValue", "targetValue"),
        )
        wanted = f"{share.text()[:10]}%" if share else value.text()[:20] if value else ""
        yield f"{name[:80]} {wanted}".strip()


def _trigger(trigger: Part) -> str:
    """Its type, and of its settings the thresholds alone: the others may hold what is secret."""
    settings = trigger["metadata"]
    told = [
        f"{name} {part.text()[:20]}"
        for name, part in settings.entries()
        if name.lower().endswith(("threshold", "value", "queuelength", "topic"))
    ]
    return f"{trigger['type'].text()[:40]} ({', '.join(told[:5])})" if told else trigger["type"].text()[:40]


def _lag(settings: Part, service: Service, draft: Draft) -> Iterator[dict[str, Data]]:
    """The lag of a consumer group, for each replica."""
    topic, group = settings["topic"], settings["consumerGroup"]
    if not topic.text() or not group.text():
        return
    at = where(topic.at)
    service.consumes[topic.text()] = Consumer(
        Said(group.text(), f"consumerGroup of a trigger of KEDA ({at})"), topic.at
    )
    draft.topics.setdefault(
        topic.text(), Topic(None, f"partitions, and who publishes; named by a trigger of KEDA ({at})")
    )
    target = settings["lagThreshold"].number()
    yield {"lag": {"group": group.text(), **({"target": target} if target else {})}}
