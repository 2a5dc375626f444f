"""Words that are right each by itself and say something impossible, or nothing at all, together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.errors import did_you_mean
from sim.spec.balancing import Balancing
from sim.spec.base import word_of
from sim.spec.cache import Cache
from sim.spec.clock import MOST_WINDOWS
from sim.spec.credentials import ClientCredentials
from sim.spec.document import Location
from sim.spec.event_store import EventStore
from sim.spec.fault import Deploy, Fault
from sim.spec.limits import RateLimit
from sim.spec.lock import Lock
from sim.spec.queueing import Queue
from sim.spec.scenario import Scenario
from sim.spec.service import Consume, Service
from sim.spec.sites import GATEWAY
from sim.spec.step import Call
from sim.spec.view import ViewApply, ViewRead, ViewWrite
from sim.spec.walk import Visit
from sim.units import show_duration

_STORE = ("event store", "event stores", "event_store")
_OF_A_STORE = ("key", "begins_with", "snapshot_every")

Found = tuple[Location, str, bool]  # where, what, and whether the key (not the value) is to blame


def contradictions(scenario: Scenario, visits: Iterable[Visit]) -> Iterator[Found]:
    """What two parts of a scenario say that cannot both be meant."""
    for name, service in scenario.services.items():
        yield from _weights(name, service)
        for source, consume in service.consumes.items():
            yield from _heartbeat(("services", name, "consumes", source, "membership"), consume)
    yield from _of_one_group(scenario)
    visits = list(visits)
    yield from _of_one_name(visits)
    yield from _tokens(scenario, visits)
    yield from _locks(visits)
    yield from _headers(scenario)
    yield from _clocks(scenario)
    yield from _views(visits)
    for index, fault in enumerate(scenario.faults):
        yield from _deployment(scenario, ("faults", index), fault)


def _weights(name: str, service: Service) -> Iterator[Found]:
    """A weight belongs to a replica, and replicas that come later have none."""
    balancing = service.load_balancing
    weights = balancing.weights if isinstance(balancing, Balancing) else ()
    at = ("services", name, "load_balancing", "weights")
    later = [word for word in ("autoscaling", "node_pool") if getattr(service, word) is not None]
    if service.vertical_scaling is not None and service.vertical_scaling.replaces:
        later.append("vertical_scaling")
    if weights and later:
        words = f"found weights beside {later[0]}, expected one of them: a replica that comes later has no weight"
        yield at, words, False
    elif weights and len(weights) != service.replicas:
        yield at, f"found {len(weights)} weights, expected {service.replicas}: one for each replica", False


def _heartbeat(at: Location, consume: Consume) -> Iterator[Found]:
    """The Java client does not start otherwise (Heartbeat.java: "must be set lower than the session timeout")."""
    membership = consume.membership
    if membership is not None and membership.beat >= consume.session_timeout:
        beat, session = show_duration(membership.beat), show_duration(consume.session_timeout)
        yield (*at, "heartbeat_interval"), f"found {beat}, expected less than the session_timeout, {session}", False


def _of_one_group(scenario: Scenario) -> Iterator[Found]:
    """Members of one group rebalance together (Kafka: InconsistentGroupProtocolException)."""
    first: dict[tuple[str, str], tuple[str, Consume]] = {}
    for name, service in scenario.services.items():
        for source, consume in service.consumes.items():
            whose, known = first.setdefault((consume.group, source), (name, consume))
            if known.membership != consume.membership:
                at = ("services", name, "consumes", source)
                words = (
                    f"found another `membership` than '{whose}' says, expected the same: "
                    f"both are members of '{consume.group}', which rebalances as one"
                )
                yield (*at, "membership") if consume.membership is not None else at, words, False


def _of_one_name(visits: Iterable[Visit]) -> Iterator[Found]:
    """Caches of one name in one service are one, and so must be what is said of them; of event stores what they are."""
    first: dict[tuple[str, str, str], Cache | EventStore] = {}
    for visit in visits:
        step = visit.step
        if not isinstance(step, Cache | EventStore):
            continue
        what, plural, word = ("cache", "caches", "cache") if isinstance(step, Cache) else _STORE
        known = first.setdefault((visit.service, word, step.name), step)
        said = [field for field in type(known).model_fields if field != "then"] if word == "cache" else _OF_A_STORE
        differ = [field for field in said if getattr(known, field) != getattr(step, field)]
        if differ:
            words = (
                f"found another `{differ[0]}` than where the {what} '{known.name}' is named first, expected the same: "
                f"{plural} of one name are one"
            )
            yield (*visit.at, word), words, False


def _tokens(scenario: Scenario, visits: Iterable[Visit]) -> Iterator[Found]:
    """Calls of one service that name one provider and client share a token, and so do routes of the gateway: what is
    said of it must be the same.
    """
    first: dict[tuple[str, str], ClientCredentials] = {}
    for caller, at, token in _placed_tokens(scenario, visits):
        known = first.setdefault((caller, token.name), token)
        differ = [field for field in ClientCredentials.model_fields if getattr(known, field) != getattr(token, field)]
        if differ:
            whose = f" for the client '{token.client}'" if token.client is not None else ""
            words = (
                f"found another `{differ[0]}` than where '{caller}' names a token of '{token.provider}'{whose} first, "
                "expected the same: tokens of one provider are one, unless each has a `client` of its own"
            )
            yield at, words, False


def _placed_tokens(scenario: Scenario, visits: Iterable[Visit]) -> Iterator[tuple[str, Location, ClientCredentials]]:
    """Every token of routes and calls, with its caller and where it stands."""
    if scenario.gateway is not None:
        for name, route in scenario.gateway.routes.items():
            if route.token is not None:
                yield GATEWAY, ("gateway", "routes", name, "token"), route.token
    for visit in visits:
        if isinstance(visit.step, Call) and visit.step.token is not None:
            yield visit.service, (*visit.at, "token"), visit.step.token


def _locks(visits: Iterable[Visit]) -> Iterator[Found]:
    """Locks of one name are one, whoever asks for it."""
    first: dict[str, Lock] = {}
    for visit in visits:
        if isinstance(visit.step, Lock) and first.setdefault(visit.step.name, visit.step).key != visit.step.key:
            words = (
                f"found another `key` than where the lock '{visit.step.name}' is named first, expected the same: "
                "locks of one name are one"
            )
            yield (*visit.at, "lock"), words, False


def _views(visits: Iterable[Visit]) -> Iterator[Found]:
    """A view that is read, or shows something, has somebody who writes, and shows it some time; all writes of it are
    told apart alike.
    """
    every = [visit for visit in visits if isinstance(visit.step, ViewWrite | ViewApply | ViewRead)]
    written: dict[str, ViewWrite] = {}
    applied = {visit.step.name for visit in every if isinstance(visit.step, ViewApply)}
    for visit in every:
        step = visit.step
        if not isinstance(step, ViewWrite):
            continue
        first = written.setdefault(step.name, step)
        if first is step and step.name not in applied:
            words = (
                f"found a view '{step.name}' that never shows what is written: nobody says `view_apply: {step.name}`"
            )
            yield (*visit.at, "view_write"), words, False
        if first.key != step.key:
            words = f"found `key: {step.key}` where another write of '{step.name}' says {first.key}, expected the same"
            yield (*visit.at, "view_write"), words, False
    for visit in every:
        if isinstance(visit.step, ViewApply | ViewRead) and visit.step.name not in written:
            at, name = (*visit.at, word_of(visit.step)), visit.step.name
            hint = did_you_mean(name, written) if written else f"; nobody says `view_write: {name}`"
            yield at, f"unknown view '{name}'{hint}", False


def _clocks(scenario: Scenario) -> Iterator[Found]:
    """Windows that clocks are not too many of apart: the counts of all of them are kept."""
    for at, limit in _limits(scenario):
        low, high = scenario.skew_of(str(at[0] if at[0] == "gateway" else at[1]))
        shortest = min(its.window for its in limit.periods)
        by_clock = limit.counts_in_windows and limit.algorithm != "sliding_log" and limit.window_from == "clock"
        if by_clock and limit.reads == "node" and high - low > MOST_WINDOWS * shortest:
            words = (
                f"found windows of {show_duration(shortest)}, and clocks that are {show_duration(high - low)} apart, "
                f"expected at most {MOST_WINDOWS:,} windows"
            )
            yield at, words, False


def _headers(scenario: Scenario) -> Iterator[Found]:
    """Headers, and values of them, that some client sends."""
    sent: dict[str, set[str]] = {}
    for traffic in scenario.traffic.values():
        for header, values in traffic.headers.items():
            sent.setdefault(header, set()).update([values] if isinstance(values, str) else values)
    for at, limit in _limits(scenario):
        if limit.header is not None:
            yield from _known((*at, "header"), "header", limit.header, sent, False)
        for header, wanted in limit.when.items():
            yield from _known((*at, "when", header), "header", header, sent, True)
            for value in wanted if header in sent else ():
                yield from _known((*at, "when", header), f"value of {header}", value, sent[header], False)
    hosts: list[tuple[Location, Queue]] = [
        (("services", name, "queue"), service.queue) for name, service in scenario.services.items()
    ]
    if scenario.gateway is not None:
        hosts.append((("gateway", "queue"), scenario.gateway.queue))
    for place, queue in hosts:
        if queue.header is not None:
            yield from _known((*place, "header"), "header", queue.header, sent, False)
            for field, value in queue.named if queue.header in sent else ():
                yield from _known((*place, field, value), f"value of {queue.header}", value, sent[queue.header], True)


def _known(at: Location, what: str, word: str, known: Iterable[str], of_key: bool) -> Iterator[Found]:
    known = sorted(known)
    if word not in known:
        hint = did_you_mean(word, known) if known else "; no traffic has `headers`"
        yield at, f"unknown {what} '{word}'{hint}", of_key


def _limits(scenario: Scenario) -> Iterator[tuple[Location, RateLimit]]:
    """Every limit of gateway, routes and services, and where it stands."""
    placed: list[tuple[Location, tuple[RateLimit, ...]]] = [
        (("services", name, "rate_limits"), service.rate_limits) for name, service in scenario.services.items()
    ]
    if scenario.gateway is not None:
        placed.append((("gateway", "rate_limits"), scenario.gateway.rate_limits))
        placed += [
            (("gateway", "routes", name, "rate_limits"), route.rate_limits or ())
            for name, route in scenario.gateway.routes.items()
        ]
    for at, limits in placed:
        for index, limit in enumerate(limits):
            yield (*at, index), limit


def _deployment(scenario: Scenario, at: Location, fault: Fault) -> Iterator[Found]:
    """A Deployment is of a service: the gateway has no `start` and no `drain`."""
    if isinstance(fault, Deploy) and fault.of == "gateway" and scenario.gateway is not None:
        words = "found 'gateway', expected a service: a gateway is restarted one by one, `restart: {of: gateway}`"
        yield (*at, "deploy", "of"), words, False
