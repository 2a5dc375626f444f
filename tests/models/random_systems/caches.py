"""Caches, put around steps that are there, and faults that empty them."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.composed import every_steps
from tests.models.random_systems.luck import Luck


def caches(document: dict[str, Any], luck: Luck) -> None:
    """One step in four is what a cache does at a miss; two caches of a service may be one."""
    keys = [
        "all",
        *(key for key in ("item", "user") if any(f"{key}s" in said for said in document["traffic"].values())),
        *(["item_of_user"] if any("items" in said for said in document["traffic"].values()) else []),
    ]
    named: dict[str, list[dict[str, Any]]] = {}
    for name, steps in every_steps(document):
        service = name.split()[0]
        for place, step in enumerate(steps):
            own = luck.at(f"{name} {place}")
            if not own.maybe("cached", 0.25):
                continue
            known = named.setdefault(service, [])
            if not known or own.maybe("another", 0.6):
                known.append(_cache(f"c{len(known)}", keys, own))
            then = [step, {own.pick("then", ("fail", "refuse")): 0.2}] if own.maybe("goes wrong") else [step]
            steps[place] = {"cache": {**known[-1], "then": then}}
    for service, known in named.items():
        for cache in known:
            own = luck.at(f"{service} {cache['name']}")
            if own.maybe("flushed", 0.3):
                at = f"{own.number('at', 1, 190) / 10}s"
                fault = {"name": f"flush {service} {cache['name']}", "at": at, "flush": cache["name"], "of": service}
                document["faults"].append(fault)


def response_caches(document: dict[str, Any], luck: Luck) -> None:
    """One route in two has a cache of answers, which a fault may empty."""
    for name, route in (document.get("gateway") or {"routes": {}})["routes"].items():
        own = luck.at(name)
        if not own.maybe("cached"):
            continue
        sending = [said for said in document["traffic"].values() if name in str(said)]
        people = [key for key in ("item", "user") if any(f"{key}s" in said for said in sending)]
        keys = ["all", *people, *(["item_of_user"] if "item" in people else [])]
        route["cache"] = {word: value for word, value in _cache("", keys, own).items() if word != "name"}
        if own.maybe("flushed", 0.3):
            at = f"{own.number('at', 1, 190) / 10}s"
            document["faults"].append({"name": f"flush {name}", "at": at, "flush": name, "of": "gateway"})


def _cache(name: str, keys: list[str], luck: Luck) -> dict[str, Any]:
    spec: dict[str, Any] = {"name": name, "scope": luck.pick("scope", ("replica", "shared"))}
    if luck.maybe("takes time", 0.4):
        spec["lookup"] = luck.pick("lookup", ("1ms", {"exponential": "3ms"}))
    if luck.maybe("said", 0.15):
        return {**spec, "hit": luck.pick("hit", (0.3, "90%"))}
    spec["key"] = luck.pick("key", keys)
    if luck.maybe("small", 0.6):
        spec |= {"size": luck.pick("size", (1, 2, 3, 5, 10)), "evict": luck.pick("evict", ("lru", "lfu"))}
    if luck.maybe("keeps refusals"):
        spec["negative_ttl"] = luck.pick("negative", ("100ms", "2s"))
    if luck.maybe("coalesces"):
        spec["coalesce"] = True
    if luck.maybe("for a while", 0.8):
        spec["ttl"] = luck.pick("ttl", ("10ms", "100ms", "1s"))
        spec |= {"jitter": "30%"} if luck.maybe("jitter") else {}
        spec |= {"stale_while_revalidate": luck.pick("stale", ("50ms", "1s"))} if luck.maybe("revalidates") else {}
        spec |= {"stale_if_error": luck.pick("stale on error", ("50ms", "1s"))} if luck.maybe("rather stale") else {}
    return spec
