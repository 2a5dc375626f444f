"""Whether what a scenario names exists, and whether its parts make sense together.

Checked per variant, after the parts themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Literal, NamedTuple

from sim.errors import did_you_mean
from sim.spec.actions import Calls, Performs, Publishes, TakesStock
from sim.spec.arrivals import MOST_USERS, Replay
from sim.spec.autoscaling_references import node_pool_problems, scaling_problems
from sim.spec.base import word_of
from sim.spec.cache import Cache
from sim.spec.cache_references import write_problems
from sim.spec.calls import endless_loop
from sim.spec.clock import ClockStep
from sim.spec.credentials import ClientCredentials
from sim.spec.document import Location
from sim.spec.fault import Crash, Errors, Fault, Flush, Slow, StoreDown, Zone
from sim.spec.log_references import log_problems
from sim.spec.policy import CallPolicy
from sim.spec.queue_broker import QueueBroker
from sim.spec.queue_references import queue_problems
from sim.spec.queueing import Queue
from sim.spec.route_references import route_problems
from sim.spec.saga import Retract
from sim.spec.scenario import Scenario
from sim.spec.sites import GATEWAY, placed_limits
from sim.spec.sizes import too_large
from sim.spec.steady import unsteady_parts
from sim.spec.step import Call
from sim.spec.together import contradictions
from sim.spec.traffic import Traffic, population_sizes
from sim.spec.walk import Visit, visits
from sim.units import LONGEST, show_duration

MOST_TICKS = 10_000_000  # of the time series of a run
MOST_EFFECTS = 64  # they are the bits of one number in the record of a request
# the two ends of the way to the door: a component of such a name would share its wires
RESERVED = ("gateway", "clients")


class Finding(NamedTuple):
    """Something wrong: where in the document, what, and whether the key (not the value) is to blame."""

    at: Location
    message: str
    of_key: bool = False


def reference_problems(scenario: Scenario) -> list[Finding]:
    """Everything that names something which is not there, or that contradicts something else."""
    names = _Names(scenario)
    checks = (
        _own_names,
        _times,
        _record,
        _traffic,
        _gateway,
        _routes,
        _queues,
        _links,
        _consumers,
        _autoscaling,
        _together,
        _queue_brokers,
        _logs,
        _steps,
        _effects,
        _faults,
        _loops,
        _sizes,
    )
    return [finding for check in checks for finding in check(scenario, names)]


class _Names:
    """What may be named in a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.endpoints = {
            f"{service}.{endpoint}" for service, spec in scenario.services.items() for endpoint in spec.endpoints
        }
        self.routes = set(scenario.gateway.routes) if scenario.gateway is not None else set()
        self.destinations = {name for broker in scenario.brokers.values() for name in broker.destinations}
        self.sources = {name for broker in scenario.brokers.values() for name in broker.sources}
        only_topics = all(set(broker.destinations) == set(broker.partitioned) for broker in scenario.brokers.values())
        self.to_publish, self.to_consume = (
            ("topic", "topic") if only_topics else ("topic, exchange or queue", "topic or queue")
        )
        self.replicas = {name: spec.replicas for name, spec in scenario.services.items()}  # of what a fault can befall
        if scenario.gateway is not None:
            self.replicas["gateway"] = scenario.gateway.replicas
        self.components = {*self.replicas, *scenario.brokers}

    def befallen(self, what: str) -> Iterable[str]:
        """The components of a kind that a fault names."""
        if what == "queue broker":
            return [name for name, broker in self.scenario.brokers.items() if isinstance(broker, QueueBroker)]
        return self.scenario.brokers if what == "broker" else self.replicas

    @cached_property
    def visits(self) -> list[Visit]:
        """Every step of every service."""
        return list(visits(self.scenario))

    @cached_property
    def effects(self) -> set[str]:
        """Every effect that some step brings about."""
        return {effect for visit in self.visits for effect in visit.step.effects}


def _unknown(at: Location, what: str, word: str, known: Iterable[str]) -> Iterator[Finding]:
    """A finding when `word` is not among the `known`."""
    known = set(known)
    if word not in known:
        yield Finding(
            at, f"unknown {what} '{word}'{did_you_mean(word, known) if known else f'; the scenario has no {what}'}"
        )


