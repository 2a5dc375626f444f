"""How a caller guards a call: timeout, retry with back-off and budget, circuit breaker, bulkhead."""

from __future__ import annotations

import math
import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from sim.errors import nearest
from sim.spec.base import (
    MOST,
    UNLIMITED,
    Between,
    Choice,
    Count,
    Duration,
    Factor,
    Few,
    Flag,
    Leaves,
    Many,
    Number,
    Rate,
    Ratio,
    Share,
    Spec,
    register,
)
from sim.spec.distribution import AnyDistribution
from sim.units import duration, share, shown
from sim.vocabulary import EventKind, Outcome, Stage

RetryOn = Literal["timeout", "error", "unreachable", "shed", "rate_limited", "bulkhead_full", "breaker_open"]
Failure = Literal[RetryOn, "refused"]
Answer = Literal["error", "shed", "rate_limited", "refused"]
AnswersWith = dict[Failure, Answer]
"""What an endpoint or a route answers (500, 503, 429, a business refusal) when its steps end so.

What is not named: `sim.models.answers`.
"""


class Backoff(Spec):
    """Base of the back-off rules: the pause before each retry."""

    def pause(self, number: int) -> float | None:
        """Seconds before retry `number`, from 1, before it is jittered; None: nobody knows, and on paper it counts for
        nothing.
        """
        del number
        return None

    @property
    def most(self) -> float:
        """Seconds that no pause exceeds, jitter included; infinite where there is no such bound."""
        return math.inf


AnyBackoff = Annotated[Backoff, Choice("backoff")]


@register("backoff", "constant")
class ConstantBackoff(Backoff):
    """The same pause before each retry."""

    positional = "delay"
    delay: Duration
    """The pause."""

    def pause(self, number: int) -> float:
        """Always the delay."""
        del number
        return self.delay


@register("backoff", "linear")
class LinearBackoff(Backoff):
    """`base`, twice `base`, three times `base` ... at most `max`."""

    positional = "base"
    base: Duration
    """The first pause, and by how much each is longer than the one before."""
    longest: Duration | None = Field(default=None, alias="max")
    """No pause is longer."""

    def pause(self, number: int) -> float:
        """base x number."""
        return min(self.base * number, self.most)

    @property
    def most(self) -> float:
        """`max`."""
        return math.inf if self.longest is None else self.longest


@register("backoff", "exponential")
class ExponentialBackoff(Backoff):
    """`base * multiplier**(k-1)` before retry k, at most `max` (AWS Architecture Blog, "Exponential Backoff and
    Jitter").
    """

    positional = "base"
    base: Duration
    """The first pause."""
    multiplier: Factor = Field(default=2.0, gt=0)
    """How many times as long each is as the one before."""
    longest: Duration | None = Field(default=None, alias="max")
    """No pause is longer."""

    def pause(self, number: int) -> float:
        """base x multiplier^(number - 1), which grows no more where it is a trillion times the base."""
        return min(self.base * min(self.multiplier ** min(number - 1, 60), 1e12), self.most)

    @property
    def most(self) -> float:
        """`max`."""
        return math.inf if self.longest is None else self.longest


class GrpcThrottling(Spec):
    """gRPC's retryThrottling: retries are made while more than half of the tokens are there (gRFC A6)."""

    simpy_only: ClassVar[bool | tuple[str, ...]] = True
    max_tokens: Annotated[int, Between(1, 1000)]
    """Tokens at the beginning, and at most; a failure that could be tried again takes one."""
    token_ratio: Annotated[Number, Field(gt=0, le=1000)]
    """What an answer brings back; three digits after the point count."""


