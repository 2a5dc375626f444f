"""How often everything happens on paper: what clients send, what limits let pass, and what follows from it along calls
and topics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sim.experiments.on_paper.attempts import SELDOM, Ends, attempts
from sim.experiments.on_paper.credentials import token_requests
from sim.experiments.on_paper.flow import ROUNDS, Flow
from sim.experiments.on_paper.limited import arrives_at_random, passed_by
from sim.experiments.on_paper.partition_shares import Shares, partition_shares, text_shares, user_shares
from sim.experiments.on_paper.times import Times, coarse, law_of
from sim.spec.actions import Calls
from sim.spec.broker import Topic
from sim.spec.gateway import Gateway, RateLimit
from sim.spec.sites import GATEWAY, placed_limits
from sim.spec.traffic import Traffic, first_users


@dataclass
class Rates:
    """Visits per second of every place, for one load."""

    targets: dict[str, float]  # what clients send: route, or service.endpoint
    routes: dict[str, float]  # what passes the gateway's authentication and limits
    endpoints: dict[str, float]  # by call; a consumer's `perform` is not a visit
    topics: dict[str, float]
    partitions: dict[str, Shares]  # by topic: messages per second of each
    sent: dict[str, float]  # by traffic, tries of clients after the first included


def rates(flow: Flow, sent: Mapping[str, float]) -> Rates:
    """Everything that follows from so many requests per second of each traffic."""
    gateway = flow.scenario.gateway
    by_traffic, passing = _sent(flow, sent)
    targets, passed = _together(by_traffic), _together(passing) if gateway is not None else {}
    source: dict[str, float] = {target: rate for target, rate in targets.items() if target not in passed}
    for route, rate in passed.items():
        assert gateway is not None
        for endpoint, share in gateway.routes[route].targets.items():
            _count(source, endpoint, rate * share * flow.route_calls(route)[endpoint].attempts)
    for endpoint, rate in introspections(flow, by_traffic).items():
        _count(source, endpoint, rate)
    endpoints, published = _spread(flow, source)
    topics = _of_topics(flow, published)
    if tokens := token_requests(flow.scenario, passed, endpoints, topics):
        for endpoint, rate in tokens.items():
            _count(source, endpoint, rate)
        endpoints, published = _spread(flow, source)
        topics = _of_topics(flow, published)
    partitions = {name: np.zeros(topic.partitions) for name, (_, _, topic) in flow.topics.items()}
    for (topic, key), rate in published.items():
        if topic in partitions and rate > 0.0:
            partitions[topic] += rate * _shares(flow, flow.topics[topic][2], key, by_traffic)
    by_client = {name: math.fsum(its.values()) for name, its in by_traffic.items()}
    return Rates(targets, passed, endpoints, topics, partitions, by_client)


Published = dict[tuple[str, str | None], float]


def _of_topics(flow: Flow, published: Published) -> dict[str, float]:
    """Messages per second of each topic, whatever their key."""
    topics = dict.fromkeys(flow.topics, 0.0)
    for (topic, _), rate in published.items():
        topics[topic] = topics.get(topic, 0.0) + rate
    return topics


def _count(counts: dict[str, float], key: str, more: float) -> None:
    counts[key] = counts.get(key, 0.0) + more


ByTraffic = dict[str, dict[str, float]]  # traffic -> target -> per second


def _together(rates: ByTraffic) -> dict[str, float]:
    found: dict[str, float] = {}
    for its in rates.values():
        for target, rate in its.items():
            _count(found, target, rate)
    return found


def _sent(flow: Flow, sent: Mapping[str, float]) -> tuple[ByTraffic, ByTraffic]:
    """Attempts of clients per second, and those that pass the gateway.

    Who is turned away there may try again or not: until it changes no more.
    """
    gateway, kept = flow.scenario.gateway, ByTraffic()
    retrying = any(traffic.retry is not None for traffic in flow.scenario.traffic.values())
    mixes = {name: flow.scenario.arriving(name) for name in flow.scenario.traffic}
    for _ in range(20):
        asked = {
            name: {
                target: share
                * sent.get(name, 0.0)
                * client_attempts(flow, traffic, target, kept.get(name, {}).get(target, 1.0))
                for target, share in mixes[name].items()
            }
            for name, traffic in flow.scenario.traffic.items()
        }
        passing = _passed(flow, gateway, asked) if gateway is not None else asked
        found = {
            name: {target: passing[name][target] / rate for target, rate in its.items() if rate > 0.0}
            for name, its in asked.items()
        }
        settled = all(
            abs(share - kept.get(name, {}).get(target, 1.0)) < 1e-6
            for name, its in found.items()
            for target, share in its.items()
        )
        kept = found
        if settled or not retrying:
            break
    return asked, passing


def client_attempts(flow: Flow, traffic: Traffic, target: str, kept: float) -> float:
    """How often a client asks, on average, where it may try again, and this share passes the gateway."""
    if traffic.retry is None:
        return 1.0
    patience = (target, traffic.timeout, str(traffic.patience))
    if patience not in flow.missed:
        flow.missed[patience] = _missed(flow, target, traffic)
    failed, late = flow.missed[patience]
    turned_away = 1.0 - kept if "rate_limited" in traffic.retry.on else 0.0
    asked = attempts(kept * failed + turned_away, kept * late, traffic.retry)
    gateway = flow.scenario.gateway
    routed = gateway.routes[target].targets if gateway is not None and target in gateway.routes else (target,)
    for endpoint in routed:
        flow.note(asked > 1.0 + SELDOM, kept * late > SELDOM, endpoint, traffic.typical_patience)
    return asked


def _missed(flow: Flow, target: str, traffic: Traffic) -> tuple[float, float]:
    """The shares of attempts that fail in time, and that take longer than a client waits."""
    inside = door(flow, target)
    if not traffic.gives_up:
        return inside.failed.share, 0.0
    late = math.fsum(
        times.share * _above(times, traffic)
        for times in (inside.ok, inside.refused, inside.failed)
        if times.share > 0.0
    )
    return inside.failed.share * (1.0 - _above(inside.failed, traffic)), late


def _above(times: Times, traffic: Traffic) -> float:
    """The share of them that are longer than a client waits: some wait longer than others."""
    most = math.inf if traffic.timeout is None else traffic.timeout
    if traffic.patience is None:
        return times.above(most)
    with coarse():
        law = law_of(traffic.patience)
    return math.fsum(
        mass * times.above(min(limit, most)) for limit, mass in zip(law.at.tolist(), law.mass.tolist(), strict=True)
    )


def door(flow: Flow, target: str) -> Ends:
    """When and how a client has the answer of one attempt, if it waits for it."""
    gateway = flow.scenario.gateway
    if gateway is None or target not in gateway.routes:
        return flow.endpoints[target].answered if target in flow.endpoints else Ends()
    return flow.route_called(target).ends.later(flow.own_work_of_gateway(target))


def limit_in_all(limit: RateLimit, replicas: int) -> float:
    """What a limit lets through per second and key when every replica counts for itself, or all together."""
    return limit.rate * (replicas if limit.scope == "node" else 1)


def _passed(flow: Flow, gateway: Gateway, by_traffic: ByTraffic) -> ByTraffic:
    """Requests per second behind authentication and limits, which are taken one after the other."""
    invalid = gateway.authentication.refused if gateway.authentication is not None else 0.0
    passed = {
        name: {
            route: rates.get(route, 0.0) * (1.0 - invalid if spec.authenticate else 1.0)
            for route, spec in gateway.routes.items()
        }
        for name, rates in by_traffic.items()
    }
    random = arrives_at_random(flow.scenario)
    parts = {name: flow.scenario.parts_of(name) for name in by_traffic}
    for limit in placed_limits(flow.scenario):
        if limit.owner == GATEWAY:
            kept = passed_by(limit, parts, passed, random)
            passed = {
                name: {route: rate * kept.get((name, route), 1.0) for route, rate in rates.items()}
                for name, rates in passed.items()
            }
    return passed


def introspections(flow: Flow, by_traffic: ByTraffic) -> dict[str, float]:
    """Calls per second of the identity provider: one per user, gateway replica and `cache_ttl`; without users nothing
    can be remembered.
    """
    gateway = flow.scenario.gateway
    found: dict[str, float] = {}
    for action in gateway.authenticates if gateway is not None else ():
        if gateway is not None and isinstance(action, Calls):
            _count(found, action.endpoint, _misses(flow, gateway, by_traffic, action))
    return found


def _misses(flow: Flow, gateway: Gateway, by_traffic: ByTraffic, action: Calls) -> float:
    """Requests per second whose user the replica at which they arrive does not remember, or which find it without
    keys.
    """
    ttl = action.remembered or 0.0
    misses = 0.0
    if action.for_all:
        asking = [its for its in gateway.routes if gateway.routes[its].authenticate]
        here = sum(rates.get(its, 0.0) for rates in by_traffic.values() for its in asking) / gateway.replicas
        return float(gateway.replicas * here / (1.0 + here * ttl))
    for name, traffic in flow.scenario.traffic.items():
        rate = sum(
            rate
            for target, rate in by_traffic[name].items()
            if target in gateway.routes and gateway.routes[target].authenticate
        )
        groups = user_shares(traffic)
        here = rate / gateway.replicas
        missed = sum(count * here * share / (1.0 + here * share * ttl) for share, count in groups)
        misses += gateway.replicas * missed if groups else rate
    return float(misses)


def _spread(flow: Flow, source: Mapping[str, float]) -> tuple[dict[str, float], Published]:
    """Carry the rates along calls and topics until they change no more.

    A circle that feeds itself grows without end: it is cut off.
    """
    endpoints, published = dict(source), Published()
    parts = {
        consumer: sum(map(len, owned)) / max(1, flow.partitions(consumer[1])) for consumer, owned in flow.owners.items()
    }
    for _ in range(ROUNDS):
        more, events, topics = dict(source), Published(), _of_topics(flow, published)
        running = [(endpoints.get(place, 0.0), profile) for place, profile in flow.endpoints.items()]
        running += [
            (part * topics.get(topic, 0.0), flow.consumers[name, topic]) for (name, topic), part in parts.items()
        ]
        for rate, profile in running:
            for place, visits in profile.calls.items():
                more[place] = more.get(place, 0.0) + rate * visits
            for event, messages in profile.publishes.items():
                events[event] = events.get(event, 0.0) + rate * messages
        if more == endpoints and events == published:
            break
        endpoints, published = more, events
    return endpoints, published


def _shares(flow: Flow, topic: Topic, key: str | None, by_traffic: ByTraffic) -> Shares:
    """How the messages of a topic under a key are spread over its partitions: as the requests of all traffic are, by
    their rates.
    """
    total, shares = 0.0, np.zeros(topic.partitions)
    firsts = first_users(flow.scenario.traffic)
    for name, traffic in flow.scenario.traffic.items():
        rate = sum(by_traffic[name].values())
        total += rate
        shares += rate * _shares_of(traffic, firsts.get(name, 0), topic, key or topic.key)
    return shares / total if total > 0.0 else np.full(topic.partitions, 1.0 / topic.partitions)


def _shares_of(traffic: Traffic, first: int, topic: Topic, key: str | None) -> Shares:
    """The same of what one traffic causes, whose users are numbered from `first`."""
    count, header = topic.partitions, topic.key_header
    if topic.partitioner == "round_robin":
        return partition_shares(None, 0, count)
    if header is not None:
        return (
            text_shares(traffic.values_of(header), count)
            if header in traffic.headers
            else partition_shares(None, 0, count)
        )
    popularity = traffic.users if key == "user" else traffic.items if key == "item" else None
    return partition_shares(popularity, first if key == "user" else 0, count)