def _own_names(scenario: Scenario, _: _Names) -> Iterator[Finding]:
    """Names that would be taken for one another."""
    for name in RESERVED:
        if name in scenario.services:
            yield Finding(
                ("services", name), f"the name '{name}' is that of the {name}; call the service otherwise", True
            )
    for broker in scenario.brokers:
        if broker in scenario.services or broker in RESERVED:
            yield Finding(("brokers", broker), f"the name '{broker}' is that of another component", True)
    for pool in scenario.node_pools:
        if pool in scenario.services or pool in scenario.brokers or pool in RESERVED:
            yield Finding(("node_pools", pool), f"the name '{pool}' is that of another component", True)
    owner: dict[str, str] = {}
    for broker, spec in scenario.brokers.items():
        for topic in spec.partitioned:
            if owner.setdefault(topic, broker) != broker:
                yield Finding(
                    ("brokers", broker, "topics", topic),
                    f"the topic '{topic}' is also one of the broker '{owner[topic]}'",
                    True,
                )
        for name in dict.fromkeys((*spec.destinations, *spec.sources)):
            if name not in spec.partitioned and owner.setdefault(name, broker) != broker:
                yield Finding(
                    ("brokers", broker),
                    f"the name '{name}' is also one of the broker '{owner[name]}'; call one of them otherwise",
                )
    seen: set[str] = set()
    for service, of in scenario.services.items():
        for endpoint in of.endpoints:
            if f"{service}.{endpoint}" in seen:
                yield Finding(
                    ("services", service, "endpoints", endpoint),
                    f"'{service}.{endpoint}' could be two endpoints; avoid the dot in names",
                    True,
                )
            seen.add(f"{service}.{endpoint}")


def _times(scenario: Scenario, _: _Names) -> Iterator[Finding]:
    if scenario.by_recording and not any(isinstance(traffic.arrivals, Replay) for traffic in scenario.traffic.values()):
        yield Finding(("duration",), "found recording, expected a duration such as 10m: no traffic replays a recording")
        return
    if scenario.duration > LONGEST:
        yield Finding(
            ("duration",), f"found a recording of {show_duration(scenario.duration)}, expected at most ten years"
        )
    if scenario.warmup >= scenario.duration:
        yield Finding(
            ("warmup",),
            f"found {show_duration(scenario.warmup)}, expected less than the duration, "
            f"{show_duration(scenario.duration)}",
        )
    if scenario.auto_warmup and (parts := unsteady_parts(scenario)):
        yield Finding(
            ("warmup",),
            f"found auto, with {parts[0]}: only under a steady load is there a warm-up to find; state a duration such "
            "as 2m, or 0",
        )
    if scenario.duration / scenario.record.interval > MOST_TICKS:
        yield Finding(
            ("record", "interval"),
            f"found {show_duration(scenario.record.interval)}: more than {MOST_TICKS} points of every time series",
        )


def _record(scenario: Scenario, _: _Names) -> Iterator[Finding]:
    if scenario.record.keep == "summary" and scenario.record.spans == "all":
        words = (
            "found all, with keep: summary, which does not grow with the number of requests; expected none or "
            "exemplars, or keep: rows"
        )
        yield Finding(("record", "spans"), words)


def _traffic(scenario: Scenario, names: _Names) -> Iterator[Finding]:
    people = sum(population_sizes(scenario.traffic).values())
    if people > MOST_USERS:
        yield Finding(
            ("traffic",), f"found {people:,} users in all populations together, expected at most {MOST_USERS:,}"
        )
    what, known = ("route", names.routes) if scenario.gateway is not None else ("endpoint", names.endpoints)
    for source, traffic in scenario.traffic.items():
        if isinstance(traffic.arrivals, Replay) and traffic.arrivals.route is not None:
            yield from _recorded_routes(
                ("traffic", source, "arrivals", "replay", "route"), traffic.arrivals, what, known
            )
            continue
        for target in traffic.mix:
            at: Location = ("traffic", source, "sends", *([] if isinstance(traffic.sends, str) else [target]))
            for finding in _unknown(at, what, target, known):
                yield finding._replace(of_key=not isinstance(traffic.sends, str))


def _recorded_routes(at: Location, arrivals: Replay, what: str, known: set[str]) -> Iterator[Finding]:
    """Routes that a column names and the scenario lacks: the first, and how many there are besides."""
    unknown = [route for route in arrivals.mix if route not in known]
    for finding in _unknown(at, what, unknown[0], known) if unknown else ():
        rest = (
            f" (and {len(unknown) - 1} more in column '{arrivals.route}')"
            if len(unknown) > 1
            else f" (in column '{arrivals.route}')"
        )
        yield finding._replace(message=finding.message + rest)


def _gateway(scenario: Scenario, names: _Names) -> Iterator[Finding]:
    if scenario.gateway is None:
        return
    for route, spec in scenario.gateway.routes.items():
        at = ("gateway", "routes", route)
        yield from _unknown((*at, "to"), "endpoint", spec.to, names.endpoints)
        for target in spec.split:
            yield from _unknown((*at, "split", target), "endpoint", target, names.endpoints)
        yield from _policy(scenario, (*at, "policy"), spec.policy)
        yield from _token(scenario, at, spec.token, names)
        if spec.cache is not None:
            sending = [traffic for traffic in scenario.traffic.values() if (spec.matches or route) in traffic.mix]
            yield from _told_apart((*at, "cache", "key"), spec.cache.told_apart_by, sending)
    word = word_of(scenario.gateway.authentication) if scenario.gateway.authentication is not None else ""
    inside: Location = ("gateway", "authentication", word)
    for action in scenario.gateway.authenticates:
        if isinstance(action, Calls):
            yield from _unknown(
                (*inside, action.said_in) if action.said_in else inside, "endpoint", action.endpoint, names.endpoints
            )
            yield from _policy(scenario, (*inside, "policy"), action.policy)