class Budget(Spec):
    """Finagle's RetryBudget: a request deposits `ratio` of a retry, `min_per_second` is a standing allowance, tokens
    live `ttl`.
    """

    leaves: ClassVar[Leaves] = Leaves(events=(EventKind.BUDGET_EXHAUSTED,))
    simpy_only: ClassVar[bool | tuple[str, ...]] = ("grpc",)
    positional = "ratio"
    ratio: Ratio = 0.0
    """Retries that each request pays for; must be said unless `grpc` is."""
    min_per_second: Number = Field(default=0.0, ge=0, le=1e9)
    """Retries that are always allowed, each second."""
    ttl: Duration = Field(default=10.0, gt=0)
    """How long a request's payment can be spent."""
    grpc: GrpcThrottling | None = None
    """Counts tokens as gRPC does, in the place of the three others."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.grpc is None and "ratio" not in self.model_fields_set:
            raise ValueError("the field 'ratio' is missing")
        if self.grpc is not None and self.model_fields_set - {"grpc"}:
            raise ValueError("found other fields beside grpc, which counts in its own words: max_tokens, token_ratio")
        return self


JITTERS = ("none", "full", "equal", "decorrelated")


def _jitter(value: object) -> object:
    if value in JITTERS:
        return value
    try:
        return share(value)
    except ValueError:
        near = nearest(str(value), JITTERS)
        hint = f"; did you mean '{near}'?" if near else ""
        raise ValueError(
            f"found {shown(value)}, expected none, full, equal, decorrelated, or a share such as 20%{hint}"
        ) from None


_JITTER = WithJsonSchema(
    {"anyOf": [{"enum": list(JITTERS)}, {"type": "string", "pattern": r"^\s*[0-9.eE+-]+\s*%\s*$"}, {"type": "number"}]}
)
Jitter = Annotated[Literal["none", "full", "equal", "decorrelated"] | float, BeforeValidator(_jitter), _JITTER]


class Retry(Spec):
    """Try again: `max_attempts` counts the first call. Attempts and pause by default: resilience4j's RetryConfig
    (`maxAttempts` 3, `waitDuration` 500 ms).

    `on` is what the caller itself sees. `timeout`, `bulkhead_full` and `breaker_open` are its own, `unreachable` is its
    own failed or broken connection; `error` (500, 502, 504), `shed` (503) and `rate_limited` (429) are the answers of
    its direct callee, for which all that failed further down is an `error`. By default as Envoy's `5xx`, which is
    `connect-failure`, `reset` and every 5xx answer: retried are timeout, error, unreachable and shed. Of gRPC's codes
    that is UNAVAILABLE (unreachable, shed), DEADLINE_EXCEEDED (timeout) and INTERNAL, UNKNOWN (error);
    RESOURCE_EXHAUSTED is rate_limited. resilience4j would also retry a CallNotPermittedException (breaker_open) and a
    BulkheadFullException unless they are ignored: say so here.

    `jitter: 20%` draws each pause evenly from 80 % to 120 % of what it would be, `max` at most (Kafka's clients;
    resilience4j's randomized).
    """

    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.RETRY, Stage.BACKOFF))
    max_attempts: Annotated[int, Between(1, 1000)] = 3
    """Attempts in all; the first call counts as one."""
    backoff: AnyBackoff = ConstantBackoff.model_validate({"delay": "500ms"})
    """The pause before each retry."""
    jitter: Jitter = "none"
    """How the pause is spread: `none`, `full`, `equal`, `decorrelated`, or a share of it such as 20%."""
    budget: Budget | None = None
    """What bounds the retries of all calls together."""
    on: tuple[RetryOn, ...] = ("timeout", "error", "unreachable", "shed")
    """After which answers it is tried again."""


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
    """How long it stays open."""
    max_wait_duration_in_half_open_state: Duration = 0.0
    """How long it waits for the calls that try before it opens again; 0: for ever."""


class PollyBreaker(Spec):
    """CircuitBreakerStrategyOptions of Polly 8, names in snake_case, with its defaults."""

    simpy_only: ClassVar[bool | tuple[str, ...]] = True
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

    simpy_only: ClassVar[bool | tuple[str, ...]] = True
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

    simpy_only: ClassVar[bool | tuple[str, ...]] = True
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


class GoBreaker(Spec):
    """Settings of sony/gobreaker, names in snake_case, with its defaults."""

    simpy_only: ClassVar[bool | tuple[str, ...]] = True
    max_requests: Few = 1
    """Calls that may try when half-open, and must all be good."""
    interval: Duration = 0.0
    """How often a closed one forgets its failures; 0: never."""
    timeout: Duration = 60.0
    """How long it stays open."""
    consecutive_failures: Few = 5
    """It opens at more than so many failures in a row (ReadyToTrip)."""


class CircuitBreaker(Spec):
    """Opens at `failures` failed attempts `within` a time, for `open_for`; or, with `resilience4j`, as that library
    counts.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.BREAKER_OPEN,),
        events=(EventKind.BREAKER_OPENED, EventKind.BREAKER_HALF_OPENED, EventKind.BREAKER_CLOSED),
        series=("breaker_open",),
    )
    simpy_only: ClassVar[bool | tuple[str, ...]] = ("consecutive", "polly", "opossum", "hystrix", "gobreaker")
    failures: Few = 5
    """Failed attempts from which it opens."""
    within: Duration = Field(default=1.0, gt=0)
    """The time within which they are counted."""
    open_for: Duration = 10.0
    """How long nobody calls."""
    half_open_calls: Few = 1
    """Calls that then try whether the callee is well again."""
    resilience4j: Resilience4jBreaker | None = None
    """Counts as that library does, in the place of the four others."""
    consecutive: Few | None = None
    """Opens at so many failures in a row, in the place of `failures` and `within` (pybreaker's fail_max, cockatiel)."""
    polly: PollyBreaker | None = None
    """Counts as Polly (.NET) does, in the place of all others."""
    opossum: OpossumBreaker | None = None
    """Counts as opossum (Node.js) does, in the place of all others."""
    hystrix: HystrixBreaker | None = None
    """Counts as Hystrix does, in the place of all others."""
    gobreaker: GoBreaker | None = None
    """Counts as sony/gobreaker does, in the place of all others."""

    @property
    def counts_in_a_time(self) -> bool:
        """Whether it is the one that counts `failures` `within` a time."""
        others = (self.resilience4j, self.consecutive, self.polly, self.opossum, self.hystrix, self.gobreaker)
        return all(other is None for other in others)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        """A library says all in its own words."""
        said = self.model_fields_set
        libraries = [name for name in ("polly", "opossum", "hystrix", "gobreaker") if getattr(self, name) is not None]
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


