"""The defaults of `version: 1` that have changed their meaning, and where a scenario relies on one of them.

Each rule answers with what the value was, what it is now, and what to write for the old one. CHANGELOG.md has these,
and what has another meaning wherever it is said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import get_args

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.experiments.on_paper.places import listed, specs_within
from sim.spec.arrivals import Replay
from sim.spec.base import UNLIMITED, Spec, word_of
from sim.spec.broker import LogBroker
from sim.spec.broker_fault import BrokerDown
from sim.spec.fault import NetworkFault
from sim.spec.gateway import OAuth
from sim.spec.policy import CallPolicy, Retry, RetryOn
from sim.spec.routing import entered
from sim.spec.service import Service
from sim.spec.step import Call, Perform, Publish, Step, Work
from sim.spec.walk import visits
from sim.units import show_duration, show_rate

RETRIABLE: tuple[str, ...] = get_args(RetryOn)


def relies_on_default(spec: Spec, field: str) -> bool:
    """Whether the scenario leaves this field to its default."""
    return field not in spec.model_fields_set


def changed_defaults(view: View) -> Iterator[Finding]:
    """Every changed default that this variant relies on."""
    for rule in RULES:
        yield from rule(view)


def consumers(view: View) -> Iterator[Finding]:
    """A replica had as many consumers as it had workers, or its share of the partitions."""
    for name, service in view.scenario.services.items():
        for topic, consume in service.consumes.items():
            if topic in view.flow.queues:  # which nobody could consume then
                continue
            share = (
                math.ceil(view.flow.topics[topic][2].partitions / service.replicas) if topic in view.flow.topics else 1
            )
            was = share if service.workers == UNLIMITED else min(service.workers, share)
            if relies_on_default(consume, "consumers") and was > 1:
                why = f"as with Spring Kafka, kafkajs and the Java client; `consumers: {was}` is what it was"
                yield Finding(f"{name} <- {topic}", f"one consumer per replica, where it had {was}", why)


def limits(view: View) -> Iterator[Finding]:
    """A limit was a token bucket of one token, and a window was a second."""
    for index, limit in enumerate(view.scenario.gateway.rate_limits if view.scenario.gateway is not None else ()):
        place, window = f"gateway.rate_limits.{index}", show_duration(limit.window)
        if limit.preset is not None or limit.rates:  # newer words
            continue
        if relies_on_default(limit, "algorithm") and relies_on_default(limit, "burst"):
            finding = f"{show_rate(limit.rate)} in fixed windows of {window}, where it was a token bucket of one token"
            yield Finding(
                place, finding, "as Kong's rate-limiting counts; `algorithm: token_bucket, burst: 1` is what it was"
            )
        elif limit.counts_in_windows and relies_on_default(limit, "window") and limit.window != 1.0:
            why = "the unit in which the rate is written, as in Kong; `window: 1s` is what it was"
            yield Finding(place, f"counts in windows of {window}, where they were of 1s", why)
        if limit.window_from == "first_request" and relies_on_default(limit, "window_from"):
            why = "as limits does on Redis; `window_from: clock` is what it was"
            yield Finding(place, "its windows begin with the first request of a key, where they went by the clock", why)


def producers(view: View) -> Iterator[Finding]:
    """A publication without a policy was tried four times; told where something may befall it."""
    befallen = {fault.broker for fault in view.scenario.faults if isinstance(fault, BrokerDown)}
    befallen |= {end for fault in view.scenario.faults if isinstance(fault, NetworkFault) for end in fault.between}
    befallen |= {end for link in view.scenario.network.links if link.loss for end in link.between}
    lossy = view.scenario.network.default.loss > 0
    bare = [
        (service, step)
        for service, step in publications(view)
        if step.policy is None and step.via == "broker" and not _has_producer(view, step)
    ]
    owners = {service for service, step in bare if lossy or _broker(view, step) in befallen}
    if owners:
        why = (
            "as Kafka's producer (delivery.timeout.ms); `policy: {timeout: 30s, retry: {max_attempts: 4, backoff: "
            "{exponential: 100ms}}}` is what it was"
        )
        yield Finding(
            ", ".join(sorted(owners)),
            "a publication without a policy is tried again for 120 s, where it was tried four times",
            why,
        )


def sticky_producers(view: View) -> Iterator[Finding]:
    """All producers of a topic stuck to one partition together."""
    publishing: dict[str, set[str]] = {}
    for service, step in publications(view):
        if not _is_topic(view, step) or _has_producer(view, step):
            continue
        spec = view.flow.topics[step.topic][2]
        newer = spec.key_header is not None or spec.partitioner != "built_in"
        if (step.key or spec.key) is None and not newer:
            publishing.setdefault(step.topic, set()).add(service)
    for topic, services in publishing.items():
        count = sum(view.replicas(service) for service in services)
        if count > 1 and view.flow.topics[topic][2].partitions > 1:
            why = "as in Kafka (KIP-794); what it was cannot be said any more"
            yield Finding(
                f"topic {topic}",
                f"each of {count} producers sticks to a partition of its own, where all stuck to one",
                why,
            )


def token_caches(view: View) -> Iterator[Finding]:
    """All replicas of the gateway shared one cache of tokens."""
    gateway = view.scenario.gateway
    if (
        gateway is None
        or not isinstance(gateway.authentication, OAuth)
        or gateway.replicas == 1
        or gateway.authentication.cache_ttl == 0
    ):
        return
    if any(traffic.people for traffic in view.scenario.traffic.values()):
        why = "as each node of Kong has its own; what it was cannot be said any more"
        yield Finding(
            "gateway.authentication.oauth",
            f"{gateway.replicas} replicas have a cache of tokens each, where they shared one",
            why,
        )


def populations(view: View) -> Iterator[Finding]:
    """User 0 of one traffic was user 0 of every other."""
    scenario = view.scenario
    by_user = (
        any("user" in limit.keys for limit in scenario.gateway.rate_limits) if scenario.gateway is not None else False
    )
    by_user |= scenario.gateway is not None and isinstance(scenario.gateway.authentication, OAuth)
    by_user |= any(topic.key == "user" for _, _, topic in view.flow.topics.values()) or any(
        step.key == "user" for _, step in publications(view)
    )
    peopled = [
        name for name, traffic in scenario.traffic.items() if traffic.people and traffic.population(name) == name
    ]
    strangers = list(combinations(peopled, 2))
    if by_user and strangers:
        why = (
            f"limits, tokens and keys of one user are those of one traffic; `users: {{population: "
            f"{strangers[0][0]}}}` in both is what it was"
        )
        yield Finding(
            "traffic", f"users of {' and '.join(strangers[0])} are different people, where they were the same", why
        )


def publications(view: View) -> list[tuple[str, Publish]]:
    """Every step that publishes, with its service."""
    return [(visit.service, visit.step) for visit in visits(view.scenario) if isinstance(visit.step, Publish)]


def _broker(view: View, step: Publish) -> str:
    return view.flow.topics[step.topic][0] if _is_topic(view, step) else ""


def _is_topic(view: View, step: Publish) -> bool:
    return step.topic in view.flow.topics and step.topic not in view.flow.queues


def _has_producer(view: View, step: Publish) -> bool:
    """Whether its broker says how its producers try again: newer words, with which nothing else was ever meant."""
    broker = view.flow.topics[step.topic][1] if _is_topic(view, step) else None
    return isinstance(broker, LogBroker) and broker.producer is not None


def recorded_rates(view: View) -> Iterator[Finding]:
    """The rates of a recording were counts."""
    for name, traffic in view.scenario.traffic.items():
        if isinstance(traffic.arrivals, Replay) and traffic.arrivals.rates is not None:
            finding = f"`rates: {traffic.arrivals.rates}` are requests per second; they were counts of an interval"
            yield Finding(
                f"traffic.{name}.arrivals.replay",
                finding,
                f"for numbers of requests in each interval write `counts: {traffic.arrivals.rates}`",
            )


def kept_work(view: View) -> Iterator[Finding]:
    """A retry drew the work of its callee anew."""
    retried = {
        edge.target for edge in view.edges if edge.policy.retry is not None and edge.policy.retry.max_attempts > 1
    }
    for traffic in view.scenario.traffic.values():
        if traffic.retry is not None and traffic.retry.max_attempts > 1:
            routes = view.scenario.gateway.routes if view.scenario.gateway is not None else {}
            for target in entered(view.scenario.gateway, traffic.mix):
                retried |= set(routes[target].targets) if target in routes else {target}
    below = _reachable(view, retried)
    drawn = {
        visit.service for visit in visits(view.scenario) if visit.owner in below and _relies_on_kept_work(visit.step)
    }
    if drawn:
        why = "how much there is to do belongs to the request; `per: attempt` beside `work` is what it was"
        yield Finding(", ".join(sorted(drawn)), "a retry meets the work of the try before, where it drew anew", why)


def _relies_on_kept_work(step: Step) -> bool:
    return (
        isinstance(step, Work)
        and relies_on_default(step, "per")
        and step.time.scv > 0
        and word_of(step.time) != "replay"
    )


def _reachable(view: View, endpoints: Iterable[str]) -> set[str]:
    """These endpoints and all that they call or perform."""
    leads: dict[str, list[str]] = {}
    for visit in visits(view.scenario):
        if isinstance(visit.step, (Call, Perform)):
            leads.setdefault(visit.owner, []).append(visit.step.target)
    found: set[str] = set()
    waiting = list(endpoints)
    while waiting:
        endpoint = waiting.pop()
        if endpoint not in found:
            found.add(endpoint)
            waiting += leads.get(endpoint, [])
    return found


def bare_retries(view: View) -> Iterator[Finding]:
    """A retry without a back-off came at once."""
    bare = [
        place
        for place, retry in specs_within("", view.scenario, Retry)
        if relies_on_default(retry, "backoff") and retry.max_attempts > 1
    ]
    if bare:
        why = "as resilience4j's waitDuration; `backoff: {constant: 0s}` is what it was"
        yield Finding(listed(bare), "500ms between attempts, where the next came at once", why)


def route_timeouts(view: View) -> Iterator[Finding]:
    """The timeout of a route was that of each attempt, and went before that of its policy."""
    gateway = view.scenario.gateway
    for name, route in gateway.routes.items() if gateway is not None else ():
        policy, place = view.flow.policy(route.policy), f"gateway.routes.{name}"
        if route.timeout is None or route.per_try_timeout is not None:
            continue
        limit = show_duration(route.timeout)
        if policy.retry is not None and policy.retry.max_attempts > 1:
            why = f"as in Envoy and Istio; `per_try_timeout: {limit}` is what it was"
            yield Finding(
                place, f"its timeout of {limit} is that of all attempts together, where it was one of each", why
            )
        elif policy.timeout is not None and policy.timeout < route.timeout:
            found = (
                f"the {show_duration(policy.timeout)} of its policy end an attempt before its own {limit}, which "
                "went before them"
            )
            yield Finding(place, found, f"what ends first counts; `per_try_timeout: {limit}` is what it was")


def deserted_gateways(view: View) -> Iterator[Finding]:
    """A gateway went on for clients who had gone."""
    gateway = view.scenario.gateway
    if gateway is None or not any(traffic.gives_up for traffic in view.scenario.traffic.values()):
        return
    policies = [view.flow.policy(route.policy).retry for route in gateway.routes.values()]
    if gateway.concurrency == "threads" or any(retry is not None and retry.max_attempts > 1 for retry in policies):
        why = "as nginx, Envoy and Kong do; what it was cannot be said any more"
        yield Finding(
            "gateway", "it stops when its client has gone, and makes no further attempt, where it went on", why
        )


def failures_further_down(view: View) -> Iterator[Finding]:
    """A caller saw why its callee had failed: its open breaker, its timeout, its own callee's full queue."""
    for edge in view.edges:
        reasons = _of_callee(view, edge.target)
        retry = edge.policy.retry
        other = _judged_otherwise(reasons, retry.on if retry is not None else ())
        if edge.policy.circuit_breaker is not None:
            other |= reasons & {"breaker_open", "bulkhead_full"}
        if other:
            yield Finding(f"{edge.place} -> {edge.target}", _seen(other, edge.target), ANSWERS)
    gateway = view.scenario.gateway
    for name, traffic in view.scenario.traffic.items():
        for target in entered(gateway, traffic.mix):
            route = gateway.routes.get(target) if gateway is not None else None
            reasons = (
                _of_policy(route.guarded(view.flow.policy(route.policy)))
                if route is not None
                else _of_callee(view, target)
            )
            other = _judged_otherwise(reasons, traffic.retry.on if traffic.retry is not None else ())
            if other:
                yield Finding(
                    f"traffic.{name} -> {target}", _seen(other, "the gateway" if route is not None else target), ANSWERS
                )