def _queues(scenario: Scenario, _: _Names) -> Iterator[Finding]:
    """Classes and deadlines of endpoints, routes or traffic that there are."""
    hosts: list[tuple[Location, Queue, str, set[str]]] = [
        (("services", name, "queue"), spec.queue, "endpoint", set(spec.endpoints))
        for name, spec in scenario.services.items()
    ]
    if scenario.gateway is not None:
        hosts.append((("gateway", "queue"), scenario.gateway.queue, "route", set(scenario.gateway.routes)))
    for at, queue, what, known in hosts:
        if queue.key in ("endpoint", "traffic"):
            those = (what, known) if queue.key == "endpoint" else ("traffic", set(scenario.traffic))
            for field, name in queue.named:
                yield from (
                    finding._replace(of_key=True) for finding in _unknown((*at, field, name), those[0], name, those[1])
                )


def _policy(scenario: Scenario, at: Location, policy: str | CallPolicy | None) -> Iterator[Finding]:
    if isinstance(policy, str):
        yield from _unknown(at, "policy", policy, scenario.policies)


def _token(scenario: Scenario, at: Location, token: ClientCredentials | None, names: _Names) -> Iterator[Finding]:
    """The endpoint that gives it, and the policy of the request for it."""
    if token is not None:
        yield from _unknown((*at, "token", "from"), "endpoint", token.provider, names.endpoints)
        yield from _policy(scenario, (*at, "token", "policy"), token.policy)


def _links(scenario: Scenario, names: _Names) -> Iterator[Finding]:
    for index, link in enumerate(scenario.network.links):
        yield from _between(("network", "links", index, "between"), link.between, names)


def _between(at: Location, between: tuple[str, str], names: _Names) -> Iterator[Finding]:
    for index, component in enumerate(between):
        yield from _unknown((*at, index), "component", component, names.components)
    if between[0] == between[1]:
        yield Finding(at, f"found '{between[0]}' twice, expected two components")


def _consumers(scenario: Scenario, names: _Names) -> Iterator[Finding]:
    for service, spec in scenario.services.items():
        for topic in spec.consumes:
            if topic not in names.destinations:  # what can be published to and not consumed is told of elsewhere
                for finding in _unknown(
                    ("services", service, "consumes", topic), names.to_consume, topic, names.sources
                ):
                    yield finding._replace(of_key=True)


def _logs(scenario: Scenario, _: _Names) -> Iterator[Finding]:
    """What is said of logs."""
    yield from (Finding(*found) for found in log_problems(scenario))


def _routes(scenario: Scenario, _: _Names) -> Iterator[Finding]:
    """What is said of routes that several requests of one name are spread over."""
    return (Finding(*problem) for problem in route_problems(scenario))


def _queue_brokers(scenario: Scenario, _: _Names) -> Iterator[Finding]:
    return (Finding(*problem) for problem in queue_problems(scenario))


def _steps(scenario: Scenario, names: _Names) -> Iterator[Finding]:
    for visit in names.visits:
        at = (*visit.at, word_of(visit.step))
        for action in visit.step.actions or ():
            match action:
                case Calls(endpoint):
                    yield from _unknown(at, "endpoint", endpoint, names.endpoints)
                case Performs(endpoint):
                    yield from _perform(at, visit.service, endpoint, names)
                case Publishes(topic):
                    yield from _unknown(at, names.to_publish, topic, names.destinations)
                case TakesStock() if scenario.services[visit.service].stock is None:
                    yield Finding(at, f"the service '{visit.service}' has no stock to take from")
        if isinstance(visit.step, Retract):
            yield from _unknown(at, "effect", visit.step.effect, names.effects)
        yield from _told_apart(at, visit.step.told_apart_by, scenario.traffic.values())
        yield from _policy(scenario, (*visit.at, "policy"), getattr(visit.step, "policy", None))
        if isinstance(visit.step, Call):
            yield from _token(scenario, visit.at, visit.step.token, names)
    yield from (Finding(*problem) for problem in write_problems(scenario.services, names.visits))


def _told_apart(at: Location, apart: Literal["items", "users"] | None, traffic: Iterable[Traffic]) -> Iterator[Finding]:
    """Somebody of whom it is known whose, or for what, a request is."""
    if apart is not None and not any(its.tells_apart(apart) for its in traffic):
        yield Finding(at, f"found no traffic with `{apart}`, by which it tells requests apart: all would be one")


