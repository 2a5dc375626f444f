"""Systems made at random of queue brokers: small and full of trouble."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck

QUEUES = ("a", "b", "c", "d")


def dead_letter(luck: Luck) -> dict[str, Any]:
    if luck.maybe("through an exchange", 0.4):
        return {"exchange": luck.pick("exchange", ("direct", "fan"))}
    return {"routing_key": luck.pick("to", QUEUES)}


def queue(luck: Luck) -> dict[str, Any]:
    quorum = luck.maybe("quorum", 0.5)
    made: dict[str, Any] = {"type": "quorum" if quorum else "classic"}
    if luck.maybe("bounded", 0.4):
        overflow = ("drop-head", "reject-publish") if quorum else ("drop-head", "reject-publish", "reject-publish-dlx")
        made |= {"max_length": luck.pick("length", (0, 1, 5, 30)), "overflow": luck.pick("overflow", overflow)}
    if luck.maybe("ttl", 0.4):
        made["message_ttl"] = luck.pick("ttl of", ("0s", "50ms", "1s", "3s"))
    if luck.maybe("dead letters", 0.6):
        made["dead_letter"] = dead_letter(luck)
    if luck.maybe("commit", 0.4):
        made["commit"] = luck.pick("commit of", ("0s", "20ms", {"exponential": "30ms"}))
    if quorum and luck.maybe("limit", 0.5):
        made["delivery_limit"] = luck.pick("limit of", (0, 1, 3))
    if quorum and luck.maybe("impatient", 0.3):
        made["consumer_timeout"] = "300ms"
    if "max_length" in made and luck.maybe("by bytes", 0.3):
        made["max_length_bytes"] = luck.pick("bytes", ("1KiB", "3000B", "20KiB"))
    if not quorum and luck.maybe("priorities", 0.5):
        made["max_priority"] = luck.pick("highest", (1, 4, 10))
    made["single_active_consumer"] = luck.maybe("single", 0.2)
    return made


def consume(luck: Luck) -> dict[str, Any]:
    steps: list[Any] = [{"work": {"exponential": luck.pick("work", ("5ms", "40ms", "200ms"))}}]
    if luck.maybe("fails", 0.5):
        steps.append({"fail": luck.pick("share", ("5%", "60%")), "per": luck.pick("per", ("attempt", "request"))})
    if luck.maybe("asks", 0.3):
        steps.append({"call": "other.help"})
    return {
        "prefetch": luck.pick("prefetch", (0, "unlimited", 1, 3, 50)),
        "ack": "automatic" if luck.maybe("automatic", 0.2) else "manual",
        "on_failure": luck.pick("failure", ("requeue", "reject", "nack_requeue")),
        "priority": luck.pick("priority", (0, 0, 5)),
        "idempotent": luck.maybe("idempotent", 0.3),
        "consumers": luck.pick("consumers", (1, 2)),
        "do": [*steps, {"effect": "done"}],
    }


def publication(luck: Luck) -> dict[str, Any]:
    where = luck.pick("where", ("direct", "fan", "topics", "heads", *QUEUES))
    made: dict[str, Any] = {"publish": where, "routing_key": luck.pick("key", ("x.y", "x.y", "z"))}
    if luck.maybe("headers", 0.4):
        made["headers"] = luck.pick("heads", ({"kind": "big"}, {"kind": "big", "from": "eu"}))
    made["confirm"] = luck.pick("confirm", ("none", "each", {"batch": 5}))
    made["mandatory"] = luck.maybe("mandatory", 0.3)
    if luck.maybe("expires", 0.3):
        made["expiration"] = {"exponential": "500ms"}
    if luck.maybe("has a priority", 0.4):
        made["priority"] = luck.pick("priority", (0, 3, 5, 40))
    if luck.maybe("outbox", 0.2):
        made["via"] = "outbox"
    if luck.maybe("guarded", 0.3):
        made["policy"] = {"timeout": "200ms", "retry": {"max_attempts": 2}}
    return made


def broker(luck: Luck) -> dict[str, Any]:
    """Four exchanges, one of each type, and four queues."""
    heads = {"kind": "big", "from": "eu"}
    made: dict[str, Any] = {
        "kind": "queue",
        "exchanges": {
            "direct": {"type": "direct", "bindings": {"x.y": ["a", "b"]}},
            "fan": {"type": "fanout", "bindings": ["b", "c"]},
            "topics": {"type": "topic", "bindings": {"x.*": ["c"], "#": ["d"]}},
            "heads": {
                "type": "headers",
                "bindings": [
                    {"queue": "a", "headers": heads, "match": "all"},
                    {"queue": "d", "key": "", "headers": heads, "match": "any"},
                ],
            },
        },
        "queues": {name: queue(luck.at(f"queue {name}")) for name in QUEUES},
    }
    if luck.maybe("work", 0.4):
        made["work"] = {"exponential": luck.pick("work of", ("3ms", "3ms", "60ms"))}
    if luck.maybe("disk", 0.2):
        made |= {"disk": "50MB", "disk_free_limit": "0B", "message_size": "1MB"}
    if luck.maybe("tries", 0.4):
        made["recovery_interval"] = luck.pick("tries every", ("100ms", "700ms"))
    return made


def faults(luck: Luck) -> list[dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = {
        "down": {"for": "2s", "broker_down": "rabbit"},
        "alarm": {"for": "2s", "alarm": "rabbit"},
        "slow": {"for": "2s", "slow_disk": {"of": "rabbit", "by": "20x"}},
        "crash": {"crash": {"of": "worker", "replicas": 1, "restart_after": "1s"}},
        "hang": {"for": "2s", "outage": "worker", "how": "hang"},
        "refuse": {"for": "2s", "outage": "worker", "how": "refuse"},
        "cut": {"for": "2s", "network": {"between": ["worker", "rabbit"], "partition": True}},
        "restart": {"restart": {"of": "worker", "one_by_one": "1s", "takes": "1s", "grace": "500ms"}},
        "publisher": {"crash": {"of": "front", "replicas": 1, "restart_after": "1s"}},
    }
    taken = [kind for kind in kinds if luck.maybe(kind, 0.3)]
    moments = (1.0, 2.5, 4.0, 6.0)
    return [{"name": kind, "at": f"{luck.pick(f'{kind} at', moments)}s", **kinds[kind]} for kind in taken]


def queue_system(seed: int) -> dict[str, Any]:
    """A system of four queues, of which some are consumed."""
    luck = Luck(str(seed))
    consumed = [name for name in QUEUES if luck.maybe(f"consumed {name}", 0.6)] or ["a"]
    front = [publication(luck.at(f"publish {number}")) for number in range(luck.pick("publications", (1, 2)))]
    rabbit = broker(luck.at("broker"))
    rate = luck.pick("rate", ("40/s", "40/s", "300/s"))
    concurrency = {"concurrency": luck.pick("concurrency", ("threads", "event_loop"))}
    record = {"spans": luck.pick("spans", ("none", "all", "exemplars"))}
    return {
        "duration": "10s",
        "traffic": {"clients": {"sends": "front.ask", "arrivals": {"poisson": rate}, "completes_with": ["done"]}},
        "record": record,
        "services": {
            "front": {"workers": 50, "replicas": 2, **concurrency, "endpoints": {"ask": front}},
            "worker": {
                "replicas": 2,
                "workers": 1,
                "consumes": {name: consume(luck.at(f"consume {name}")) for name in consumed},
            },
            "other": {"workers": 20, "endpoints": {"help": [{"work": "2ms"}]}},
        },
        "brokers": {"rabbit": rabbit},
        "network": {"default": {"latency": luck.pick("latency", ("1ms", {"exponential": "5ms"}))}},
        "faults": faults(luck.at("faults")),
    }
