"""Zones: replicas and callers in them, a longer way from one to another, balancing that keeps to them, and one that is gone."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck

SPREADS = (["a", "b"], ["a", "b", "c"], ["a", "a", "b"], ["b", "c"], ["c"])
AWARE = ("round_robin", "least_request", "random", "two_choices", "power_of_two", "peak_ewma")


def zones(document: dict[str, Any], luck: Luck) -> None:
    """Most hosts are in zones, most services keep to them, and now and then one is down."""
    hosts = {**document["services"], **({"gateway": document["gateway"]} if "gateway" in document else {})}
    names = list(hosts)
    for name in luck.some("which", names, max(1, len(names) - 1), len(names)):
        own, spec = luck.at(name), hosts[name]
        spec["zones"] = own.pick("where", SPREADS)
        if name == "gateway":
            continue
        scaled = isinstance(spec.get("load_balancing"), dict) and "weights" in spec["load_balancing"]
        if not scaled and own.maybe("more", 0.6):
            spec["replicas"] = max(spec.get("replicas", 1), own.number("replicas", 2, 7))
        if own.maybe("aware", 0.7):
            spec["load_balancing"] = _aware(spec.get("load_balancing", "round_robin"), own)
    if luck.maybe("far", 0.8):
        document.setdefault("network", {})["between_zones"] = luck.pick("how far", ("1ms", "17ms"))
    there = sorted({zone for spec in hosts.values() for zone in spec.get("zones", ())})
    if luck.maybe("gone", 0.5):
        fault = {"name": "zone", "at": luck.pick("at", ("0s", "3s", "5s", "9.5s")), "zone": luck.pick("zone", there)}
        document["faults"].append({**fault, **luck.pick("for", ({}, {"for": "3s"}, {"for": "6s"}))})


def _aware(said: Any, luck: Luck) -> dict[str, Any]:
    balancing = dict(said) if isinstance(said, dict) else {"policy": said}
    if balancing.get("policy", "round_robin") not in AWARE:
        balancing = {"policy": luck.pick("policy", AWARE)}
    return {**balancing, "zone_aware": luck.pick("from", ({}, {"min_cluster_size": 1}, {"min_cluster_size": 2}))}
