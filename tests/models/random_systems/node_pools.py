"""Nodes on which replicas stand: too few for all of them, started late, and taken away while somebody is at work there."""

from __future__ import annotations

import math
from typing import Any

from tests.models.random_systems.luck import Luck


def node_pools(document: dict[str, Any], luck: Luck) -> None:
    """Some services stand on nodes of one pool or of two; there is always room for those that are there at the beginning."""
    pools = ["general", "other"][: luck.number("pools", 1, 2)]
    document["node_pools"] = {}
    for pool in pools:
        document["node_pools"][pool] = _pool(luck.at(pool))
    for name, service in document["services"].items():
        own = luck.at(name)
        weighed = isinstance(service["load_balancing"], dict) and "weights" in service["load_balancing"]
        if weighed or not own.maybe("on nodes", 0.7):  # weights are those of replicas that stay
            continue
        pool = own.pick("pool", pools)
        service["node_pool"] = pool
        spec = document["node_pools"][pool]
        if "cores" in spec:
            spec["cores"] = max(spec["cores"], service.get("cores", 1), math.ceil(_limit_of(service)))
        spec["max"] += service.get("replicas", 1)
        if own.maybe("evicted slowly", 0.4):
            service["drain"] = own.pick("drain", ("0s", "500ms", "2s"))
        if own.maybe("starts late", 0.4) and "start" not in service:
            service["start"] = own.pick("start", ("300ms", {"time": "1s"}))


def _limit_of(service: dict[str, Any]) -> float:
    """The cores that its replicas may use, which they ask a node for where nothing else is said."""
    said = service.get("cpu", {}).get("limit", 0)
    return int(said[:-1]) / 1000 if isinstance(said, str) else said


def _pool(luck: Luck) -> dict[str, Any]:
    pool: dict[str, Any] = {
        "max": luck.number("most", 1, 3),
        "start": luck.pick("start", ("0s", "1s", {"exponential": "1500ms"})),
    }
    if luck.maybe("by cores", 0.7):
        pool["cores"] = luck.number("cores", 2, 6)
    if luck.maybe("by number", 0.5):
        pool["replicas"] = luck.number("replicas", 1, 4)
    if luck.maybe("none at all", 0.5):
        pool["min"] = 0
    if luck.maybe("priced", 0.5):
        pool["cost"] = "0.2/h"
    pool["scan_interval"] = luck.pick("scan", ("250ms", "1s"))
    pool["scale_down_unneeded_time"] = luck.pick("unneeded", ("0s", "1s", "2s"))
    pool["scale_down_delay_after_add"] = luck.pick("after add", ("0s", "1s"))
    if luck.maybe("waits after delete", 0.4):
        pool["scale_down_delay_after_delete"] = luck.pick("after delete", ("0s", "2s"))
    if luck.maybe("threshold", 0.6):
        pool["scale_down_utilization_threshold"] = luck.pick("share", ("70%", "100%", "0%"))
    return pool
