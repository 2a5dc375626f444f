"""Parts of a scenario in Python, as `sim/spec/policy.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


def bulkhead(
    *,
    aimd: Mapping[str, Any] | str | None = None,
    vegas: Mapping[str, Any] | str | None = None,
    gradient2: Mapping[str, Any] | str | None = None,
    envoy: Mapping[str, Any] | str | None = None,
    max_concurrent_calls: Mapping[str, Any] | int | str | None = None,
    max_wait: Literal[0] | Mapping[str, Any] | str | None = None,
    thread_pool: Mapping[str, Any] | str | None = None,
) -> Part:
    """At most `max_concurrent_calls` at once; further ones wait up to `max_wait` (0: are refused at once).

    aimd: AIMD of Netflix's concurrency-limits, in the place of a number.
    vegas: Vegas, likewise.
    gradient2: Gradient2, likewise.
    envoy: Envoy's gradient controller, likewise.
    max_concurrent_calls: Calls at once.
    max_wait: How long a further one waits for its place; 0: it is refused at once.
    thread_pool: Threads with a queue, in the place of both (resilience4j's ThreadPoolBulkhead).
    """
    return part(locals())


def call_policy(
    *,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    connect_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    total_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    on_timeout: Literal["abandon", "cancel"] | None = None,
    deadline: Literal["propagate"] | None = None,
    retry: Mapping[str, Any] | str | None = None,
    hedge: Mapping[str, Any] | str | None = None,
    circuit_breaker: Mapping[str, Any] | str | None = None,
    rate_limit: Mapping[str, Any] | str | None = None,
    bulkhead: Mapping[str, Any] | str | None = None,
    pool: Mapping[str, Any] | str | None = None,
    scope: Literal["replica", "service"] | None = None,
) -> Part:
    """fallback( token( total_timeout( retry( hedge( breaker( rate_limit( timeout( bulkhead( pool( call )))))))))):
    the one order of interceptors; `fallback` and `token` are words of the call.

    timeout: Of one attempt.
    connect_timeout: How long a new connection is tried for, where the `listen_backlog` of the callee is full; then
        the attempt is `unreachable` (Envoy's connect_timeout, 5 s there). By default as long as Linux tries: 127 s
        (tcp_syn_retries 6).
    total_timeout: Of all attempts and pauses together: then the call ends as a timeout.
    on_timeout: Whether the callee works on for nobody (`abandon`) or is stopped (`cancel`).
    deadline: `propagate`: the callee is told until when its answer is waited for, and no call under this policy
        waits longer than the caller itself is waited for (gRPC). What cannot end in time is not begun, and what is
        late is cancelled.
    retry: Whether a failed call is tried again, and when.
    hedge: Whether the same is asked once more where an answer takes long.
    circuit_breaker: When nobody calls any more for a while.
    rate_limit: How many calls may leave per second; further ones wait for their turn, or are refused.
    bulkhead: How many calls there may be at once.
    pool: The connections by which calls are made.
    scope: Whether breaker, limit, bulkhead, pool and budget are of each `replica` of the caller, or of the whole
        `service`.
    """
    return part(locals())


def hedge(
    *,
    after: Literal[0] | str | None = None,
    max: Mapping[str, Any] | int | str | None = None,
    cancel: bool | None = None,
    extra_load: Mapping[str, Any] | float | str | None = None,
    on: Sequence[Literal["timeout", "error", "unreachable", "shed", "rate_limited", "bulkhead_full", "breaker_open"]]
    | None = None,
) -> Part:
    """Where no good answer has come `after` a time, the same is asked once more, up to `max` times; the first good
    answer counts.

    after: When one more is asked: a duration (0: all at once), or a percentile of the answers so far.
    max: Copies beside the first.
    cancel: Whether losers are cancelled at the callee, or work on for nobody.
    extra_load: Copies that each call pays for, so that no more than this share is added (Finagle's maxExtraLoad,
        without the ten a second that it always allows).
    on: After which answers the next copy is sent at once; others end the call.
    """
    return part(locals())


def pool(
    *,
    size: Mapping[str, Any] | int | str | None = None,
    max_pending: Literal["unlimited"] | Mapping[str, Any] | int | str | None = None,
    acquire_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    minimum_idle: Mapping[str, Any] | int | str | None = None,
    idle_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    connect: Mapping[str, Any] | str | None = None,
) -> Part:
    """Connections of a caller's replica: an attempt has one to itself (HTTP/1.1, JDBC), and waits in line where all
    are taken.

    size: Connections at once.
    max_pending: How many may wait for one; further ones are refused at once.
    acquire_timeout: How long one is waited for; 0: not at all.
    minimum_idle: How many are there from the beginning of a run; by default as many as there may be. A replica that
        starts again has none.
    idle_timeout: An idle connection is closed after as long, where `minimum_idle` is below `size`; else all stay,
        as in HikariCP.
    connect: How long it takes to open one, TLS included; without it no time.
    """
    return part(locals())


def retry(
    *,
    max_attempts: Mapping[str, Any] | int | str | None = None,
    backoff: Mapping[str, Any] | str | None = None,
    jitter: Literal["none", "full", "equal", "decorrelated"] | Mapping[str, Any] | float | str | None = None,
    budget: Mapping[str, Any] | Sequence[Any] | float | str | None = None,
    on: Sequence[Literal["timeout", "error", "unreachable", "shed", "rate_limited", "bulkhead_full", "breaker_open"]]
    | None = None,
    honor_retry_after: bool | None = None,
    max_retry_after: Literal[0] | Mapping[str, Any] | str | None = None,
    above_max_retry_after: Literal["give_up", "ignore", "cut"] | None = None,
) -> Part:
    """Try again: `max_attempts` counts the first call. Attempts and pause by default: resilience4j's RetryConfig
    (`maxAttempts` 3, `waitDuration` 500 ms).

    max_attempts: Attempts in all; the first call counts as one.
    backoff: The pause before each retry.
    jitter: How the pause is spread: `none`, `full`, `equal`, `decorrelated`, or a share of it such as 20%.
    budget: What bounds the retries of all calls together.
    on: After which answers it is tried again.
    honor_retry_after: Whether whoever was refused by a rate limit waits at least as long as the Retry-After of the
        answer says.
    max_retry_after: The longest Retry-After that is waited for; by default however long it is. Envoy's is 300 s
        (rate_limited_retry_back_off, max_interval).
    above_max_retry_after: What becomes of a longer one: there is no further attempt (`give_up`, maxRetryAfter of
        got and ky), the pause is that of the back-off (`ignore`, Envoy), or as long as is waited at most (`cut`).
    """
    return part(locals())


def thread_pool(
    *,
    core_thread_pool_size: Mapping[str, Any] | int | str,
    max_thread_pool_size: Mapping[str, Any] | int | str | None = None,
    queue_capacity: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """resilience4j's ThreadPoolBulkhead, names in snake_case, which is a ThreadPoolExecutor of Java: a call has one
    of the core threads, else a place in the queue, where it waits without an end of its own; only where that is
    full there are more threads, up to the most, and these take the call that comes, past those who wait.

    core_thread_pool_size: Threads that there always are; of the library by default as many as processors, less one.
    max_thread_pool_size: Threads at most; by default no more than those of the core.
    queue_capacity: How many may wait for a thread; 0: nobody.
    """
    return part(locals())
