"""Who sends what: open and closed, patient and not, with users, items, and several populations."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.arrivals import arrivals
from tests.models.random_systems.luck import Luck
from tests.models.random_systems.plan import Plan
from tests.models.random_systems.policies import RETRIED, retry

ATTEMPTS = 6000.0  # of a run, about: what all requests may come to
DURATION = 20.0  # s


def traffic(plan: Plan, targets: dict[str, str], luck: Luck) -> dict[str, Any]:
    """One to three sources, which share what the system may come to. `targets`: what may be sent -> the endpoint behind it."""
    count = luck.number("sources", 1, 3)
    return {f"c{place}": _source(plan, targets, count, luck.at(place)) for place in range(count)}


def _source(plan: Plan, targets: dict[str, str], sources: int, luck: Luck) -> dict[str, Any]:
    names = list(targets)
    sends = dict.fromkeys(names, 0.5) if luck.maybe("all") else {luck.pick("target", names): 1}
    spec: dict[str, Any] = {"sends": sends if len(sends) > 1 or luck.maybe("as a map", 0.2) else next(iter(sends))}
    heaviest = max(plan.load[endpoint] for endpoint in targets.values())
    again = luck.maybe("retries", 0.4)
    most = ATTEMPTS / DURATION / sources / heaviest / (2.0 if again else 1.0)
    spec["arrivals"] = arrivals(luck.at("arrivals"), min(luck.pick("rate", (4.0, 15.0, 20.0, 40.0)), most), names)
    if luck.maybe("users"):
        spec["users"] = {"count": luck.pick("people", (1, 5, 20)), **_popularity(luck.at("users"))}
        spec["users"] |= {"population": "people"} if luck.maybe("one population") else {}
    if luck.maybe("items", 0.4):
        spec["items"] = {"count": 3, **_popularity(luck.at("items"))}
    if luck.maybe("patience"):
        spec["timeout"] = luck.word("timeout", {"100ms": 6, "300ms": 6, "1s": 5, "0s": 1})
    if again:
        spec["retry"] = {**retry(luck.at("retry")), "on": luck.some("on", RETRIED, 2, 6)}
        spec["honor_retry_after"] = luck.maybe("honors")
    if not names[0].startswith("GET"):
        spec["completes_with"] = ["made", "paid"]
        if luck.maybe("promises", 0.3):
            spec["objective"] = {"latency": "80ms", "availability": "95%"}
    return spec


def _popularity(luck: Luck) -> dict[str, Any]:
    if luck.exact:
        return {"popularity": "uniform"}
    return luck.pick(
        "popularity", ({"popularity": {"zipf": 1.0}}, {"popularity": {"zipf": 0.5}}, {"popularity": "uniform"}, {})
    )
