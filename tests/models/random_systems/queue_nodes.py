"""Nodes of the queue brokers that are there, and faults that take them."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck


def queue_nodes(document: dict[str, Any], luck: Luck) -> None:
    """Some are lost, one by one or together, some of their disks are slow."""
    for name, broker in document.get("brokers", {}).items():
        own = luck.at(name)
        if broker["kind"] != "queue" or not own.maybe("has nodes", 0.6):
            continue
        count = own.pick("nodes", (1, 2, 3, 3, 5))
        broker["nodes"] = {
            "count": count,
            "queue_leader_locator": own.pick("leaders", ("client-local", "balanced")),
            "detection": own.pick("detection", ("0s", "300ms")),
            "election": own.pick("election", ("267ms", "5ms", "0s")),
        }
        if own.maybe("notices late", 0.2):
            broker["nodes"]["detection"] = "5s"
        if own.maybe("catches up", 0.5):
            broker["nodes"] |= {"partition_handling": own.pick("handling", ("ignore", "pause_minority"))}
            broker["nodes"]["net_ticktime"] = own.pick("ticks", ("0s", "1s", "60s"))
            broker["nodes"]["catch_up"] = own.pick("catch up", ("20/s", "300/s"))
        for queue, spec in broker["queues"].items():
            its = own.at(queue)
            if spec["type"] == "quorum" and its.maybe("has a group", 0.3):
                spec["quorum_initial_group_size"] = its.pick("group", (1, 2, 5))
            if spec["type"] == "classic" and its.maybe("loses much that has a priority", 0.4):
                spec |= {"max_priority": its.pick("highest", (4, 10)), "commit": "1500ms"}
            if spec["type"] == "quorum" and its.maybe("commits slowly", 0.2):
                spec["commit"] = "500ms"
        faults = [fault for number in range(3) for fault in _faults(own, number, name, count)]
        splits = [fault for fault in faults if "broker_split" in fault]  # of one broker there is one at a time
        document["faults"] += [fault for fault in faults if fault not in splits[1:]]


def _faults(parent: Luck, number: int, broker: str, count: int) -> list[dict[str, Any]]:
    luck = parent.at(f"fault {number}")
    node = luck.number("node", 0, count - 1)
    when = {"name": f"node {number} of {broker}", "at": f"{luck.pick('at', (1.0, 1.5, 4.0, 5.0))}s"}
    if luck.maybe("lost", 0.6):
        return [{**when, "for": luck.pick("for", ("100ms", "500ms", "3s")), "broker_down": broker, "node": node}]
    if count > 1 and luck.at("split").maybe("split", 0.4):
        nodes = [node] if luck.at("split").maybe("one", 0.7) or count < 3 else [node, (node + 1) % count]
        return [{**when, "for": luck.at("split").pick("for", ("300ms", "3s")), "broker_split": broker, "nodes": nodes}]
    if luck.maybe("slow", 0.3):
        return [{**when, "for": "2s", "slow_disk": {"of": broker, "node": node, "by": "20x"}}]
    return []
