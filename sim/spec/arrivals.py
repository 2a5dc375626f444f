"""When requests come: the arrival processes, and what each says of itself to whoever must know more than its word."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import (
    Between,
    Column,
    Duration,
    Factor,
    Picked,
    Rate,
    Share,
    Spec,
    Whole,
    register,
)
from sim.spec.choice import Choice
from sim.spec.distribution import AnyDistribution

MOST_USERS = 2**31 - 1  # their numbers are a column of the records
MOST_NAMES = 2**15 - 1  # of components, endpoints, routes, topics ...: so are theirs


class Arrivals(Spec):
    """Base of the arrival processes. Open ones come whatever the system does; `closed` users wait for their answer.

    What others must know of a process it says of itself, in the members below: nobody asks which one it is.
    """

    steady: ClassVar[bool] = False  # the same from the first moment on, but for chance
    bunched: ClassVar[bool] = True  # several may come close together
    said_rate: ClassVar[bool] = False  # its rate at any moment is said, and a Poisson process follows it

    @property
    def population(self) -> int:
        """How many users there are who wait for their answer before they send again; 0: arrivals are open."""
        return 0

    @property
    def level(self) -> float | None:
        """Requests per second, where that is one number; None where it changes, or nobody knows."""
        return None

    @property
    def pause(self) -> float:
        """Seconds, on average, from an answer to the next request of the same user; 0 of open arrivals."""
        return 0.0

    def cycle(self, response: float) -> float:
        """Seconds from a user's request to his next, where an answer takes so long."""
        return response

    @property
    def changes_per_second(self) -> float:
        """How many changes of state are drawn, whether anybody arrives or not."""
        return 0.0

    def scaled(self, factor: float) -> str | None:
        """`FIELD=VALUE`, the setting that makes so many times as many arrivals; None: nobody knows one.

        Of a process of a plug-in: by its field `times` or `rate`.
        """
        for field, unit in (("times", ""), ("rate", "/s")):
            if field in type(self).model_fields:
                return f"{field}={getattr(self, field) * factor!r}{unit}"
        return None


AnyArrivals = Annotated[Arrivals, Choice("arrivals")]


@register("arrivals", "poisson")
class Poisson(Arrivals):
    """Open arrivals with exponential gaps."""

    positional = "rate"
    steady = True
    rate: Rate
    """Requests per second, on average."""

    @property
    def level(self) -> float:
        """The rate."""
        return self.rate


@register("arrivals", "deterministic")
class Deterministic(Arrivals):
    """Open arrivals at equal gaps; the first one gap after the start, none at the end: one an hour makes 23 in 24
    hours.
    """

    positional = "rate"
    steady, bunched = True, False
    rate: Rate
    """Requests per second, exactly."""

    @property
    def level(self) -> float:
        """The rate."""
        return self.rate


Stay = Annotated[Duration, Field(gt=0)]


@register("arrivals", "mmpp")
class MarkovModulated(Arrivals):
    """Two-state Markov-modulated Poisson process: bursts. Starts in the first state."""

    steady = True
    rates: tuple[Rate, Rate]
    """Requests per second in the first and in the second state."""
    stays: tuple[Stay, Stay]
    """Mean time in each state before it changes."""

    @property
    def changes_per_second(self) -> float:
        """Two for each pair of stays."""
        return 2.0 / sum(self.stays)

    def scaled(self, factor: float) -> str:
        """Both rates."""
        return f"rates=[{', '.join(f'{rate * factor!r}/s' for rate in self.rates)}]"


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
    said_rate = True
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

    def scaled(self, factor: float) -> str | None:
        """Of timestamps the speed: the recording ends sooner."""
        return super().scaled(factor) if self.is_series else f"speed={self.speed * factor!r}"

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

    steady, bunched = True, False

    users: Annotated[int, Between(1, 10_000_000)]
    """How many there are; each has one request under way at most."""
    think: AnyDistribution
    """The pause between an answer and the next request."""
    pacing: Duration = Field(default=0.0, ge=0)
    """The least time from the beginning of one request to that of the next (constant pacing of Locust)."""
    ramp: Duration = Field(default=0.0, ge=0)
    """How long it takes until all are there, one after the other at equal gaps (Locust's spawn rate, ramps of k6)."""

    @property
    def population(self) -> int:
        """All of them."""
        return self.users

    @property
    def pause(self) -> float:
        """How long they think."""
        return self.think.mean

    def cycle(self, response: float) -> float:
        """Answer and pause, or the pacing where that is longer."""
        return max(self.think.mean + response, self.pacing)