class Bulkhead(Spec):
    """At most `max_concurrent_calls` at once; further ones wait up to `max_wait` (0: are refused at once)."""

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.BULKHEAD_FULL,),
        stages=(Stage.BULKHEAD,),
        series=("places_taken", "places", "in_line", "passed", "turned_away"),
    )
    max_concurrent_calls: Many
    """Calls at once."""
    max_wait: Duration = 0.0
    """How long a further one waits for its place; 0: it is refused at once."""


class Resilience4jRateLimiter(Spec):
    """RateLimiterConfig of resilience4j, names in snake_case, with its defaults, by which it hardly ever limits
    anybody.
    """

    simpy_only: ClassVar[bool | tuple[str, ...]] = True
    limit_for_period: Many = 50
    """Permits at the start of each period."""
    limit_refresh_period: Duration = Field(default=500e-9, gt=0)
    """The length of a period, counted from time 0."""
    timeout_duration: Duration = 5.0
    """How long a call waits for its permit; one that would wait longer waits as long, and is refused then."""


class CallerLimit(Spec):
    """Calls leave at no more than `rate`; further ones wait for their turn up to `wait` (0: are refused at once), in
    the order in which they came.

    By itself it is Go's x/time/rate, which is a leaky bucket as a queue: `burst` calls go at once after a rest.
    `preset: guava` is SmoothBursty, whose
    permits of one idle second are stored; `resilience4j` counts in periods. A refusal is the caller's own,
    `rate_limited`. It stands inside the breaker
    and before `timeout`, as in resilience4j, so that a wait counts for the total timeout alone.
    """

    simpy_only: ClassVar[bool | tuple[str, ...]] = True
    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.RATE_LIMITED,),
        events=(EventKind.LIMITING_BEGAN, EventKind.LIMITING_ENDED),
        stages=(Stage.OTHER,),
        series=("passed", "turned_away", "in_line"),
    )
    positional = "rate"
    rate: Rate = Field(default=100.0, gt=0)
    """Calls per second; must be said unless `resilience4j` is."""
    burst: Few = 1
    """How many may go at once after a rest; of `preset: guava` it is what a second brings."""
    wait: Duration = 0.0
    """How long a call waits for its turn; who would wait longer is refused at once."""
    preset: Literal["guava"] | None = None
    """Guava's RateLimiter: `wait` is the timeout of tryAcquire."""
    resilience4j: Resilience4jRateLimiter | None = None
    """Counts as that library does, in the place of the others."""

    @property
    def mean_rate(self) -> float:
        """What it lets through, per second."""
        if self.resilience4j is None:
            return self.rate
        return self.resilience4j.limit_for_period / self.resilience4j.limit_refresh_period

    @property
    def longest(self) -> float:
        """No call waits longer, seconds."""
        return self.wait if self.resilience4j is None else self.resilience4j.timeout_duration

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        said = self.model_fields_set
        if self.resilience4j is not None and said - {"resilience4j"}:
            raise ValueError(
                f"found {' and '.join(sorted(said - {'resilience4j'}))} beside resilience4j, which says all of it "
                "in its own words"
            )
        if self.resilience4j is None and "rate" not in said:
            raise ValueError("the field 'rate' is missing")
        if self.preset is not None and "burst" in said:
            raise ValueError("found burst beside preset guava, which stores what one second brings")
        return self


