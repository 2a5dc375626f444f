"""Still later words of policies: what a breaker records and ignores, and the back-offs of libraries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from sim.spec.balancing import NextUpstream
from tests.models.random_systems.luck import Luck

COMING = {
    "autoscaling",
    "vertical_scaling",
    "node_pool",
    "release",
    "deployment",
    "serverless",
}  # by which replicas come later, which have no weight
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
            spec["randomized_wait_factor"] = luck.pick("spread", ("0%", "50%", "99%"))
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
    if wait == "wait_exponential_jitter":
        return {wait: spec | {"jitter": "25ms"} | ({"min": "30ms"} if luck.maybe("not at once") else {})}
    return {wait: spec | {"min": "4ms"}}


def thread_pools(document: dict[str, Any], luck: Luck) -> None:
    """Bulkheads that are threads with a queue."""
    for name, spec in document["policies"].items():
        own = luck.at(name)
        if own.maybe("threads", 0.4):
            core = own.number("core", 1, 3)
            pool = {"core_thread_pool_size": core, "queue_capacity": own.pick("room", (0, 1, 3, 20))}
            if own.maybe("more", 0.6):
                pool["max_thread_pool_size"] = core + own.number("beyond", 0, 2)
            spec["bulkhead"] = {"thread_pool": pool}


def breakers(document: dict[str, Any], luck: Luck) -> None:
    """Breakers of cockatiel, by all that it counts; gobreaker by a share; resilience4j's that turns by itself."""
    for name, spec in document["policies"].items():
        own = luck.at(name)
        if own.maybe("another", 0.6):
            kept = {
                word: said for word, said in spec.get("circuit_breaker", {}).items() if word in ("records", "ignores")
            }
            spec["circuit_breaker"] = breaker(own.at("breaker")) | kept


def breaker(luck: Luck) -> dict[str, Any]:
    """One that opens soon and for a moment."""
    pause, share = luck.pick("pause", ("0s", "50ms", "400ms", "2s")), luck.pick("share", ("10%", "40%", "80%"))
    kind = luck.pick("kind", ("consecutive", "sampling", "count", "gobreaker", "resilience4j", "purgatory"))
    calls = luck.number("calls", 1, 5)
    if kind == "consecutive":
        return {"cockatiel": {"half_open_after": pause, kind: calls}}
    if kind == "sampling":
        window = {"threshold": share, "duration": luck.pick("window", ("50ms", "1s", "7s"))}
        return {"cockatiel": {"half_open_after": pause, kind: window | {"minimum_rps": luck.pick("rps", (0.5, 4))}}}
    if kind == "purgatory":
        return {kind: {"threshold": calls, "ttl": pause}}
    if kind == "count":
        size = {"threshold": share, "size": calls + luck.number("more", 0, 4), "minimum_number_of_calls": calls}
        return {"cockatiel": {"half_open_after": pause, kind: size}}
    if kind == "gobreaker":
        spec = {"timeout": pause, "failure_ratio": share, "minimum_requests": calls, "max_requests": calls}
        spec |= {"interval": luck.pick("interval", ("0s", "300ms", "2s"))}
        if spec["interval"] != "0s" and luck.maybe("rolls", 0.7):
            spec["bucket_period"] = luck.pick("bucket", ("100ms", "170ms", "1s"))
        return {kind: spec}
    spec = {"sliding_window_size": 4, "minimum_number_of_calls": calls, "wait_duration_in_open_state": pause}
    spec |= {"automatic_transition_from_open_to_half_open_enabled": True}
    spec |= {"permitted_number_of_calls_in_half_open_state": luck.number("probes", 1, 3)}
    if luck.maybe("grows", 0.4):
        spec |= {"exponential_backoff_multiplier": luck.pick("factor", (1.5, 3))}
        spec |= {"exponential_max_wait_duration_in_open_state": "1s"} if luck.maybe("capped") else {}
    elif luck.maybe("drawn", 0.5):
        spec |= {"randomized_wait_factor": luck.pick("spread", (0.0, 0.3, 0.9))}
    longest = luck.pick("longest", ("0s", "100ms", "1s"))
    return {kind: spec | {"max_wait_duration_in_half_open_state": longest}}


