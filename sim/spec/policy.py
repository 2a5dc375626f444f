"""How a caller guards a call: timeout, retry with back-off and budget, circuit breaker, bulkhead."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from sim.errors import nearest
from sim.spec.backoff import AnyBackoff as AnyBackoff  # noqa: PLC0414 - a policy is all of these
from sim.spec.backoff import Backoff as Backoff  # noqa: PLC0414 - as is this
from sim.spec.backoff import ConstantBackoff as ConstantBackoff  # noqa: PLC0414 - as is this
from sim.spec.backoff import ExponentialBackoff as ExponentialBackoff  # noqa: PLC0414 - as is this
from sim.spec.backoff import LinearBackoff as LinearBackoff  # noqa: PLC0414 - as is this
from sim.spec.backoff import SequenceBackoff as SequenceBackoff  # noqa: PLC0414 - as is this
from sim.spec.base import (
    UNLIMITED,
    Between,
    Count,
    Duration,
    Few,
    Flag,
    Leaves,
    Many,
    Ratio,
    Spec,
)
from sim.spec.breaking import CircuitBreaker as CircuitBreaker  # noqa: PLC0414 - as is this
from sim.spec.breaking import GoBreaker as GoBreaker  # noqa: PLC0414 - as is this
from sim.spec.breaking import HystrixBreaker as HystrixBreaker  # noqa: PLC0414 - as is this
from sim.spec.breaking import OpossumBreaker as OpossumBreaker  # noqa: PLC0414 - as is this
from sim.spec.breaking import PollyBreaker as PollyBreaker  # noqa: PLC0414 - as is this
from sim.spec.breaking import PurgatoryBreaker as PurgatoryBreaker  # noqa: PLC0414 - as is this
from sim.spec.breaking import Resilience4jBreaker as Resilience4jBreaker  # noqa: PLC0414 - as is this
from sim.spec.budgets import AwsQuota as AwsQuota  # noqa: PLC0414 - as is this
from sim.spec.budgets import Budget as Budget  # noqa: PLC0414 - as is this
from sim.spec.budgets import EnvoyRetries as EnvoyRetries  # noqa: PLC0414 - as is this
from sim.spec.budgets import EnvoyRetryBudget as EnvoyRetryBudget  # noqa: PLC0414 - as is this
from sim.spec.budgets import GrpcThrottling as GrpcThrottling  # noqa: PLC0414 - as is this
from sim.spec.caller_limit import CallerLimit as CallerLimit  # noqa: PLC0414 - as is this
from sim.spec.caller_limit import Resilience4jRateLimiter as Resilience4jRateLimiter  # noqa: PLC0414 - as is this
from sim.spec.concurrency import AdaptiveLimit
from sim.spec.distribution import AnyDistribution
from sim.spec.library_backoffs import LibraryBackoff as LibraryBackoff  # noqa: PLC0414 - as is this
from sim.units import duration, share, shown
from sim.vocabulary import Outcome, Stage

RetryOn = Literal["timeout", "error", "unreachable", "shed", "rate_limited", "bulkhead_full", "breaker_open"]
Failure = Literal[RetryOn, "refused", "lock_timeout", "deadlock"]
Answer = Literal["error", "shed", "rate_limited", "refused"]
AnswersWith = dict[Failure, Answer]
"""What an endpoint or a route answers (500, 503, 429, a business refusal) when its steps end so.

