"""What a run makes in advance, all parts of a scenario together: each field has a bound of its own, and so have their
sums and products.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.spec.actions import polls_of
from sim.spec.arrivals import MOST_NAMES
from sim.spec.document import Location
from sim.spec.scenario import Scenario
from sim.spec.walk import visits
from sim.units import show_duration

MOST_REPLICAS = 1_000_000  # of all services
MOST_MEMBERS = 1_000_000  # consumers of all replicas
MOST_LANES = 1_000_000  # partitions of all topics, counted once for each group
MOST_CLOSED = 10_000_000  # users who wait for their answers
MOST_POLLS = 1_000_000_000  # of all relays in a run, whether there is anything to relay or not
MOST_CHANGES = 10_000_000  # of the state of modulated arrivals in a run: each is a draw, whether anybody arrives or not


def too_large(scenario: Scenario) -> Iterator[tuple[Location, str]]:
    """Where something is more than a run can begin with, and what was found there."""
    yield from _replicas(scenario)
    yield from _consumers(scenario)
    yield from _traffic(scenario)
    yield from _polls(scenario)
    named = sum(1 for _ in _names(scenario))
    if named > MOST_NAMES:
        yield (
            ("services",),
            f"found {named:,} names of services, endpoints, routes, topics and groups, expected at most {MOST_NAMES:,}",
        )


def _replicas(scenario: Scenario) -> Iterator[tuple[Location, str]]:
    counts = {name: service.most_replicas for name, service in scenario.services.items()}
    if sum(counts.values()) > MOST_REPLICAS:
        largest = max(counts, key=counts.__getitem__)
        yield (
            ("services", largest, "replicas"),
            f"found {sum(counts.values()):,} replicas in all services together, expected at most {MOST_REPLICAS:,}",
        )


def _consumers(scenario: Scenario) -> Iterator[tuple[Location, str]]:
    partitions = {
        name: (broker, topic.partitions)
        for broker, spec in scenario.brokers.items()
        for name, topic in spec.partitioned.items()
    }
    members, groups = 0, set[tuple[str, str]]()
    for name, service in scenario.services.items():
        for topic, consume in service.consumes.items():
            members += service.most_replicas * consume.consumers
            groups.add((consume.group, topic))
            if members > MOST_MEMBERS:
                what = f"found {members:,} consumers in all replicas together, expected at most {MOST_MEMBERS:,}"
                yield ("services", name, "consumes", topic, "consumers"), what
                return
    lanes = 0
    for _, topic in sorted(groups):
        broker, count = partitions.get(topic, ("", 0))
        lanes += count
        if lanes > MOST_LANES:
            what = f"found {lanes:,} partitions of all groups together, expected at most {MOST_LANES:,}"
            yield ("brokers", broker, "topics", topic, "partitions"), what
            return


def _traffic(scenario: Scenario) -> Iterator[tuple[Location, str]]:
    users = 0
    for name, traffic in scenario.traffic.items():
        arrivals = traffic.arrivals
        if arrivals.population:
            users += arrivals.population
            if users > MOST_CLOSED:
                what = f"found {users:,} closed users in all traffic together, expected at most {MOST_CLOSED:,}"
                yield ("traffic", name, "arrivals", "closed", "users"), what
                return
        if (changes := arrivals.changes_per_second * scenario.duration) > MOST_CHANGES:
            shortest = show_duration(2.0 * scenario.duration / MOST_CHANGES)
            what = (
                f"about {changes:,.0f} changes of state in a run of {show_duration(scenario.duration)}, "
                f"expected at most {MOST_CHANGES:,}"
            )
            yield ("traffic", name, "arrivals", "mmpp", "stays"), f"{what}: stays that sum to at least {shortest}"


def _polls(scenario: Scenario) -> Iterator[tuple[Location, str]]:
    for visit in visits(scenario):
        for poll in polls_of(visit.step):
            polls = scenario.duration / poll * scenario.services[visit.service].replicas
            if polls > MOST_POLLS:
                shortest = show_duration(poll * polls / MOST_POLLS)
                what = (
                    f"about {polls:,.0f} polls in a run of {show_duration(scenario.duration)}, expected at most "
                    f"{MOST_POLLS:,}"
                )
                yield (*visit.at, "poll"), f"{what}: one every {shortest} at most"


def _names(scenario: Scenario) -> Iterator[str]:
    """Whatever has a number in the columns of the records."""
    yield from scenario.traffic
    if scenario.gateway is not None:
        yield from scenario.gateway.routes
    for name, service in scenario.services.items():
        yield name
        yield from service.endpoints
        for topic, consume in service.consumes.items():
            yield from (topic, consume.group)
    for spec in scenario.brokers.values():
        yield from (*spec.destinations, *spec.sources)