def left_out(document: dict[str, Any], luck: Luck) -> None:
    """Services that are balanced as by nginx, and outliers by their percentage of failures."""
    for name, service in sorted(document["services"].items()):
        own, balancing = luck.at(name), service.get("load_balancing")
        if isinstance(balancing, dict) and "outlier_detection" in balancing and own.maybe("percentage", 0.7):
            balancing["outlier_detection"] |= {
                "failure_percentage": True,
                "failure_percentage_threshold": own.pick("threshold", (5, 50, 100)),
                "failure_percentage_minimum_hosts": own.number("hosts", 1, 3),
                "failure_percentage_request_volume": own.number("volume", 1, 9),
            }
        if service.get("replicas", 1) == 1 or not own.maybe("as nginx", 0.5):
            continue
        spec = {"max_fails": own.number("fails", 0, 3), "fail_timeout": own.pick("timeout", ("1s", "2s", "7s"))}
        if own.maybe("statuses"):
            spec["next_upstream"] = own.some("counted", get_args(NextUpstream), 1, 4)
        if own.maybe("backup", 0.4):
            spec["backup"] = [own.number("which", 0, 2)]
        service["load_balancing"] = {"policy": "round_robin", "nginx": spec}
        if own.maybe("weights") and isinstance(service.get("replicas"), int) and not COMING & set(service):
            replicas = service["replicas"]
            service["load_balancing"]["weights"] = [own.number(f"weight {index}", 1, 5) for index in range(replicas)]


def told_pauses(document: dict[str, Any], luck: Luck) -> None:
    """Callers and clients may wait as long as a limit asks, or as long as they like; a service gets a limit that refuses some."""
    named = {**document["policies"], **document["traffic"]}
    for name, spec in named.items():
        own = luck.at(name)
        if "retry" not in spec or not own.maybe("obeys", 0.7):
            continue
        retry = spec["retry"]
        spec["retry"] = {**retry, "honor_retry_after": True}
        spec["retry"]["on"] = sorted({*retry.get("on", ()), "rate_limited", *own.some("on", ("shed", "timeout"), 0, 2)})
        if own.maybe("bounded"):
            spec["retry"]["max_retry_after"] = own.pick("most", ("0s", "30ms", "200ms", "900ms"))
            spec["retry"]["above_max_retry_after"] = own.pick("beyond", ("give_up", "ignore", "cut"))
    obeying = {name for name, spec in document["policies"].items() if spec.get("retry", {}).get("honor_retry_after")}
    services = document["services"]
    called = sorted({target for target in _called_by(document, obeying) if target in services})
    for name in luck.some("limited", called or sorted(services), 1, 2 if len(called) > 1 else 1):
        services[name]["rate_limits"] = [*services[name].get("rate_limits", ()), _telling_limit(luck.at(name))]


def _telling_limit(luck: Luck) -> dict[str, Any]:
    limit: dict[str, Any] = {
        "per": luck.pick("per", ("all", "route")),
        "rate": luck.pick("rate", ("1/s", "2/s", "5/s")),
    }
    limit |= {"window": luck.pick("window", ("1s", "2s", "3s")), "status": luck.pick("status", (429, 503))}
    return limit | {"retry_after": luck.pick("tells", ("exact", "exact", "whole_seconds"))}


def _called_by(part: Any, policies: set[str]) -> Iterator[str]:
    """The services that are called under one of these policies."""
    if isinstance(part, dict):
        if str(part.get("policy")) in policies and isinstance(target := part.get("call", part.get("to")), str):
            yield target.partition(".")[0]
        for value in part.values():
            yield from _called_by(value, policies)
    elif isinstance(part, list):
        for value in part:
            yield from _called_by(value, policies)