def _autoscaling(scenario: Scenario, _: _Names) -> Iterator[Finding]:
    return (Finding(*problem) for problem in (*scaling_problems(scenario), *node_pool_problems(scenario)))


def _together(scenario: Scenario, names: _Names) -> Iterator[Finding]:
    return (Finding(*problem) for problem in contradictions(scenario, names.visits))


def _perform(at: Location, service: str, endpoint: str, names: _Names) -> Iterator[Finding]:
    yield from _unknown(at, "endpoint", endpoint, names.endpoints)
    if endpoint in names.endpoints and not endpoint.startswith(f"{service}."):
        yield Finding(at, f"'{endpoint}' is an endpoint of another service; '{service}' can only call it")


def _effects(scenario: Scenario, names: _Names) -> Iterator[Finding]:
    first: dict[str, Location] = {}  # where each effect is named first
    for visit in names.visits:
        for effect in visit.step.effects:
            first.setdefault(effect, (*visit.at, word_of(visit.step)))
    if len(first) > MOST_EFFECTS:
        yield Finding(
            list(first.values())[MOST_EFFECTS],
            f"found {len(first)} effects of different names, expected at most {MOST_EFFECTS}",
        )
    wanted: list[tuple[Location, tuple[str, ...]]] = [
        (("traffic", source, "completes_with"), spec.completes_with) for source, spec in scenario.traffic.items()
    ]
    if scenario.gateway is not None:
        wanted += [
            (("gateway", "routes", route, "completes_with"), spec.completes_with)
            for route, spec in scenario.gateway.routes.items()
        ]
    for at, effects in wanted:
        for index, effect in enumerate(effects):
            yield from _unknown((*at, index), "effect", effect, names.effects)
    for role in ("charge", "reservation"):
        effect = getattr(scenario.ledger, role)
        if effect is not None:
            yield from _unknown(("ledger", role), "effect", effect, names.effects)


def _faults(scenario: Scenario, names: _Names) -> Iterator[Finding]:
    seen: set[str | None] = set()
    for index, fault in enumerate(scenario.faults):
        at: Location = ("faults", index)
        if fault.name in seen:
            yield Finding((*at, "name"), f"found the fault '{fault.name}' twice; names must differ")
        seen.add(fault.name)
        yield from _fault(scenario, at, fault, names)


def _fault(scenario: Scenario, at: Location, fault: Fault, names: _Names) -> Iterator[Finding]:
    """What a fault names, and the one that it brings now and then."""
    if fault.inner is not None:
        yield from _fault(scenario, (*at, word_of(fault), "fault"), fault.inner, names)
    for field, what in fault.refers_to.items():
        named, where = fault.named_in(field), (*at, *_under_word(fault), field)
        if len(named) == 2:
            yield from _between(where, (named[0], named[1]), names)
        elif named:
            yield from _unknown(where, what, named[0], names.befallen(what))
    if isinstance(fault, (Crash, Slow, Errors, ClockStep)) and fault.replicas is not None:
        has = names.replicas.get(fault.of, fault.replicas)
        if fault.replicas > has:
            found = f"found {fault.replicas} replicas, expected at most {has}: that is what '{fault.of}' has"
            yield Finding((*at, word_of(fault), "replicas"), found)
    if isinstance(fault, Zone):
        yield from _unknown((*at, "zone"), "zone", fault.zone, sorted(scenario.zones))
    if isinstance(fault, StoreDown):
        stores = {limit.spec.store.name for limit in placed_limits(scenario) if limit.spec.store is not None}
        yield from _unknown((*at, "store_down"), "store of a rate limit", fault.store, sorted(stores))
    if isinstance(fault, Flush) and fault.of in names.replicas:
        looks = [visit for visit in names.visits if visit.service == fault.of]
        caches = {visit.step.name for visit in looks if isinstance(visit.step, Cache)}
        if fault.of == GATEWAY and scenario.gateway is not None:
            caches = {name for name, route in scenario.gateway.routes.items() if route.cache is not None}
        yield from _unknown((*at, "flush"), "cache", fault.cache, sorted(caches))


def _under_word(fault: Fault) -> tuple[str, ...]:
    """`outage: payments` and `slow: {of: payments}`: what is named stands under the word of the fault."""
    return (word_of(fault),)


def _loops(scenario: Scenario, names: _Names) -> Iterator[Finding]:
    loop = endless_loop(scenario, names.visits)
    if loop is not None:
        at, chain = loop
        yield Finding(at, f"an endless loop: {chain}")


def _sizes(scenario: Scenario, _: _Names) -> Iterator[Finding]:
    return (Finding(at, message) for at, message in too_large(scenario))
