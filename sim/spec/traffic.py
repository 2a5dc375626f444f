"""Who sends what, when, and with how much patience."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import (
    Between,
    Choice,
    Column,
    Duration,
    Factor,
    Flag,
    Leaves,
    Many,
    Number,
    Picked,
    Rate,
    Share,
    Spec,
    Whole,
    register,
)
from sim.spec.distribution import AnyDistribution
from sim.spec.document import Data
from sim.spec.policy import Retry
from sim.spec.visit import Visit
from sim.vocabulary import Outcome

MOST_USERS = 2**31 - 1  # their numbers are a column of the records
MOST_NAMES = 2**15 - 1  # of components, endpoints, routes, topics ...: so are theirs


class Arrivals(Spec):
    """Base of the arrival processes. Open ones come whatever the system does; `closed` users wait for their answer."""


AnyArrivals = Annotated[Arrivals, Choice("arrivals")]


@register("arrivals", "poisson")
class Poisson(Arrivals):
    """Open arrivals with exponential gaps."""

    positional = "rate"
    rate: Rate
    """Requests per second, on average."""


@register("arrivals", "deterministic")
class Deterministic(Arrivals):
    """Open arrivals at equal gaps; the first one gap after the start, none at the end: one an hour makes 23 in 24
    hours.
    """

    positional = "rate"
    rate: Rate
    """Requests per second, exactly."""


Stay = Annotated[Duration, Field(gt=0)]


@register("arrivals", "mmpp")
class MarkovModulated(Arrivals):
    """Two-state Markov-modulated Poisson process: bursts. Starts in the first state."""

    rates: tuple[Rate, Rate]
    """Requests per second in the first and in the second state."""
    stays: tuple[Stay, Stay]
    """Mean time in each state before it changes."""


class Diurnal(Spec):
    """rate(t) = mean * (1 + amplitude * sin(2 pi (t - phase) / period)), with t in seconds from the start of its
    segment.
    """

    mean: Rate
    """The rate around which it swings."""
    amplitude: Share
    """How far it swings, as a share of the mean."""
    period: Duration = Field(default=86400.0, gt=0)
    """How long one swing takes: a day."""
    phase: Duration = 0.0
    """When the rate first passes its mean on the way up."""


class FlashCrowd(Spec):
    """A linear rise from `base` to `peak`, then an exponential decay back towards `base` with time constant `decay`."""

    base: Rate
    """The rate before the crowd comes, and long after."""
    peak: Rate
    """The highest rate."""
    rise: Duration = Field(default=60.0, gt=0)
    """How long the rate takes from base to peak."""
    decay: Duration = Field(default=600.0, gt=0)
    """Time constant of the fall: after it 37 % of the excess is left."""


class Segment(Spec):
    """A piece of a rate profile: constant `rate`, a ramp `from` .. `to`, a `diurnal` wave or a `flash_crowd`."""

    lasts: Duration | None = Field(default=None, alias="for", gt=0)
    """How long the piece takes; the last one may go on for ever."""
    rate: Rate | None = None
    """Requests per second, the same throughout."""
    start: Rate | None = Field(default=None, alias="from")
    """The rate at the beginning of a ramp."""
    end: Rate | None = Field(default=None, alias="to")
    """The rate at the end of a ramp."""
    diurnal: Diurnal | None = None
    """The rate as a sine wave."""
    flash_crowd: FlashCrowd | None = None
    """The rate of a sudden crowd."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        ramp = self.start is not None or self.end is not None
        forms = [self.rate is not None, ramp, self.diurnal is not None, self.flash_crowd is not None]
        if sum(forms) != 1:
            raise ValueError(
                f"found {sum(forms) or 'none'} of rate, from and to, diurnal, flash_crowd; expected exactly one of them"
            )
        if ramp and (self.start is None or self.end is None):
            raise ValueError("a ramp needs both from and to")
        if ramp and self.lasts is None:
            raise ValueError("the field 'for' is missing: how long does the ramp take?")
        return self


@register("arrivals", "profile")
class Profile(Arrivals):
    """A non-homogeneous Poisson process whose rate follows the segments; after the last its final rate goes on."""

    positional = "segments"
    segments: tuple[Segment, ...] = Field(min_length=1)
    """The pieces, one after the other."""
    times: Factor = 1.0
    """Scales every rate."""

    @model_validator(mode="after")
    def _only_the_last_is_open(self) -> Self:
        for number, segment in enumerate(self.segments[:-1], 1):
            if segment.lasts is None:
                raise ValueError(
                    f"segment {number} of {len(self.segments)} has no 'for'; only the last may go on for ever"
                )
        return self


