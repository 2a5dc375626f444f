"""HorizontalPodAutoscalers and KEDA's ScaledObjects. The replicas with which they begin are taken, their settings kept
as a comment: how long a replica takes to start, on which `autoscaling` depends, no manifest says.

Defaults: Kubernetes (autoscaling/v2: `minReplicas` 1, CPU at 80 % where no metric is named), KEDA (`minReplicaCount` 0,
`maxReplicaCount` 100, `pollingInterval` 30 s, `cooldownPeriod` 300 s, `lagThreshold` 10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sim.importing.draft import Consumer, Draft, Said, Service, Topic, where
from sim.importing.objects import Object
from sim.importing.parts import Part

_WHY = "kept as a comment: write it as `autoscaling` of the service, with its `start`, of which no manifest tells"


def horizontal(thing: Object, draft: Draft) -> None:
    """A HorizontalPodAutoscaler, of autoscaling/v1 or v2."""
    service = _target(thing, draft)
    if service is None:
        return
    least = thing.spec["minReplicas"].whole(0, 100_000)
    most = thing.spec["maxReplicas"].whole(1, 100_000)
    metrics = "; ".join(_metrics(thing.spec)) or "cpu 80%"
    windows = [
        f"{direction} waits {window.text()[:10]}s"
        for direction in ("scaleUp", "scaleDown")
        if (window := thing.spec["behavior"][direction]["stabilizationWindowSeconds"])
    ]
    _keep(thing, service, draft, 1 if least is None else least, most, ", ".join([metrics, *windows]))


def keda(thing: Object, draft: Draft) -> None:
    """A ScaledObject of KEDA; a trigger on a topic of Kafka also says who consumes it, as which group."""
    service = _target(thing, draft)
    if service is None:
        return
    least, most = thing.spec["minReplicaCount"].whole(0, 100_000), thing.spec["maxReplicaCount"].whole(1, 100_000)
    polling, cooling = (
        thing.spec["pollingInterval"].text()[:10] or "30",
        thing.spec["cooldownPeriod"].text()[:10] or "300",
    )
    triggers = []
    for trigger in thing.spec["triggers"].items():
        triggers.append(_trigger(trigger))
        if trigger["type"].text() == "kafka":
            _consumer(trigger["metadata"], service, draft)
    words = [*triggers, f"polled every {polling}s", f"cools down for {cooling}s"]
    _keep(thing, service, draft, least or 0, 100 if most is None else most, ", ".join(words))


READERS: Mapping[str, Callable[[Object, Draft], None]] = {"HorizontalPodAutoscaler": horizontal, "ScaledObject": keda}


def _target(thing: Object, draft: Draft) -> Service | None:
    name = thing.spec["scaleTargetRef"]["name"]
    service = draft.services.get((thing.namespace, name.text())) or draft.find(name.text(), thing.namespace)
    if service is None:
        thing.part.leave_out(
            f"{thing.kind} {thing.name}", f"found the target '{name.text()[:80]}', expected a workload of these files"
        )
    return service


def _keep(thing: Object, service: Service, draft: Draft, least: int, most: int | None, words: str) -> None:
    """The replicas that the autoscaler lets stand, and its settings as a comment."""
    count = service.replicas.value if service.replicas is not None else 1
    begins = max(count, least, 1) if most is None else min(max(count, least, 1), most)
    if begins != count:
        before = service.replicas.remark if service.replicas is not None else "unsaid"
        service.replicas = Said(
            begins,
            f"{thing.kind} {thing.name} ({where(thing.at)}) allows {least} to {most}; {count} is what the workload "
            f"says ({before})",
        )
    most_words = "any number" if most is None else str(most)
    service.remarks.append(f"{thing.kind} {thing.name}: {least} to {most_words} replicas, {words} ({where(thing.at)})")
    thing.part.leave_out(f"{thing.kind} {thing.name}", _WHY)
    draft.take(thing.at, "commented autoscaler")


def _metrics(spec: Part) -> Iterator[str]:
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


def _consumer(settings: Part, service: Service, draft: Draft) -> None:
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
