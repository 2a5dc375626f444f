"""Later words of policies: the caller's own rate limit, and what follows."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck
from tests.models.random_systems.policies import RETRIED


def layers(document: dict[str, Any], luck: Luck) -> None:
    """Each policy may get each of the later layers."""
    for name, spec in document["policies"].items():
        _policy(spec, luck.at(name))
    for name, spec in document["traffic"].items():
        if "timeout" in spec and luck.maybe(f"deadline of {name}", 0.4):
            spec["deadline"] = "propagate"


def _policy(spec: dict[str, Any], luck: Luck) -> None:
    if luck.maybe("rate limit", 0.3):
        spec["rate_limit"] = rate_limit(luck.at("rate limit"))
    if luck.maybe("breaker", 0.5):
        spec["circuit_breaker"] = breaker(luck.at("breaker"))
    if luck.maybe("pool", 0.4):
        spec["pool"] = pool(luck.at("pool"))
    if luck.maybe("hedge", 0.3):
        spec["hedge"] = hedge(luck.at("hedge"))
    if luck.maybe("deadline", 0.3):
        spec["deadline"] = "propagate"
    if "retry" in spec and luck.maybe("throttling", 0.4):
        tokens, ratio = luck.number("tokens", 1, 8), luck.pick("token ratio", (0.1, 1, 0.4567, 3))
        spec["retry"]["budget"] = {"grpc": {"max_tokens": tokens, "token_ratio": ratio}}


def pool(luck: Luck) -> dict[str, Any]:
    """Few connections, cold and warm ones, that are waited for and opened, or not."""
    spec: dict[str, Any] = {"size": luck.number("size", 1, 4)}
    spec["acquire_timeout"] = luck.pick("acquire", ("0s", "20ms", "200ms", "3s"))
    if luck.maybe("bounded", 0.3):
        spec["max_pending"] = luck.pick("pending", (0, 1, 2, 3, "unlimited"))
    if luck.maybe("cold"):
        spec["minimum_idle"] = luck.number("idle", 0, 2)
        spec["idle_timeout"] = luck.pick("idle timeout", ("300ms", "2s", "1m"))
    if luck.maybe("connects", 0.7):
        spec["connect"] = luck.pick("connect", ("1ms", "30ms", {"uniform": {"low": "5ms", "high": "80ms"}}, "500ms"))
    return spec


def hedge(luck: Luck) -> dict[str, Any]:
    """Copies at once, after a while, or after a percentile; losers are cancelled, or go on."""
    spec: dict[str, Any] = {"after": luck.pick("after", ("0s", "3ms", "20ms", "100ms", "p50", "p90"))}
    spec["max"] = luck.pick("max", (1, 1, 2, 3))
    spec["cancel"] = luck.maybe("cancel")
    if luck.maybe("bounded", 0.4):
        spec["extra_load"] = luck.pick("load", ("10%", "50%"))
    if luck.maybe("on", 0.3):
        spec["on"] = luck.some("on what", RETRIED, 1, 5)
    return spec


def breaker(luck: Luck) -> dict[str, Any]:
    """Those of libraries, which open soon and for a moment."""
    pause = luck.pick("pause", ("500ms", "700ms", "2s", "4s"))
    percent, calls = luck.pick("percent", (0, 10, 50, 100)), luck.number("calls", 2, 6)
    kind = luck.pick("kind", ("consecutive", "polly", "opossum", "hystrix", "gobreaker"))
    if kind == "consecutive":
        probes = luck.number("probes", 1, 3)
        return {"consecutive": luck.number("failures", 1, 4), "open_for": pause, "half_open_calls": probes}
    if kind == "gobreaker":
        interval = luck.pick("interval", ("0s", "1s", "3s"))
        failures, probes = luck.number("failures", 1, 3), luck.number("probes", 1, 3)
        return {
            kind: {"max_requests": probes, "interval": interval, "timeout": pause, "consecutive_failures": failures}
        }
    window = luck.pick("window", ("500ms", "1s", "5s"))
    if kind == "polly":
        ratio = max(percent, 1) / 100
        window_and_pause = {"sampling_duration": window, "break_duration": pause}
        return {kind: {"failure_ratio": ratio, "minimum_throughput": calls} | window_and_pause}
    if kind == "opossum":
        buckets = luck.pick("buckets", (1, 3, 10, 700))
        volume = luck.pick("volume", (0, calls))
        window_and_pause = {"rolling_count_timeout": window, "rolling_count_buckets": buckets, "reset_timeout": pause}
        return {kind: {"error_threshold_percentage": percent, "volume_threshold": volume} | window_and_pause}
    interval = luck.pick("interval", ("50ms", "500ms", "700ms"))
    window_and_pause = {"sleep_window": pause, "rolling_stats": window, "health_snapshot_interval": interval}
    return {kind: {"request_volume_threshold": calls, "error_threshold_percentage": percent} | window_and_pause}


def rate_limit(luck: Luck) -> dict[str, Any] | str:
    """Each of the three kinds, so low that calls wait, are refused, or run out of time."""
    rate = luck.pick("rate", ("2/s", "7/s", "20/s", "60/s", "31/m"))
    wait = luck.pick("wait", ("0s", "20ms", "150ms", "2s", "30s"))
    kind = luck.pick("kind", ("smooth", "guava", "resilience4j", "plain"))
    if kind == "plain":
        return rate
    if kind == "guava":
        return {"rate": rate, "wait": wait, "preset": "guava"}
    if kind == "smooth":
        return {"rate": rate, "wait": wait, "burst": luck.number("burst", 1, 5)}
    period = luck.pick("period", ("100ms", "1s", "333ms"))
    permits = luck.number("permits", 1, 8)
    return {"resilience4j": {"limit_for_period": permits, "limit_refresh_period": period, "timeout_duration": wait}}