class Rows(Spec):
    """What the loader has read of a recorded file, embedded in the document; nobody writes it by hand."""

    positional = "values"
    values: tuple[Annotated[float, Field(ge=0)], ...]
    """Seconds from the first row, sorted; or of a series its rates or counts."""
    lengths: tuple[Annotated[float, Field(gt=0)], ...] = ()
    """How long each value of a series holds, in seconds."""
    after: Annotated[float, Field(ge=0)] = 0.0
    """Seconds from the zero that all recordings of the scenario share to the first row."""
    began: Whole | None = None
    """When the file begins: ns since 1970, or since the start that it counts from."""
    clock: Literal["start", "local", "utc"] = "start"
    """What the times count from; `local` are dates without a zone."""
    unit: str = ""
    """The unit in which plain numbers were taken."""
    routes: tuple[str, ...] = ()
    """What the rows ask for."""
    shares: tuple[Share, ...] = ()
    """How many of the rows ask for each."""
    route: tuple[Annotated[int, Between(0, MOST_NAMES)], ...] = ()
    """The place among `routes` of each row's."""
    user: tuple[Annotated[int, Between(0, MOST_USERS)], ...] = ()
    """The number of each row's user."""
    users: Annotated[int, Between(0, MOST_USERS)] = 0
    """How many users the rows name."""

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        """Who writes it by hand all the same is told; nothing later looks at it again."""
        size = len(self.values)
        for name in ("lengths", "route", "user"):
            if len(getattr(self, name)) not in (0, size):
                raise ValueError(
                    f"{name}: found {len(getattr(self, name))}, expected {size}, one for each of the values"
                )
        if len(self.shares) != len(self.routes) or len(set(self.routes)) != len(self.routes):
            raise ValueError("found routes and shares that do not belong together")
        for name, numbers, count in (("route", self.route, len(self.routes)), ("user", self.user, self.users)):
            if bool(numbers) != bool(count) or (numbers and not 0 <= min(numbers) <= max(numbers) < count):
                raise ValueError(
                    f"{name}: expected numbers from 0 to {count - 1}"
                    if count
                    else f"{name}: found numbers that belong to nothing"
                )
        return self


