"""Follows requests and messages through a scenario on paper: how often each endpoint runs, and how long a run holds what.

Means without queueing, faults, retries or redeliveries. A `fail` or `refuse` step thins what comes after it, and so does a failed call without
a fallback. Not modelled: timeouts that cut a slow tail (a call is held at most its timeout on average), rate limits per user, skewed keys.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sim.spec.broker import LogBroker, Topic
from sim.spec.gateway import Gateway, Jwt, OAuth, RateLimit, Route
from sim.spec.policy import NO_POLICY, CallPolicy
from sim.spec.scenario import Scenario
from sim.spec.service import Consume, Service
from sim.spec.step import Call, Fail, Parallel, Perform, Publish, Refuse, Reply, Step, Take, Wait, Work
from sim.spec.traffic import Replay, Traffic

ROUNDS = 200  # of the fixed point; as many are needed as the calls are deep, more only where topics feed one another in a circle


@dataclass
class Profile:
    """One run of a list of steps, on average."""

    hold: float = 0.0  # s from the first step to the last: what a thread is held
    response: float = 0.0  # s until the caller has its answer
    own: float = 0.0  # s of work and waits of its own
    work: float = 0.0  # s of work: what a core, or a worker of an event loop, is held
    alive: float = 1.0  # share that reaches the end
    refused: float = 0.0  # share that the business refuses
    replied: bool = False
    calls: dict[str, float] = field(default_factory=dict)  # endpoint -> visits by call
    publishes: dict[str, float] = field(default_factory=dict)  # topic -> messages

    @property
    def failed(self) -> float:
        """Share that ends in a failure."""
        return max(0.0, 1.0 - self.alive - self.refused)


Consumer = tuple[str, str]  # service, topic


class Flow:
    """What every endpoint and consumer of a scenario does on average, and how often it does it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.topics: dict[str, tuple[str, LogBroker, Topic]] = {
            name: (broker_name, broker, topic) for broker_name, broker in scenario.brokers.items() for name, topic in broker.topics.items()
        }
        self.endpoints: dict[str, Profile] = {f"{service}.{name}": Profile() for service, spec in scenario.services.items() for name in spec.endpoints}
        self.consumers: dict[Consumer, Profile] = {(service, topic): Profile() for service, spec in scenario.services.items() for topic in spec.consumes}
        self._settle()

    def policy(self, reference: str | CallPolicy | None) -> CallPolicy:
        """The policy that a step or a route names or holds."""
        if isinstance(reference, str):
            return self.scenario.policies.get(reference, NO_POLICY)
        return reference or NO_POLICY

    def latency(self, one: str, other: str) -> float:
        """Mean of one direction of the link between two components, seconds."""
        network = self.scenario.network
        link = next((link for link in network.links if set(link.between) == {one, other}), network.default)
        return link.latency.mean if link.latency is not None else 0.0

    def steps_of(self, endpoint: str) -> tuple[Step, ...]:
        """The steps of `service.endpoint`; none where there is no such endpoint."""
        service, _, name = endpoint.partition(".")
        spec = self.scenario.services.get(service)
        return spec.endpoints[name].do if spec is not None and name in spec.endpoints else ()

    def answer_time(self, caller: str, endpoint: str, policy: CallPolicy = NO_POLICY) -> float:
        """Mean time until a caller has the answer of one attempt."""
        profile = self.endpoints.get(endpoint, Profile())
        limits = [policy.timeout] if policy.timeout is not None else []
        return min([profile.response + 2.0 * self.latency(caller, endpoint.partition(".")[0]), *limits])

    def acknowledgement(self, service: str, topic: str) -> float:
        """Mean time until a publisher has the broker's ack."""
        if topic not in self.topics:
            return 0.0
        name, broker, _ = self.topics[topic]
        if str(broker.acks) == "0":
            return 0.0
        replication = broker.replication.mean if broker.replication is not None and str(broker.acks) == "all" else 0.0
        return 2.0 * self.latency(service, name) + replication

    # ---- one run of each

    def _settle(self) -> None:
        """Profiles depend on those they call: repeat until nothing changes."""
        for _ in range(ROUNDS):
            endpoints = {place: self._profile(self.steps_of(place), place.partition(".")[0]) for place in self.endpoints}
            consumers = {place: self._profile(self.scenario.services[place[0]].consumes[place[1]].do, place[0]) for place in self.consumers}
            if endpoints == self.endpoints and consumers == self.consumers:
                return
            self.endpoints, self.consumers = endpoints, consumers

    def _profile(self, steps: Iterable[Step], service: str) -> Profile:
        profile = Profile()
        self._walk(profile, steps, service, 0)
        _reply(profile)
        return profile

    def _walk(self, profile: Profile, steps: Iterable[Step], service: str, depth: int) -> None:
        for step in steps:
            share = profile.alive
            match step:
                case Work():
                    _spend(profile, share * step.time.mean, working=True)
                case Wait():
                    _spend(profile, share * step.time.mean, working=False)
                case Take() if step.options.check_to_write is not None:
                    _spend(profile, share * step.options.check_to_write.mean, working=False)
                case Fail():
                    profile.alive -= share * step.share
                case Refuse():
                    profile.alive -= share * step.share
                    profile.refused += share * step.share
                case Reply():
                    _reply(profile)
                case Perform() if depth < ROUNDS:
                    self._walk(profile, self.steps_of(step.target), service, depth + 1)
                case Call():
                    self._call(profile, step, service, depth)
                case Publish():
                    profile.publishes[step.topic] = profile.publishes.get(step.topic, 0.0) + share
                    profile.hold += 0.0 if step.via == "outbox" else share * self.acknowledgement(service, step.topic)
                case Parallel():
                    self._parallel(profile, step.branches, service, depth)

    def _call(self, profile: Profile, step: Call, service: str, depth: int) -> None:
        share, callee = profile.alive, self.endpoints.get(step.target, Profile())
        profile.calls[step.target] = profile.calls.get(step.target, 0.0) + share
        profile.hold += share * self.answer_time(service, step.target, self.policy(step.policy))
        profile.refused += share * callee.refused
        profile.alive = share * callee.alive
        if step.fallback is not None and callee.failed > 0:
            instead = Profile(alive=share * callee.failed)
            self._walk(instead, step.fallback, service, depth)
            _merge(profile, instead, instead.hold)
            profile.alive += instead.alive

    def _parallel(self, profile: Profile, branches: Sequence[Sequence[Step]], service: str, depth: int) -> None:
        share, longest, survivors, refused = profile.alive, 0.0, 1.0, 0.0
        for steps in branches:
            branch = Profile(alive=share)
            self._walk(branch, steps, service, depth)
            _merge(profile, branch, 0.0)
            longest = max(longest, branch.hold)
            survivors *= branch.alive / share if share else 0.0
            refused = max(refused, branch.refused)
        profile.hold += longest
        profile.alive = share * survivors
        profile.refused += min(refused, share - profile.alive)


