"""Replicas that come and go: autoscaling, start-up, draining, deployments, restarts, and faults that come by chance."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck

METRICS = ({"workers": "40%"}, {"requests": "3/s"}, {"in_flight": 2}, {"queue": 1})
FAST_DOWN = {"scale_down": {"stabilization": "0s", "policies": [{"percent": 100, "period": "5s"}]}}


def fleets(document: dict[str, Any], luck: Luck) -> None:
    """Some services scale, some are deployed or restarted, and something breaks down now and then."""
    for name, service in document["services"].items():
        weighed = isinstance(service["load_balancing"], dict) and "weights" in service["load_balancing"]
        if luck.maybe(f"scales {name}", 0.4) and not weighed:  # one that comes later has no weight
            _scale(service, luck.at(name))
    for name in document["services"]:
        own = luck.at(f"faults {name}")
        for fault in _planned(name, own):
            at = f"{own.number(f'at {fault[0]}', 10, 190) / 10}s"
            document["faults"].append({"name": f"{fault[0]} {name}", "at": at, **fault[1]})


def _scale(service: dict[str, Any], luck: Luck) -> None:
    metrics = [luck.pick("metric", METRICS[1:] if service["workers"] == "unlimited" else METRICS)]
    if "cores" in service and luck.maybe("by cpu"):
        metrics = [{"cpu": "50%"}]
    readers = [topic["group"] for topic in service.get("consumes", {}).values() if isinstance(topic, dict)]
    least = luck.pick("least", (1, 2))
    if readers and luck.maybe("by lag"):
        metrics = [{"lag": {"group": readers[0], "target": luck.pick("target", (2, 10))}}]
        least = luck.pick("least of all", (0, 1))
    scaling: dict[str, Any] = {"min": least, "max": luck.pick("most", (3, 5)), "metrics": metrics}
    scaling |= {"sync_period": luck.pick("sync", ("500ms", "2s")), "metrics_window": "1s", "metrics_delay": "200ms"}
    scaling |= {"polling_interval": "1500ms", "cooldown_period": "3s"}
    if luck.maybe("down fast", 0.7):
        scaling["behavior"] = dict(FAST_DOWN)
    if luck.maybe("up slowly", 0.3):
        pace = {"pods": 1, "period": "3s"}
        up = {"policies": [pace, {"percent": 50}], "select": luck.pick("select", ("max", "min", "disabled"))}
        scaling.setdefault("behavior", {})["scale_up"] = up
    if luck.maybe("other defaults", 0.3):
        scaling |= {"tolerance": "30%", "initial_readiness_delay": "1s", "cpu_initialization_period": "2s"}
    if luck.maybe("by the clock", 0.2):
        scaling["scheduled"] = [{"at": "6s", "for": "5s", "replicas": 3}]
    service["autoscaling"] = scaling
    _start_and_drain(service, luck)


def _start_and_drain(service: dict[str, Any], luck: Luck) -> None:
    start: dict[str, Any] = {"time": luck.pick("start", ("0s", "700ms", {"exponential": "1s"}))}
    if luck.maybe("cold"):
        start["warm_up"] = {"slow": "3x", "decay": "2s"}
    service["start"] = start
    service["drain"] = luck.pick("drain", ("0s", "2s", {"grace": "3s", "pre_stop": "1s"}))


def _planned(name: str, luck: Luck) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    if luck.maybe("deployed", 0.2):
        found.append(("deploy", {"deploy": name, "surge": luck.pick("surge", ("50%", "100%")), "unavailable": "40%"}))
    if luck.maybe("restarted", 0.2):
        restart = {"of": name, "one_by_one": "2s", "grace": luck.pick("grace", ("300ms", "2s")), "takes": "500ms"}
        lasts = {"for": "3s"} if luck.maybe("restarted for a while") else {}
        found.append(("restart", {"restart": restart, **lasts}))
    if luck.maybe("breaks down", 0.2):
        inner = luck.pick(
            "how", ({"crash": {}, "of": name}, {"outage": name, "how": "hang"}, {"slow": {"of": name, "by": "3x"}})
        )
        chance = {"mtbf": luck.pick("mtbf", ("2s", {"exponential": "3s"})), "mttr": "500ms", "fault": inner}
        lasts = {"for": "9s"} if luck.maybe("for a while") else {}
        found.append(("chance", {"random": chance, **lasts}))
    return found
