"""Who publishes to a log: keys of one's own, partitions in turn, sizes, producers with batches; small systems under faults, and words of random systems."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.composed import every_steps
from tests.models.random_systems.groups import fetch_and_commit, kept, membership
from tests.models.random_systems.luck import Luck

REGION = ("eu", {"eu": 0.5, "us": 0.3, "südost": 0.2})
STEPS: list[Any] = [{"effect": "sent"}]


def placing(luck: Luck) -> dict[str, Any]:
    """What decides the partition."""
    how = luck.pick("how", ("key", "header", "turn"))
    if how == "key":
        return {"key": luck.pick("key", ("order", "user", "sticky"))}
    return {"key_header": "region", "partitioner": "built_in"} if how == "header" else {"partitioner": "round_robin"}


def publication(luck: Luck, topic: str) -> dict[str, Any]:
    """A publish step."""
    made: dict[str, Any] = {"publish": topic}
    if luck.maybe("size", 0.5):
        made["size"] = luck.pick("bytes", ("100B", "3KiB", "700KiB"))
    if luck.maybe("outbox", 0.3):
        made |= {"via": "outbox", "batch": luck.pick("batch", (1, 3, 100))}
    elif luck.maybe("fallback", 0.4):
        made["fallback"] = [{"work": "2ms"}]
    return made


def placings(document: dict[str, Any], luck: Luck) -> None:
    """Topics whose partitions are chosen otherwise, and publications of a size of their own."""
    for spec in document["traffic"].values():
        spec.setdefault("headers", {})["region"] = luck.pick("region", REGION)
    topics = set()
    for broker in document.get("brokers", {}).values():
        for name, topic in (broker.get("topics") or {}).items():
            own = luck.at(name)
            topics.add(name)
            if isinstance(topic, dict) and own.maybe("placed", 0.6):
                topic.update({word: said for word, said in placing(own).items() if word != "key"})
    for name, steps in every_steps(document):
        for place, step in enumerate(steps):
            own = luck.at(f"{name} {place}")
            if step.get("publish") in topics and own.maybe("sized", 0.4):
                step["size"] = own.pick("size", ("100B", "3KiB"))


def faults(luck: Luck) -> list[dict[str, Any]]:
    """Of publishers, consumers, broker and network."""
    kinds: dict[str, dict[str, Any]] = {
        "down": {"for": "1s", "broker_down": "kafka"},
        "worker": {"crash": {"of": "worker", "replicas": 1, "restart_after": "1s"}},
        "publisher": {"crash": {"of": "front", "replicas": 1, "restart_after": "1s"}},
        "hang": {"for": "2s", "outage": "front", "how": "hang"},
        "cut": {"for": "1s", "network": {"between": ["front", "kafka"], "partition": True}},
        "lossy": {"for": "3s", "network": {"between": ["front", "kafka"], "loss": "20%"}},
        "delay": {"for": "3s", "network": {"between": ["front", "kafka"], "latency": "40ms"}},
    }
    taken = [kind for kind in kinds if luck.maybe(kind, 0.3)]
    return [{"name": kind, "at": f"{luck.pick(f'{kind} at', (1.0, 2.5, 4.0, 6.0))}s", **kinds[kind]} for kind in taken]


def consume(luck: Luck) -> dict[str, Any]:
    """A group that reads."""
    made: dict[str, Any] = {
        "group": "g",
        "auto_offset_reset": luck.pick("reset", ("earliest", "latest")),
        "max_poll_records": luck.pick("records", (1, 10, 500)),
        "session_timeout": "2s",
        "do": [{"work": {"exponential": luck.pick("work", ("5ms", "40ms"))}}, {"fail": "5%"}, {"effect": "done"}],
        **fetch_and_commit(luck),
    }
    if luck.maybe("membership", 0.4):
        made["membership"] = membership(luck.at("membership"))
    if luck.maybe("publishes", 0.3):
        made["do"].append({"publish": "more"})
    return made


def producer(luck: Luck) -> dict[str, Any]:
    """With patience that is soon over, and little memory."""
    made: dict[str, Any] = {
        "linger": luck.pick("linger", ("0s", "5ms", "100ms")),
        "batch": luck.pick("batch", ("1KiB", "4KiB", "16KiB")),
        "max_in_flight": luck.pick("in flight", (1, 2, 5)),
        "request_timeout": luck.pick("timeout", ("60ms", "300ms", "1s")),
        "delivery_timeout": luck.pick("delivery", ("1500ms", "5s")),
        "max_block": luck.pick("block", ("10ms", "1s")),
    }
    if luck.maybe("small buffer", 0.4):
        made["buffer"] = "32KiB"
    if luck.maybe("acks", 0.6):
        made["acks"] = luck.pick("acks of", ("all", "1", "0"))
    if luck.maybe("twice", 0.3):
        made["idempotent"] = False
    if luck.maybe("patience", 0.5):
        made |= {"retry_backoff": luck.pick("pause", ("10ms", "250ms")), "retry_backoff_max": "300ms"}
    return made


def quota(luck: Luck) -> dict[str, Any]:
    """Of bytes that a service sends."""
    samples = {"windows": 3, "window": "500ms"} if luck.maybe("soon", 0.6) else {}
    return {"produce": luck.pick("produce", ("5KiB", "50KiB", "1MiB")), **samples}


def producers(document: dict[str, Any], luck: Luck) -> None:
    """Log brokers to which everybody publishes in batches; beside transactions they wait for all replicas, and are idempotent."""
    consumed = [its for service in document["services"].values() for its in (service.get("consumes") or {}).items()]
    transacting = {topic for topic, its in consumed if "transaction" in its}
    for name, broker in document.get("brokers", {}).items():
        own = luck.at(name)
        if broker.get("kind") == "log" and own.maybe("produces", 0.7):
            broker["producer"] = producer(own)
            if not transacting.isdisjoint(broker["topics"]):
                make_idempotent(broker)
            if own.maybe("quota", 0.6):
                broker["quota"] = quota(own)
            _without_policies(document["services"], set(broker["topics"]))


def make_idempotent(broker: dict[str, Any]) -> None:
    """As transactions need it."""
    broker["acks"] = "all"
    for word in ("acks", "idempotent"):
        broker.get("producer", {}).pop(word, None)


def _without_policies(said: Any, topics: set[str]) -> None:
    """Producers try again by themselves."""
    if isinstance(said, dict):
        if said.get("publish") in topics:
            said.pop("policy", None)
        said = list(said.values())
    for value in said if isinstance(said, list) else ():
        _without_policies(value, topics)


def producer_system(seed: int, producing: bool = True) -> dict[str, Any]:
    """One service publishes to two topics, others read. `producing`: by way of producers."""
    luck = Luck(f"producer {seed}")
    topic: dict[str, Any] = {"partitions": luck.pick("partitions", (1, 3, 6)), **placing(luck.at("placing"))}
    if luck.maybe("kept", 0.4):
        topic = {**kept(luck.at("kept")), **topic}
        if "compaction" in topic and topic.get("key") == "sticky":
            topic["key"] = "user"
    front = [publication(luck.at("events"), "events"), *STEPS]
    if luck.maybe("another", 0.4):
        front.insert(0, publication(luck.at("another"), "more"))
    broker: dict[str, Any] = {
        "kind": "log",
        "acks": luck.pick("acks", ("all", "1", "0")),
        "topics": {"events": topic, "more": {"partitions": 2, **placing(luck.at("more"))}},
    }
    if luck.maybe("replicated", 0.7):
        broker["replication"] = luck.pick("replication", ("2ms", {"exponential": "10ms"}))
    if producing:
        broker["producer"] = producer(luck.at("producer"))
        if luck.maybe("quota", 0.4):
            broker["quota"] = quota(luck.at("quota"))
    host = {"concurrency": "event_loop"} if luck.maybe("loop", 0.3) else {}
    return {
        "version": 1,
        "duration": "10s",
        "record": {"spans": luck.pick("spans", ("none", "all", "exemplars"))},
        "traffic": {
            "clients": {
                "sends": "front.ask",
                "arrivals": {"poisson": luck.pick("rate", ("40/s", "200/s"))},
                "users": {"count": 5},
                "headers": {"region": luck.pick("region", REGION)},
                "completes_with": ["done"],
            },
            "others": {"sends": "front.ask", "arrivals": {"poisson": "5/s"}, "completes_with": ["done"]},
        },
        "services": {
            "front": {"workers": 50, "replicas": 2, **host, "endpoints": {"ask": front}},
            "worker": {"replicas": 2, "workers": 1, "consumes": {"events": consume(luck.at("worker"))}},
            "other": {"workers": 1, "consumes": {"more": {"group": "h", "do": [{"work": "1ms"}]}}},
        },
        "brokers": {"kafka": broker},
        "network": {"default": {"latency": luck.pick("latency", ("0s", "1ms", {"exponential": "5ms"}))}},
        "faults": faults(luck.at("faults")),
    }
