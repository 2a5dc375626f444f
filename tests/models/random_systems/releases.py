"""Releases of new versions: by steps that may be given up, or all at once, and how the new ones differ."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck


def releases(document: dict[str, Any], luck: Luck) -> None:
    """One or two services are released anew, in the midst of whatever else there is."""
    names = [
        name
        for name, service in document["services"].items()
        if not (isinstance(service["load_balancing"], dict) and "weights" in service["load_balancing"])
    ]
    for name in luck.some("which", names, min(1, len(names)), min(2, len(names))):
        own = luck.at(name)
        fault: dict[str, Any] = {
            "name": f"release {name}",
            "at": own.pick("at", ("1s", "2500ms", "6s")),
            "deploy": name,
        }
        fault["new_version"] = own.pick(
            "new", ({}, {"slow": "3x"}, {"errors": "30%"}, {"slow": "2x", "errors": "100%"}, {"slow": "0.5x"})
        )
        if document["services"][name].get("consumes") and fault["new_version"].get("errors") == "100%":
            # who rejects every message at once, and gets each back as a dead letter, does nothing else for ever
            fault["new_version"]["errors"] = "30%"
        fault |= _how(own)
        document["faults"].append(fault)
        service = document["services"][name]
        if own.maybe("more", 0.5):
            service["replicas"] = max(service.get("replicas", 1), own.number("replicas", 2, 5))
            if "node_pool" in service:  # which holds all that are there at the beginning
                document["node_pools"][service["node_pool"]]["max"] += 5
        if "start" not in service:
            service["start"] = own.pick("start", ("0s", "300ms", {"time": {"exponential": "500ms"}}))


def _how(luck: Luck) -> dict[str, Any]:
    if luck.maybe("blue and green", 0.3):
        return {"blue_green": luck.pick("delay", ({}, "0s", {"scale_down_delay": "700ms"}))}
    weights = luck.pick("weights", (("50%",), ("20%", "60%"), ("10%", "10%", "90%")))
    canary: dict[str, Any] = {
        "steps": [{"weight": weight, "pause": luck.pick("pause", ("0s", "400ms", "1s"))} for weight in weights]
    }
    if luck.maybe("may abort", 0.7):
        canary["abort"] = luck.pick("by", ({"errors": "10%"}, {"p99": "300ms"}, {"errors": "0%", "p99": "1s"}))
        canary["abort"] = {**canary["abort"], "interval": luck.pick("interval", ("200ms", "1s"))}
        if luck.maybe("patient", 0.4):
            canary["abort"]["failure_limit"] = luck.number("limit", 1, 3)
    return {
        "canary": canary,
        "surge": luck.pick("surge", ("50%", "100%")),
        "unavailable": luck.pick("missing", ("0%", "40%")),
    }