class Pool(Spec):
    """Connections of a caller's replica: an attempt has one to itself (HTTP/1.1, JDBC), and waits in line where all are
    taken.

    Defaults are HikariCP's: `size` is its maximumPoolSize, `acquire_timeout` its connectionTimeout, `minimum_idle` and
    `idle_timeout` are its own words; `max_pending` is Envoy's max_pending_requests. Who finds none idle opens one, if
    there may be one more, and waits for `connect`, as Go's database/sql. A connection on which a timeout has left an
    answer to come is closed, and so is one that breaks: unlike the place of a bulkhead, which costs nothing and is free
    at once, the next one has to be opened. Who gets none in time is `bulkhead_full`.
    """

    simpy_only: ClassVar[bool | tuple[str, ...]] = True
    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.BULKHEAD_FULL,),
        stages=(Stage.BULKHEAD, Stage.OTHER),
        series=("places_taken", "places", "in_line", "opened", "turned_away"),
    )
    positional = "size"
    size: Few = 10
    """Connections at once."""
    max_pending: Count = UNLIMITED
    """How many may wait for one; further ones are refused at once."""
    acquire_timeout: Duration = 30.0
    """How long one is waited for; 0: not at all."""
    minimum_idle: Annotated[int, Between(0, 100_000)] | None = None
    """How many are there from the beginning of a run; by default as many as there may be. A replica that starts again
    has none.
    """
    idle_timeout: Annotated[Duration, Field(gt=0)] = 600.0
    """An idle connection is closed after as long, where `minimum_idle` is below `size`; else all stay, as in HikariCP.
    """
    connect: AnyDistribution | None = None
    """How long it takes to open one, TLS included; without it no time."""


def _delay(value: object) -> object:
    """A duration, or a percentile such as p95."""
    match = re.fullmatch(r"p([1-9][0-9](?:\.[0-9]+)?)", value) if isinstance(value, str) else None
    if match is not None:
        return f"p{match[1]}"
    try:
        return duration(value)
    except ValueError:
        raise ValueError(f"found {shown(value)}, expected a duration such as 50ms, or a percentile, p95") from None


_DELAY = WithJsonSchema({"anyOf": [{"type": "string"}, {"const": 0}], "description": "a duration, or p95"})


