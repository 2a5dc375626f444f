"""Every fault, at odd times, alone and on top of one another; and the network without any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.models.random_systems.luck import Luck
from tests.models.random_systems.plan import Plan
from tests.models.random_systems.times import time

KINDS = {"outage": 3, "slow": 1, "errors": 1, "crash": 3, "network": 2, "broker_down": 1}
TOGETHER = (4.0, 4.5, 5.0, 5.0, 6.1, 6.3, 8.0)  # begins of faults that meet
BEGINS = (0.0, 2.0, 3.337, 5.0, 5.0, 7.5, 12.25, 20.0, 25.0)  # the last two at the end of the run and after it


def faults(plan: Plan, gateway: bool, luck: Luck) -> list[dict[str, Any]]:
    """None to six; in one system of four they meet, mostly on one component."""
    if luck.maybe("meet", 0.25):
        victims = luck.some("victims", _hosts(plan, gateway), 1, 2)
        made = [
            _fault(plan, gateway, luck.at(f"met {place}"), TOGETHER, victims)
            for place in range(luck.number("how many meet", 2, 6))
        ]
        return [{"name": f"f{place}", **fault} for place, fault in enumerate(made)]
    made = [
        _fault(plan, gateway, luck.at(place), BEGINS, _hosts(plan, gateway))
        for place in range(luck.number("how many", 0, 6))
    ]
    return [
        {**({"name": f"f{place}"} if luck.maybe(f"name of {place}", 0.8) else {}), **fault}
        for place, fault in enumerate(made)
    ]


def _hosts(plan: Plan, gateway: bool) -> list[str]:
    """What a fault can befall; mostly where there are queues, if there are any."""
    crowded = [plan.names[index] for index in sorted(plan.crowded)]
    return [*crowded, *crowded, *crowded, *plan.names, *(["gateway", "gateway"] if gateway else [])]


def _fault(plan: Plan, gateway: bool, luck: Luck, begins: Sequence[float], victims: list[str]) -> dict[str, Any]:
    spec: dict[str, Any] = {"at": f"{luck.pick('at', begins)!r}s"}
    if luck.maybe("ends", 0.85):
        spec["for"] = luck.pick("for", ("500ms", "2s", "6.66s", "1ms"))
    kinds = KINDS if plan.brokers else {kind: weight for kind, weight in KINDS.items() if kind != "broker_down"}
    kind = luck.word("kind", kinds)
    of = luck.pick("of", victims)
    if kind == "outage":
        return {**spec, "outage": of, "how": luck.pick("how", ("hang", "refuse", "blackhole"))}
    if kind == "slow":
        return {**spec, "slow": {"of": of, "by": luck.pick("by", ("5x", "20x", "0.5x"))}}
    if kind == "errors":
        return {**spec, "errors": {"of": of, "share": luck.pick("share", (0.1, 0.5, 1))}}
    if kind == "crash":
        restart = {"restart_after": luck.pick("restart", ("0s", "1.7s", "5s"))} if luck.maybe("restarts", 0.6) else {}
        return {**spec, "crash": {"of": of, "replicas": luck.number("replicas", 1, plan.replicas[of]), **restart}}
    if kind == "broker_down":
        return {**spec, "broker_down": luck.pick("broker", tuple(plan.brokers))}
    return {**spec, "network": {"between": luck.some("between", plan.components(gateway), 2, 2), **_harm(luck)}}


def _harm(luck: Luck) -> dict[str, Any]:
    """One way to harm a link, or several at once."""
    harms = luck.some("harms", ("latency", "loss", "partition"), 1, luck.pick("most", (1, 1, 3)))
    latency = {"latency": time(luck.at("latency"), 0.03)} if "latency" in harms else {}
    loss = {"loss": luck.pick("loss", (0.05, 0.3, 1))} if "loss" in harms else {}
    return {**latency, **loss, **({"partition": True} if "partition" in harms else {})}


def network(plan: Plan, gateway: bool, luck: Luck) -> dict[str, Any]:
    """Without latency, with the same for all, with luck, and with links of their own."""
    kind = luck.word("kind", {"none": 2, "even": 3, "drawn": 2, "lossy": 2})
    spec: dict[str, Any] = {}
    if kind == "even":
        spec["default"] = {"latency": "1ms"}
    elif kind != "none":
        spec["default"] = {"latency": time(luck.at("latency"), 0.002), **({"loss": 0.01} if kind == "lossy" else {})}
    if luck.maybe("links", 0.4):
        spec["links"] = [
            _link(plan, gateway, luck.at(place)) for place in range(luck.number("links of their own", 1, 2))
        ]
    return spec


def _link(plan: Plan, gateway: bool, luck: Luck) -> dict[str, Any]:
    spec = {"between": luck.some("between", plan.components(gateway), 2, 2)}
    if luck.maybe("latency", 0.8):
        spec["latency"] = time(luck.at("latency"), 0.004)
    return {**spec, **({"loss": 0.05} if luck.maybe("loss", 0.3) else {})}
