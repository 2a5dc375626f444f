"""Still later words of policies: what a breaker records and ignores, and the back-offs of libraries."""

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


def backoffs(document: dict[str, Any], luck: Luck) -> None:
    """Retries of callers and clients may pause as libraries do."""
    named = {**document["policies"], **document["traffic"]}
    for name, spec in named.items():
        own = luck.at(name)
        if "retry" in spec and own.maybe("paused", 0.6):
            spec["retry"] = {**spec["retry"], "backoff": backoff(own.at("pause"))}
            if "sequence" not in spec["retry"]["backoff"]:
                spec["retry"].pop("jitter", None)
            elif spec["retry"].get("jitter") == "decorrelated":
                spec["retry"]["jitter"] = "full"


def backoff(luck: Luck) -> dict[str, Any]:
    """One of each library, so short that a call sees several."""
    kind = luck.pick("kind", ("sequence", "resilience4j", "grpc", "finagle", "polly", "tenacity"))
    first, longest = luck.pick("first", ("3ms", "20ms", "57ms")), luck.pick("longest", ("60ms", "150ms", "2s"))
    if kind == "sequence":
        return {
            kind: [luck.pick(f"pause {i}", ("0s", "5ms", "30ms", "80ms")) for i in range(luck.number("long", 1, 4))]
        }
    if kind == "resilience4j":
        spec: dict[str, Any] = {"wait_duration": first}
        if luck.maybe("grows"):
            spec |= {"exponential_backoff_multiplier": luck.pick("factor", (1.1, 1.5, 3))}
            spec |= {"exponential_max_wait_duration": longest}
        if luck.maybe("randomized"):
            spec["randomized_wait_factor"] = luck.pick("spread", ("0%", "50%", "100%"))
        return {kind: spec}
    if kind == "grpc":
        factor = luck.pick("factor", (1, 2, 1.6))
        return {kind: {"initial_backoff": first, "max_backoff": longest, "backoff_multiplier": factor}}
    if kind == "finagle":
        jitter = luck.pick("jitter", ("decorrelated", "equal", "exponential"))
        return {kind: {"jitter": jitter, "start": first, "maximum": longest}}
    if kind == "polly":
        spec = {"backoff_type": luck.pick("growth", ("constant", "linear", "exponential")), "delay": first}
        spec |= {"use_jitter": luck.maybe("jitter", 0.7)} | ({"max_delay": longest} if luck.maybe("capped") else {})
        return {kind: spec}
    return {kind: _wait(luck, first, longest)}


def _wait(luck: Luck, first: str, longest: str) -> dict[str, Any]:
    wait = luck.pick("wait", ("wait_exponential", "wait_random_exponential", "wait_exponential_jitter", "else"))
    if wait == "else":
        if luck.maybe("rises"):
            return {"wait_incrementing": {"start": first, "increment": "15ms", "max": longest}}
        return {"wait_random": {"min": first, "max": longest}}
    spec = {"multiplier": first, "max": longest, "exp_base": luck.pick("factor", (2, 3))}
    return {wait: spec | ({"jitter": "25ms"} if wait == "wait_exponential_jitter" else {"min": "4ms"})}
