"""A scenario under construction, into which several readers write; what they cannot know of one another is left open
until `joining`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sim.importing.parts import Notes
from sim.spec.document import Data, Place

Key = tuple[str, str]  # namespace (empty where the format has none) and name: what tells one service from another


@dataclass(frozen=True)
class Said:
    """A value of the scenario and the remark beside it: where it came from, or what stands in for what no file says."""

    value: Data
    remark: str = ""
    to_be_supplied: bool = False


@dataclass(frozen=True)
class Address:
    """A host that a service was told of, and so perhaps calls: by which setting, where, and how sure that is."""

    host: str
    how: str
    at: Place


@dataclass(frozen=True)
class Plain:
    """A step that names nobody: its word and value."""

    said: Said


@dataclass(frozen=True)
class CallOf:
    """A call of an endpoint of a service, which has its name when all files are read."""

    to: Key
    endpoint: str
    policy: str = ""
    tolerated: bool = False  # whether its caller goes on when it has failed
    remark: str = ""


@dataclass(frozen=True)
class AtOnce:
    """Branches of calls that are made at once."""

    branches: tuple[tuple[Step, ...], ...]


@dataclass(frozen=True)
class Sometimes:
    """A step that is done for a share of the requests."""

    share: float
    step: Plain | CallOf
    remark: str


@dataclass(frozen=True)
class Repeated:
    """A call that is made several times, one after the other or at once."""

    times: int
    step: Plain | CallOf
    at_once: bool = False


Step = Plain | CallOf | AtOnce | Sometimes | Repeated


@dataclass(frozen=True)
class Recorded:
    """What an endpoint does, where a file says it; without steps it has a time and calls that are guessed."""

    steps: tuple[Step, ...]
    remark: str


class Arrived(Protocol):
    """The requests that came in, in the order of time."""

    @property
    def targets(self) -> list[tuple[Key, str]]:
        """Services and endpoints."""

    @property
    def at(self) -> npt.NDArray[np.int64]:
        """(n,) ns since 1970."""

    @property
    def target(self) -> npt.NDArray[np.int32]:
        """(n,) of each request its place among `targets`."""

    @property
    def took(self) -> npt.NDArray[np.int64]:
        """(n,) ns until the answer; -1: not known."""

    @property
    def failed(self) -> npt.NDArray[np.bool_]:
        """(n,)"""


@dataclass
class ArrivedRows:
    """Those of traces, as columns."""

    at: npt.NDArray[np.int64]
    targets: list[tuple[Key, str]]
    target: npt.NDArray[np.int32]
    took: npt.NDArray[np.int64]
    failed: npt.NDArray[np.bool_]


def between(at: npt.NDArray[np.int64]) -> float:
    """Seconds from the first of these nanoseconds to the last."""
    return float(at[-1] - at[0]) / 1e9 if len(at) else 0.0


@dataclass
class Measured:
    """What traces say of the whole system."""

    at: Place
    head: list[str] = field(default_factory=list)  # what is to be known of it
    # service and endpoint -> requests that came in there
    sends: dict[tuple[Key, str], int] = field(default_factory=dict)
    arrivals: Said | None = None
    latency: Said | None = None  # of a hop, where nothing else is said
    links: list[tuple[Key, Key, Said]] = field(default_factory=list)
    acks: Said | None = None  # what a broker takes to acknowledge
    recording: str = ""  # the file that the scenario replays, as it names it
    lasts: float = 0.0  # s of a rate over time
    arrived: Arrived | None = None


@dataclass
class Service:
    """One service."""

    key: Key
    what: str  # "Deployment cart", as its format calls it
    at: Place
    role: str = ""  # see sim.importing.images
    replicas: Said | None = None
    workers: Said | None = None
    cpu: Said | None = None  # the limit of each replica
    cores: Said | None = None  # where there is no limit, and something has to be supplied
    load_balancing: Said | None = None
    health_checks: Said | None = None
    requested: float = 0.0  # cores that each replica asks for; 0: not said
    autoscaling: Said | None = None
    ready_after: float = 0.0  # s that probes let pass before they look
    vertical_scaling: Said | None = None
    node_pool: Said | None = None
    start: Said | None = None
    drain: Said | None = None
    addresses: list[Address] = field(default_factory=list)
    consumes: dict[str, Consumer] = field(default_factory=dict)  # by topic
    remarks: list[str] = field(default_factory=list)  # settings that are kept as comments
    users: Said | None = None  # of one that is a load generator
    described: bool = True  # whether a file says more of it than its name
    name: str = ""  # in the scenario; given when all files are read
    calls: dict[str, Said] = field(default_factory=dict)  # name of the callee -> how that is known
    endpoints: dict[str, Recorded] = field(default_factory=dict)  # where a file names them
    guard: str = ""  # the policy of those who call it, among the guards of the draft
    recorded: bool = False  # whether traces tell of it: then no call is guessed
    time: Said | None = None  # the step that takes its time, where a measurement bears its name


@dataclass
class Consumer:
    """A consumer group of a topic."""

    group: Said
    at: Place
    do: tuple[Step, ...] = ()  # where traces say it


@dataclass
class Topic:
    """A topic of a broker."""

    partitions: Said | None
    remark: str


@dataclass
class Route:
    """A route of the gateway."""

    name: str
    host: str  # where it leads, as its format names it
    namespace: str
    at: Place
    remark: str
    fields: dict[str, Said] = field(default_factory=dict)  # timeout, policy, translate, authenticate ...
    remarks: list[str] = field(default_factory=list)
    paths: tuple[str, ...] = ()  # with which what comes by it begins
    to: Key = ("", "")  # the service; given when all files are read
    endpoint: str = ""  # of the service, where traces say it
    limited_by: set[str] = field(default_factory=set)  # the plugins or filters whose limits it has itself

    def limit(self, said: Said, by: str) -> None:
        """One more limit of this route alone."""
        before = self.fields.get("rate_limits", Said([]))
        remark = f"{before.remark}; {said.remark}" if before.remark else said.remark
        self.fields["rate_limits"] = Said([*before.value, said.value], remark)
        self.limited_by.add(by)


@dataclass
class Gateway:
    """The gateway, whichever format it was described in."""

    what: str  # "Kong", "Ingress"
    at: Place
    routes: list[Route] = field(default_factory=list)
    rate_limits: list[Said] = field(default_factory=list)
    authentication: Said | None = None
    introspects: Key | None = None  # the service that authentication asks
    replicas: Said | None = None
    workers: Said | None = None
    remarks: list[str] = field(default_factory=list)
    limited_by: set[str] = field(default_factory=set)  # the plugins or filters that limit all routes


@dataclass
class Entry:
    """Where requests come in from outside."""

    key: Key
    why: str
    at: Place


@dataclass
class Draft:
    """What all files say together."""

    notes: Notes = field(default_factory=Notes)
    name: str = ""  # of the system, where a file says it
    services: dict[Key, Service] = field(default_factory=dict)
    aliases: dict[str, list[Key]] = field(default_factory=dict)  # host name -> the services it may mean
    gateway: Gateway | None = None
    node_pools: dict[str, Said] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)  # of the one broker
    policies: dict[str, tuple[dict[str, Data], str]] = field(default_factory=dict)  # name -> fields, remark
    guards: dict[str, tuple[dict[str, Data], str]] = field(default_factory=dict)  # policies of calls between services
    entries: list[Entry] = field(default_factory=list)
    clients: list[Service] = field(default_factory=list)  # load generators
    unreached: list[str] = field(default_factory=list)  # services that no known call leads to
    measured: Measured | None = None
    variables: dict[str, str] = field(default_factory=dict)  # of files with KEY=VALUE
    taken: dict[str, Counter[str]] = field(default_factory=dict)  # file -> what was read of it
    kinds: dict[str, list[str]] = field(default_factory=dict)  # file -> the kinds of its documents

    @property
    def starts(self) -> list[Key]:
        """The services that requests come to first, when all files are read."""
        if self.gateway is None:
            return [entry.key for entry in self.entries]
        return [
            *(route.to for route in self.gateway.routes),
            *([self.gateway.introspects] if self.gateway.introspects is not None else []),
        ]

    def take(self, at: Place, what: str, count: int = 1) -> None:
        """Count something that came into the scenario."""
        self.taken.setdefault(at.file, Counter())[what] += count

    def add_service(self, service: Service) -> Service:
        """A service that no other file has described; of one that is there already the first description stays."""
        before = self.services.setdefault(service.key, service)
        if before is not service:
            self.notes.leave_out(
                service.at, service.what, f"is described in {where(before.at)} already, and that description was taken"
            )
        self.alias(service.key[1], service.key)
        return before

    def alias(self, host: str, key: Key, alone: bool = False) -> None:
        """`host` is a name of this service, in its own namespace and with it; `alone`: of no other of that namespace,
        whatever it is called.
        """
        for name in {host.lower(), f"{host}.{key[0]}".lower() if key[0] else host.lower()}:
            others = [
                other for other in self.aliases.get(name, ()) if other != key and not (alone and other[0] == key[0])
            ]
            self.aliases[name] = [*others, key]

    def find(self, host: str, namespace: str = "") -> Service | None:
        """The service that a host name means to somebody in this namespace; None where it is none, or could
        be several.
        """
        plain, inside, _ = f"{host.lower().rstrip('.')}.".partition(".svc.")
        plain = plain.rstrip(".")
        names = [
            *([f"{plain}.{namespace.lower()}"] if namespace else []),
            plain,
            *([plain.partition(".")[0]] if inside else []),
        ]
        for name in names:
            keys = [key for key in self.aliases.get(name, ()) if key in self.services]
            if len(keys) == 1:
                return self.services[keys[0]]
        return None


def steps_of(service: Service) -> list[Step]:
    """All steps that traces tell of a service, also those at once."""
    steps = [step for endpoint in service.endpoints.values() for step in endpoint.steps]
    steps += [step for consumer in service.consumes.values() for step in consumer.do]
    for step in steps:  # grows as it is walked
        if isinstance(step, AtOnce):
            steps += [inner for branch in step.branches for inner in branch]
        elif isinstance(step, (Sometimes, Repeated)):
            steps.append(step.step)
    return steps


def callees(draft: Draft, service: Service) -> list[str]:
    """The names of the services that this one calls, by any file."""
    recorded = (draft.services[step.to].name for step in steps_of(service) if isinstance(step, CallOf))
    return list(dict.fromkeys([*service.calls, *recorded]))


def unpublished(draft: Draft) -> list[str]:
    """The topics of which no file says who publishes to them."""
    steps = (step for service in draft.services.values() for step in steps_of(service))
    known = {step.said.value.get("publish") for step in steps if isinstance(step, Plain)}
    return [topic for topic in draft.topics if topic not in known]


def guard_calls(draft: Draft, service: Service, fields: dict[str, Data], remark: str) -> None:
    """Settings of those who call a service, beside what was said of them before."""
    if not fields:
        return
    name = service.guard or f"calls of {service.key[1]}"[:150]
    before, words = draft.guards.get(name, ({}, ""))
    draft.guards[name] = {**before, **fields}, f"{words}; {remark}" if words else remark
    service.guard = name


def where(at: Place) -> str:
    """`deployment.yaml:12`: the name of the file without its folders."""
    name = PurePath(at.file).name or at.file
    return f"{name}:{at.line}" if at.line else name


def kept(settings: str, at: Place) -> str:
    """A setting as a comment keeps it."""
    return f"{settings} ({where(at)})"
