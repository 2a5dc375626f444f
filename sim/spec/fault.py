"""Harm, declared beside the load: each fault has a name, a beginning, and mostly an end."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import Duration, Factor, Few, Flag, Leaves, Share, Spec, register, word_of
from sim.spec.choice import Choice
from sim.spec.distribution import AnyDistribution
from sim.spec.document import Data
from sim.spec.release import BlueGreen, Canary, NewVersion
from sim.units import show_duration, show_share
from sim.vocabulary import EventKind, Outcome, Stage


class Fault(Spec):
    """Base of the faults: `at` counts from time 0, warm-up included; without `for` it lasts to the end.

    `of` is a service or `gateway`. Whom it befalls may stand behind its word as well, and its other fields beside that
    or with `of` under it: `{crash: shop, restart_after: 5s}` is `{crash: {of: shop, restart_after: 5s}}`.
    """

    leaves: ClassVar[Leaves] = Leaves(events=(EventKind.FAULT_BEGAN, EventKind.FAULT_ENDED))
    # fields that name a component, and its kind
    refers_to: ClassVar[dict[str, str]] = {"of": "service", "broker": "broker", "between": "component"}
    momentary: ClassVar[str] = ""  # why nobody says how long it lasts; nothing where it is said
    name: str | None = None
    """What it is called in tables, events and metrics; by default after what it does to whom."""
    at: Duration
    """When it begins, from the start of the run, warm-up included."""
    lasts: Duration | None = Field(default=None, alias="for", gt=0)
    """How long it lasts; without it to the end."""

    @property
    def end(self) -> float:
        """Seconds from the start of the run; inf: never.

        A crash without an end of its own ends when the replicas start again.
        """
        lasts = self.lasts if self.lasts is not None else getattr(self, "restart_after", None)
        return math.inf if lasts is None else self.at + float(lasts)

    @property
    def inner(self) -> Fault | None:
        """The fault that it brings now and then; None for all but such."""
        return None

    @property
    def inner_name(self) -> str:
        """As the event log calls what it brings."""
        return f"{self.name}: {self.inner.described}" if self.inner is not None else ""

    @property
    def befalls(self) -> tuple[str, ...]:
        """The components that it acts on; the two ends, where it acts on the link between them."""
        return tuple(name for field in self.refers_to for name in self.named_in(field))

    @property
    def of_link(self) -> bool:
        """Whether it acts on the link between two components, not on them."""
        return len(self.befalls) == 2

    @property
    def freezes(self) -> bool:
        """Whether what it befalls stands still for its time, and goes on after it."""
        return False

    @property
    def detail(self) -> str:
        """What it does, beside its word: `hang`, `5x`, `20%`; nothing where the word says it all."""
        return ""

    @property
    def described(self) -> str:
        """The name of a fault that was given none: `outage of payments`, `network between orders and payments`."""
        link = " between " if self.of_link else " of "
        return f"{word_of(self)}{link}{' and '.join(self.befalls)}" if self.befalls else word_of(self)

    @model_validator(mode="before")
    @classmethod
    def _of_whom(cls, data: Data) -> Data:
        """A broker that it befalls may be named by `of`, as a service is."""
        if not isinstance(data, dict) or "of" not in data or "of" in cls.model_fields or cls.positional is None:
            return data
        if cls.positional in data:
            raise ValueError(f"found both `of` and {cls.positional}, expected one of them")
        return {cls.positional if key == "of" else key: value for key, value in data.items()}

    @model_validator(mode="after")
    def _lasts_where_it_can(self) -> Self:
        if self.momentary and self.lasts is not None:
            raise ValueError(f"found `for`, which `{word_of(self)}` does not know: {self.momentary}")
        return self

    def named_in(self, field: str) -> tuple[str, ...]:
        """The components that a field names."""
        value = getattr(self, field, None)
        return (value,) if isinstance(value, str) else tuple(value or ())


AnyFault = Annotated[Fault, Choice("fault")]


@register("fault", "outage")
class Outage(Fault):
    """A service, or `gateway`, is down: `hang` freezes it, `refuse` answers unreachable at once, `blackhole` drops
    packets both ways.

    Who comes to a frozen process and finds no idle worker waits outside, and is let in, queued or shed at the thaw, in
    order of arrival.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.UNREACHABLE,),
        events=(EventKind.FAULT_BEGAN, EventKind.FAULT_ENDED),
        stages=(Stage.FROZEN,),
        series=("listen_backlog",),
    )
    positional = "of"
    of: str
    """The service, or `gateway`."""
    how: Literal["hang", "refuse", "blackhole"] = "hang"
    """`hang` freezes it, `refuse` answers unreachable at once, `blackhole` drops packets both ways."""

    @property
    def freezes(self) -> bool:
        """A hanging process."""
        return self.how == "hang"

    @property
    def detail(self) -> str:
        """How it is down."""
        return self.how


