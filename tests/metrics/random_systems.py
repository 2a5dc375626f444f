"""Systems made at random, of everything that can take time; for what must hold in any of them."""

from __future__ import annotations

import random
from typing import Any

DURATION = 12  # s; the arrivals end with it, and much is still inside


def random_system(seed: int) -> dict[str, Any]:
    """A document: two to four services that call one another downwards, policies, perhaps a gateway, a broker and faults."""
    rng = random.Random(seed)
    count = rng.randint(2, 4)
    names = [f"s{place}" for place in range(count)]
    brokers = rng.random() < 0.5
    services = {name: _service(rng, place, names, brokers) for place, name in enumerate(names)}
    if brokers:
        services[names[-1]]["consumes"] = {"order.events": {"group": "g", "do": [{"work": "1ms"}]}}
    client: dict[str, Any] = {
        "sends": "s0.do",
        "arrivals": {"poisson": f"{rng.choice([10, 40, 80])}/s"},
        "users": {"count": 20},
    }
    if rng.random() < 0.5:
        client |= {
            "timeout": rng.choice(["60ms", "300ms"]),
            "retry": {"max_attempts": 2, "backoff": {"constant": "15ms"}},
        }
    document: dict[str, Any] = {
        "version": 1,
        "duration": f"{DURATION}s",
        "seed": seed,
        "record": {"interval": "1s", "spans": "all"},
        "traffic": {"clients": client},
        "services": services,
        "policies": {"guarded": _policy(rng), "patient": {"timeout": "400ms"}},
        "network": {
            "default": {"latency": rng.choice(["1ms", {"exponential": "2ms"}]), "loss": rng.choice(["0%", "3%"])}
        },
        "faults": _faults(rng, names),
    }
    if brokers:
        document["brokers"] = {
            "kafka": {
                "kind": "log",
                "acks": rng.choice(["all", 1, 0]),
                "replication": {"exponential": "3ms"},
                "topics": {"order.events": {"partitions": 2}},
            }
        }
    if rng.random() < 0.4:
        client["sends"] = "POST /"
        gateway = {
            "workers": rng.choice([1, 8]),
            "work": "1ms",
            "concurrency": rng.choice(["threads", "event_loop"]),
            "routes": {"POST /": {"to": "s0.do"}},
        }
        route = gateway["routes"]["POST /"]
        if rng.random() < 0.5:
            route |= {"timeout": "250ms", "translate": {"to": "grpc", "work": "1ms", "response_work": "1ms"}}
        if rng.random() < 0.5:
            gateway["authentication"] = {
                "oauth": {"introspect": f"{names[-1]}.do", "cache_ttl": "1s", "lookup": "0.2ms"}
            }
        document["gateway"] = gateway
    return document


def _service(rng: random.Random, place: int, names: list[str], brokers: bool) -> dict[str, Any]:
    service: dict[str, Any] = {
        "replicas": rng.randint(1, 2),
        "workers": rng.randint(1, 6),
        "concurrency": rng.choice(["threads", "threads", "event_loop"]),
        "queue": rng.choice([{}, {"capacity": 5}, {"timeout": "40ms"}, {"timeout": "80ms", "discipline": "lifo"}]),
        "endpoints": {
            "do": _steps(rng, names[place], names[place + 1 :], brokers),
            "aside": [{"work": {"exponential": "3ms"}}],
        },
    }
    return service | ({"cores": rng.randint(1, 2)} if rng.random() < 0.4 else {})


def _steps(rng: random.Random, own: str, callees: list[str], brokers: bool, depth: int = 0) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    for _ in range(rng.randint(1, 4)):
        kind = rng.choice(["work", "work", "wait", "call", "call", "parallel", "reply", "fail", "publish", "perform"])
        if kind in ("work", "wait"):
            steps.append({kind: {"exponential": rng.choice(["4ms", "20ms"])}})
        elif kind == "call" and callees:
            call: dict[str, Any] = {"call": f"{rng.choice(callees)}.do", "policy": rng.choice(["guarded", "patient"])}
            steps.append(call | ({"fallback": [{"work": "2ms"}]} if rng.random() < 0.3 else {}))
        elif kind == "parallel" and depth < 2:
            steps.append(
                {"parallel": [_steps(rng, own, callees, brokers, depth + 1) for _ in range(rng.randint(2, 3))]}
            )
        elif kind == "reply" and rng.random() < 0.4:
            steps.append({"reply": None})
        elif kind == "fail":
            steps.append({"fail": "5%"})
        elif kind == "publish" and brokers:
            steps.append({"publish": "order.events", "policy": "patient"})
        elif kind == "perform":
            steps.append({"perform": f"{own}.aside"})
    return steps or [{"work": "2ms"}]


def _policy(rng: random.Random) -> dict[str, Any]:
    policy: dict[str, Any] = {"timeout": rng.choice(["30ms", "120ms"]), "on_timeout": rng.choice(["abandon", "cancel"])}
    if rng.random() < 0.7:
        policy["retry"] = {
            "max_attempts": rng.randint(2, 3),
            "backoff": {"constant": rng.choice(["0ms", "10ms"])},
            "jitter": rng.choice(["none", "full"]),
        }
    if rng.random() < 0.4:
        policy["bulkhead"] = {"max_concurrent_calls": 2, "max_wait": rng.choice(["0ms", "30ms"])}
    if rng.random() < 0.3:
        policy["circuit_breaker"] = {"failures": 5, "within": "1s", "open_for": "500ms", "half_open_calls": 2}
    return policy


def _faults(rng: random.Random, names: list[str]) -> list[dict[str, Any]]:
    of, when = rng.choice(names), {"name": "f", "at": "4s", "for": "2s"}
    return rng.choice(
        [
            [],
            [{**when, "outage": of, "how": rng.choice(["hang", "hang", "refuse", "blackhole"])}],
            [{**when, "slow": None, "of": of, "by": 4}],
            [{"name": "f", "at": "4s", "crash": None, "of": of, "restart_after": "1s"}],
            [{**when, "errors": None, "of": of, "share": "50%"}],
        ]
    )
