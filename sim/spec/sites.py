"""The names of steps, and of what a call site has in common with others: the places of its bulkhead."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sim.spec.actions import Calls, Publishes, lists_in
from sim.spec.base import word_of
from sim.spec.gateway import RateLimit
from sim.spec.policy import NO_POLICY, CallPolicy
from sim.spec.scenario import Scenario
from sim.spec.step import Step

GATEWAY = "gateway"


def named(base: str, steps: Sequence[Step]) -> Iterator[tuple[str, Step]]:
    """(name, step): `base.kind`, with a number from the second of its kind on, so that other kinds may come between."""
    seen: dict[str, int] = {}
    for step in steps:
        word = word_of(step)
        seen[word] = count = seen.get(word, 0) + 1
        yield (f"{base}.{word}" if count == 1 else f"{base}.{word}.{count}"), step


def consumer_name(service: str, group: str, topic: str) -> str:
    """The base name of what a consumer does."""
    return f"{service}/{group}/{topic}"


class CallSite(NamedTuple):
    """Where somebody calls or publishes."""

    name: str
    caller: str  # service, or "gateway"
    callee: str  # service, or broker
    policy_name: str  # the policy's own; of one that is written where it is used the name of the site
    policy: CallPolicy
    written: Step | str  # the step, or the name of the route; the word of an authentication that calls: "oauth"


class Bulkhead(NamedTuple):
    """The places that one caller has towards one callee under one policy, in all its replicas together."""

    name: str  # `orders -> payments`, with the policy in brackets where there are several with places
    caller: str
    callee: str
    policy_name: str
    policy: CallPolicy
    places: int


def call_sites(scenario: Scenario) -> Iterator[CallSite]:
    """All of a scenario but those inside the steps of plug-ins that tell no actions."""
    gateway = scenario.gateway
    if gateway is not None:
        for name, route in gateway.routes.items():
            yield _site(scenario, f"gateway.{name}.call", GATEWAY, route.to.partition(".")[0], route.policy, name)
        word = word_of(gateway.authentication) if gateway.authentication is not None else ""
        for action in gateway.authenticates:
            if isinstance(action, Calls):
                yield _site(
                    scenario, f"gateway.{word}.call", GATEWAY, action.endpoint.partition(".")[0], action.policy, word
                )
    for service, its in scenario.services.items():
        for endpoint, own in its.endpoints.items():
            yield from _inside(scenario, service, f"{service}.{endpoint}", own.do)
        for topic, consume in its.consumes.items():
            yield from _inside(scenario, service, consumer_name(service, consume.group, topic), consume.do)


def bulkheads(scenario: Scenario) -> tuple[Bulkhead, ...]:
    """All of a scenario, in the order in which they are written."""
    found = {
        (site.caller, site.callee, site.policy_name): site.policy
        for site in call_sites(scenario)
        if site.policy.bulkhead is not None
    }
    pairs = [(caller, callee) for caller, callee, _ in found]
    made = []
    for (caller, callee, policy_name), policy in found.items():
        several = pairs.count((caller, callee)) > 1
        replicas = _replicas(scenario, caller) if policy.scope == "replica" else 1
        places = policy.bulkhead.max_concurrent_calls * replicas if policy.bulkhead is not None else 0
        made.append(
            Bulkhead(
                f"{caller} -> {callee}{f' ({policy_name})' if several else ''}",
                caller,
                callee,
                policy_name,
                policy,
                places,
            )
        )
    return tuple(made)


def limits(scenario: Scenario) -> dict[str, float]:
    """`gateway all limit` -> what it lets pass per second in all; nan for those that count by user or by route, each
    for itself.
    """
    gateway, found = scenario.gateway, {}
    for index, limit in enumerate(gateway.rate_limits if gateway is not None else ()):
        assert gateway is not None
        most = limit.rate * (gateway.replicas if limit.scope == "node" else 1)
        found[f"gateway {limit_name(limit, index)}"] = most if limit.per == "all" else math.nan
    return found


def limit_name(limit: RateLimit, index: int) -> str:
    """`all limit`, `user limit 2`."""
    return f"{limit.per} limit {index + 1}" if index else f"{limit.per} limit"


def _replicas(scenario: Scenario, caller: str) -> int:
    if caller == GATEWAY and scenario.gateway is not None:
        return scenario.gateway.replicas
    return scenario.services[caller].most_replicas


def _inside(scenario: Scenario, service: str, base: str, steps: Sequence[Step]) -> Iterator[CallSite]:
    for name, step in named(base, steps):
        for action in step.actions or ():
            if isinstance(action, Calls):
                yield _site(scenario, name, service, action.endpoint.partition(".")[0], action.policy, step)
            elif isinstance(action, Publishes):
                broker = next(
                    (name for name, spec in scenario.brokers.items() if action.topic in spec.topics), action.topic
                )
                yield _site(scenario, name, service, broker, action.policy, step)
            for inner, steps_inside in lists_in(action):
                yield from _inside(scenario, service, f"{name}.{inner}", steps_inside)


def _site(
    scenario: Scenario, name: str, caller: str, callee: str, policy: str | CallPolicy | None, written: Step | str
) -> CallSite:
    if isinstance(policy, str):
        return CallSite(name, caller, callee, policy, scenario.policies.get(policy, NO_POLICY), written)
    return CallSite(name, caller, callee, name, policy or NO_POLICY, written)
