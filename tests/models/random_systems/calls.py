"""Still later words of policies: what a breaker records and ignores."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck

HEARD = ("timeout", "error", "unreachable", "shed", "rate_limited", "refused", "bulkhead_full")


def verdicts(document: dict[str, Any], luck: Luck) -> None:
    """Breakers may record other outcomes, and ignore some."""
    for name, spec in document["policies"].items():
        if "circuit_breaker" not in spec:
            continue
        own = luck.at(name)
        if own.maybe("records"):
            spec["circuit_breaker"]["records"] = own.some("recorded", HEARD, 1, 6)
        if own.maybe("ignores", 0.4):
            spec["circuit_breaker"]["ignores"] = own.some("ignored", HEARD, 1, 2)
