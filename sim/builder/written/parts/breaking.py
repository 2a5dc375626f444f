"""Parts of a scenario in Python, as `sim/spec/breaking.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


def circuit_breaker(
    *,
    failures: Mapping[str, Any] | int | str | None = None,
    within: Literal[0] | Mapping[str, Any] | str | None = None,
    open_for: Literal[0] | Mapping[str, Any] | str | None = None,
    half_open_calls: Mapping[str, Any] | int | str | None = None,
    resilience4j: Mapping[str, Any] | str | None = None,
    consecutive: Mapping[str, Any] | int | str | None = None,
    polly: Mapping[str, Any] | str | None = None,
    opossum: Mapping[str, Any] | str | None = None,
    hystrix: Mapping[str, Any] | str | None = None,
    gobreaker: Mapping[str, Any] | str | None = None,
    cockatiel: Mapping[str, Any] | str | None = None,
    purgatory: Mapping[str, Any] | str | None = None,
    records: Sequence[Literal["timeout", "error", "unreachable", "shed", "rate_limited", "refused", "bulkhead_full"]]
    | None = None,
    ignores: Sequence[Literal["timeout", "error", "unreachable", "shed", "rate_limited", "refused", "bulkhead_full"]]
    | None = None,
) -> Part:
    """Opens at `failures` failed attempts `within` a time, for `open_for`; or, with `resilience4j`, as that library
    counts.

    failures: Failed attempts from which it opens.
    within: The time within which they are counted.
    open_for: How long nobody calls.
    half_open_calls: Calls that then try whether the callee is well again.
    resilience4j: Counts as that library does, in the place of those above.
    consecutive: Opens at so many failures in a row, in the place of `failures` and `within` (pybreaker's fail_max).
    polly: Counts as Polly (.NET) does, in the place of all others.
    opossum: Counts as opossum (Node.js) does, in the place of all others.
    hystrix: Counts as Hystrix does, in the place of all others.
    gobreaker: Counts as sony/gobreaker does, in the place of all others.
    cockatiel: Counts as cockatiel (Node.js) does, in the place of all others.
    purgatory: Counts as purgatory (Python) does, in the place of all others.
    records: What is a failure; every other answer is then a success (resilience4j's recordExceptions and
        recordResult, gobreaker's IsSuccessful, Polly's ShouldHandle). By default `timeout`, `error`, `unreachable`
        and `shed`, and of libraries what the caller's own bulkhead or rate limit refuses; a 429 of the callee is a
        success.
    ignores: What counts as neither (resilience4j's ignoreExceptions); these are no failures though `records` names
        them.
    """
    return part(locals())


def cockatiel_breaker(
    *,
    half_open_after: Literal[0] | Mapping[str, Any] | str,
    consecutive: Mapping[str, Any] | int | str | None = None,
    sampling: Mapping[str, Any] | str | None = None,
    count: Mapping[str, Any] | str | None = None,
) -> Part:
    """cockatiel's circuitBreaker (Node.js, src/CircuitBreakerPolicy.ts), names in snake_case: one of three breakers.

    half_open_after: How long it stays open; cockatiel has no default.
    consecutive: ConsecutiveBreaker: opens at so many failures in a row.
    sampling: SamplingBreaker: opens above a share of failures in a time.
    count: CountBreaker: opens above a share of failures among the last results.
    """
    return part(locals())


def cockatiel_count(
    *,
    threshold: Mapping[str, Any] | float | str,
    size: Mapping[str, Any] | int | str,
    minimum_number_of_calls: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """Options of cockatiel's CountBreaker, names in snake_case.

    threshold: Share of failures above which it opens.
    size: Results that are remembered.
    minimum_number_of_calls: Results from which it judges; null: `size`.
    """
    return part(locals())


def cockatiel_sampling(
    *,
    threshold: Mapping[str, Any] | float | str,
    duration: Literal[0] | Mapping[str, Any] | str,
    minimum_rps: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """Options of cockatiel's SamplingBreaker, names in snake_case.

    threshold: Share of failures above which it opens.
    duration: The window, of five parts at least and parts of a second at most.
    minimum_rps: Requests a second, over the whole window, from which it judges; null: 5 / threshold.
    """
    return part(locals())


def go_breaker(
    *,
    max_requests: Mapping[str, Any] | int | str | None = None,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    bucket_period: Literal[0] | Mapping[str, Any] | str | None = None,
    consecutive_failures: Mapping[str, Any] | int | str | None = None,
    failure_ratio: Mapping[str, Any] | float | str | None = None,
    minimum_requests: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """Settings of sony/gobreaker, names in snake_case, with its defaults.

    max_requests: Calls that may try when half-open, and must all be good.
    interval: How often a closed one forgets its failures; 0: never.
    timeout: How long it stays open.
    bucket_period: The width of a bucket: the interval, rounded up to a multiple of it, is then a rolling window;
        without it, or where that is one bucket, everything is forgotten at once. Beside a `failure_ratio` only.
    consecutive_failures: It opens at more than so many failures in a row (ReadyToTrip).
    failure_ratio: In the place of `consecutive_failures`: it opens at a failure from which on this share of the
        requests has failed, those under way included (the ReadyToTrip of its README).
    minimum_requests: Of `failure_ratio`: requests in the window from which it judges, 3 in its README.
    """
    return part(locals())


def hystrix_breaker(
    *,
    request_volume_threshold: Mapping[str, Any] | int | str | None = None,
    error_threshold_percentage: Mapping[str, Any] | float | str | None = None,
    sleep_window: Literal[0] | Mapping[str, Any] | str | None = None,
    rolling_stats: Literal[0] | Mapping[str, Any] | str | None = None,
    health_snapshot_interval: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Properties of Hystrix, names in snake_case, with its defaults; its timeout is that of the policy.

    request_volume_threshold: Calls in the window before it judges.
    error_threshold_percentage: Percentage of failures from which it opens.
    sleep_window: How long it stays open.
    rolling_stats: The window.
    health_snapshot_interval: How often it judges.
    """
    return part(locals())


def opossum_breaker(
    *,
    error_threshold_percentage: Mapping[str, Any] | float | str | None = None,
    volume_threshold: Mapping[str, Any] | int | str | None = None,
    rolling_count_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    rolling_count_buckets: Mapping[str, Any] | int | str | None = None,
    reset_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Options of opossum (Node.js), names in snake_case, with its defaults; its `timeout` is that of the policy.

    error_threshold_percentage: Percentage of failures above which it opens.
    volume_threshold: Invocations in the window before it judges; with the default the first failure may open it.
    rolling_count_timeout: The window.
    rolling_count_buckets: Buckets of the window.
    reset_timeout: How long it stays open.
    """
    return part(locals())


def polly_breaker(
    *,
    failure_ratio: Mapping[str, Any] | float | str | None = None,
    minimum_throughput: Mapping[str, Any] | int | str | None = None,
    sampling_duration: Literal[0] | Mapping[str, Any] | str | None = None,
    break_duration: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """CircuitBreakerStrategyOptions of Polly 8, names in snake_case, with its defaults.

    failure_ratio: Share of failures from which it opens.
    minimum_throughput: Calls in the window before it judges.
    sampling_duration: The window.
    break_duration: How long it stays open.
    """
    return part(locals())


def purgatory_breaker(
    *, threshold: Mapping[str, Any] | int | str | None = None, ttl: Literal[0] | Mapping[str, Any] | str | None = None
) -> Part:
    """AsyncCircuitBreakerFactory of purgatory (Python, src/purgatory/domain/model.py), with its defaults.

    threshold: Failures in a row from which it opens.
    ttl: How long it stays open.
    """
    return part(locals())


def resilience4j_breaker(
    *,
    failure_rate_threshold: Mapping[str, Any] | float | str | None = None,
    slow_call_rate_threshold: Mapping[str, Any] | float | str | None = None,
    slow_call_duration_threshold: Literal[0] | Mapping[str, Any] | str | None = None,
    sliding_window_type: Literal["count_based", "time_based"] | None = None,
    sliding_window_size: Mapping[str, Any] | int | str | None = None,
    minimum_number_of_calls: Mapping[str, Any] | int | str | None = None,
    permitted_number_of_calls_in_half_open_state: Mapping[str, Any] | int | str | None = None,
    wait_duration_in_open_state: Literal[0] | Mapping[str, Any] | str | None = None,
    exponential_backoff_multiplier: Mapping[str, Any] | float | str | None = None,
    exponential_max_wait_duration_in_open_state: Literal[0] | Mapping[str, Any] | str | None = None,
    randomized_wait_factor: Mapping[str, Any] | float | str | None = None,
    max_wait_duration_in_half_open_state: Literal[0] | Mapping[str, Any] | str | None = None,
    automatic_transition_from_open_to_half_open_enabled: bool | None = None,
) -> Part:
    """CircuitBreakerConfig of resilience4j, names in snake_case, with its defaults.

    failure_rate_threshold: Percentage of failed calls in the window from which it opens.
    slow_call_rate_threshold: Percentage of slow calls in the window from which it opens.
    slow_call_duration_threshold: From when on a call is slow.
    sliding_window_type: Whether the window counts calls or seconds.
    sliding_window_size: Calls, or whole seconds.
    minimum_number_of_calls: Calls in the window before it judges.
    permitted_number_of_calls_in_half_open_state: Calls that try whether the callee is well again.
    wait_duration_in_open_state: How long it stays open, cut to whole milliseconds: 1 ms at least, as in the
        library; here also 0, at once.
    exponential_backoff_multiplier: How many times as long it stays open as the last time, until it has closed (1.5
        where enableExponentialBackoff says no other); null: always as long.
    exponential_max_wait_duration_in_open_state: No such wait is longer.
    randomized_wait_factor: By which share that wait may be shorter or longer, by a draw of each opening (0.5 where
        enableRandomizedWait says no other); null: it is always the same.
    max_wait_duration_in_half_open_state: How long it waits for the calls that try before it opens again; 0: for
        ever. Else 1 ms at least.
    automatic_transition_from_open_to_half_open_enabled: Whether it is half-open as soon as the wait is over; else
        the first call after that finds it so.
    """
    return part(locals())
