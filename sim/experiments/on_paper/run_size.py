"""How much one replication is, on paper: attempts, rows, and the bytes that it takes while it runs.

The figures are those of `tests/bench/row_memory.py` (84 bytes for a row while it is made, 62 in the records) and of
runs of the whole command, of 0.6 to 3 million rows, of 20,000 replicas, consumers and partitions, and of 100,000 users
and waiting requests. They are for the engine that takes more.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from sim.errors import UsageError
from sim.experiments.on_paper.offered_load import Analysis, analysis_of
from sim.spec.actions import Calls, polls_of
from sim.spec.base import UNLIMITED
from sim.spec.scenario import Recording, Scenario
from sim.spec.sites import GATEWAY, Limit, call_sites, placed_limits
from sim.spec.walk import visits

ROW = 84.0  # bytes, at the peak of a run
MEASURED = 190.0  # bytes on top of these, while the rows are measured
KEPT = 62.0  # bytes of a row that is kept
SPANS = 6.0  # rows of attempts and of their stages, for each attempt, as large as one of a request
WAITING = 1_500.0  # bytes of a request that is under way
USER, REPLICA, MEMBER, LANE = 1_800.0, 2_700.0, 6_200.0, 3_300.0
# a place in the ring of a breaker or a log; a replica as a caller's balancer knows it; a point of a series
STAMP, PAIR, SAMPLE = 30.0, 8.0, 30.0
REMEMBERED = 400.0  # bytes of a key: an event that an idempotent consumer has seen, a user with a limit or a token
SERIES = 9  # of one component, about


@dataclass(frozen=True)
class Size:
    """What one replication amounts to."""

    attempts: float  # and deliveries
    rows: float  # of requests, messages, attempts and stages that are kept; 0 with a summary
    waiting: float  # requests under way at once, where more come than can be served
    fixed: float  # bytes of what there is from the beginning
    keys: float  # that are remembered in the end
    points: float  # of the time series
    polls: float  # of the relays of outboxes

    @property
    def while_running(self) -> float:
        """Bytes, when the records are made and measured."""
        return self.fixed + self.waiting * WAITING + self.keys * REMEMBERED + self.of_rows

    @property
    def of_rows(self) -> float:
        """Bytes of these for rows."""
        return self.rows * (ROW + MEASURED)

    @property
    def kept(self) -> float:
        """Bytes of the records of one that is kept."""
        return self.rows * KEPT


def size_of(scenario: Scenario, record: Recording | None = None) -> Size:
    """What one replication amounts to, with `record` in the place of its own where that is said.

    Of closed users it is the most that they can send; what has no bound on paper counts for nothing.
    """
    record = record if record is not None else scenario.record
    analysis = _on_paper(scenario)
    if analysis is None:
        requests = attempts_of(scenario)
        return Size(requests, _kept(record, requests, 0.0, requests), 0.0, fixed(scenario), 0.0, _points(scenario), 0.0)
    requests = _finite(math.fsum(analysis.sent.values())) * scenario.duration
    groups = Counter(topic for service in scenario.services.values() for topic in service.consumes)
    messages = (
        _finite(math.fsum(rate * groups[topic] for topic, rate in analysis.rates.topics.items())) * scenario.duration
    )
    attempts = attempts_of(scenario)
    kept = _kept(record, requests, messages, _finite(attempts))
    return Size(
        attempts,
        kept,
        _waiting(scenario, analysis),
        fixed(scenario),
        _remembered(scenario, analysis),
        _points(scenario),
        _polls(scenario),
    )


def _on_paper(scenario: Scenario) -> Analysis | None:
    """None where a distribution of a plug-in says nothing on paper (`sim.spec.distribution`): then there are its
    requests alone.
    """
    try:
        return analysis_of(scenario)
    except UsageError:
        return None


def roughly(scenario: Scenario) -> float:
    """Bytes of what is there from the beginning and of one row for each request of open traffic: quickly known, and
    enough to compare variations.
    """
    from sim.experiments.on_paper.load_factor import open_rate

    try:
        return fixed(scenario) + open_rate(scenario) * scenario.duration * ROW
    except UsageError:  # arrivals of a plug-in
        return fixed(scenario)


def attempts_of(scenario: Scenario) -> float:
    """How many attempts and deliveries one replication makes, on paper: of open traffic as it comes, of closed users
    the most that they can send.
    """
    from sim.experiments.on_paper.load_factor import open_rate

    analysis = _on_paper(scenario)
    if analysis is None:
        return open_rate(scenario) * scenario.duration
    found = analysis.rates
    groups = Counter(topic for service in scenario.services.values() for topic in service.consumes)
    visited = [*found.endpoints.values(), *found.routes.values()]
    deliveries = [rate * (1 + groups[topic]) for topic, rate in found.topics.items()]
    return math.fsum((*visited, *deliveries)) * scenario.duration


def _kept(record: Recording, requests: float, messages: float, attempts: float) -> float:
    if record.keep == "summary":
        return 0.0
    return requests + messages + (SPANS * attempts if record.spans == "all" else 0.0)


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _waiting(scenario: Scenario, analysis: Analysis) -> float:
    """Requests under way: a backlog grows where more is asked for than can be done, up to what queues take; elsewhere
    Little's law.
    """
    duration = scenario.duration
    backlog = 0.0
    for station in analysis.load("").stations:
        if station.resource in ("workers", "cores", "consumers", "threads") and station.falls_behind:
            grows = _finite(station.rate * (1.0 - 1.0 / station.utilisation)) * duration
            backlog = max(backlog, min(grows, _room(scenario, station.name)))
    bound = 0.0 if all(traffic.arrivals.population for traffic in scenario.traffic.values()) else math.inf
    bound += sum(traffic.arrivals.population for traffic in scenario.traffic.values())
    under_way = math.fsum(
        _finite(rate) * min(duration, analysis.response(name)) for name, rate in analysis.sent.items()
    )
    return min(bound, max(backlog, under_way))


def _room(scenario: Scenario, name: str) -> float:
    """How many may wait in the queues of a component."""
    host = scenario.gateway if name == GATEWAY else scenario.services.get(name)
    if host is None or UNLIMITED in (host.queue.capacity, host.workers) or host.queue.listen_backlog is not None:
        return math.inf  # beside a full listen backlog whoever has no connection yet knocks again and again
    return host.replicas * (host.queue.capacity + host.workers)


def fixed(scenario: Scenario) -> float:
    """Bytes of what there is from the beginning: replicas, consumers, partitions, users, rings and time series."""
    replicas = {name: service.replicas for name, service in scenario.services.items()}
    if scenario.gateway is not None:
        replicas[GATEWAY] = scenario.gateway.replicas
    partitions = {
        name: topic.partitions for spec in scenario.brokers.values() for name, topic in spec.partitioned.items()
    }
    consumes = [
        (service.replicas, topic, consume)
        for service in scenario.services.values()
        for topic, consume in service.consumes.items()
    ]
    lanes = sum(partitions.get(topic, 0) for _, topic in {(consume.group, topic) for _, topic, consume in consumes})
    users = sum(traffic.arrivals.population for traffic in scenario.traffic.values())
    found = REPLICA * sum(replicas.values()) + MEMBER * sum(count * consume.consumers for count, _, consume in consumes)
    return (
        found
        + LANE * (lanes + sum(partitions.values()))
        + USER * users
        + _rings(scenario, replicas)
        + SAMPLE * _points(scenario)
    )


def _rings(scenario: Scenario, replicas: dict[str, int]) -> float:
    """Bytes of what callers remember of those they call, and limits of those who are let in."""
    found, widest = 0.0, max(replicas.values())
    sites = {(site.caller, site.callee, site.policy_name): site.policy for site in call_sites(scenario)}
    for (caller, callee, _), policy in sites.items():
        callers = replicas[caller]
        if replicas.get(callee, 1) > 1:
            found += PAIR * callers * widest
        if (breaker := policy.circuit_breaker) is not None:
            stamps = breaker.failures if breaker.resilience4j is None else breaker.resilience4j.sliding_window_size
            found += STAMP * stamps * (callers if policy.scope == "replica" else 1)
    for limit in placed_limits(scenario):
        if limit.spec.algorithm == "sliding_log":
            spec = limit.spec
            found += (
                PAIR
                * spec.rate
                * spec.window
                * _keys_of(scenario, limit)
                * (limit.replicas if spec.scope == "node" else 1)
            )
    return found


def _keys_of(scenario: Scenario, limit: Limit) -> float:
    """Counts that a limit may come to keep."""
    keys = 1.0
    for word in limit.spec.keys:
        keys *= len(limit.routes) if word == "route" else _keys(scenario) if word in ("user", "consumer", "ip") else 1.0
    return keys


def _remembered(scenario: Scenario, analysis: Analysis) -> float:
    """Keys: of every event for each idempotent group, of every user for each limit by user, and in each node for its
    tokens.
    """
    consumed = {
        (consume.group, topic)
        for service in scenario.services.values()
        for topic, consume in service.consumes.items()
        if consume.idempotent
    }
    found = _finite(math.fsum(analysis.rates.topics.get(topic, 0.0) for _, topic in consumed)) * scenario.duration
    if (gateway := scenario.gateway) is not None:
        caches = sum(isinstance(action, Calls) and action.remembered is not None for action in gateway.authenticates)
        found += _keys(scenario) * gateway.replicas * caches
    by_user = [limit for limit in placed_limits(scenario) if set(limit.spec.keys) & {"user", "consumer", "ip"}]
    times = sum(limit.replicas if limit.spec.scope == "node" else 1 for limit in by_user)
    return found + _keys(scenario) * times


def _keys(scenario: Scenario) -> float:
    """Users who may be told from one another in a run: no more than there are, nor than requests come."""
    from sim.experiments.on_paper.load_factor import open_rate

    return min(sum(traffic.people for traffic in scenario.traffic.values()), open_rate(scenario) * scenario.duration)


def _points(scenario: Scenario) -> float:
    components = (
        len(scenario.services)
        + (scenario.gateway is not None)
        + sum(len(service.consumes) for service in scenario.services.values())
    )
    return scenario.duration / scenario.record.interval * SERIES * components


def _polls(scenario: Scenario) -> float:
    relays = [(visit.service, poll) for visit in visits(scenario) for poll in polls_of(visit.step)]
    return sum(scenario.duration / poll * scenario.services[service].replicas for service, poll in relays)
