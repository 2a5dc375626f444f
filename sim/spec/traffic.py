"""Who sends what, when, and with how much patience."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import Between, Choice, Column, Duration, Factor, Flag, Number, Picked, Rate, Share, Spec, Whole, register
from sim.spec.distribution import AnyDistribution
from sim.spec.policy import Retry

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


@register("arrivals", "deterministic")
class Deterministic(Arrivals):
    """Open arrivals at equal gaps; the first one gap after the start, none at the end: one an hour makes 23 in 24 hours."""

    positional = "rate"
    rate: Rate


Stay = Annotated[Duration, Field(gt=0)]


@register("arrivals", "mmpp")
class MarkovModulated(Arrivals):
    """Two-state Markov-modulated Poisson process: bursts. Starts in the first state."""

    rates: tuple[Rate, Rate]
    stays: tuple[Stay, Stay]  # mean time in each state


class Diurnal(Spec):
    """rate(t) = mean * (1 + amplitude * sin(2 pi (t - phase) / period)), with t in seconds from the start of its segment."""

    mean: Rate
    amplitude: Share
    period: Duration = Field(default=86400.0, gt=0)
    phase: Duration = 0.0


class FlashCrowd(Spec):
    """A linear rise from `base` to `peak`, then an exponential decay back towards `base` with time constant `decay`."""

    base: Rate
    peak: Rate
    rise: Duration = Field(default=60.0, gt=0)
    decay: Duration = Field(default=600.0, gt=0)


class Segment(Spec):
    """A piece of a rate profile: constant `rate`, a ramp `from` .. `to`, a `diurnal` wave or a `flash_crowd`."""

    lasts: Duration | None = Field(default=None, alias="for", gt=0)  # the last piece may go on for ever
    rate: Rate | None = None
    start: Rate | None = Field(default=None, alias="from")
    end: Rate | None = Field(default=None, alias="to")
    diurnal: Diurnal | None = None
    flash_crowd: FlashCrowd | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        ramp = self.start is not None or self.end is not None
        forms = [self.rate is not None, ramp, self.diurnal is not None, self.flash_crowd is not None]
        if sum(forms) != 1:
            raise ValueError(f"found {sum(forms) or 'none'} of rate, from and to, diurnal, flash_crowd; expected exactly one of them")
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
    times: Factor = 1.0  # scales every rate

    @model_validator(mode="after")
    def _only_the_last_is_open(self) -> Self:
        for number, segment in enumerate(self.segments[:-1], 1):
            if segment.lasts is None:
                raise ValueError(f"segment {number} of {len(self.segments)} has no 'for'; only the last may go on for ever")
        return self


class Rows(Spec):
    """What the loader has read of a recorded file, embedded in the document; nobody writes it by hand."""

    positional = "values"
    values: tuple[Annotated[float, Field(ge=0)], ...]  # seconds from the first row, sorted; or of a series its rates or counts
    lengths: tuple[Annotated[float, Field(gt=0)], ...] = ()  # s; how long each value of a series holds
    after: Annotated[float, Field(ge=0)] = 0.0  # s from the zero that all recordings of the scenario share to the first row
    began: Whole | None = None  # ns since 1970, or since the start that the file counts from; None: the file has no times
    clock: Literal["start", "local", "utc"] = "start"  # what the times count from; `local` are dates without a zone
    unit: str = ""  # in which plain numbers were taken
    routes: tuple[str, ...] = ()  # what the rows ask for
    shares: tuple[Share, ...] = ()  # how many of the rows do
    route: tuple[Annotated[int, Between(0, MOST_NAMES)], ...] = ()  # the place of its route among `routes`, for each row
    user: tuple[Annotated[int, Between(0, MOST_USERS)], ...] = ()  # the number of its user, for each row
    users: Annotated[int, Between(0, MOST_USERS)] = 0

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        """Who writes it by hand all the same is told; nothing later looks at it again."""
        size = len(self.values)
        for name in ("lengths", "route", "user"):
            if len(getattr(self, name)) not in (0, size):
                raise ValueError(f"{name}: found {len(getattr(self, name))}, expected {size}, one for each of the values")
        if len(self.shares) != len(self.routes) or len(set(self.routes)) != len(self.routes):
            raise ValueError("found routes and shares that do not belong together")
        for name, numbers, count in (("route", self.route, len(self.routes)), ("user", self.user, self.users)):
            if bool(numbers) != bool(count) or (numbers and not 0 <= min(numbers) <= max(numbers) < count):
                raise ValueError(f"{name}: expected numbers from 0 to {count - 1}" if count else f"{name}: found numbers that belong to nothing")
        return self


@register("arrivals", "replay")
class Replay(Arrivals):
    """A recorded CSV. `timestamps`: each row is a request. `rates`: a row is a rate per second, `counts`: a number of requests, until the next row."""

    positional = "file"
    file: str = ""
    timestamps: Column | None = None  # column of times; the first where none is named
    unit: Literal["s", "ms", "us", "ns", "m", "h"] | None = None  # of plain numbers in it; told from the values where None
    rates: Column | None = None  # column of requests per second, which hold until the next row
    counts: Column | None = None  # column of numbers of requests, spread evenly until the next row
    every: Duration | None = Field(default=None, gt=0)  # the interval of the rows of a series, where the file has no times
    where: Picked = Field(default_factory=dict)  # which rows: {column: value, or a list of values}
    route: Column | None = None  # column that says what a request asks for, instead of `sends`
    user: Column | None = None  # column that says whose request it is
    times: Factor = 1.0  # scales the rate of a series
    speed: Factor = Field(default=1.0, gt=0)  # plays the recording faster
    data: Rows | None = None  # filled by the loader

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.file and self.data is None:
            raise ValueError("the field 'file' is missing")
        if self.rates is not None and self.counts is not None:
            raise ValueError("found rates and counts, expected one of them: requests per second, or requests in the interval of a row")
        for name in ("route", "user"):
            if self.is_series and getattr(self, name) is not None:
                raise ValueError(f"found {name} beside {'rates' if self.rates is not None else 'counts'}, where a row is no request")
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
        """Seconds from the start of a run until the recording is over: one usual gap after the last request, a second where there is none."""
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
    """A fixed number of users who think, send, wait for the answer, and think again. Hides overload: see ARCHITECTURE."""

    users: Annotated[int, Between(1, 10_000_000)]  # each is a task of its own, from the beginning
    think: AnyDistribution


class Popularity(Spec):
    """How often each of `count` users (or items) appears: uniform, or Zipf with the given exponent."""

    count: Annotated[int, Between(1, 50_000_000)]
    popularity: Annotated[dict[Literal["zipf"], Annotated[Number, Field(ge=0, le=10)]], Field(min_length=1)] | Literal["uniform"] = "uniform"

    @property
    def exponent(self) -> float:
        """The Zipf exponent; 0 is uniform."""
        return 0.0 if isinstance(self.popularity, str) else float(self.popularity["zipf"])


class Users(Popularity):
    """The users of one traffic. Those of two traffics are different people, for limits, keys and caches, unless both name one `population`.

    A population is named after its traffic unless it is given a name; where its traffics count it differently, the smaller number is its
    most popular part.
    """

    population: str | None = None


class Objective(Spec):
    """What a route promises."""

    latency: Duration | None = None
    availability: Share | None = None


class Traffic(Spec):
    """One population of clients. Latency is counted from the intended arrival."""

    sends: str | dict[str, Share] = Field(default_factory=dict)  # a route, or service.endpoint where there is no gateway; a map gives a mix
    arrivals: AnyArrivals
    users: Users | None = None
    items: Popularity | None = None  # the catalogue: item 0 of one traffic is item 0 of another
    timeout: Duration | None = None  # the client's own patience, per attempt
    retry: Retry | None = None
    honor_retry_after: Flag = False
    objective: Objective | None = None  # used where there is no gateway route to state it
    completes_with: tuple[str, ...] = ()

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
        """How many users it has: as many as its recording names, or as are said; 0 where nobody is told from another."""
        recorded = self.arrivals.data.users if isinstance(self.arrivals, Replay) and self.arrivals.data is not None else 0
        return recorded or (self.users.count if self.users is not None else 0)

    def population(self, name: str) -> str:
        """What its users are called, where `name` is the name of this traffic."""
        return name if self.users is None or self.users.population is None else self.users.population

    @property
    def mix(self) -> dict[str, float]:
        """Target -> share of requests, summing to 1; as the rows of a recording have it where one of its columns says."""
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
