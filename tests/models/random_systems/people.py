"""People with several requests, users who come one by one and keep a pace, and requests that are poison."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.composed import every_steps
from tests.models.random_systems.luck import Luck


def people(document: dict[str, Any], luck: Luck) -> None:
    """Most traffic is people with a visit, where it is open, or users with a pace or a ramp, where it is closed."""
    for name, traffic in document["traffic"].items():
        own = luck.at(name)
        (kind,) = traffic["arrivals"]
        if kind == "closed":
            closed = traffic["arrivals"][kind]
            closed |= {"pacing": own.pick("pacing", ("50ms", "300ms", "1s"))} if own.maybe("paced", 0.6) else {}
            closed |= {"ramp": own.pick("ramp", ("500ms", "7s", "1m"))} if own.maybe("ramped", 0.6) else {}
        elif kind != "replay" and own.maybe("visits", 0.7):
            traffic["visit"] = _visit(traffic, own)
    for name, steps in every_steps(document):
        for place, step in enumerate(steps):
            own = luck.at(f"{name} {place}")
            if set(step) == {"fail"} and own.maybe("poison"):
                step["per"] = own.pick("per", ("request", "attempt"))


def _visit(traffic: dict[str, Any], luck: Luck) -> dict[str, Any]:
    targets = [traffic["sends"]] if isinstance(traffic["sends"], str) else list(traffic["sends"])
    if luck.maybe("journey", 0.4):
        del traffic["sends"]
        every = [*targets, *luck.some("more", [*targets, *targets], 0, 2)]
        visit: dict[str, Any] = {"journey": every}
    else:
        visit = {"requests": luck.pick("requests", (1, 3, {"uniform": [1, 4]}, {"geometric": 2}, {"poisson": 2}))}
    visit["think"] = luck.pick("think", ("0s", "100ms", {"exponential": "400ms"}))
    if luck.maybe("leaves"):
        visit["leaves_after_failure"] = luck.pick("share", (0.3, 1))
    return visit
