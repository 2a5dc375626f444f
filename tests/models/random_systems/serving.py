"""What happens at the callee: faults of only some replicas."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck

BEGINS = ("0s", "2s", "3.337s", "5s", "5s", "11s")


def some_replicas(document: dict[str, Any], luck: Luck) -> None:
    """One to three faults that slow some replicas of a host, or make them fail; two may meet in one replica."""
    hosts = {name: spec.get("replicas", 1) for name, spec in document["services"].items()}
    if "gateway" in document:
        hosts["gateway"] = document["gateway"].get("replicas", 1)
    for place in range(luck.number("how many", 1, 3)):
        own = luck.at(place)
        of = own.pick("of", sorted(hosts, key=lambda name: (-hosts[name], name))[:3])
        which: dict[str, Any] = {"of": of, "replicas": own.number("replicas", 1, hosts[of])}
        fault: dict[str, Any] = {"name": f"some {place}", "at": own.pick("at", BEGINS)}
        if own.maybe("ends", 0.85):
            fault["for"] = own.pick("for", ("2s", "6.66s", "1ms"))
        if own.maybe("slow"):
            fault["slow"] = {**which, "by": own.pick("by", ("3x", "0.3x", "17x"))}
        else:
            fault["errors"] = {**which, "share": own.pick("share", (0.1, 0.5, 1))}
        document["faults"].append(fault)
