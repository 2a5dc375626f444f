"""A function that some service calls: cold starts, few instances, bursts, crashes."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck


def serverless(document: dict[str, Any], luck: Luck) -> None:
    """One endpoint calls it before all else it does."""
    function: dict[str, Any] = {
        "cold_start": luck.pick("cold", ("0s", "150ms", {"exponential": "300ms"})),
        "idle_timeout": luck.pick("idle", ("100ms", "1s", "1h")),
    }
    if luck.maybe("shared", 0.5):
        function["concurrency"] = luck.number("concurrency", 2, 4)
    if luck.maybe("few", 0.6):
        function["limit"] = luck.number("limit", 1, 5)
    if luck.maybe("slowly more", 0.5):
        function["scaling"] = luck.pick("scaling", ({"starts": 1, "per": "1s"}, {"starts": 2}, {"per": "2s"}))
    if luck.maybe("warm", 0.4):
        function["provisioned"] = luck.number("provisioned", 1, 3)
        function["limit"] = max(function.get("limit", 3), 3)
    if luck.maybe("billed", 0.4):
        function["billing"] = {"request": 1, "run": "0.06/h", "provisioned": "0.015/h", "run_provisioned": "0.035/h"}
    if luck.maybe("accounted", 0.4):
        document["account_concurrency"] = function.get("provisioned", 0) + luck.number("account", 0, 3) or 1
    if "limit" in function and luck.maybe("reserved", 0.4):
        function["reserved"] = function.pop("limit")
        if "account_concurrency" in document:
            document["account_concurrency"] += function["reserved"]
    steps = [luck.pick("does", ({"work": {"exponential": "60ms"}}, {"wait": "80ms"}))]
    if luck.maybe("fails", 0.4):
        steps.append({"fail": "20%"})
    document["services"]["function"] = {
        "workers": "unlimited",
        "load_balancing": "round_robin",
        "serverless": function,
        "endpoints": {"run": steps},
    }
    name = luck.pick("caller", [name for name in document["services"] if name != "function"])
    endpoint = luck.pick("endpoint", list(document["services"][name]["endpoints"]))
    do = document["services"][name]["endpoints"][endpoint]
    policy = luck.pick("policy", ({}, {"timeout": "200ms", "on_timeout": "cancel"}, {"timeout": "300ms"}))
    call = {"call": "function.run", **({"policy": policy} if policy else {})}
    (do["do"] if isinstance(do, dict) else do).insert(0, call)
    fault = luck.pick(
        "fault",
        (
            {"crash": {}, "of": "function", "restart_after": "700ms"},
            {"for": "1s", "outage": "function", "how": luck.pick("how", ("hang", "refuse"))},
            None,
        ),
    )
    if fault is not None:
        document["faults"].append({"name": "function", "at": luck.pick("at", ("2s", "5s")), **fault})
