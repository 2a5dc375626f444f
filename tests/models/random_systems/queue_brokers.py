"""A queue broker beside what is there: the first service publishes to it, others consume, and some scale by what waits."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems import queues
from tests.models.random_systems.composed import every_steps
from tests.models.random_systems.luck import Luck


def queue_brokers(document: dict[str, Any], luck: Luck) -> None:
    """Nobody who consumes publishes: no message goes round for ever."""
    names = list(document["services"])
    document.setdefault("brokers", {})["rabbit"] = queues.broker(luck.at("broker"))
    for name, steps in every_steps({"services": {names[0]: document["services"][names[0]]}}):
        own = luck.at(name)
        if own.maybe("publishes", 0.5):
            steps.insert(own.number("where", 0, len(steps)), queues.publication(own))
    for queue in queues.QUEUES:
        own = luck.at(queue)
        if own.maybe("consumed", 0.6):
            consumer = document["services"][own.pick("by", names)]
            consumer.setdefault("consumes", {})[queue] = _consume(own, document)
            _fail_seldom(document, consumer)
            scaling = consumer.get("autoscaling")
            if scaling is not None and own.maybe("scales", 0.6):
                scaling["metrics"] = [{"lag": {"queue": queue, "target": own.pick("target", (2, 10))}}]
    document["faults"] += _faults(luck.at("faults"))


def _fail_seldom(document: dict[str, Any], consumer: dict[str, Any]) -> None:
    """Who rejects each message at once, where dead letters come back in two queues each, has ever more of them."""
    (name,) = (name for name, service in document["services"].items() if service is consumer)
    for fault in document["faults"]:
        errors = fault.get("errors")
        if isinstance(errors, dict) and errors.get("of") == name:
            errors["share"] = min(errors["share"], 0.3)


def _consume(luck: Luck, document: dict[str, Any]) -> dict[str, Any]:
    """Where errors take no time and hops take none, what is put back would come again and again in one instant."""
    consume = queues.consume(luck)
    if "'errors'" in repr(document["faults"]):
        consume["on_failure"] = "reject"
    return {**consume, "do": [step for step in consume["do"] if "call" not in step]}


def _faults(luck: Luck) -> list[dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = {
        "down": {"for": "2s", "broker_down": "rabbit"},
        "alarm": {"for": "3s", "alarm": "rabbit"},
        "slow disk": {"for": "2s", "slow_disk": {"of": "rabbit", "by": "20x"}},
    }
    taken = [kind for kind in kinds if luck.maybe(kind, 0.3)]
    return [{"name": kind, "at": f"{luck.pick(f'{kind} at', (1.0, 5.0, 8.5))}s", **kinds[kind]} for kind in taken]
