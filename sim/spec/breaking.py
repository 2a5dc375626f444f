"""Circuit breakers: failures counted within a time or in a row, and those of libraries in their own words."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import MOST, Between, Duration, Factor, Few, Flag, Leaves, Many, Number, Share, Spec
from sim.vocabulary import EventKind, Outcome

_LIBRARIES = ("polly", "opossum", "hystrix", "gobreaker", "cockatiel", "purgatory")
Heard = Literal["timeout", "error", "unreachable", "shed", "rate_limited", "refused", "bulkhead_full"]
"""How a call can end of which a breaker is told."""
MOST_SNAPSHOTS = 100_000  # in the window of a Hystrix: as many buckets as may be said elsewhere


class Resilience4jBreaker(Spec):
    """CircuitBreakerConfig of resilience4j, names in snake_case, with its defaults."""

    failure_rate_threshold: Number = Field(default=50.0, gt=0, le=100)
    """Percentage of failed calls in the window from which it opens."""
    slow_call_rate_threshold: Number = Field(default=100.0, gt=0, le=100)
    """Percentage of slow calls in the window from which it opens."""
    slow_call_duration_threshold: Duration = 60.0
    """From when on a call is slow."""
    sliding_window_type: Literal["count_based", "time_based"] = "count_based"
    """Whether the window counts calls or seconds."""
    sliding_window_size: Few = 100
    """Calls, or whole seconds."""
    minimum_number_of_calls: Many = 100
    """Calls in the window before it judges."""
    permitted_number_of_calls_in_half_open_state: Few = 10
    """Calls that try whether the callee is well again."""
    wait_duration_in_open_state: Duration = 60.0
    """How long it stays open, cut to whole milliseconds: 1 ms at least, as in the library; here also 0, at once."""
    exponential_backoff_multiplier: Annotated[Factor, Field(ge=1)] | None = None
    """How many times as long it stays open as the last time, until it has closed (1.5 where enableExponentialBackoff
    says no other); null: always as long.
    """
    exponential_max_wait_duration_in_open_state: Annotated[Duration, Field(ge=0.001)] | None = None
    """No such wait is longer."""
    randomized_wait_factor: Annotated[Share, Field(ge=0, lt=1)] | None = None
    """By which share that wait may be shorter or longer, by a draw of each opening (0.5 where enableRandomizedWait says
    no other); null: it is always the same.
    """
    max_wait_duration_in_half_open_state: Duration = 0.0
    """How long it waits for the calls that try before it opens again; 0: for ever. Else 1 ms at least."""
    automatic_transition_from_open_to_half_open_enabled: Flag = False
    """Whether it is half-open as soon as the wait is over; else the first call after that finds it so."""

    @model_validator(mode="after")
    def _in_milliseconds(self) -> Self:
        for word in ("wait_duration_in_open_state", "max_wait_duration_in_half_open_state"):
            if 0.0 < getattr(self, word) < 0.001:
                raise ValueError(f"found {word} of {getattr(self, word):g} s, expected 0 or at least 1ms")
        return self

    @model_validator(mode="after")
    def _grows_or_is_drawn(self) -> Self:
        if self.randomized_wait_factor is not None and self.exponential_backoff_multiplier is not None:
            raise ValueError(
                "found randomized_wait_factor beside exponential_backoff_multiplier, expected one of them, as in the "
                "library's settings"
            )
        return self

    @model_validator(mode="after")
    def _caps_what_grows(self) -> Self:
        if self.exponential_max_wait_duration_in_open_state is not None and not self.exponential_backoff_multiplier:
            raise ValueError(
                "found exponential_max_wait_duration_in_open_state without exponential_backoff_multiplier, "
                "expected both"
            )
        return self


class PollyBreaker(Spec):
    """CircuitBreakerStrategyOptions of Polly 8, names in snake_case, with its defaults."""

    failure_ratio: Share = 0.1
    """Share of failures from which it opens."""
    minimum_throughput: Annotated[int, Between(2, MOST)] = 100
    """Calls in the window before it judges."""
    sampling_duration: Duration = Field(default=30.0, ge=0.5, le=86400)
    """The window."""
    break_duration: Duration = Field(default=5.0, ge=0.5, le=86400)
    """How long it stays open."""


class OpossumBreaker(Spec):
    """Options of opossum (Node.js), names in snake_case, with its defaults; its `timeout` is that of the policy."""

    error_threshold_percentage: Number = Field(default=50.0, ge=0, le=100)
    """Percentage of failures above which it opens."""
    volume_threshold: Annotated[int, Between(0, MOST)] = 0
    """Invocations in the window before it judges; with the default the first failure may open it."""
    rolling_count_timeout: Duration = Field(default=10.0, gt=0)
    """The window."""
    rolling_count_buckets: Few = 10
    """Buckets of the window."""
    reset_timeout: Duration = 30.0
    """How long it stays open."""


class HystrixBreaker(Spec):
    """Properties of Hystrix, names in snake_case, with its defaults; its timeout is that of the policy."""

    request_volume_threshold: Annotated[int, Between(0, MOST)] = 20
    """Calls in the window before it judges."""
    error_threshold_percentage: Number = Field(default=50.0, ge=0, le=100)
    """Percentage of failures from which it opens."""
    sleep_window: Duration = 5.0
    """How long it stays open."""
    rolling_stats: Duration = Field(default=10.0, gt=0)
    """The window."""
    health_snapshot_interval: Duration = Field(default=0.5, gt=0)
    """How often it judges."""

    @property
    def snapshots(self) -> int:
        """How many whole ones lie in the window; one at least."""
        return max(1, math.floor(self.rolling_stats / self.health_snapshot_interval * (1.0 + 1e-12)))

    @model_validator(mode="after")
    def _so_many_at_most(self) -> Self:
        if self.snapshots > MOST_SNAPSHOTS:
            raise ValueError(
                f"found rolling_stats of {self.snapshots:,} times health_snapshot_interval, expected "
                f"{MOST_SNAPSHOTS:,} times at most"
            )
        return self


class GoBreaker(Spec):
    """Settings of sony/gobreaker, names in snake_case, with its defaults."""

    max_requests: Few = 1
    """Calls that may try when half-open, and must all be good."""
    interval: Duration = 0.0
    """How often a closed one forgets its failures; 0: never."""
    timeout: Duration = 60.0
    """How long it stays open."""
    bucket_period: Annotated[Duration, Field(gt=0)] | None = None
    """The width of a bucket: the interval, rounded up to a multiple of it, is then a rolling window; without it, or
    where that is one bucket, everything is forgotten at once. Beside a `failure_ratio` only.
    """
    consecutive_failures: Few = 5
    """It opens at more than so many failures in a row (ReadyToTrip)."""
    failure_ratio: Annotated[Share, Field(gt=0, le=1)] | None = None
    """In the place of `consecutive_failures`: it opens at a failure from which on this share of the requests has
    failed, those under way included (the ReadyToTrip of its README).
    """
    minimum_requests: Few = 3
    """Of `failure_ratio`: requests in the window from which it judges, 3 in its README."""

    @property
    def buckets(self) -> int:
        """How many make the window."""
        if self.bucket_period is None:
            return 1
        return math.ceil(self.interval / self.bucket_period * (1.0 - 1e-12))

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if self.bucket_period is not None and (self.failure_ratio is None or not self.interval):
            raise ValueError("found bucket_period without failure_ratio and interval, expected all three")
        if "minimum_requests" in self.model_fields_set and self.failure_ratio is None:
            raise ValueError("found minimum_requests without failure_ratio, expected both")
        if "consecutive_failures" in self.model_fields_set and self.failure_ratio is not None:
            raise ValueError("found consecutive_failures beside failure_ratio, expected one of them")
        if self.buckets > MOST_SNAPSHOTS:
            raise ValueError(f"found {self.buckets:,} buckets, expected {MOST_SNAPSHOTS:,} at most")
        return self


class PurgatoryBreaker(Spec):
    """AsyncCircuitBreakerFactory of purgatory (Python, src/purgatory/domain/model.py), with its defaults.

    When half-open it lets every call go, and the first result closes it or opens it again. What its `exclude` names is
    a success there: leave that out of `records`.
    """

    positional = "threshold"
    threshold: Few = 5
    """Failures in a row from which it opens."""
    ttl: Duration = 30.0
    """How long it stays open."""


class CockatielSampling(Spec):
    """Options of cockatiel's SamplingBreaker, names in snake_case."""

    threshold: Annotated[Share, Field(gt=0, lt=1)]
    """Share of failures above which it opens."""
    duration: Annotated[Duration, Field(ge=0.005, le=86400)]
    """The window, of five parts at least and parts of a second at most."""
    minimum_rps: Annotated[Number, Field(gt=0)] | None = None
    """Requests a second, over the whole window, from which it judges; null: 5 / threshold."""


