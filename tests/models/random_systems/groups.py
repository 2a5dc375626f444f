"""Consumer groups that rebalance: small systems of one group under faults, and groups of the random systems."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck
from tests.models.random_systems.queues import faults

ASSIGNORS = {
    "eager": (None, "range", "roundrobin", "sticky"),
    "cooperative": (None, "cooperative-sticky"),
    "consumer": (None, "uniform", "range"),
}


def membership(luck: Luck) -> dict[str, Any]:
    """With patience that is soon over, and heartbeats that come often."""
    protocol = luck.pick("protocol", ("eager", "cooperative", "consumer"))
    made = {
        "protocol": protocol,
        "static": luck.maybe("static", 0.3),
        "heartbeat_interval": luck.pick("heartbeat", ("200ms", "1s")),
        "max_poll_interval": luck.pick("poll", ("300ms", "1s", "5m")),
    }
    assignor = luck.pick("assignor", ASSIGNORS[protocol])
    return {**made, "assignor": assignor} if assignor else made


def fetch_and_commit(luck: Luck) -> dict[str, Any]:
    """When a consumer fetches, and when it commits."""
    made: dict[str, Any] = {}
    if luck.maybe("fetch", 0.4):
        made["fetch"] = {"min": luck.pick("min", ("1B", "2KiB", "64KiB")), "wait": luck.pick("wait", ("50ms", "500ms"))}
    if luck.maybe("commit", 0.6):
        ways = ("batch", "record", "before", {"when": "automatic", "interval": luck.pick("interval", ("100ms", "1s"))})
        made["commit"] = luck.pick("commit of", ways)
    return made


def commits(document: dict[str, Any], luck: Luck) -> None:
    """Consumers that wait for more than one record, and that commit at other moments than after a batch."""
    for name, service in document["services"].items():
        for topic, consume in (service.get("consumes") or {}).items():
            consume.update(fetch_and_commit(luck.at(f"{name} {topic}")))


def kept(luck: Luck) -> dict[str, Any]:
    """What a topic deletes, or compacts."""
    if luck.maybe("compacted", 0.4):
        pieces = {
            "segment_size": luck.pick("segment", ("2KiB", "8KiB")),
            "segment_time": luck.pick("new", ("1s", "7d")),
        }
        cleaned = {"min_lag": luck.pick("lag", ("0s", "2s")), "min_dirty": luck.pick("dirty", ("10%", "50%"))}
        return {"key": "user", "compaction": {"check": "1s", **pieces, **cleaned}}
    time = {
        "time": luck.pick("time", ("500ms", "3s")),
        "check": luck.pick("check", ("1s", "700ms")),
        "segment_time": "1s",
    }
    return {"retention": time | ({"size": "4KiB", "segment_size": "2KiB"} if luck.maybe("by size") else {})}


def retention(document: dict[str, Any], luck: Luck) -> None:
    """Topics that delete what is old, too much, or replaced."""
    for broker in document.get("brokers", {}).values():
        for name, topic in (broker.get("topics") or {}).items():
            own = luck.at(name)
            if isinstance(topic, dict) and own.maybe("kept", 0.6):
                topic.update(kept(own))
            if isinstance(topic, dict) and own.maybe("size", 0.3):
                topic["message_size"] = own.pick("bytes", ("100B", "3KiB"))


def memberships(document: dict[str, Any], luck: Luck) -> None:
    """Some groups rebalance in their time; all members of one say the same of it."""
    for service in document["services"].values():
        for topic, consume in (service.get("consumes") or {}).items():
            own = luck.at(f"{consume['group']} {topic}")
            if own.maybe("rebalances", 0.6):
                consume["membership"] = membership(own)
                consume["session_timeout"] = own.pick("session", ("2s", "4s"))


def group_system(seed: int) -> dict[str, Any]:
    """One consumer group that rebalances, under faults."""
    luck = Luck(str(seed))
    consumes: dict[str, Any] = {
        "group": "g",
        "auto_offset_reset": luck.pick("reset", ("earliest", "latest")),
        "consumers": luck.pick("consumers", (1, 3)),
        "max_poll_records": luck.pick("records", (1, 10, 500)),
        "session_timeout": "2s",
        "idempotent": luck.maybe("idempotent", 0.3),
        "membership": membership(luck.at("membership")),
        "do": [{"work": {"exponential": luck.pick("work", ("5ms", "60ms"))}}, {"fail": "5%"}, {"effect": "done"}],
    }
    if luck.maybe("asks", 0.4):
        consumes["do"].append({"call": "other.ask", "policy": {"timeout": "50ms"}})
    topic: dict[str, Any] = {"partitions": 6, **(kept(luck.at("kept")) if luck.maybe("keeps", 0.4) else {})}
    consumes |= fetch_and_commit(luck.at("commits"))
    if luck.maybe("retry topic", 0.3):
        consumes["retry_topic"] = {"delays": ["300ms", "1s"]}
    harm = [fault for fault in faults(luck.at("faults")) if fault["name"] not in ("alarm", "slow")]
    return {
        "duration": "12s",
        "record": {"spans": luck.pick("spans", ("none", "all", "exemplars"))},
        "traffic": {
            "clients": {
                "sends": "front.ask",
                "arrivals": {"poisson": "30/s"},
                "users": {"count": 9},
                "completes_with": ["done"],
            }
        },
        "services": {
            "front": {"workers": 50, "replicas": 2, "endpoints": {"ask": [{"publish": "events"}]}},
            "worker": {"replicas": 3, "workers": 1, "consumes": {"events": consumes}},
            "other": {"workers": 1, "endpoints": {"ask": [{"work": {"exponential": "20ms"}}]}},
        },
        "brokers": {"rabbit": {"kind": "log", "replication": "2ms", "topics": {"events": topic}}},
        "network": {"default": {"latency": "1ms"}},
        "faults": harm,
    }