class Hedge(Spec):
    """Where no good answer has come `after` a time, the same is asked once more, up to `max` times; the first good
    answer counts.

    gRPC's hedgingPolicy (gRFC A6): a failure that could be mended (`on`) sends the next copy at once, any other ends
    it. Polly's defaults: after 2 s, one copy more. With a percentile nobody is asked again before a hundred answers are
    known (Dean and Barroso, "The Tail at Scale"; Finagle's BackupRequestFilter). A copy is as an attempt: it goes
    through breaker, limit, timeout, bulkhead and pool by itself.
    """

    simpy_only: ClassVar[bool | tuple[str, ...]] = True
    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.OTHER,), series=("hedged", "hedges_won"))
    positional = "after"
    after: Annotated[float | str, BeforeValidator(_delay), _DELAY] = 2.0
    """When one more is asked: a duration (0: all at once), or a percentile of the answers so far."""
    most: Annotated[int, Between(1, 10)] = Field(default=1, alias="max")
    """Copies beside the first."""
    cancel: Flag = True
    """Whether losers are cancelled at the callee, or work on for nobody."""
    extra_load: Annotated[Ratio, Field(gt=0)] | None = None
    """Copies that each call pays for, so that no more than this share is added (Finagle's maxExtraLoad, without the ten
    a second that it always allows).
    """
    on: tuple[RetryOn, ...] = ("timeout", "error", "unreachable", "shed")
    """After which answers the next copy is sent at once; others end the call."""

    @property
    def quantile(self) -> float | None:
        """The percentile as a share; None: a fixed time."""
        return float(self.after[1:]) / 100.0 if isinstance(self.after, str) else None

    @property
    def delay(self) -> float | None:
        """The fixed time in seconds."""
        return self.after if not isinstance(self.after, str) else None


class CallPolicy(Spec):
    """fallback( total_timeout( retry( hedge( breaker( rate_limit( timeout( bulkhead( pool( call ))))))))): the one
    order of interceptors.

    `timeout` is of one attempt, `total_timeout` of all attempts and pauses together: then the call ends as a timeout.
    """

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.TIMEOUT,))
    simpy_only: ClassVar[bool | tuple[str, ...]] = ("rate_limit", "pool", "hedge", "deadline")
    timeout: Duration | None = None
    """Of one attempt."""
    total_timeout: Annotated[Duration, Field(gt=0)] | None = None
    """Of all attempts and pauses together: then the call ends as a timeout."""
    on_timeout: Literal["abandon", "cancel"] = "abandon"
    """Whether the callee works on for nobody (`abandon`) or is stopped (`cancel`)."""
    deadline: Literal["propagate"] | None = None
    """`propagate`: the callee is told until when its answer is waited for, and no call under this policy waits longer
    than the caller itself is waited for (gRPC). What cannot end in time is not begun, and what is late is cancelled.
    """
    retry: Retry | None = None
    """Whether a failed call is tried again, and when."""
    hedge: Hedge | None = None
    """Whether the same is asked once more where an answer takes long."""
    circuit_breaker: CircuitBreaker | None = None
    """When nobody calls any more for a while."""
    rate_limit: CallerLimit | None = None
    """How many calls may leave per second; further ones wait for their turn, or are refused."""
    bulkhead: Bulkhead | None = None
    """How many calls there may be at once."""
    pool: Pool | None = None
    """The connections by which calls are made."""
    scope: Literal["replica", "service"] = "replica"
    """Whether breaker, limit, bulkhead, pool and budget are of each `replica` of the caller, or of the
    whole `service`.
    """

    @property
    def cancels(self) -> bool:
        """Whether a callee stops at a timeout."""
        return self.on_timeout == "cancel" or self.deadline is not None

    @property
    def timed(self) -> bool:
        """Whether all of a call together may have a time limit."""
        return self.total_timeout is not None or self.deadline is not None


NO_POLICY = CallPolicy()
PRODUCER = CallPolicy.model_validate(
    {
        "timeout": "30s",
        "total_timeout": "120s",
        "retry": {"max_attempts": 1000, "backoff": {"exponential": {"base": "100ms", "max": "1s"}}, "jitter": "20%"},
    }
)
"""Of a publication that names none, as Kafka's producer is by default (ProducerConfig, ExponentialBackoff):
request.timeout.ms 30 s, retry.backoff.ms 100 ms, doubled up to retry.backoff.max.ms 1 s, 20 % jitter; `retries` is
without end, what ends them is delivery.timeout.ms, 120 s. In that time there is room for some 160 attempts with their
pauses.
"""