@register("arrivals", "replay")
class Replay(Arrivals):
    """A recorded CSV.

    `timestamps`: each row is a request. `rates`: a row is a rate per second, `counts`: a number of requests, until the
    next row.
    """

    positional = "file"
    file: str = ""
    """The CSV, relative to the scenario."""
    timestamps: Column | None = None
    """The column of times; the first where none is named."""
    unit: Literal["s", "ms", "us", "ns", "m", "h"] | None = None
    """Of plain numbers in it; told from their size where it is not said."""
    rates: Column | None = None
    """The column of requests per second, which hold until the next row."""
    counts: Column | None = None
    """The column of numbers of requests, spread evenly until the next row."""
    every: Duration | None = Field(default=None, gt=0)
    """The interval of the rows of a series, where the file has no times."""
    where: Picked = Field(default_factory=dict)
    """Which rows: `{column: value}`, or a list of values."""
    route: Column | None = None
    """The column that says what a request asks for, in the place of `sends`."""
    user: Column | None = None
    """The column that says whose request it is."""
    times: Factor = 1.0
    """Scales the rate of a series."""
    speed: Factor = Field(default=1.0, gt=0)
    """Plays the recording faster."""
    data: Rows | None = None
    """What the loader has read; nobody writes it by hand."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.file and self.data is None:
            raise ValueError("the field 'file' is missing")
        if self.rates is not None and self.counts is not None:
            raise ValueError(
                "found rates and counts, expected one of them: requests per second, or requests in the interval of a "
                "row"
            )
        for name in ("route", "user"):
            if self.is_series and getattr(self, name) is not None:
                raise ValueError(
                    f"found {name} beside {'rates' if self.rates is not None else 'counts'}, where a row is no request"
                )
        if self.data is not None and bool(self.data.routes) != (self.route is not None):
            raise ValueError("found rows with routes and no `route`, or `route` and rows without them")
        if self.is_series and self.data is not None and not self.data.lengths and self.every is None:
            raise ValueError("the field 'every' is missing: how long does a row hold?")
        return self

    @property
    def is_series(self) -> bool:
        """Whether the rows are rates or counts, not requests."""
        return self.rates is not None or self.counts is not None

    @property
    def mix(self) -> dict[str, float]:
        """What the rows ask for -> share of them; empty where no column says it."""
        return dict(zip(self.data.routes, self.data.shares, strict=True)) if self.data is not None else {}

    @property
    def end(self) -> float:
        """Seconds from the start of a run until the recording is over: one usual gap after the last request, a second
        where there is none.
        """
        if self.data is None or not self.data.values:
            return 0.0
        if self.is_series:
            return (self.data.after + sum(self.lengths)) / self.speed
        last, gaps = self.data.values[-1], len(self.data.values) - 1
        return (self.data.after + last + (last / gaps if gaps and last > 0 else 1.0)) / self.speed

    @property
    def lengths(self) -> tuple[float, ...]:
        """How long each row of a series holds, seconds of the recording."""
        if self.data is None:
            return ()
        return self.data.lengths or (self.every or math.nan,) * len(self.data.values)


@register("arrivals", "closed")
class Closed(Arrivals):
    """A fixed number of users who think, send, wait for the answer, and think again.

    Hides overload: see ARCHITECTURE.
    """

    users: Annotated[int, Between(1, 10_000_000)]
    """How many there are; each has one request under way at most."""
    think: AnyDistribution
    """The pause between an answer and the next request."""
    pacing: Duration = Field(default=0.0, ge=0)
    """The least time from the beginning of one request to that of the next (constant pacing of Locust)."""
    ramp: Duration = Field(default=0.0, ge=0)
    """How long it takes until all are there, one after the other at equal gaps (Locust's spawn rate, ramps of k6)."""


class Popularity(Spec):
    """How often each of `count` users (or items) appears: uniform, or Zipf with the given exponent."""

    count: Annotated[int, Between(1, 50_000_000)]
    """How many there are."""
    popularity: (
        Annotated[dict[Literal["zipf"], Annotated[Number, Field(ge=0, le=10)]], Field(min_length=1)]
        | Literal["uniform"]
    ) = "uniform"
    """How often each appears: `uniform`, or `{zipf: EXPONENT}`."""

    @property
    def exponent(self) -> float:
        """The Zipf exponent; 0 is uniform."""
        return 0.0 if isinstance(self.popularity, str) else float(self.popularity["zipf"])


class Users(Popularity):
    """The users of one traffic. Those of two traffics are different people, for limits, keys and caches, unless both
    name one `population`.

    A population is named after its traffic unless it is given a name; where its traffics count it differently, the
    smaller number is its most popular part.
    """

    addresses: Many | None = None
    """How many IP addresses they share, as evenly as can be (limits by `ip`); by default each user has one of their
    own.
    """
    population: str | None = None
    """The name under which several traffics share their users; by default that of the traffic."""


class Objective(Spec):
    """What a route promises."""

    latency: Duration | None = None
    """By when an answer is in time."""
    availability: Share | None = None
    """The share of requests that are to be answered well."""


class Traffic(Spec):
    """One population of clients. Latency is counted from the intended arrival."""

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.OK, Outcome.TIMEOUT, Outcome.IN_FLIGHT))
    simpy_only: ClassVar[bool | tuple[str, ...]] = ("deadline",)
    sends: str | dict[str, Share] = Field(default_factory=dict)
    """A route, or `service.endpoint` where there is no gateway; a map from such names to shares gives a mix."""
    arrivals: AnyArrivals
    """When requests come."""
    visit: Visit | None = None
    """Whether what arrives is a person with several requests, and not a request."""
    users: Users | None = None
    """Who sends them, where users are told apart by limits, keys or caches."""
    consumer: str | None = None
    """On whose behalf they are sent, a consumer in Kong's sense (limits by `consumer`); without it each user is one."""
    headers: dict[str, str | Annotated[dict[str, Share], Field(min_length=1)]] = Field(default_factory=dict)
    """What they carry, for limits and priorities: `{x-tier: gold}`, or shares, `{x-tier: {gold: 10%, free: 90%}}`; a
    user always has the same.
    """
    items: Popularity | None = None
    """What they are about: the catalogue, whose item 0 is the same item in all traffic."""
    timeout: Duration | None = None
    """The client's own patience, per attempt; without it clients wait for ever."""
    deadline: Literal["propagate"] | None = None
    """`propagate`: what clients call is told until when they wait, and stops then (gRPC); else a service works on."""
    retry: Retry | None = None
    """Whether clients try again, and when."""
    honor_retry_after: Flag = False
    """Whether a client that was rate limited waits as long as the Retry-After of the answer says."""
    objective: Objective | None = None
    """What is promised to these clients, where no gateway route says it."""
    completes_with: tuple[str, ...] = ()
    """The effects that must exist before an order counts as complete."""

    @model_validator(mode="before")
    @classmethod
    def _sends_its_journey(cls, data: Data) -> Data:
        """A journey says what is sent, and in which shares."""
        visit = data.get("visit") if isinstance(data, dict) else None
        journey = visit.get("journey") if isinstance(visit, dict) else None
        if not isinstance(journey, (list, tuple)) or not all(isinstance(target, str) for target in journey):
            return data
        if "sends" in data:
            raise ValueError("found `sends` beside the `journey` of its visit, which says what is sent; expected one")
        return {**data, "sends": {target: journey.count(target) / len(journey) for target in journey}}

    @model_validator(mode="after")
    def _visits_come_by_themselves(self) -> Self:
        told = isinstance(self.arrivals, Replay) and (self.arrivals.route, self.arrivals.user) != (None, None)
        if self.visit is not None and (told or isinstance(self.arrivals, Closed)):
            raise ValueError("visit: found arrivals that say who asks for what, or stays; expected an open process")
        return self

    @property
    def requests_each(self) -> float:
        """How many requests come of an arrival, on average."""
        return self.visit.mean if self.visit is not None else 1.0

    @model_validator(mode="after")
    def _has_a_deadline(self) -> Self:
        if self.deadline is not None and self.timeout is None:
            raise ValueError("`deadline: propagate` hands on the `timeout` of the client, and there is none")
        return self

    @model_validator(mode="after")
    def _sends_something(self) -> Self:
        recorded = isinstance(self.arrivals, Replay) and self.arrivals.route is not None
        if not recorded and "sends" not in self.model_fields_set:
            raise ValueError("the field 'sends' is missing")
        if not recorded and isinstance(self.sends, dict) and not sum(self.sends.values()) > 0:
            raise ValueError("sends: the shares sum to 0, expected at least one above 0")
        return self

    @property
    def people(self) -> int:
        """How many users it has: as many as its recording names, or as are said; 0 where nobody is told from
        another.
        """
        recorded = (
            self.arrivals.data.users if isinstance(self.arrivals, Replay) and self.arrivals.data is not None else 0
        )
        return recorded or (self.users.count if self.users is not None else 0)

    def tells_apart(self, what: Literal["items", "users"]) -> bool:
        """Whether its requests are for different items, or of different users."""
        return self.items is not None if what == "items" else self.people > 0

    def population(self, name: str) -> str:
        """What its users are called, where `name` is the name of this traffic."""
        return name if self.users is None or self.users.population is None else self.users.population

    @property
    def mix(self) -> dict[str, float]:
        """Target -> share of requests, summing to 1; as the rows of a recording have it where one of its
        columns says.
        """
        if isinstance(self.arrivals, Replay) and self.arrivals.route is not None:
            return self.arrivals.mix
        if isinstance(self.sends, str):
            return {self.sends: 1.0}
        total = sum(self.sends.values())
        return {target: weight / total for target, weight in self.sends.items()} if total else dict(self.sends)


def population_sizes(traffic: Mapping[str, Traffic]) -> dict[str, int]:
    """How many people each population is, in the order in which traffic names them."""
    sizes: dict[str, int] = {}
    for name, spec in traffic.items():
        if spec.people:
            population = spec.population(name)
            sizes[population] = max(sizes.get(population, 0), spec.people)
    return sizes


def first_users(traffic: Mapping[str, Traffic]) -> dict[str, int]:
    """Traffic -> the number of its first user: populations are numbered one behind the other."""
    sizes = population_sizes(traffic)
    firsts = dict(zip(sizes, accumulate(sizes.values(), initial=0), strict=False))
    return {name: firsts[spec.population(name)] for name, spec in traffic.items() if spec.people}
