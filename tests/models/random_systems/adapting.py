"""Later words: budgets that count as Envoy and the AWS SDK do, limits that adapt, idempotency keys,
and queues in which work is interrupted."""

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


def adaptive_concurrency(document: dict[str, Any], luck: Luck) -> None:
    """Policies may get a bulkhead whose limit adapts, so low that it matters."""
    for name, spec in document["policies"].items():
        own = luck.at(name)
        if own.maybe("adapts", 0.4):
            spec["bulkhead"] = {(kind := own.pick("kind", ("aimd", "vegas", "gradient2", "envoy"))): _limit(kind, own)}


def _limit(kind: str, luck: Luck) -> dict[str, Any]:
    if kind == "envoy":
        update = {"concurrency_update_interval": luck.pick("update", ("100ms", "300ms")), "max_concurrency_limit": 9}
        count, jitter = luck.number("count", 1, 5), luck.pick("jitter", ("0%", "15%"))
        measure = {"interval": luck.pick("measure", ("1s", "3s")), "request_count": count, "jitter": jitter}
        if luck.maybe("fixed", 0.3):
            measure["fixed_value"] = f"{measure.pop('interval')[:1]}0ms"
        return {
            "concurrency_limit_params": update,
            "min_rtt_calc_params": measure | {"min_concurrency": luck.number("least", 1, 3), "buffer": "10%"},
            "sample_aggregate_percentile": luck.pick("percentile", ("50%", "90%")),
        }
    spec: dict[str, Any] = {"initial_limit": luck.number("initial", 1, 6)}
    if kind != "vegas":
        spec["min_limit"] = luck.number("least", 1, 2)
    else:
        spec["probe_multiplier"] = luck.number("probe", 1, 30)
    most = luck.number("most", 6, 30)
    if kind == "aimd":
        ratio = luck.pick("ratio", ("50%", "90%"))
        spec |= {"timeout": luck.pick("timeout", ("50ms", "200ms")), "max_limit": most, "backoff_ratio": ratio}
    else:
        spec |= {"smoothing": luck.pick("smoothing", ("20%", "100%")), "max_concurrency": most}
    if kind == "gradient2":
        spec |= {"queue_size": luck.number("queue", 0, 4), "rtt_tolerance": luck.pick("tolerance", (1, 1.5))}
        spec["long_window"] = luck.number("long", 5, 600)
    if luck.maybe("windowed", 0.3):
        spec["windowed"] = {"window": "200ms", "window_size": luck.number("size", 1, 10), "min_rtt_threshold": "2ms"}
    return spec


def _retry(spec: dict[str, Any], luck: Luck) -> None:
    if "retry" not in spec or not luck.maybe("budget", 0.5):
        return
    kind = luck.pick("kind", ("aws", "max", "share"))
    if isinstance(backoff := spec["retry"].get("backoff"), dict) and isinstance(backoff.get("exponential"), dict):
        backoff["exponential"]["throttled_base"] = luck.pick("throttled", ("10ms", "300ms", "1s"))
    if kind == "aws":
        words = {"initial_capacity": luck.pick("capacity", (14, 20, 60)), "retry_cost": luck.pick("cost", (5, 14))}
        if luck.maybe("timeouts"):
            words |= {"timeout_retry_cost": 10, "throttling_retry_cost": 6, "no_retry_increment": 2}
        spec["retry"]["budget"] = {"aws": words}
    elif kind == "max":
        spec["retry"]["budget"] = {"envoy": {"max_retries": luck.number("at once", 0, 3)}}
    else:
        percent, least = luck.pick("percent", ("0%", "20%", "70%")), luck.number("least", 0, 2)
        spec["retry"]["budget"] = {
            "envoy": {"retry_budget": {"budget_percent": percent, "min_retry_concurrency": least}}
        }


def idempotency(document: dict[str, Any], luck: Luck) -> None:
    """Endpoints may know again what comes twice, for a moment or for good."""
    for service, spec in document["services"].items():
        for name, endpoint in spec["endpoints"].items():
            own = luck.at(f"{service}.{name}")
            if not own.maybe("keyed", 0.4):
                continue
            words: dict[str, Any] = {"ttl": own.pick("ttl", ("20ms", "200ms", "2s", "24h"))}
            words["in_progress"] = own.pick("in progress", ("error", "shed", "rate_limited", "refused"))
            words["failures"] = own.pick("failures", ("kept", "forgotten"))
            steps = endpoint if isinstance(endpoint, dict) else {"do": endpoint}
            spec["endpoints"][name] = steps | {"idempotency": words}


def preemption(document: dict[str, Any], luck: Luck) -> None:
    """Queues by priority may let newcomers interrupt work."""
    for name, spec in document["services"].items():
        queue = spec.get("queue", {})
        if queue.get("discipline", "fifo") == "priority":
            queue["preemptive"] = luck.maybe(name, 0.7)
        elif "discipline" not in queue and luck.maybe(f"classes of {name}", 0.4):
            endpoints = list(spec["endpoints"])
            classes = {one: luck.number(one, 0, 2) for one in endpoints if luck.maybe(f"{one} has one", 0.7)}
            if classes:
                spec["queue"] = queue | {"discipline": "priority", "classes": classes, "preemptive": True}
