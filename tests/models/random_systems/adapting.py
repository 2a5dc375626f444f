"""Later words of policies: budgets that count as Envoy and the AWS SDK do, and limits that adapt."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck


def library_budgets(document: dict[str, Any], luck: Luck) -> None:
    """Each retry may get one of them, of a policy or of clients."""
    for name, spec in document["policies"].items():
        _retry(spec, luck.at(name))
    for name, spec in document["traffic"].items():
        _retry(spec, luck.at(f"traffic {name}"))


def adaptive_limits(document: dict[str, Any], luck: Luck) -> None:
    """Policies may get the rate limiter of the AWS SDK's adaptive mode."""
    for name, spec in document["policies"].items():
        if luck.maybe(name, 0.4):
            spec["rate_limit"] = {"preset": "aws_adaptive"}


def _retry(spec: dict[str, Any], luck: Luck) -> None:
    if "retry" not in spec or not luck.maybe("budget", 0.5):
        return
    kind = luck.pick("kind", ("aws", "max", "share"))
    if kind == "aws":
        words = {"initial_capacity": luck.pick("capacity", (14, 20, 60)), "retry_cost": luck.pick("cost", (5, 14))}
        if luck.maybe("timeouts"):
            words["timeout_retry_cost"] = 10
        spec["retry"]["budget"] = {"aws": words}
    elif kind == "max":
        spec["retry"]["budget"] = {"envoy": {"max_retries": luck.number("at once", 0, 3)}}
    else:
        percent, least = luck.pick("percent", ("0%", "20%", "70%")), luck.number("least", 0, 2)
        spec["retry"]["budget"] = {
            "envoy": {"retry_budget": {"budget_percent": percent, "min_retry_concurrency": least}}
        }
