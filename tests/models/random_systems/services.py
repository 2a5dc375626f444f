"""Services, their queues and balancers, and how they consume topics; brokers and their topics."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck
from tests.models.random_systems.plan import EFFECTS, Plan
from tests.models.random_systems.policies import answers
from tests.models.random_systems.steps import Steps
from tests.models.random_systems.times import time


def services(plan: Plan, luck: Luck) -> dict[str, Any]:
    """All of them; made from the last to the first, so that what a call comes to is known where it is made."""
    made = {
        plan.names[index]: _service(plan, index, luck.at(plan.names[index]))
        for index in reversed(range(len(plan.names)))
    }
    every = made[plan.names[-1]]["endpoints"]["b"]
    (every["do"] if isinstance(every, dict) else every).extend(
        {"effect": effect} for effect in EFFECTS
    )  # what is named must exist
    return {name: made[name] for name in plan.names}


def queue(luck: Luck, crowded: bool = False) -> dict[str, Any]:
    """Short and long, patient and not, from either end."""
    capacity = (
        luck.pick("capacity of the crowded", (5, "unlimited"))
        if crowded
        else luck.pick("capacity", (0, 1, 5, "unlimited"))
    )
    spec: dict[str, Any] = {"capacity": capacity, "discipline": luck.pick("discipline", ("fifo", "lifo"))}
    if luck.maybe("impatient", 0.7 if crowded else 0.3):
        spec["timeout"] = luck.pick("patience", ("60ms", "60ms", "300ms", "300ms", "1s", "0s"))
    return spec


def _service(plan: Plan, index: int, luck: Luck) -> dict[str, Any]:
    name = plan.names[index]
    crowded = index in plan.crowded
    plan.replicas[name] = luck.number("replicas", 1, 1 if crowded else 3)
    spec: dict[str, Any] = {
        "replicas": plan.replicas[name],
        "workers": luck.pick("few workers", (1, 1, 2)) if crowded else luck.pick("workers", (1, 2, 4, 10, "unlimited")),
        "concurrency": luck.word("concurrency", {"threads": 2, "event_loop": 1}),
        "queue": queue(luck.at("queue"), crowded),
        "load_balancing": luck.pick(
            "balancing", ("round_robin", "random", "least_request", "power_of_two", "two_choices")
        ),
        "stock": {"items": luck.pick("items", (3, 40, 1000))},
        "endpoints": {},
    }
    if luck.maybe("costs", 0.2):
        spec["cost"] = "0.1/h"
    if luck.maybe("shares cores", 0.3):
        spec["cores"] = luck.number("cores", 1, 2)
    for place in reversed(range(len(plan.endpoints))):  # an endpoint performs only later ones
        endpoint = plan.endpoints[place]
        spec["endpoints"][endpoint] = _endpoint(plan, index, place, luck.at(endpoint))
    spec["endpoints"] = {endpoint: spec["endpoints"][endpoint] for endpoint in plan.endpoints}
    read = [topic for topic, first in plan.readers_from.items() if index >= first and luck.maybe(f"reads {topic}", 0.6)]
    if read:
        spec["consumes"] = {topic: _consume(plan, index, topic, luck.at(f"consumes {topic}")) for topic in read}
    return spec


def _endpoint(plan: Plan, index: int, place: int, luck: Luck) -> Any:
    steps = Steps(plan, index, plan.endpoints[place + 1 :])
    do = steps.some(luck)
    if place == 0 and plan.must_call(index):
        do[luck.number("where", 0, len(do)) : 0] = steps.calls_to(luck.at("on the way"), plan.must_call(index))
    plan.load[f"{plan.names[index]}.{plan.endpoints[place]}"] = steps.load
    answered = answers(luck.at("answers"))
    return {"do": do, **answered} if answered or luck.maybe("written out") else do


def _consume(plan: Plan, index: int, topic: str, luck: Luck) -> dict[str, Any]:
    steps = Steps(plan, index)
    do = steps.some(luck.at("do"), 1) if luck.maybe("steps of its own", 0.4) else []
    if not do or luck.maybe("performs", 0.6):
        endpoint = f"{plan.names[index]}.{luck.pick('endpoint', plan.endpoints)}"
        do.append({"perform": endpoint})
        steps.load += plan.load[endpoint]
    if luck.maybe("slow", 0.3):  # so that there are batches
        do.append({"wait": time(luck.at("lingering"), 0.08)})
    spec: dict[str, Any] = {
        "group": luck.pick("group", ("g", f"g{index}")),
        "do": do,
        "auto_offset_reset": luck.pick("reset", ("earliest", "latest")),
        "max_poll_records": luck.pick("poll", (1, 5, 500)),
        "max_deliveries": luck.number("deliveries", 1, 3),
        "idempotent": luck.maybe("idempotent"),
    }
    if luck.maybe("retry topic"):
        spec["retry_topic"] = luck.pick("delays", (["100ms"], ["100ms", "1s"], ["100ms", "1s"], ["0s", "300ms"]))
    if luck.maybe("many consumers"):
        spec["consumers"] = luck.number("consumers", 1, 6)
    if luck.maybe("session"):
        spec["session_timeout"] = luck.pick("timeout", ("500ms", "3s", "0s"))
    plan.load[topic] += steps.load
    return spec


def brokers(plan: Plan, luck: Luck) -> dict[str, Any]:
    """Logs with their topics."""
    return {broker: _broker(topics, luck.at(broker)) for broker, topics in plan.brokers.items()}


def _broker(topics: list[str], luck: Luck) -> dict[str, Any]:
    keys = ("order", "user", "item", "sticky", None)
    made = {
        topic: {
            "partitions": luck.pick(f"partitions of {topic}", (1, 2, 3, 4, 12)),
            "key": luck.pick(f"key of {topic}", keys),
        }
        for topic in topics
    }
    replication = {"replication": time(luck.at("replication"), 0.005)} if luck.maybe("replicates") else {}
    return {"kind": "log", "acks": luck.pick("acks", ("all", "all", 1, 0, "1", "0")), "topics": made, **replication}