ANSWERS = "as over HTTP and gRPC; `answers_with` of the endpoint or route says otherwise"


def _seen(reasons: set[str], whose: str) -> str:
    words = ", ".join(word for word in RETRIABLE if word in reasons)
    return f"{words} of {whose} towards others is an error for it, where it saw what it was"


def _of_callee(view: View, target: str) -> set[str]:
    """What the calls of an endpoint may end with, beside errors."""
    return {word for edge in view.edges if edge.place == target for word in (*_of_policy(edge.policy), "shed")}


def _of_policy(policy: CallPolicy) -> set[str]:
    own = {"unreachable"}
    own |= {"timeout"} if policy.timeout is not None else set()
    own |= {"breaker_open"} if policy.circuit_breaker is not None else set()
    return own | ({"bulkhead_full"} if policy.bulkhead is not None else set())


def _judged_otherwise(reasons: set[str], on: Sequence[str]) -> set[str]:
    """Those that were retried and now are not, or the other way round."""
    return {reason for reason in reasons if (reason in on) != ("error" in on)}


def translated_refusals(view: View) -> Iterator[Finding]:
    """What limits refuse was not translated."""
    gateway = view.scenario.gateway
    if gateway is None:
        return
    found = [
        name
        for name, route in gateway.routes.items()
        if route.translate is not None and (gateway.rate_limits or route.rate_limits)
    ]
    if found:
        why = "as in Kong, whose grpc-gateway stands before its rate-limiting; what it was cannot be said any more"
        place = listed([f"gateway.routes.{name}" for name in found])
        yield Finding(place, "what a limit refuses has been translated, where it had not", why)