class CockatielCount(Spec):
    """Options of cockatiel's CountBreaker, names in snake_case."""

    threshold: Annotated[Share, Field(gt=0, lt=1)]
    """Share of failures above which it opens."""
    size: Few
    """Results that are remembered."""
    minimum_number_of_calls: Few | None = None
    """Results from which it judges; null: `size`."""

    @property
    def least(self) -> int:
        """Results from which it judges."""
        return self.size if self.minimum_number_of_calls is None else self.minimum_number_of_calls

    @model_validator(mode="after")
    def _can_judge(self) -> Self:
        if self.least > self.size:
            raise ValueError("found minimum_number_of_calls above size, expected at most as many: it would never judge")
        return self


class CockatielBreaker(Spec):
    """cockatiel's circuitBreaker (Node.js, src/CircuitBreakerPolicy.ts), names in snake_case: one of three breakers.

    While its test call is under way, further calls wait for the end of that and then ask again, without a bound but the
    `total_timeout` of the policy.
    """

    half_open_after: Duration
    """How long it stays open; cockatiel has no default."""
    consecutive: Few | None = None
    """ConsecutiveBreaker: opens at so many failures in a row."""
    sampling: CockatielSampling | None = None
    """SamplingBreaker: opens above a share of failures in a time."""
    count: CockatielCount | None = None
    """CountBreaker: opens above a share of failures among the last results."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        said = [name for name in ("consecutive", "sampling", "count") if getattr(self, name) is not None]
        if len(said) != 1:
            raise ValueError(
                f"found {' beside '.join(said) or 'none of them'}, expected consecutive, sampling or count"
            )
        return self


class CircuitBreaker(Spec):
    """Opens at `failures` failed attempts `within` a time, for `open_for`; or, with `resilience4j`, as that library
    counts.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.BREAKER_OPEN,),
        events=(EventKind.BREAKER_OPENED, EventKind.BREAKER_HALF_OPENED, EventKind.BREAKER_CLOSED),
        series=("breaker_open",),
    )
    failures: Few = 5
    """Failed attempts from which it opens."""
    within: Duration = Field(default=1.0, gt=0)
    """The time within which they are counted."""
    open_for: Duration = 10.0
    """How long nobody calls."""
    half_open_calls: Few = 1
    """Calls that then try whether the callee is well again."""
    resilience4j: Resilience4jBreaker | None = None
    """Counts as that library does, in the place of those above."""
    consecutive: Few | None = None
    """Opens at so many failures in a row, in the place of `failures` and `within` (pybreaker's fail_max)."""
    polly: PollyBreaker | None = None
    """Counts as Polly (.NET) does, in the place of all others."""
    opossum: OpossumBreaker | None = None
    """Counts as opossum (Node.js) does, in the place of all others."""
    hystrix: HystrixBreaker | None = None
    """Counts as Hystrix does, in the place of all others."""
    gobreaker: GoBreaker | None = None
    """Counts as sony/gobreaker does, in the place of all others."""
    cockatiel: CockatielBreaker | None = None
    """Counts as cockatiel (Node.js) does, in the place of all others."""
    purgatory: PurgatoryBreaker | None = None
    """Counts as purgatory (Python) does, in the place of all others."""
    records: tuple[Heard, ...] | None = None
    """What is a failure; every other answer is then a success (resilience4j's recordExceptions and recordResult,
    gobreaker's IsSuccessful, Polly's ShouldHandle). By default `timeout`, `error`, `unreachable` and `shed`, and of
    libraries what the caller's own bulkhead or rate limit refuses; a 429 of the callee is a success.
    """
    ignores: tuple[Heard, ...] = ()
    """What counts as neither (resilience4j's ignoreExceptions); these are no failures though `records` names them."""

    @property
    def counts_in_a_time(self) -> bool:
        """Whether it is the one that counts `failures` `within` a time."""
        others = (
            self.resilience4j,
            self.consecutive,
            self.polly,
            self.opossum,
            self.hystrix,
            self.gobreaker,
            self.cockatiel,
            self.purgatory,
        )
        return all(other is None for other in others)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        """A library says all in its own words."""
        said = self.model_fields_set - {"records", "ignores"}
        libraries = [name for name in _LIBRARIES if getattr(self, name) is not None]
        if self.consecutive is not None:
            libraries.append("consecutive")
            said = said - {"open_for", "half_open_calls"}
        if self.resilience4j is not None:
            libraries.append("resilience4j")
            said = said - {"failures", "within", "open_for", "half_open_calls"}  # which were never refused beside it
        others = sorted(name for name in said if getattr(self, name) is not None and name not in libraries[:1])
        if libraries and others:
            raise ValueError(f"found {' and '.join(others)} beside {libraries[0]}, expected one of them")
        return self