What is not named: `sim.models.answers`.
"""


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

    `jitter: 20%` draws each pause evenly from 80 % to 120 % of what it would be, `max` at most (Kafka's clients).
    Back-offs of libraries have a jitter of their own.

    With `honor_retry_after` the pause after a refusal of a rate limit (429, or its 503) is at least as long as its
    Retry-After says: the longer of the two, as in Azure.Core and Knative. Polly (ShouldRetryAfterHeader, by default),
    urllib3 (respect_retry_after_header, by default) and go-retryablehttp take the header in the place of the pause,
    which is the same where the pause is the shorter one; Envoy does so with `rate_limited_retry_back_off`, and then
    draws from once to 1.5 times as long; resilience4j and Spring Retry do not read it. What is told comes of the direct
    callee: the answer of a service that was itself refused has a status of its own, and no header.
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
    honor_retry_after: Flag = False
    """Whether whoever was refused by a rate limit waits at least as long as the Retry-After of the answer says."""
    max_retry_after: Duration | None = None
    """The longest Retry-After that is waited for; by default however long it is. Envoy's is 300 s
    (rate_limited_retry_back_off, max_interval).
    """
    above_max_retry_after: Literal["give_up", "ignore", "cut"] = "give_up"
    """What becomes of a longer one: there is no further attempt (`give_up`, maxRetryAfter of got and ky), the pause is
    that of the back-off (`ignore`, Envoy), or as long as is waited at most (`cut`).
    """

    @model_validator(mode="after")
    def _hears_what_it_bounds(self) -> Self:
        if self.max_retry_after is not None and not self.honor_retry_after:
            raise ValueError(
                "found max_retry_after, which bounds what `honor_retry_after: true` waits for; expected both"
            )
        if self.max_retry_after is None and "above_max_retry_after" in self.model_fields_set:
            raise ValueError("found above_max_retry_after without the `max_retry_after` that it is about")
        return self

    @model_validator(mode="after")
    def _jittered_once(self) -> Self:
        if self.jitter != "none" and isinstance(self.backoff, LibraryBackoff):
            raise ValueError(f"found jitter beside the back-off of {self.backoff.library}, which has its own")
        if self.jitter == "decorrelated" and isinstance(self.backoff, SequenceBackoff):
            raise ValueError("found jitter: decorrelated beside a sequence, expected another jitter: it goes by `base`")
        return self


class ThreadPool(Spec):
    """resilience4j's ThreadPoolBulkhead, names in snake_case, which is a ThreadPoolExecutor of Java: a call has one of
    the core threads, else a place in the queue, where it waits without an end of its own; only where that is full
    there are more threads, up to the most, and these take the call that comes, past those who wait.

    Not modelled: keepAliveDuration (20 ms): a thread beyond the core ends when nobody waits.
    """

    positional = "core_thread_pool_size"
    core_thread_pool_size: Few
    """Threads that there always are; of the library by default as many as processors, less one."""
    max_thread_pool_size: Few | None = None
    """Threads at most; by default no more than those of the core."""
    queue_capacity: Annotated[int, Between(0, 1_000_000)] = 100
    """How many may wait for a thread; 0: nobody."""

    @property
    def most(self) -> int:
        """Threads at most."""
        return self.core_thread_pool_size if self.max_thread_pool_size is None else self.max_thread_pool_size

    @model_validator(mode="after")
    def _more_than_the_core(self) -> Self:
        if self.most < self.core_thread_pool_size:
            core = self.core_thread_pool_size
            raise ValueError(f"max_thread_pool_size: found {self.most}, expected at least the {core} of the core")
        return self


class Bulkhead(AdaptiveLimit):
    """At most `max_concurrent_calls` at once; further ones wait up to `max_wait` (0: are refused at once).

    In the place of a number an algorithm may set it, by how calls end and how long they take: `aimd`, `vegas`,
    `gradient2` (Netflix's concurrency-limits) or `envoy`. Then nobody waits.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.BULKHEAD_FULL,),
        stages=(Stage.BULKHEAD,),
        series=("places_taken", "places", "in_line", "passed", "turned_away"),
    )
    max_concurrent_calls: Many = 1
    """Calls at once."""
    max_wait: Duration = 0.0
    """How long a further one waits for its place; 0: it is refused at once."""
    thread_pool: ThreadPool | None = None
    """Threads with a queue, in the place of both (resilience4j's ThreadPoolBulkhead)."""

    @property
    def waits(self) -> bool:
        """Whether a further call may wait."""
        return self.max_wait > 0.0 if self.thread_pool is None else self.thread_pool.queue_capacity > 0

    @property
    def most(self) -> int:
        """Calls at once, at most."""
        if self.thread_pool is not None:
            return self.thread_pool.most
        return self.adaptive_most if self.algorithm else self.max_concurrent_calls

    @model_validator(mode="after")
    def _number_or_algorithm(self) -> Self:
        said = sorted({"max_concurrent_calls", "max_wait"} & self.model_fields_set)
        if self.thread_pool is not None:
            if said or self.algorithm:
                found = " and ".join(said) or self.algorithm
                raise ValueError(f"found {found} beside thread_pool, expected one of them")
            return self
        if not self.algorithm and "max_concurrent_calls" not in said:
            raise ValueError("the field 'max_concurrent_calls' is missing")
        if self.algorithm and said:
            found = f"{' and '.join(said)} beside {self.algorithm}"
            raise ValueError(f"found {found}, which sets the limit, and lets nobody wait")
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
    """fallback( token( total_timeout( retry( hedge( breaker( rate_limit( timeout( bulkhead( pool( call )))))))))): the
    one order of interceptors; `fallback` and `token` are words of the call.

    `timeout` is of one attempt, `total_timeout` of all attempts and pauses together: then the call ends as a timeout.
    """

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.TIMEOUT,))
    timeout: Duration | None = None
    """Of one attempt."""
    connect_timeout: Annotated[Duration, Field(gt=0)] | None = None
    """How long a new connection is tried for, where the `listen_backlog` of the callee is full; then the attempt is
    `unreachable` (Envoy's connect_timeout, 5 s there). By default as long as Linux tries: 127 s (tcp_syn_retries 6).
    """
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