def refusals_to_breakers(view: View) -> Iterator[Finding]:
    """A 429 gave no verdict to a breaker that does not say itself what it hears."""
    limited = {name for name, service in view.scenario.services.items() if _answers_429(service)}
    found = [
        f"{edge.place} -> {edge.target}"
        for edge in view.edges
        if edge.target.partition(".")[0] in limited and _leaves_to_default(edge.policy)
    ]
    if found:
        why = "as clients raise nothing at a 4xx; `records: [rate_limited, ...]` of the breaker says otherwise"
        finding = "a refusal by a limit (429) is a success to the breaker, where it was neither"
        yield Finding(listed(found), finding, why)


def _answers_429(service: Service) -> bool:
    return service.serverless is not None or any(limit.status == 429 for limit in service.rate_limits)


def _leaves_to_default(policy: CallPolicy) -> bool:
    """Whether its breaker hears of a 429 by default; beside a limit of the caller's own that counts as one of these."""
    breaker = policy.circuit_breaker
    if breaker is None or policy.rate_limit is not None:
        return False
    return breaker.records is None and "rate_limited" not in breaker.ignores


RULES: Sequence[Callable[[View], Iterator[Finding]]] = (
    consumers,
    limits,
    producers,
    sticky_producers,
    token_caches,
    populations,
    recorded_rates,
    kept_work,
    bare_retries,
    route_timeouts,
    deserted_gateways,
    failures_further_down,
    translated_refusals,
    refusals_to_breakers,
)
