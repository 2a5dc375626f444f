"""Policies of calls: each layer by itself, and all of them at once."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck

RETRIED = ("timeout", "error", "unreachable", "shed", "rate_limited", "bulkhead_full", "breaker_open")
FAILURES = (*RETRIED, "refused")
ANSWERS = ("error", "shed", "rate_limited", "refused")


def policy(luck: Luck) -> dict[str, Any]:
    """One policy; one in six has every layer."""
    everything = luck.maybe("everything", 0.17)

    def has(layer: str, chance: float) -> bool:
        return everything or luck.maybe(layer, chance)

    spec: dict[str, Any] = {}
    if has("timeout", 0.8):
        spec["timeout"] = luck.word("timeout of", {"30ms": 8, "50ms": 8, "200ms": 8, "1s": 4, "0s": 1})
    if "timeout" in spec or luck.maybe("cancels without one", 0.1):
        spec["on_timeout"] = luck.pick("on timeout", ("abandon", "cancel"))
    if has("total", 0.3):
        spec["total_timeout"] = luck.pick("total of", ("40ms", "90ms", "300ms", "2s", "1ms"))
    if has("retry", 0.6):
        spec["retry"] = retry(luck.at("retry"))
    if has("breaker", 0.5):
        spec["circuit_breaker"] = breaker(luck.at("breaker"))
    if has("bulkhead", 0.4):
        wait = luck.pick("wait", ("0s", "40ms", "200ms"))
        spec["bulkhead"] = {"max_concurrent_calls": luck.number("places", 1, 4), "max_wait": wait}
    spec["scope"] = luck.pick("scope", ("replica", "service"))
    return spec


def tries(spec: dict[str, Any] | None) -> float:
    """How many attempts a call may come to mean under trouble: for the size of a system, no forecast."""
    return 1.0 + 0.4 * (spec["retry"]["max_attempts"] - 1) if spec is not None and "retry" in spec else 1.0


def retry(luck: Luck) -> dict[str, Any]:
    """Back-off of each kind, each jitter, budgets."""
    spec: dict[str, Any] = {
        "max_attempts": luck.pick("attempts", (2, 3, 4, 2, 3, 4, 1)),
        "backoff": _backoff(luck.at("backoff")),
    }
    spec["jitter"] = luck.pick("jitter", ("none", "none", "full", "equal", "decorrelated", "20%"))
    if luck.maybe("budget", 0.3):
        spec["budget"] = luck.pick(
            "budget of", ("50%", {"ratio": "10%", "min_per_second": 1, "ttl": "2s"}, {"ratio": 0})
        )
    if luck.maybe("on", 0.3):
        spec["on"] = luck.some("on what", RETRIED, 1, 5)
    return spec


def _backoff(luck: Luck) -> dict[str, Any]:
    forms = [
        {"constant": "0s"},
        {"constant": "30ms"},
        {"linear": "15ms"},
        {"linear": {"base": "15ms", "max": "20ms"}},
        {"exponential": {"base": "20ms"}},
        {"exponential": {"base": "10ms", "multiplier": 3, "max": "60ms"}},
        {"exponential": {"base": "40ms", "multiplier": "1.5x"}},
    ]
    return luck.pick("form", forms)


def breaker(luck: Luck) -> dict[str, Any]:
    """Failures within a time, and resilience4j's windows of calls and of seconds, by failures and by slowness."""
    if luck.maybe("by failures", 0.4):
        within, places = luck.pick("within", ("1s", "5s")), luck.number("half open", 1, 2)
        opens = luck.pick("open for", ("500ms", "500ms", "2s", "0s"))
        return {
            "failures": luck.number("failures", 1, 4),
            "within": within,
            "open_for": opens,
            "half_open_calls": places,
        }
    kind = luck.pick("window", ("count_based", "time_based"))
    spec: dict[str, Any] = {
        "sliding_window_type": kind,
        "sliding_window_size": 10 if kind == "count_based" else luck.number("seconds", 1, 4),
        "minimum_number_of_calls": luck.number("minimum", 2, 6),
        "wait_duration_in_open_state": luck.pick("open", ("300ms", "300ms", "1s", "0s")),
        "permitted_number_of_calls_in_half_open_state": luck.number("permitted", 1, 3),
        "max_wait_duration_in_half_open_state": luck.pick("half open", ("0s", "400ms")),
    }
    if luck.maybe("threshold"):
        spec["failure_rate_threshold"] = luck.pick("of failures", (10, 30, 100))
    if luck.maybe("slow", 0.4):
        slow = luck.pick("duration", ("20ms", "80ms"))
        spec |= {"slow_call_duration_threshold": slow, "slow_call_rate_threshold": luck.pick("of slow", (30, 80))}
    return {"resilience4j": spec}


def answers(luck: Luck) -> dict[str, Any]:
    """What some failures are answered with."""
    if not luck.maybe("at all", 0.3):
        return {}
    failures = luck.some("failures", FAILURES, 1, 4)
    return {"answers_with": {failure: luck.pick(failure, ANSWERS) for failure in failures}}