@register("fault", "slow")
class Slow(Fault):
    """Work and waits that begin during the fault take `by` times as long, in all replicas or in some."""

    positional = "of"
    of: str
    """The service, or `gateway`."""
    by: Factor = Field(gt=0)
    """How many times as long work and waits take."""
    replicas: Few | None = None
    """How many replicas are slow, the first that are up when it begins; all of them where it is not said."""

    @property
    def detail(self) -> str:
        """By how much, and how many of them."""
        return f"{self.by:g}x{of_replicas(self.replicas)}"


@register("fault", "errors")
class Errors(Fault):
    """A share of the attempts that reach a worker end at once with an error, in all replicas or in some."""

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.ERROR,), events=(EventKind.FAULT_BEGAN, EventKind.FAULT_ENDED))
    positional = "of"
    of: str
    """The service, or `gateway`."""
    share: Share
    """The share of attempts that end at once with an error."""
    replicas: Few | None = None
    """How many replicas fail so, the first that are up when it begins; all of them where it is not said."""

    @property
    def detail(self) -> str:
        """Of how many, and in how many of them."""
        return f"{show_share(self.share)}{of_replicas(self.replicas)}"


def of_replicas(replicas: int | None) -> str:
    """What a fault says of how many it befalls; nothing where all of them."""
    return "" if replicas is None else f", {replicas} replica{'s' if replicas != 1 else ''}"


@register("fault", "crash")
class Crash(Fault):
    """`replicas` replicas die with all they hold; each starts empty after `restart_after` (without it they
    stay down).
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.UNREACHABLE,),
        events=(EventKind.FAULT_BEGAN, EventKind.FAULT_ENDED, EventKind.REPLICA_CRASHED, EventKind.REPLICA_RESTARTED),
    )
    positional = "of"
    of: str
    """The service, or `gateway`."""
    replicas: Few = 1
    """How many replicas die."""
    restart_after: Duration | None = None
    """When they start again, empty; without it they stay down."""

    @property
    def detail(self) -> str:
        """Of how many."""
        return f"{self.replicas} replica{'s' if self.replicas != 1 else ''}"


@register("fault", "zone")
class Zone(Fault):
    """All in one of the `zones` is down: replicas of services and of the gateway there die with all they hold, and
    start again, empty, when it is over.

    Not modelled: brokers, which are in no zone; that nobody is left there to refuse a connection, so that callers who
    do not know it yet wait for their timeout; and that others are started elsewhere, or not there.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.UNREACHABLE,),
        events=(EventKind.FAULT_BEGAN, EventKind.FAULT_ENDED, EventKind.REPLICA_CRASHED, EventKind.REPLICA_RESTARTED),
    )
    positional = "zone"
    zone: str
    """Which one."""

    @property
    def detail(self) -> str:
        """Which one."""
        return self.zone

    @property
    def described(self) -> str:
        """Its name is that of the zone."""
        return f"zone {self.zone}"


@register("fault", "network")
class NetworkFault(Fault):
    """The link between two components: `latency` is added, `loss` drops messages, `partition` drops all."""

    positional = "between"
    between: tuple[str, str]
    """The two components."""
    latency: AnyDistribution | None = None
    """Is added to that of the link."""
    loss: Share | None = None
    """The share of messages that are dropped."""
    partition: Flag = False
    """Whether all are dropped."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.latency is None and self.loss is None and not self.partition:
            raise ValueError("a network fault needs latency, loss or partition: true")
        return self


@register("fault", "store_down")
class StoreDown(Fault):
    """The store of rate limits is down: who asks it is refused at once, or waits for the `timeout` of the limit's
    `store`; then the request passes unlimited, or is an error, as `fault_tolerant` says.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.ERROR,),
        events=(EventKind.FAULT_BEGAN, EventKind.FAULT_ENDED),
        stages=(Stage.OTHER,),
        series=("undecided",),
    )
    positional = "store"
    store: str
    """The name of the store."""
    how: Literal["refuse", "hang"] = "refuse"
    """`refuse`: connections are refused at once; `hang`: nothing is heard of it."""

    @property
    def described(self) -> str:
        """`store_down of redis`."""
        return f"{word_of(self)} of {self.store}"

    @property
    def detail(self) -> str:
        """Which one, and how."""
        return f"{self.store}, {self.how}"


@register("fault", "flush")
class Flush(Fault):
    """A cache loses all that it holds, in all replicas, as when a shared one is restarted; what comes is kept."""

    leaves: ClassVar[Leaves] = Leaves(events=(EventKind.FAULT_BEGAN,), series=("cache_entries",))
    momentary = "a cache is emptied at once"
    positional = "cache"
    cache: str
    """The name of the cache; of the gateway's the route."""
    of: str
    """The service whose it is, or the `gateway`."""

    @property
    def end(self) -> float:
        """It is over at once."""
        return self.at

    @property
    def detail(self) -> str:
        """Which one."""
        return self.cache


