"""The names of steps, and of what a call site has in common with others: the places of its bulkhead."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
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
    """The base name of what a consumer does; of a queue, which has no groups, without one."""
    return f"{service}/{group}/{topic}" if group else f"{service}/{topic}"


def broker_of(scenario: Scenario, destination: str) -> str | None:
    """The broker of what can be published to or consumed; None: there is no such thing."""
    return next(
        (name for name, spec in scenario.brokers.items() if destination in (*spec.destinations, *spec.sources)), None
    )


def reached(scenario: Scenario, destination: str) -> tuple[str, ...]:
    """Whatever can be consumed and a message of this destination may come to."""
    broker = broker_of(scenario, destination)
    return scenario.brokers[broker].reached(destination) if broker is not None else ()


def consumer_station(group: str, source: str) -> str:
    """What the consumers of a group, or of a queue, are called in figures and time series."""
    return f"{group} {source}" if group else f"queue {source}"


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
            for target, site in route.call_names(name).items():
                yield _site(scenario, site, GATEWAY, target.partition(".")[0], route.policy, name)
            yield from _inside(scenario, GATEWAY, route.token_name(name), route.asks)
        word = word_of(gateway.authentication) if gateway.authentication is not None else ""
        for site, asked in gateway.asks.items():
            yield _site(scenario, site, GATEWAY, asked.endpoint.partition(".")[0], asked.policy, word)
    for service, its in scenario.services.items():
        for endpoint, own in its.endpoints.items():
            yield from _inside(scenario, service, f"{service}.{endpoint}", own.do)
        for topic, consume in its.consumes.items():
            yield from _inside(scenario, service, consumer_name(service, consume.group, topic), consume.do)


def bulkheads(scenario: Scenario) -> tuple[Bulkhead, ...]:
    """All of a scenario, in the order in which they are written."""
    return tuple(
        Bulkhead(
            one.name,
            one.caller,
            one.callee,
            one.policy_name,
            one.policy,
            one.policy.bulkhead.most * one.guards,
        )
        for one in _guarded(scenario, lambda policy: policy.bulkhead is not None)
        if one.policy.bulkhead is not None
    )


def pools(scenario: Scenario) -> tuple[Bulkhead, ...]:
    """The connections of each caller towards each callee under each policy, in all its replicas together."""
    return tuple(
        Bulkhead(
            f"{one.name} pool",
            one.caller,
            one.callee,
            one.policy_name,
            one.policy,
            one.policy.pool.size * one.guards,
        )
        for one in _guarded(scenario, lambda policy: policy.pool is not None)
        if one.policy.pool is not None
    )


class CallsLimited(NamedTuple):
    """The rate limit of one caller towards one callee under one policy."""

    name: str  # `orders -> payments rate limit`, with the policy in brackets where there are several
    caller: str
    callee: str
    policy_name: str
    rate: float  # per second, of all its replicas together


def caller_limits(scenario: Scenario) -> tuple[CallsLimited, ...]:
    """All of a scenario, in the order in which they are written."""
    return tuple(
        CallsLimited(
            f"{one.name} rate limit",
            one.caller,
            one.callee,
            one.policy_name,
            one.policy.rate_limit.mean_rate * one.guards,
        )
        for one in _guarded(scenario, lambda policy: policy.rate_limit is not None)
        if one.policy.rate_limit is not None
    )


class _Guarded(NamedTuple):
    """One caller towards one callee under one policy."""

    name: str  # `orders -> payments`, with the policy in brackets where there are several of the kind
    caller: str
    callee: str
    policy_name: str
    policy: CallPolicy
    guards: int  # one for each replica of the caller, or one for all of them, as its `scope` says


def _guarded(scenario: Scenario, has: Callable[[CallPolicy], bool]) -> Iterator[_Guarded]:
    """All whose policy has something of a kind, in the order in which they are written."""
    found = {
        (site.caller, site.callee, site.policy_name): site.policy for site in call_sites(scenario) if has(site.policy)
    }
    pairs = [(caller, callee) for caller, callee, _ in found]
    for (caller, callee, policy_name), policy in found.items():
        several = f" ({policy_name})" if pairs.count((caller, callee)) > 1 else ""
        guards = _replicas(scenario, caller) if policy.scope == "replica" else 1
        yield _Guarded(f"{caller} -> {callee}{several}", caller, callee, policy_name, policy, guards)


class Limit(NamedTuple):
    """A rate limit where it stands, one for each of its rates."""

    name: str  # as series name it: `gateway user limit`, `gateway GET / user limit`, `shop all limit`
    place: str  # in the document
    owner: str  # "gateway", or a service
    replicas: int  # of the owner
    routes: tuple[str, ...]  # whose requests it counts; of a service its endpoints, as `service.endpoint`
    spec: RateLimit


def limits(scenario: Scenario) -> dict[str, float]:
    """`gateway all limit` -> what it lets pass per second in all; nan for those that count by user or by route, each
    for itself.
    """
    found: dict[str, float] = {}
    for limit in placed_limits(scenario):
        most = limit.spec.rate * (limit.replicas if limit.spec.scope == "node" else 1)
        plain = not limit.spec.keys and not limit.spec.when
        found[limit.name] = min(found.get(limit.name, math.inf), most) if plain else math.nan
    return found | {its.name: its.rate for its in caller_limits(scenario)}


def placed_limits(scenario: Scenario) -> tuple[Limit, ...]:
    """All of a scenario; of one that keeps several rates each of them, under one name."""
    found: list[Limit] = []
    if (gateway := scenario.gateway) is not None:
        under = tuple(name for name, route in gateway.routes.items() if route.limits(gateway))
        found += _limits(gateway.rate_limits, GATEWAY, "", "gateway.rate_limits", gateway.replicas, under)
        for name, route in gateway.routes.items():
            place = f"gateway.routes.{name}.rate_limits"
            found += _limits(route.rate_limits, GATEWAY, f"{name} ", place, gateway.replicas, (name,))
    for name, service in scenario.services.items():
        endpoints = tuple(f"{name}.{endpoint}" for endpoint in service.endpoints)
        found += _limits(service.rate_limits, name, "", f"services.{name}.rate_limits", service.replicas, endpoints)
    return tuple(found)


def _limits(
    specs: Sequence[RateLimit], owner: str, prefix: str, place: str, replicas: int, routes: tuple[str, ...]
) -> Iterator[Limit]:
    for index, spec in enumerate(specs):
        for its in spec.periods:
            yield Limit(f"{owner} {prefix}{limit_name(spec, index)}", f"{place}.{index}", owner, replicas, routes, its)


def limit_name(limit: RateLimit, index: int) -> str:
    """`all limit`, `user limit 2`, `route consumer limit`."""
    per = " ".join(limit.keys) or "all"
    return f"{per} limit {index + 1}" if index else f"{per} limit"


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
                yield _site(
                    scenario, name, service, broker_of(scenario, action.topic) or action.topic, action.policy, step
                )
            for inner, steps_inside in lists_in(action):
                yield from _inside(scenario, service, f"{name}.{inner}", steps_inside)


def _site(
    scenario: Scenario, name: str, caller: str, callee: str, policy: str | CallPolicy | None, written: Step | str
) -> CallSite:
    if isinstance(policy, str):
        return CallSite(name, caller, callee, policy, scenario.policies.get(policy, NO_POLICY), written)
    return CallSite(name, caller, callee, name, policy or NO_POLICY, written)