def _reply(profile: Profile) -> None:
    if not profile.replied:
        profile.response, profile.replied = profile.hold, True


def _spend(profile: Profile, seconds: float, working: bool) -> None:
    profile.hold += seconds
    profile.own += seconds
    profile.work += seconds if working else 0.0


def _merge(profile: Profile, part: Profile, hold: float) -> None:
    profile.hold += hold
    profile.own += part.own
    profile.work += part.work
    for counts, more in ((profile.calls, part.calls), (profile.publishes, part.publishes)):
        for place, visits in more.items():
            counts[place] = counts.get(place, 0.0) + visits


# ---- how often


@dataclass
class Rates:
    """Visits per second of every place, for one load."""

    targets: dict[str, float]  # what clients send: route, or service.endpoint
    routes: dict[str, float]  # what passes the gateway's authentication and limits
    endpoints: dict[str, float]  # by call; a consumer's `perform` is not a visit
    topics: dict[str, float]


def rates(flow: Flow, sent: Mapping[str, float]) -> Rates:
    """Everything that follows from so many requests per second of each traffic."""
    targets: dict[str, float] = {}
    for name, traffic in flow.scenario.traffic.items():
        for target, share in traffic.mix.items():
            targets[target] = targets.get(target, 0.0) + share * sent.get(name, 0.0)
    gateway = flow.scenario.gateway
    passed = _passed(gateway, targets) if gateway is not None else {}
    source: dict[str, float] = {target: rate for target, rate in targets.items() if target not in passed}
    for route, rate in passed.items():
        endpoint = gateway.routes[route].to if gateway is not None else route
        source[endpoint] = source.get(endpoint, 0.0) + rate
    for endpoint, rate in introspections(flow, sent).items():
        source[endpoint] = source.get(endpoint, 0.0) + rate
    endpoints, topics = _spread(flow, source)
    return Rates(targets, passed, endpoints, topics)


