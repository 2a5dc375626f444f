"""What makes replicas slow, or stand still, by themselves: threads in one another's way, and pauses."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck


def contentions(document: dict[str, Any], luck: Luck) -> None:
    """Threads of services may slow one another, on cores or a quota or neither."""
    for name, spec in document["services"].items():
        own = luck.at(name)
        if "serverless" in spec or not own.maybe("slow one another", 0.5):
            continue
        spec["contention"] = {"serial": own.pick("serial", ("1%", "10%", "60%", 1))}
        if own.maybe("talk", 0.6):
            spec["contention"]["crosstalk"] = own.pick("crosstalk", ("0.1%", "3%", "30%"))


def process_pauses(document: dict[str, Any], luck: Luck) -> None:
    """Replicas may stand still now and then."""
    for name, spec in document["services"].items():
        own = luck.at(name)
        if "serverless" in spec or not own.maybe("pauses", 0.5):
            continue
        often: Any = own.pick("every", ("300ms", "2s", {"uniform": {"low": "100ms", "high": "2s"}}))
        lasts: Any = own.pick("for", ("10ms", "300ms", {"uniform": {"low": "0ms", "high": "600ms"}}))
        if not own.exact and own.maybe("by chance", 0.6):
            often, lasts = {"exponential": "1s"}, {"lognormal": {"mean": "50ms", "cv": 2}}
        spec["pauses"] = {"every": often, "for": lasts}


def ageing(document: dict[str, Any], luck: Luck) -> None:
    """Replicas may become slower until they are restarted."""
    for name, spec in document["services"].items():
        own = luck.at(name)
        if "serverless" not in spec and own.maybe("ages", 0.5):
            spec["ageing"] = {"slow": own.pick("slow", ("1.5x", "4x")), "over": own.pick("over", ("700ms", "3s", "1m"))}