@register("fault", "deploy")
class Deploy(Fault):
    """A rolling deployment: all replicas of a service give way to new ones, a few at a time, as a Deployment does it;
    or by steps that may be given up (`canary`), or all at once when all are ready (`blue_green`).

    New ones take the time of `start`, old ones drain as `drain` of the service says. It is over when all are new.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.UNREACHABLE,),
        events=(
            EventKind.FAULT_BEGAN,
            EventKind.REPLICA_STARTING,
            EventKind.REPLICA_READY,
            EventKind.REPLICA_DRAINING,
            EventKind.REPLICA_STOPPED,
            EventKind.CANARY_STEPPED,
            EventKind.CANARY_ABORTED,
            EventKind.VERSION_PROMOTED,
        ),
        series=("replicas", "replicas_wanted", "replicas_paid"),
    )
    momentary = "it is over when all replicas are new"
    positional = "of"
    of: str
    """The service."""
    surge: Share = 0.25
    """How many more than wanted there may be, as a share of those, rounded up (maxSurge)."""
    unavailable: Share = 0.25
    """How many of those wanted may be missing, as a share of them, rounded down (maxUnavailable)."""
    new_version: NewVersion = NewVersion()
    """How the new replicas differ from the old ones."""
    canary: Canary | None = None
    """Whether some are new first, and it may be given up."""
    blue_green: BlueGreen | None = None
    """Whether all new ones are there before any old one goes; then `surge` and `unavailable` mean nothing."""

    @property
    def detail(self) -> str:
        """How, where it is not a few at a time."""
        if self.canary is not None:
            steps = ", ".join(show_share(step.weight) for step in self.canary.steps)
            return f"canary {steps}{', may abort' if self.canary.abort is not None else ''}"
        return "blue-green" if self.blue_green is not None else ""

    @property
    def end(self) -> float:
        """When it is over depends on what starts and drains: it is told as a moment."""
        return self.at

    @model_validator(mode="after")
    def _may_begin(self) -> Self:
        if self.canary is not None and self.blue_green is not None:
            raise ValueError("found canary and blue_green together, expected one of them")
        if self.surge <= 0.0 and self.unavailable <= 0.0:
            raise ValueError(
                "found surge and unavailable both 0%, expected one of them above: nothing could be replaced, and "
                "Kubernetes refuses it"
            )
        return self

    def steps(self, replicas: int) -> tuple[int, int]:
        """How many more there may be, and how many may be missing; where both are none, one may be missing."""
        if self.blue_green is not None:
            return replicas, 0
        surge, unavailable = math.ceil(self.surge * replicas - 1e-9), math.floor(self.unavailable * replicas + 1e-9)
        return surge, unavailable if surge or unavailable else 1


@register("fault", "random")
class Random(Fault):
    """A fault that comes and goes by chance, from `at` on: after a time without it, it is there until it is repaired.

    The share of time without it is `mtbf / (mtbf + mttr)`. For the log and its figures all of it is one fault, which
    lasts as long as chance has a say; what comes and goes is in the event log under its own name.

    Not modelled: wear, and faults that bring one another.
    """

    mtbf: AnyDistribution
    """From a repair until it comes again (time between failures): `{exponential: 30d}`; a bare time is constant."""
    mttr: AnyDistribution
    """How long it lasts each time (mean time to repair)."""
    fault: Annotated[Fault, Choice("fault", inner=True)]
    """What comes: `{outage: payments}`, without `at` and `for`."""

    @property
    def inner(self) -> Fault | None:
        """What comes."""
        return self.fault

    @property
    def befalls(self) -> tuple[str, ...]:
        """As what comes does."""
        return self.fault.befalls

    @property
    def detail(self) -> str:
        """What comes, and how often."""
        return f"{word_of(self.fault)} every {show_duration(self.mtbf.mean)} for {show_duration(self.mttr.mean)}"

    @property
    def availability(self) -> float:
        """The share of time without it, in the long run."""
        return self.mtbf.mean / (self.mtbf.mean + self.mttr.mean)

    @model_validator(mode="before")
    @classmethod
    def _has_no_times_of_its_own(cls, data: Data) -> Data:
        if not isinstance(data, dict) or not isinstance(data.get("fault"), dict):
            return data
        said = [word for word in ("at", "for", "restart_after") if word in data["fault"]]
        if said:
            raise ValueError(
                f"found `{said[0]}` of a fault that comes by chance; mtbf and mttr say when it comes and goes"
            )
        return {**data, "fault": {**data["fault"], "at": 0}}

    @model_validator(mode="after")
    def _comes_and_goes(self) -> Self:
        if isinstance(self.fault, Random):
            raise ValueError(
                f"found `{word_of(self.fault)}` as what comes by chance, expected a fault that comes and goes, such as "
                "outage, slow or crash"
            )
        its = self.fault
        if isinstance(its, Deploy) and (its.canary or its.blue_green or its.new_version != NewVersion()):
            said = next(word for word in ("canary", "blue_green", "new_version") if word in its.model_fields_set)
            raise ValueError(f"found `{said}` of a deployment that comes by chance, expected one that is planned")
        if self.mtbf.mean <= 0.0 or self.mttr.mean <= 0.0:
            raise ValueError("found a mean time of 0, expected a time between failures and one to repair them")
        return self
