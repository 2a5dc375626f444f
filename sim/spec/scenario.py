"""The scenario: one system under one load, frozen. Variants are scenarios of their own (see sim.spec.study)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    TypeAdapter,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from sim import units
from sim.spec import broker_fault as broker_fault  # noqa: PLC0414 - its words are registered
from sim.spec import phases as phases  # noqa: PLC0414 - so are its words
from sim.spec import restart as restart  # noqa: PLC0414 - so is its word
from sim.spec.arrivals import Replay
from sim.spec.base import Between, Duration, Few, Flag, Leaves, Spec
from sim.spec.broker import AnyBroker
from sim.spec.clock import SkewRange, skew_range
from sim.spec.document import Data
from sim.spec.fault import AnyFault, Deploy, Fault
from sim.spec.gateway import Gateway
from sim.spec.network import Network
from sim.spec.node_pool import NodePool
from sim.spec.policy import CallPolicy
from sim.spec.routing import Part, parts
from sim.spec.service import Service
from sim.spec.traffic import Traffic
from sim.units import shown


class Ledger(Spec):
    """Which effects are money and which are goods, for the business ledger."""

    leaves: ClassVar[Leaves] = Leaves(series=("charged_not_reserved", "ever_charged_not_reserved"))
    charge: str | None = None
    """The effect by which a customer pays; twice for one order is a double charge."""
    reservation: str | None = None
    """The effect by which goods are set aside; a charge without it is counted."""
    follow: Flag = False
    """Whether the timeline tells how many orders are charged and not reserved at each moment, and for how long."""

    @model_validator(mode="after")
    def _follows_both(self) -> Self:
        if self.follow and (self.charge is None or self.reservation is None):
            raise ValueError(
                "found `follow` without `charge` and `reservation`, expected both: it follows one to the other"
            )
        return self


class Recording(Spec):
    """What is kept of a run: a row for every request and message, or a summary that does not grow with their number."""

    positional = "keep"
    keep: Literal["rows", "summary"] = "rows"
    """A row for every request and message, or a summary whose size does not grow with their number."""
    interval: Duration = Field(default=1.0, gt=0)
    """Time between two points of the time series."""
    spans: Literal["none", "all", "exemplars"] = "none"
    """One row per attempt on a service: of no requests, of all, or of the slowest and of a sample (`exemplars`)."""


AUTO = "auto"  # the warm-up is to be found


def _warmup(value: object) -> float:
    try:
        return 0.0 if value == AUTO else units.duration(value)
    except ValueError as error:
        raise ValueError(f"{error}, or the word auto") from None


_WARMUP = {"description": "a duration such as 2m, or auto: found from a pilot (steady load only)"}
Warmup = Annotated[
    float,
    BeforeValidator(_warmup),
    WithJsonSchema({**_WARMUP, "anyOf": [*TypeAdapter(Duration).json_schema()["anyOf"], {"const": AUTO}]}),
]


BY_RECORDING = "recording"  # the run is as long as the longest recording


def _length(value: object) -> float:
    try:
        return 1.0 if value == BY_RECORDING else units.duration(value)
    except ValueError as error:
        raise ValueError(f"{error}, or the word recording") from None


_LENGTH = {"description": "a duration such as 10m, or recording: as long as the longest recording"}
Length = Annotated[
    float,
    BeforeValidator(_length),
    WithJsonSchema({**_LENGTH, "anyOf": [*TypeAdapter(Duration).json_schema()["anyOf"], {"const": BY_RECORDING}]}),
]


def _first_version(value: object) -> object:
    if value is True or value != 1:
        raise ValueError(f"found {shown(value)}, expected 1: the version of the scenario language that this sim reads")
    return 1


class Scenario(Spec):
    """A system, its load and the harm done to it. All times in seconds."""

    version: Annotated[Literal[1], BeforeValidator(_first_version)]
    """The version of the scenario language: 1."""
    name: str = "scenario"
    """What the scenario is called in tables and reports."""
    duration: Length = Field(gt=0)
    """How long is simulated, warm-up included."""
    warmup: Warmup = 0.0
    """From when on figures count; what arrives before fills the system."""
    seed: Annotated[int, Between(0, 2**63 - 1)] = 1
    """What all luck comes from: the same seed, the same run."""
    traffic: dict[str, Traffic] = Field(min_length=1)
    """The populations of clients, by name."""
    gateway: Gateway | None = None
    """The single entry before the services; without it clients send to endpoints."""
    network: Network = Network()
    """Latency and loss between components."""
    services: dict[str, Service] = Field(min_length=1)
    """The services, by name."""
    node_pools: dict[str, NodePool] = Field(default_factory=dict)
    """The nodes on which replicas stand, by the name of their pool; without any there is always room."""
    account_concurrency: Few | None = None
    """Requests that all functions together may have at once, as AWS Lambda's quota of a region (1,000 by default): what
    is reserved or provisioned is for its function alone, the rest for all that reserve nothing. Without it each has
    its own `limit`.
    """
    policies: dict[str, CallPolicy] = Field(default_factory=dict)
    """How callers guard their calls, by names that steps and routes refer to."""
    brokers: dict[str, AnyBroker] = Field(default_factory=dict)
    """The brokers with their topics, by name."""
    ledger: Ledger = Ledger()
    """Which effects are money and which are goods."""
    faults: tuple[AnyFault, ...] = ()
    """The harm done to the system, and when."""
    record: Recording = Recording()
    """What is kept of a run."""
    expect: tuple[str, ...] = ()
    """What must hold, each as `p99(response) < 800ms`; a run that fails one ends with exit code 1."""
    plugins: tuple[str, ...] = ()
    """The files of code that the scenario needs, relative to its own; each must be allowed by the user."""
    _auto_warmup: bool = PrivateAttr(default=False)
    _by_recording: bool = PrivateAttr(default=False)

    @property
    def auto_warmup(self) -> bool:
        """Whether the scenario says `warmup: auto`."""
        return self._auto_warmup

    @property
    def by_recording(self) -> bool:
        """Whether the scenario says `duration: recording`."""
        return self._by_recording

    @property
    def recorded(self) -> float:
        """Seconds until the longest recording of its traffic is over; 0 where there is none."""
        return max(
            (traffic.arrivals.end for traffic in self.traffic.values() if isinstance(traffic.arrivals, Replay)),
            default=0.0,
        )

    @property
    def recording(self) -> float:
        """The same in the time of the recordings, however fast they are played."""
        replays = (traffic.arrivals for traffic in self.traffic.values() if isinstance(traffic.arrivals, Replay))
        return max((replay.end * replay.speed for replay in replays), default=0.0)

    @model_validator(mode="wrap")
    @classmethod
    def _remembers_words(cls, data: Data, validated: ModelWrapValidatorHandler[Self]) -> Self:
        scenario = validated(data)
        if isinstance(data, dict) and data.get("warmup") == AUTO:
            scenario._auto_warmup = True
        if isinstance(data, dict) and data.get("duration") == BY_RECORDING:
            scenario._by_recording = True
            if scenario.recorded > 0:
                object.__setattr__(scenario, "duration", scenario.recorded)
        return scenario

    @field_validator("faults", mode="after")
    @classmethod
    def _named(cls, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        """Every fault has a name, for recovery times and the event log: without one of its own, what it does
        to whom.
        """
        taken = {fault.name for fault in faults}
        named = []
        for fault in faults:
            name = fault.name if fault.name is not None else _free_name(fault.described, taken)
            taken.add(name)
            named.append(fault if fault.name is not None else fault.model_copy(update={"name": name}))
        return tuple(named)

    @property
    def unclaimed_concurrency(self) -> int | None:
        """Requests that functions without a reserve may have at once, on instances that are not provisioned."""
        if self.account_concurrency is None:
            return None
        functions = (service.serverless for service in self.services.values() if service.serverless is not None)
        return self.account_concurrency - sum(function.claimed for function in functions)

    @model_validator(mode="after")
    def _claims_what_there_is(self) -> Self:
        left, most = self.unclaimed_concurrency, self.account_concurrency
        if left is not None and most is not None and left < 0:
            raise ValueError(
                f"found functions that reserve or provision {most - left:,}, expected at most account_concurrency, "
                f"{most:,}"
            )
        return self

    def parts_of(self, source: str) -> dict[str, Part]:
        """What of a traffic comes to each route, or endpoint, on paper."""
        return parts(self.gateway, self.traffic[source])

    def arriving(self, source: str) -> dict[str, float]:
        """Route, or endpoint -> the share of the requests of a traffic that comes to it."""
        return {target: part.share for target, part in self.parts_of(source).items()}

    @property
    def zones(self) -> tuple[str, ...]:
        """All that any component names, each once."""
        gateway = self.gateway.zones if self.gateway is not None else ()
        return tuple(dict.fromkeys((*gateway, *(zone for its in self.services.values() for zone in its.zones))))

    def zones_of(self, component: str) -> tuple[str, ...]:
        """Those of a service or the gateway; none where it is in none, and of a broker."""
        if component == "gateway" and self.gateway is not None:
            return self.gateway.zones
        return self.services[component].zones if component in self.services else ()

    def clock_skew_of(self, component: str) -> tuple[float, ...]:
        """By how much the clocks of its replicas are ahead, one after the other; none where they are right."""
        if component == "gateway" and self.gateway is not None:
            return self.gateway.clock_skew
        return self.services[component].clock_skew if component in self.services else ()

    def skew_of(self, component: str) -> SkewRange:
        """Between what the clocks of its replicas can be at any time."""
        return skew_range(self.clock_skew_of(component), component, self.faults)

    @property
    def deployments(self) -> tuple[Deploy, ...]:
        """The rolling deployments, those that come by chance included."""
        every = (which for fault in self.faults for which in (fault, fault.inner))
        return tuple(fault for fault in every if isinstance(fault, Deploy))

    def places_of(self, service: str) -> int:
        """Of replicas of a service: as many as there can be at once, those that still drain included."""
        spec = self.services[service]
        most = spec.most_replicas
        if spec.autoscaling is not None or (spec.vertical_scaling is not None and spec.vertical_scaling.replaces):
            return 2 * most
        deployed = max((sum(fault.steps(most)) for fault in self.deployments if fault.of == service), default=0)
        # a node that goes takes as many as stand on it, which begin elsewhere while these drain
        return most + max(2 * deployed, most if spec.node_pool is not None else 0)


def _free_name(name: str, taken: set[str | None]) -> str:
    """The name, or `name 2`, `name 3` ... where it is taken."""
    return next(
        candidate
        for candidate in (name, *(f"{name} {number}" for number in range(2, len(taken) + 3)))
        if candidate not in taken
    )
