"""The names that figures go by, `response_p99(POST /orders)`: which a scenario has is known before it runs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.spec.sites import bulkheads, consumer_station, limits, pools
from sim.spec.view import ViewRead
from sim.spec.walk import visits
from sim.vocabulary import METRICS, Outcome

COMPLETION = "completion"  # the other clock; that of the response goes without saying
GATEWAY = "gateway"


def key_of(name: str, *labels: str) -> str:
    """`recovery_time`, `payments outage`, `completion` -> `recovery_time(payments outage, completion)`."""
    labels = tuple(label for label in labels if label)
    return f"{name}({', '.join(labels)})" if labels else name


def metric_keys(scenario: Scenario) -> set[str]:
    """Every key that `measure` gives for this scenario, whatever happens in the run; figures that make no sense for it
    are nan, not absent.
    """
    known = {
        "route": routes(scenario),
        "outcome": tuple(outcome.word for outcome in Outcome),
        "service": stations(scenario),
        "station": pooled(scenario),
        "group": groups(scenario),
        "view": views(scenario),
        "fault": tuple(fault.name for fault in named_faults(scenario)),
        "clock": ("", COMPLETION),
    }
    overall = {metric.name for metric in METRICS.values() if metric.overall}
    labelled = (
        key_of(metric.name, *labels)
        for metric in METRICS.values()
        if metric.labels
        for labels in product(*(known[label] for label in metric.labels))
    )
    return overall.union(labelled)


def routes(scenario: Scenario) -> tuple[str, ...]:
    """What clients can send to: the routes of the gateway and every target of the traffic."""
    gateway = tuple(scenario.gateway.routes) if scenario.gateway else ()
    return tuple(
        dict.fromkeys((*gateway, *(target for traffic in scenario.traffic.values() for target in traffic.mix)))
    )


def views(scenario: Scenario) -> tuple[str, ...]:
    """The views that something reads."""
    names = (visit.step.name for visit in visits(scenario) if isinstance(visit.step, ViewRead))
    return tuple(dict.fromkeys(names))


def stations(scenario: Scenario) -> tuple[str, ...]:
    """What has workers and a queue: the services, and the gateway."""
    return (*scenario.services, *((GATEWAY,) if scenario.gateway is not None else ()))


def pooled(scenario: Scenario) -> tuple[str, ...]:
    """What can be full: the services and the gateway, consumers by group and topic or by queue, bulkheads and rate
    limits.
    """
    consumed = (
        (consume.group, source)
        for service in scenario.services.values()
        for source, consume in service.consumes.items()
    )
    topics = tuple(dict.fromkeys(consumer_station(group, source) for group, source in consumed))
    places = (*bulkheads(scenario), *pools(scenario))
    return (*stations(scenario), *topics, *(its.name for its in places), *limits(scenario))


def groups(scenario: Scenario) -> tuple[str, ...]:
    """The consumer groups of all services, and all queues."""
    grouped = [
        consume.group
        for service in scenario.services.values()
        for consume in service.consumes.values()
        if consume.group
    ]
    queues = [
        consumer_station("", queue)
        for spec in scenario.brokers.values()
        for queue in spec.sources
        if queue not in spec.partitioned
    ]
    return tuple(dict.fromkeys([*grouped, *queues]))


@dataclass(frozen=True)
class NamedFault:
    """When a fault with a name begins and ends."""

    name: str
    begin: float
    end: float  # inf: never


def named_faults(scenario: Scenario) -> tuple[NamedFault, ...]:
    """The faults that figures are given for."""
    return tuple(NamedFault(fault.name, float(fault.at), fault.end) for fault in scenario.faults if fault.name)


def before_harm(records: Records, scenario: Scenario, fault: NamedFault) -> tuple[float, float]:
    """What 'before the fault' means: from the warm-up until the first harm that begins after it.

    With one fault that is from warm-up to fault, as the language says. With several, the time between them is not
    undisturbed, and a system that has not recovered from the first may not be the measure for the second.
    """
    begins = [other.at for other in scenario.faults if other.at > records.warmup]
    return records.warmup, min([fault.begin, *begins])
