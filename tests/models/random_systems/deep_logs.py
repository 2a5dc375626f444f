"""Logs with nodes and replicas, which are lost and come back, and records that are handled in transactions."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck

NODES = 3


def deep_logs(document: dict[str, Any], luck: Luck) -> None:
    """Some logs have nodes; some groups handle each record in a transaction, or read only committed ones."""
    logs = {name: its for name, its in document.get("brokers", {}).items() if its["kind"] == "log"}
    for name, broker in logs.items():
        own = luck.at(name)
        if "producer" in broker:
            continue
        if own.maybe("nodes", 0.7):
            broker["nodes"] = nodes(own)
            replicate(broker, own)
            document.setdefault("faults", []).extend(lost_nodes(name, own))
        if own.maybe("transactions", 0.6):
            transact(document, name, own)


def nodes(luck: Luck) -> dict[str, Any]:
    """Sessions that are soon over, and followers that are soon behind."""
    made: dict[str, Any] = {
        "count": NODES,
        "session_timeout": luck.pick("session", ("200ms", "1s")),
        "election": luck.pick("election", ("0s", "50ms")),
        "replica_lag_time_max": luck.pick("lag", ("500ms", "2s")),
        "unclean_leader_election": luck.maybe("unclean", 0.4),
    }
    if luck.maybe("requests", 0.3):
        made["requests"] = "200/s"
    if luck.maybe("bytes", 0.3):
        made |= {"network": "500KiB", "disk": "300KiB"}
    return made


def replicate(broker: dict[str, Any], luck: Luck) -> None:
    """Several replicas of what it has."""
    for name, topic in broker["topics"].items():
        copies = luck.pick(f"copies of {name}", (1, 2, 3))
        least = luck.pick(f"in sync of {name}", (1, 1, 2))
        topic |= {"replication_factor": copies, "min_insync_replicas": min(copies, least)}


def lost_nodes(broker: str, luck: Luck) -> list[dict[str, Any]]:
    """One node after the other, perhaps two at once, or a slow disk."""
    made: list[dict[str, Any]] = [
        {"at": luck.pick(f"at {node}", ("1s", "2500ms", "4s")), "for": "2s", "broker_down": broker, "node": node}
        for node in range(NODES)
        if luck.maybe(f"loses {node}", 0.4)
    ]
    if luck.maybe("slow", 0.3):
        disk: dict[str, Any] = {"of": broker, "by": "500x"}
        made.append({"at": "2s", "for": "3s", "slow_disk": disk | ({"node": 1} if luck.maybe("one disk") else {})})
    return [{"name": f"{broker} {number}", **fault} for number, fault in enumerate(made)]


def transact(document: dict[str, Any], name: str, luck: Luck) -> None:
    """Of all members of a group alike. What they publish has a topic of its own, and two groups that read it."""
    topics, out = document["brokers"][name]["topics"], f"{name}-out"
    for service in document["services"].values():
        for topic, consume in (service.get("consumes") or {}).items():
            if topic not in topics:
                continue
            own = luck.at(f"{consume['group']} {topic}")
            if own.maybe("committed", 0.5):
                consume["isolation"] = "read_committed"
            if own.maybe("transaction", 0.5):
                consume.pop("commit", None)
                document["brokers"][name]["acks"] = "all"  # else a transaction is refused
                consume["transaction"] = {"timeout": own.pick("timeout", ("1s", "60s"))}
                consume["do"] = [{"publish": out}, *consume["do"]]
    topics[out] = {"partitions": luck.pick("partitions", (1, 3))}
    for number, service in enumerate(document["services"].values()):
        isolation = ("read_committed", "read_uncommitted")[number % 2]
        reads = {"group": isolation, "isolation": isolation, "auto_offset_reset": "earliest", "do": [{"work": "1ms"}]}
        if number < 2:
            service.setdefault("consumes", {})[out] = reads
