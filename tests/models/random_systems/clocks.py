"""Clocks that go apart, or are set while a system runs, and limits that read them."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck

BUCKETS = ("token_bucket", "gcra")
SKEWS = (["1s", "0s"], ["-700ms", "0s", "2s"], ["400ms"], ["0s", "13s", "-5s"])


def clocks(document: dict[str, Any], luck: Luck) -> None:
    """Of hosts that have rate limits, now and then of others."""
    gateway = document.get("gateway")
    hosts = {**document["services"], **({"gateway": gateway} if gateway is not None else {})}
    for name, spec in hosts.items():
        own = luck.at(name)
        routes = spec.get("routes", {}).values() if name == "gateway" else ()
        limits = [limit for its in (spec, *routes) for limit in its.get("rate_limits", ())]
        if not limits and not own.maybe("though it has no limits", 0.1):
            continue
        for number, limit in enumerate(limits):
            _read(limit, own.at(number))
        if own.maybe("apart", 0.7):
            spec["clock_skew"] = own.pick("by", SKEWS)
        if own.maybe("set", 0.4):
            fault = {"name": f"clock of {name}", "at": own.pick("at", ("1s", "2500ms")), "clock": name}
            fault["by"] = own.pick("how far", ("3s", "-3s", "-800ms"))
            if own.maybe("of one", 0.6):
                fault["replicas"] = 1
            if own.maybe("for a while", 0.6):
                fault["for"] = own.pick("how long", ("1s", "2s"))
            document.setdefault("faults", []).append(fault)


def _read(limit: dict[str, Any], luck: Luck) -> None:
    """Some read another clock than they do by themselves."""
    preset, node = limit.get("preset"), limit.get("scope") == "node"
    buckets = preset is None and limit.get("algorithm", "token_bucket" if "burst" in limit else "") in BUCKETS
    if preset == "bucket4j" and luck.maybe("nanoTime", 0.3):
        limit["clock"] = "store" if "store" in limit or limit.get("scope") == "cluster" else "monotonic"
    elif (preset == "spring-cloud-gateway" or buckets) and luck.maybe("node", 0.7):
        limit["clock"] = "node"
    elif preset is None and not node and limit.get("algorithm") == "fixed_window" and luck.maybe("store", 0.2):
        limit["clock"] = "store"
