"""Health checks of services, and what they are to find: replicas that are gone, frozen, slow, refusing or unheard."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck

BEGINS = ("0s", "2s", "3.337s", "5s", "11s")


def health_checks(document: dict[str, Any], luck: Luck) -> None:
    """Some services are checked, also with a single replica, and most of these have trouble."""
    names = sorted(document["services"])
    for name in luck.some("which", names, 1, len(names)):
        own, service = luck.at(name), document["services"][name]
        service["health_checks"] = _checks(own)
        outliers = service.get("load_balancing")
        if isinstance(outliers, dict) and "outlier_detection" in outliers and own.maybe("keeps out", 0.3):
            outliers["outlier_detection"]["successful_active_health_check_uneject_host"] = False
        if own.maybe("trouble", 0.8):
            fault = {"name": f"sick {name}", "at": own.pick("at", BEGINS), "for": own.pick("for", ("1.5s", "4s"))}
            document["faults"].append({**fault, **_trouble(name, own)})


def _checks(luck: Luck) -> dict[str, Any]:
    made: dict[str, Any] = {"interval": luck.pick("interval", ("300ms", "1s", "2s"))}
    made["timeout"] = luck.pick("timeout", ("100ms", "500ms"))
    if luck.maybe("thresholds", 0.7):
        made |= {"unhealthy_threshold": luck.pick("down", (1, 2, 3)), "healthy_threshold": luck.pick("up", (1, 2))}
    if luck.maybe("another interval", 0.3):
        made["unhealthy_interval"] = luck.pick("meanwhile", ("200ms", "700ms"))
    if luck.maybe("takes"):
        made["takes"] = luck.pick("how long", ("5ms", "60ms", "100ms"))
    return made


def _trouble(name: str, luck: Luck) -> dict[str, Any]:
    kind = luck.pick("kind", ("crash", "slow", "hang", "refuse", "blackhole"))
    if kind == "crash":
        return {"crash": {"of": name, "replicas": 1}}
    if kind == "slow":
        return {"slow": {"of": name, "replicas": 1, "by": luck.pick("by", ("3x", "21x"))}}
    return {"outage": name, "how": kind}
