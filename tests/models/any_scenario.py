"""Scenarios made at random, small and full of trouble: every feature of the language, faults at odd times, and short lives."""

from __future__ import annotations

import random
from typing import Any


def any_scenario(seed: int) -> dict[str, Any]:
    """The same document for the same number."""
    return _Maker(random.Random(seed)).document()


class _Maker:
    def __init__(self, dice: random.Random):
        self.dice = dice
        self.names = [f"s{i}" for i in range(dice.randint(2, 4))]
        self.policies = [f"p{i}" for i in range(3)]
        self.topics = [f"t{i}" for i in range(dice.randint(0, 2))]
        self.hosts = self.names
        self.effects = ["made", "paid", "sent"]

    def maybe(self, chance: float = 0.5) -> bool:
        return self.dice.random() < chance

    def time(self, mean: float = 0.02) -> Any:
        mean *= self.dice.choice((0.2, 1, 1, 3))
        return self.dice.choice([f"{mean!r}s", {"exponential": f"{mean!r}s"}, {"uniform": ["0s", f"{2 * mean!r}s"]}, "0s"])

    def document(self) -> dict[str, Any]:
        dice = self.dice
        services = {name: self.service(i) for i, name in enumerate(self.names)}
        gateway = self.gateway() if self.maybe() else None
        if gateway is not None:
            self.hosts = [*self.names, "gateway"]
        services[self.names[-1]]["endpoints"]["b"]["do"] += [{"effect": effect} for effect in self.effects]  # an effect that is named must exist
        document: dict[str, Any] = {
            "version": 1,
            "duration": "20s",
            "seed": dice.randrange(1000),
            "services": services,
            "policies": {name: self.policy() for name in self.policies},
            "ledger": {"charge": "paid", "reservation": "made"},
            "faults": [{"name": f"f{i}", **self.fault()} for i in range(dice.randint(0, 5))],
            "network": self.network(),
        }
        if self.topics:
            document["brokers"] = {"kafka": self.broker()}
        targets = ["s0.a", "s0.b"]
        if gateway is not None:
            document["gateway"] = gateway
            targets = list(gateway["routes"])
        document["traffic"] = {f"c{i}": self.traffic(targets) for i in range(dice.randint(1, 2))}
        return document

    def service(self, i: int) -> dict[str, Any]:
        dice, last = self.dice, i == len(self.names) - 1
        spec: dict[str, Any] = {
            "replicas": dice.randint(1, 3),
            "workers": dice.choice((1, 2, 4, 10, "unlimited")),
            "concurrency": dice.choice(("threads", "threads", "event_loop")),
            "queue": {
                "capacity": dice.choice((0, 1, 5, "unlimited")),
                "discipline": dice.choice(("fifo", "lifo")),
                **({"timeout": "60ms"} if self.maybe(0.3) else {}),
            },
            "load_balancing": dice.choice(("round_robin", "random", "least_request", "power_of_two", "two_choices")),
            "stock": {"items": dice.choice((3, 1000))},
            "endpoints": {name: self.endpoint(i, last) for name in ("a", "b")},
        }
        if self.maybe(0.3):
            spec["cores"] = dice.randint(1, 2)
        if self.topics and i > 0:  # the first service publishes, so that nothing feeds itself
            spec["consumes"] = {topic: self.consume(i) for topic in self.topics if self.maybe(0.6)}
        return spec

    def endpoint(self, i: int, last: bool) -> dict[str, Any]:
        return {"do": self.steps(i, 0, last), **self.answers()}

    def answers(self) -> dict[str, Any]:
        dice = self.dice
        failures = dice.sample(("timeout", "error", "unreachable", "shed", "rate_limited", "bulkhead_full", "breaker_open", "refused"), dice.randint(1, 4))
        return {"answers_with": {failure: dice.choice(("error", "shed", "rate_limited", "refused")) for failure in failures}} if self.maybe(0.4) else {}

    def steps(self, i: int, depth: int, last: bool) -> list[dict[str, Any]]:
        return [self.step(i, depth, last) for _ in range(self.dice.randint(1, 3))]

    def step(self, i: int, depth: int, last: bool) -> dict[str, Any]:
        dice = self.dice
        kinds = ["work", "work", "wait", "effect", "take", "fail", "refuse", "reply"]
        kinds += ["call", "call", "call"] if not last else []
        kinds += ["publish", "publish"] if self.topics and i == 0 else []
        kinds += ["parallel"] if depth < 2 else []
        kind = dice.choice(kinds)
        if kind in ("work", "wait"):
            return {kind: self.time(), **({"per": dice.choice(("request", "attempt"))} if self.maybe() else {})}
        if kind == "effect":
            return {"effect": {dice.choice(self.effects): {"idempotent": self.maybe()}}}
        if kind == "take":
            return {"take": {"stock": {"check_to_write": "3ms"}}} if self.maybe() else {"take": "stock"}
        if kind in ("fail", "refuse"):
            return {kind: dice.choice((0.1, 0.5))}
        if kind == "reply":
            return {"reply": {}}
        if kind == "parallel":
            return {"parallel": [self.steps(i, depth + 1, last) for _ in range(dice.randint(1, 3))]}
        step: dict[str, Any] = (
            {"call": f"s{dice.randint(i + 1, len(self.names) - 1)}.{dice.choice('ab')}"} if kind == "call" else {"publish": dice.choice(self.topics)}
        )
        if kind == "publish" and self.maybe():
            return {**step, "via": "outbox", "poll": "70ms", "batch": dice.choice((1, 3, 100))}
        if self.maybe(0.8):
            step["policy"] = dice.choice(self.policies)
        if self.maybe(0.4):
            step["fallback"] = self.steps(i, 2, last)
        return step

    def policy(self) -> dict[str, Any]:
        dice, spec = self.dice, {}
        if self.maybe(0.8):
            spec["timeout"] = dice.choice(("30ms", "50ms", "200ms"))
            spec["on_timeout"] = dice.choice(("abandon", "cancel"))
        if self.maybe(0.3):
            spec["total_timeout"] = dice.choice(("40ms", "90ms", "300ms"))
        if self.maybe(0.6):
            backoff = dice.choice([{"constant": "0s"}, {"exponential": {"base": "20ms"}}])
            spec["retry"] = {"max_attempts": dice.randint(2, 4), "backoff": backoff, "jitter": dice.choice(("none", "full", "decorrelated", "20%"))}
            if self.maybe(0.3):
                spec["retry"]["budget"] = "50%"
            if self.maybe(0.3):
                spec["retry"]["on"] = dice.sample(("timeout", "error", "unreachable", "shed", "rate_limited", "bulkhead_full", "breaker_open"), 3)
        if self.maybe(0.5):
            spec["circuit_breaker"] = dice.choice(
                [
                    {"failures": 3, "within": "1s", "open_for": "500ms", "half_open_calls": 2},
                    {
                        "resilience4j": {
                            "sliding_window_size": 10,
                            "minimum_number_of_calls": 5,
                            "wait_duration_in_open_state": "300ms",
                            "permitted_number_of_calls_in_half_open_state": 2,
                            "max_wait_duration_in_half_open_state": dice.choice(("0s", "400ms")),
                        }
                    },
                ]
            )
        if self.maybe(0.4):
            spec["bulkhead"] = {"max_concurrent_calls": dice.randint(1, 3), "max_wait": dice.choice(("0s", "40ms"))}
        spec["scope"] = dice.choice(("replica", "service"))
        return spec

    def fault(self) -> dict[str, Any]:
        dice = self.dice
        begin = dice.choice((0.0, 2.0, 3.337, 5.0, 7.5, 20.0, 25.0))  # the last two at the end of the run and after it
        spec: dict[str, Any] = {"at": f"{begin!r}s"}
        if self.maybe(0.8):
            spec["for"] = f"{dice.choice((0.5, 2.0, 6.66))!r}s"
        of, kind = dice.choice(self.hosts), dice.choice(("outage", "outage", "outage", "slow", "errors", "crash", "crash", "network", "broker_down"))
        if kind == "broker_down" and not self.topics:
            kind = "outage"
        if kind == "outage":
            return {**spec, "outage": of, "how": dice.choice(("hang", "refuse", "blackhole"))}
        if kind == "slow":
            return {**spec, "slow": {"of": of, "by": "5x"}}
        if kind == "errors":
            return {**spec, "errors": {"of": of, "share": 0.5}}
        if kind == "crash":
            return {**spec, "crash": {"of": of, "replicas": 1, **({"restart_after": "1.7s"} if self.maybe() else {})}}
        if kind == "broker_down":
            return {**spec, "broker_down": "kafka"}
        others = [*self.names, *(["kafka"] if self.topics else [])]
        harm = dice.choice([{"latency": "30ms"}, {"loss": 0.3}, {"partition": True}])
        return {**spec, "network": {"between": dice.sample(others, 2), **harm}}

    def network(self) -> dict[str, Any]:
        return self.dice.choice([{}, {"default": {"latency": "1ms"}}, {"default": {"latency": {"exponential": "2ms"}, "loss": 0.01}}])

    def broker(self) -> dict[str, Any]:
        dice = self.dice
        topics = {name: {"partitions": dice.randint(1, 4), "key": dice.choice(("order", "user", "sticky"))} for name in self.topics}
        replication = {} if self.maybe() else {"replication": self.time(0.005)}
        return {"kind": "log", "acks": dice.choice(("all", 1, 0)), "topics": topics, **replication}

    def consume(self, i: int) -> dict[str, Any]:
        dice = self.dice
        spec: dict[str, Any] = {
            "group": dice.choice(("g", f"g{i}")),
            "do": [{"perform": f"s{i}.{dice.choice('ab')}"}],
            "auto_offset_reset": dice.choice(("earliest", "latest")),
            "max_poll_records": dice.choice((1, 5, 500)),
            "max_deliveries": dice.randint(1, 3),
            "idempotent": self.maybe(),
            "session_timeout": dice.choice(("500ms", "3s")),
        }
        if self.maybe():
            spec["retry_topic"] = ["100ms", "1s"][: dice.randint(1, 2)]
        if self.maybe():
            spec["consumers"] = dice.randint(1, 6)
        return spec

    def gateway(self) -> dict[str, Any]:
        dice = self.dice
        spec: dict[str, Any] = {
            "replicas": dice.randint(1, 3),
            "workers": dice.choice((1, 4)),
            "concurrency": dice.choice(("event_loop", "threads")),
            "work": self.time(0.001),
            "routes": {
                "GET /a": {"to": "s0.a", "completes_with": ["made"]},
                "GET /b": {
                    "to": "s0.b",
                    "timeout": "150ms",
                    "policy": dice.choice(self.policies),
                    **({"per_try_timeout": dice.choice(("40ms", "150ms"))} if self.maybe() else {}),
                    **self.answers(),
                },
            },
        }
        last = self.names[-1]
        spec["authentication"] = dice.choice(
            [
                None,
                {"jwt": {"work": "1ms", "invalid": 0.05}},
                {
                    "oauth": {
                        "introspect": f"{last}.a",
                        "lookup": "0s",
                        "cache_ttl": "2s",
                        "invalid": 0.02,
                        "on_failure": dice.choice(("deny", "allow")),
                        "policy": dice.choice(self.policies),
                    }
                },
            ]
        )
        if self.maybe():
            limit = {"per": dice.choice(("user", "route", "all")), "rate": dice.choice(("10/s", "300/m")), "scope": dice.choice(("cluster", "node"))}
            if self.maybe(0.8):
                limit["algorithm"] = dice.choice(("token_bucket", "fixed_window", "sliding_window_counter", "sliding_log", "gcra"))
            if self.maybe():
                limit["burst"] = 3
            spec["rate_limits"] = [limit]
        return spec

    def recording(self, targets: list[str]) -> dict[str, Any]:
        """Requests with routes and users of their own, or a series of rates; as the loader embeds them."""
        dice, size = self.dice, self.dice.randint(1, 300)
        rows: dict[str, Any] = {"values": sorted(round(dice.uniform(0.0, 22.0), 3) for _ in range(size)), "after": dice.choice((0.0, 1.5))}
        if self.maybe(0.3):
            return {"file": "f", "rates": "r", "data": {**rows, "lengths": [dice.choice((0.05, 0.2, 1.0)) for _ in range(size)]}}
        if self.maybe(0.7):
            rows |= {"routes": targets, "shares": [1 / len(targets)] * len(targets), "route": [dice.randrange(len(targets)) for _ in range(size)]}
        if self.maybe(0.7):
            rows |= {"users": 7, "user": [dice.randrange(7) for _ in range(size)]}
        return {"file": "f", **({"route": "r"} if "route" in rows else {}), **({"user": "u"} if "user" in rows else {}), "data": rows}

    def traffic(self, targets: list[str]) -> dict[str, Any]:
        dice = self.dice
        arrivals = dice.choice([{"poisson": "20/s"}, {"deterministic": "15/s"}, {"closed": {"users": 5, "think": {"exponential": "100ms"}}}])
        spec: dict[str, Any] = {"sends": dice.choice([targets[0], dict.fromkeys(targets, 0.5)]), "arrivals": arrivals}
        if self.maybe(0.2):
            spec["arrivals"] = {"replay": self.recording(targets)}
        if self.maybe():
            spec["users"] = {"count": dice.choice((5, 20)), "popularity": {"zipf": 1.0}, **({"population": "people"} if self.maybe() else {})}
        if self.maybe(0.4):
            spec["items"] = {"count": 3}
        if self.maybe():
            spec["timeout"] = dice.choice(("100ms", "1s"))
        if self.maybe(0.4):
            spec["retry"] = {"max_attempts": 3, "backoff": {"constant": "50ms"}, "on": ["timeout", "error", "unreachable", "rate_limited"]}
            spec["honor_retry_after"] = self.maybe()
        if not any(target.startswith("GET") for target in targets):
            spec["completes_with"] = ["made", "paid"]
        return {key: value for key, value in spec.items() if value is not None}
