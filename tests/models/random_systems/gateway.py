"""The gateway: authentication of each kind, limits of each algorithm and scope, routes with and without policies."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck
from tests.models.random_systems.plan import Plan
from tests.models.random_systems.policies import answers
from tests.models.random_systems.services import queue
from tests.models.random_systems.times import time

ALGORITHMS = ("token_bucket", "fixed_window", "sliding_window_counter", "sliding_log", "gcra")


def gateway(plan: Plan, luck: Luck) -> dict[str, Any]:
    """One route for each endpoint of the first service."""
    plan.replicas["gateway"] = luck.number("replicas", 1, 3)
    routes = {f"GET /{endpoint}": _route(plan, f"s0.{endpoint}", luck.at(endpoint)) for endpoint in plan.endpoints}
    routes["GET /a"]["completes_with"] = ["made"]
    spec: dict[str, Any] = {
        "replicas": plan.replicas["gateway"],
        "workers": luck.pick("workers", (1, 1, 4, 4, "unlimited")),
        "concurrency": luck.pick("concurrency", ("event_loop", "threads")),
        "routes": routes,
    }
    if luck.maybe("costs", 0.2):
        spec["cost"] = "0.2/h"
    if luck.maybe("work", 0.9):
        spec["work"] = time(luck.at("work"), 0.001)
    if luck.maybe("queue", 0.4):
        spec["queue"] = queue(luck.at("queue"))
    authentication = luck.word("authentication", {"none": 1, "jwt": 1, "oauth": 3})
    if authentication != "none":
        spec["authentication"] = {authentication: _AUTHENTICATIONS[authentication](plan, luck.at(authentication))}
    limits = luck.pick("limits", (0, 0, 1, 1, 2, 3))
    if limits:
        spec["rate_limits"] = [_limit(luck.at(f"limit {place}")) for place in range(limits)]
    return spec


def _route(plan: Plan, to: str, luck: Luck) -> dict[str, Any]:
    spec: dict[str, Any] = {"to": to, **answers(luck.at("answers"))}
    if luck.maybe("timeout", 0.4):
        spec["timeout"] = luck.word("timeout of all", {"150ms": 6, "600ms": 4, "0s": 1})
    if luck.maybe("per try", 0.3):
        spec["per_try_timeout"] = luck.pick("timeout of each", ("40ms", "150ms"))
    if luck.maybe("policy", 0.6):
        spec["policy"] = luck.pick("which policy", tuple(plan.policies))
    if luck.maybe("translates", 0.3):
        back = {"response_work": time(luck.at("response"), 0.001)} if luck.maybe("back") else {}
        spec["translate"] = {"to": "grpc", "work": time(luck.at("translation"), 0.001), **back}
    if luck.maybe("promises", 0.3):
        spec["objective"] = {"latency": luck.pick("promised", ("50ms", "300ms")), "availability": "99%"}
    if luck.maybe("says who may", 0.3):
        spec["authenticate"] = luck.maybe("authenticates")
    return spec


def _jwt(_: Plan, luck: Luck) -> dict[str, Any]:
    return {"work": time(luck.at("work"), 0.001), "invalid": luck.pick("invalid", (0, 0.05))}


def _oauth(plan: Plan, luck: Luck) -> dict[str, Any]:
    spec = {
        "introspect": f"{plan.names[-1]}.a",
        "lookup": time(luck.at("lookup"), 0.0005),
        "cache_ttl": luck.pick("ttl", ("0s", "500ms", "2s")),
        "invalid": luck.pick("invalid", (0, 0.02)),
        "on_failure": luck.pick("on failure", ("deny", "allow")),
    }
    return {**spec, **({"policy": luck.pick("policy", tuple(plan.policies))} if luck.maybe("guarded", 0.8) else {})}


_AUTHENTICATIONS = {"jwt": _jwt, "oauth": _oauth}


def _limit(luck: Luck) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "per": luck.pick("per", ("user", "route", "all")),
        "rate": luck.pick("rate", ("10/s", "300/m", "2/s", "25/s")),
    }
    if luck.maybe("said scope", 0.8):
        spec["scope"] = luck.pick("scope", ("cluster", "node"))
    if luck.maybe("algorithm", 0.8):
        spec["algorithm"] = luck.pick("which algorithm", ALGORITHMS)
    if luck.maybe("burst"):
        spec["burst"] = luck.pick("of", (1, 3, 8))
    if luck.maybe("window", 0.3):
        spec["window"] = luck.pick("seconds", ("500ms", "3s"))
    return spec