def _passed(gateway: Gateway, targets: Mapping[str, float]) -> dict[str, float]:
    """Requests per second and route behind authentication and the limits `per: route` and `per: all`."""
    invalid = getattr(gateway.authentication, "invalid", 0.0)
    passed = {route: targets.get(route, 0.0) * (1.0 - invalid if spec.authenticate else 1.0) for route, spec in gateway.routes.items()}
    for limit in gateway.rate_limits:
        most = limit_in_all(limit, gateway)
        if limit.per == "route":
            passed = {route: min(rate, most) for route, rate in passed.items()}
        elif limit.per == "all":
            total = sum(passed.values())
            passed = {route: rate * min(1.0, most / total) if total else 0.0 for route, rate in passed.items()}
    return passed


def limit_in_all(limit: RateLimit, gateway: Gateway) -> float:
    """What a limit lets through per second and key when every replica counts for itself, or all together."""
    return limit.rate * (gateway.replicas if limit.scope == "node" else 1)


def introspections(flow: Flow, sent: Mapping[str, float]) -> dict[str, float]:
    """Calls per second of the identity provider: one per user, gateway replica and `cache_ttl`; without users nothing can be remembered."""
    gateway = flow.scenario.gateway
    if gateway is None or not isinstance(gateway.authentication, OAuth):
        return {}
    oauth, misses = gateway.authentication, 0.0
    for name, traffic in flow.scenario.traffic.items():
        rate = sent.get(name, 0.0) * sum(share for target, share in traffic.mix.items() if target in gateway.routes and gateway.routes[target].authenticate)
        groups = user_shares(traffic)
        here = rate / gateway.replicas
        missed = sum(count * here * share / (1.0 + here * share * oauth.cache_ttl) for share, count in groups)
        misses += gateway.replicas * missed if groups else rate
    return {oauth.introspect: float(misses)}


def user_shares(traffic: Traffic) -> list[tuple[float, int]]:
    """How much of the traffic a user sends, most popular first: (share of one, how many such users); the far tail as one group."""
    if isinstance(traffic.arrivals, Replay) and traffic.arrivals.data is not None and traffic.arrivals.data.user:
        requests = Counter(traffic.arrivals.data.user)
        return [(count / requests.total(), 1) for _, count in requests.most_common()]
    if traffic.users is None:
        return []
    count, exponent = traffic.users.count, traffic.users.exponent
    if exponent == 0.0:
        return [(1.0 / count, count)]
    head = min(count, 10_000)
    weights = [math.pow(rank, -exponent) for rank in range(1, head + 1)]
    tail = _integral(exponent, head + 0.5, count + 0.5) if count > head else 0.0
    total = math.fsum(weights) + tail
    groups = [(weight / total, 1) for weight in weights]
    return groups if count == head else [*groups, (tail / total / (count - head), count - head)]


def _integral(exponent: float, low: float, high: float) -> float:
    if exponent == 1.0:
        return math.log(high / low)
    return float((high ** (1.0 - exponent) - low ** (1.0 - exponent)) / (1.0 - exponent))


def _spread(flow: Flow, source: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Carry the rates along calls and topics until they change no more. A circle that feeds itself grows without end: it is cut off."""
    endpoints, topics = dict(source), dict.fromkeys(flow.topics, 0.0)
    for _ in range(ROUNDS):
        more, published = dict(source), dict.fromkeys(flow.topics, 0.0)
        running = [(endpoints.get(place, 0.0), profile) for place, profile in flow.endpoints.items()]
        running += [(topics.get(topic, 0.0), profile) for (_, topic), profile in flow.consumers.items()]
        for rate, profile in running:
            for place, visits in profile.calls.items():
                more[place] = more.get(place, 0.0) + rate * visits
            for topic, visits in profile.publishes.items():
                published[topic] = published.get(topic, 0.0) + rate * visits
        if more == endpoints and published == topics:
            break
        endpoints, topics = more, published
    return endpoints, topics


# ---- what is there to be held


def gateway_work(gateway: Gateway, route: Route | None) -> float:
    """Mean work of the gateway itself on one request of a route that is let through."""
    parts = [gateway.work]
    if gateway.authentication is not None and (route is None or route.authenticate):
        parts.append(gateway.authentication.work if isinstance(gateway.authentication, Jwt) else getattr(gateway.authentication, "lookup", None))
    if route is not None and route.translate is not None:
        parts += [route.translate.work, route.translate.response_work]
    return math.fsum(part.mean for part in parts if part is not None)


def members(service: Service, consume: Consume) -> int:
    """Members of a consumer group on all replicas together."""
    return service.replicas * consume.consumers
