"""`sim check` names the changed defaults that a file relies on, and is silent about one that says what it wants."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.changed_defaults import changed_defaults
from sim.experiments.on_paper.offered_load import Analysis
from sim.spec import load_document

SHOP: dict[str, Any] = {
    "version": 1,
    "duration": "10m",
    "traffic": {"shoppers": {"sends": "GET /", "arrivals": {"poisson": "10/s"}, "users": {"count": 10}}},
    "gateway": {"workers": 4, "routes": {"GET /": {"to": "front.ask"}}},
    "services": {
        "front": {
            "workers": 32,
            "endpoints": {"ask": [{"work": "5ms"}, {"publish": "orders"}], "check": [{"wait": "1ms"}]},
        },
        "mail": {"workers": 8, "consumes": {"orders": {"group": "g", "consumers": 1, "do": [{"work": "1ms"}]}}},
    },
    "brokers": {"kafka": {"kind": "log", "topics": {"orders": {"partitions": 6}}}},
}


def told(**changes: Any) -> str:
    """What is told of the shop with some things changed: `services__front__workers=1`."""
    document = copy.deepcopy(SHOP)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    analysis = Analysis(next(iter(load_document(document).variants.values())))
    return "\n".join(
        f"{found.place}: {found.finding}. {found.why}"
        for found in changed_defaults(View(analysis, analysis.load("base")))
    )


def test_a_file_that_relies_on_nothing_is_told_nothing():
    assert told() == ""


DARK = [{"at": "1m", "for": "10s", "broker_down": "kafka"}]
CUT = [{"at": "1m", "for": "10s", "network": {"between": ["front", "kafka"], "loss": "10%"}}]
OTHERS = {"sends": "GET /", "arrivals": {"poisson": "1/s"}, "users": {"count": 10}}
OAUTH = {"oauth": {"introspect": "front.check", "lookup": "1ms"}}
POLICY = [{"work": "5ms"}, {"publish": "orders", "policy": {"timeout": "1s"}}]
TWICE = {"max_attempts": 2, "backoff": {"constant": "0s"}}
CALLING = [{"parallel": [[{"call": "back.do", "policy": {"retry": TWICE}}]]}]
BACK = {"workers": 4, "endpoints": {"do": [{"perform": "back.deep"}], "deep": [{"work": {"exponential": "5ms"}}]}}
OUTBOX = [{"work": "5ms"}, {"publish": "orders", "via": "outbox"}]
GRPC = {"to": "grpc", "work": "1ms"}
FUNCTION = {
    "workers": "unlimited",
    "serverless": {"cold_start": "0.4s", "idle_timeout": "10m"},
    "endpoints": SHOP["services"]["front"]["endpoints"],
}
LIMITS = [{"per": "all", "rate": "10/s", "algorithm": "token_bucket", "burst": 5}]
AGAIN = {"retry": {"max_attempts": 3, "backoff": {"constant": "0s"}}}
LAYERS = {
    "services__front__endpoints__ask": [
        {"call": "back.do", "policy": {"circuit_breaker": {}, "bulkhead": {"max_concurrent_calls": 5}}}
    ],
    "services__back": {"workers": 1, "endpoints": {"do": [{"work": "1ms"}]}},
}


def route(**words):
    return {"GET /": {"to": "front.ask", **words}}


@pytest.mark.parametrize(
    ("relying", "words", "saying"),
    [
        (
            {"services__mail__consumes__orders": {"group": "g", "do": []}},
            "mail <- orders: one consumer per replica, where it had 6. ",
            {},
        ),
        (
            {"services__mail__consumes__orders": {"group": "g", "do": []}, "services__mail__replicas": 2},
            "where it had 3. as with Spring Kafka, kafkajs and the Java client; `consumers: 3` is what it was",
            {"services__mail__consumes__orders": {"group": "g", "do": [], "consumers": 1}},
        ),
        (
            {"gateway__rate_limits": [{"per": "all", "rate": "50/s"}]},
            "gateway.rate_limits.0: 50/s in fixed windows of 1s, where it was a token bucket of one token",
            {"gateway__rate_limits": [{"per": "all", "rate": "50/s", "burst": 1}]},
        ),
        (
            {"gateway__rate_limits": [{"per": "all", "rate": "90/m", "algorithm": "sliding_log"}]},
            "gateway.rate_limits.0: counts in windows of 60s, where they were of 1s",
            {"gateway__rate_limits": [{"per": "all", "rate": "90/m", "algorithm": "sliding_log", "window": "1m"}]},
        ),
        (
            {"faults": DARK},
            "front: a publication without a policy is tried again for 120 s, where it was tried four times",
            {"faults": []},
        ),
        (
            {"faults": DARK},
            "front: a publication without a policy is tried again for 120 s, where it was tried four times",
            {"faults": DARK, "brokers__kafka__producer": {"linger": "5ms"}},
        ),
        (
            {"faults": CUT},
            "front: a publication without a policy is tried again for 120 s",
            {"faults": CUT, "services__front__endpoints__ask": POLICY},
        ),
        (
            {"network": {"default": {"loss": "1%"}}},
            "tried again for 120 s",
            {"network": {"default": {"loss": "1%"}}, "services__front__endpoints__ask": OUTBOX},
        ),
        (
            {"brokers__kafka__topics__orders__key": "sticky", "services__front__replicas": 3},
            "topic orders: each of 3 producers sticks to a partition of its own",
            {"brokers__kafka__topics__orders__key": "sticky"},
        ),
        (
            {"brokers__kafka__topics__orders__key": "sticky", "services__front__replicas": 3},
            "topic orders: each of 3 producers sticks to a partition of its own",
            {
                "brokers__kafka__topics__orders": {"partitions": 6, "key": "sticky", "partitioner": "round_robin"},
                "services__front__replicas": 3,
            },
        ),
        (
            {"gateway__authentication": OAUTH, "gateway__replicas": 2},
            "gateway.authentication.oauth: 2 replicas have a cache of tokens each",
            {"gateway__authentication": OAUTH},
        ),
        (
            {"traffic__others": OTHERS, "gateway__authentication": OAUTH},
            "traffic: users of shoppers and others are different people, where they were the same",
            {
                "traffic__others": {**OTHERS, "users": {"count": 10, "population": "bots"}},
                "gateway__authentication": OAUTH,
            },
        ),
        (
            {"traffic__shoppers__retry": TWICE, "services__front__endpoints__ask": [{"work": {"exponential": "5ms"}}]},
            "front: a retry meets the work of the try before, where it drew anew",
            {
                "traffic__shoppers__retry": TWICE,
                "services__front__endpoints__ask": [{"work": {"exponential": "5ms"}, "per": "request"}],
            },
        ),
        (
            {"services__front__endpoints__ask": CALLING, "services__back": BACK},
            "back: a retry meets the work of the try before, where it drew anew",
            {"services__front__endpoints__ask": [{"call": "back.do"}], "services__back": BACK},
        ),
        (
            {"policies__p": {"retry": {"max_attempts": 2}}},
            "policies.p.retry: 500ms between attempts, where the next came at once. as resilience4j's waitDuration; `backoff: {constant: 0s}` is what it was",
            {"policies__p": {"retry": {"max_attempts": 2, "backoff": {"constant": "0s"}}}},
        ),
        (
            {"gateway__routes": route(timeout="1s", policy=AGAIN)},
            "gateway.routes.GET /: its timeout of 1s is that of all attempts together, where it was one of each",
            {"gateway__routes": route(timeout="1s", per_try_timeout="300ms", policy=AGAIN)},
        ),
        (
            {"gateway__routes": route(timeout="2s", policy={"timeout": "1s"})},
            "gateway.routes.GET /: the 1s of its policy end an attempt before its own 2s, which went before them",
            {"gateway__routes": route(timeout="1s", policy={"timeout": "2s"})},
        ),
        (
            {"gateway__routes": route(translate=GRPC), "gateway__rate_limits": LIMITS},
            "gateway.routes.GET /: what a limit refuses has been translated, where it had not",
            {"gateway__routes": route(), "gateway__rate_limits": LIMITS},
        ),
        (
            {"gateway__routes": route(policy={"circuit_breaker": {}}), "services__front__rate_limits": LIMITS},
            "gateway.routes.GET / -> front.ask: a refusal by a limit (429) is a success to the breaker, where it was neither",
            {"gateway__routes": route(policy={"circuit_breaker": {}}), "gateway__rate_limits": LIMITS},
        ),
        (
            {"gateway__routes": route(policy={"circuit_breaker": {}}), "services__front__rate_limits": LIMITS},
            "(429) is a success to the breaker",
            {
                "gateway__routes": route(policy={"circuit_breaker": {"records": ["rate_limited"]}}),
                "services__front__rate_limits": LIMITS,
            },
        ),
        (
            {"gateway__routes": route(policy={"circuit_breaker": {}}), "services__front__rate_limits": LIMITS},
            "(429) is a success to the breaker",
            {
                "gateway__routes": route(policy={"circuit_breaker": {"ignores": ["rate_limited"]}}),
                "services__front__rate_limits": LIMITS,
            },
        ),
        (
            {"gateway__routes": route(policy={"circuit_breaker": {}}), "services__front__rate_limits": LIMITS},
            "(429) is a success to the breaker",
            {
                "gateway__routes": route(policy={"circuit_breaker": {}}),
                "services__front__rate_limits": [{**LIMITS[0], "status": 503}],
            },
        ),
        (
            {"gateway__routes": route(policy={"circuit_breaker": {}}), "services__front__rate_limits": LIMITS},
            "(429) is a success to the breaker",
            {
                "gateway__routes": route(policy={"circuit_breaker": {}, "rate_limit": {"rate": "9/s"}}),
                "services__front__rate_limits": LIMITS,
            },
        ),
        (
            {"gateway__routes": route(policy={"circuit_breaker": {}}), "services__front": FUNCTION},
            "(429) is a success to the breaker",
            {"gateway__routes": route(), "services__front": FUNCTION},
        ),
        (
            {"gateway__routes": route(policy=AGAIN), "traffic__shoppers__timeout": "1s"},
            "gateway: it stops when its client has gone, and makes no further attempt, where it went on",
            {"gateway__routes": route(policy=AGAIN)},
        ),
        (
            {"gateway__routes": route(policy=AGAIN), **LAYERS},
            "gateway.routes.GET / -> front.ask: bulkhead_full, breaker_open of front.ask towards others is an error for it, where it saw what it was",
            {"gateway__routes": route(), **LAYERS},
        ),
        (
            {"gateway__routes": route(policy={"circuit_breaker": {}}), **LAYERS},
            "gateway.routes.GET / -> front.ask: bulkhead_full, breaker_open of front.ask",
            {"gateway__routes": route(policy={"circuit_breaker": {}})},
        ),
        (
            {"gateway__routes": route(policy={**AGAIN, "retry": {**AGAIN["retry"], "on": ["unreachable"]}}), **LAYERS},
            "unreachable of front.ask towards others is an error for it",
            {"gateway__routes": route(policy={**AGAIN, "retry": {**AGAIN["retry"], "on": ["rate_limited"]}}), **LAYERS},
        ),
        (
            {"gateway__routes": route(timeout="1s"), "traffic__shoppers__retry": {**AGAIN["retry"], "on": ["timeout"]}},
            "traffic.shoppers -> GET /: timeout of the gateway towards others is an error for it",
            {
                "gateway__routes": route(timeout="1s"),
                "traffic__shoppers__retry": {**AGAIN["retry"], "on": ["rate_limited"]},
            },
        ),
    ],
)
def test_what_a_file_relies_on_is_told_with_what_it_was(relying, words, saying):
    assert words in told(**relying)
    assert told(**saying) == ""
