"""The pause before a retry as libraries reckon it, each with its own rounding, and jitter before or after the cap.

    sequence      the k-th of a list, or the last; then our own jitter
    resilience4j  whole milliseconds, cut at each step; randomized, cut again, and only then capped (IntervalFunction,
                  IntervalFunctionCompanion.randomize: min + u * (max - min + 1), 1 ms at least)
    grpc          capped, then * random(0.8, 1.2); the first one is not capped (gRFC A6; grpc-java RetriableStream)
    finagle       nanoseconds; the first is `start`; `maximum` is never left again (Backoff.scala: Const)
    polly         ticks of 100 ns; capped at the end (RetryHelper.cs; TimeSpan.FromTicks and FromMilliseconds cut)
    tenacity      seconds (tenacity/wait.py)

`library_backoff` gives what the next one needs to know of this one, and `seconds_of` the pause: the same but for
Polly's V2, which remembers f(t). Powers are multiplied out, for the same bits in both engines; 2^t and tanh are made of
exp, and may differ from those of .NET in the last digit, which is far below a tick.
"""

from __future__ import annotations

import math

from sim.policies.base import MILLISECONDS, NANOSECONDS, Ring, policy
from sim.policies.pauses import (
    capped_milliseconds,
    grown,
    grown_milliseconds,
    randomized_milliseconds,
    spread_evenly,
)
from sim.policies.retry_row import (
    CONSTANT,
    EXPONENTIAL,
    FINAGLE_DECORRELATED,
    FINAGLE_EQUAL,
    FINAGLE_EXPONENTIAL,
    GRPC,
    LINEAR,
    POLLY,
    POLLY_V2,
    RESILIENCE4J,
    SEQUENCE,
    TENACITY,
    TENACITY_JITTER,
    TENACITY_RANDOM,
    RetryRow,
)
from sim.spec.backoff import Backoff, SequenceBackoff
from sim.spec.library_backoffs import (
    FinagleBackoff,
    GrpcBackoff,
    PollyBackoff,
    Resilience4jInterval,
    TenacityWait,
)

TICKS = 1e7  # in a second: of .NET
LN2 = math.log(2.0)
_FINAGLE = {"decorrelated": FINAGLE_DECORRELATED, "equal": FINAGLE_EQUAL, "exponential": FINAGLE_EXPONENTIAL}
_GROWTH = {"constant": CONSTANT, "linear": LINEAR, "exponential": EXPONENTIAL}


def fill(row: RetryRow, rule: Backoff) -> None:
    """What a library's back-off says, into the row."""
    if isinstance(rule, SequenceBackoff):
        row.rule, row.steps = SEQUENCE, len(rule.delays)
    elif isinstance(rule, Resilience4jInterval):
        row.rule, row.base, row.longest = RESILIENCE4J, rule.wait_duration, rule.most
        row.multiplier = rule.exponential_backoff_multiplier or 1.0
        row.spread = -1.0 if rule.randomized_wait_factor is None else rule.randomized_wait_factor
    elif isinstance(rule, GrpcBackoff):
        row.rule, row.base, row.longest = GRPC, rule.initial_backoff, rule.max_backoff
        row.multiplier = rule.backoff_multiplier
    elif isinstance(rule, FinagleBackoff):
        row.rule, row.base, row.longest = _FINAGLE[rule.jitter], rule.start, rule.maximum
    elif isinstance(rule, PollyBackoff):
        grows = rule.backoff_type == "exponential"
        row.rule = POLLY_V2 if grows and rule.use_jitter else POLLY
        row.growth, row.base, row.longest = _GROWTH[rule.backoff_type], rule.delay, rule.most
        row.multiplier = 2.0
        row.spread = 0.5 if rule.use_jitter and not grows else -1.0
    elif isinstance(rule, TenacityWait):
        _fill_tenacity(row, rule)
    else:
        raise TypeError(f"a back-off of a plug-in, {type(rule).__name__}, has no built-in rule")


def _fill_tenacity(row: RetryRow, rule: TenacityWait) -> None:
    grows = rule.wait_exponential or rule.wait_random_exponential or rule.wait_exponential_jitter
    if grows is not None:
        row.rule = TENACITY_RANDOM if rule.wait_random_exponential is not None else TENACITY
        row.base, row.multiplier, row.least = grows.multiplier, grows.exp_base, grows.least
        row.longest = math.inf if grows.longest is None else grows.longest
        if rule.wait_exponential_jitter is not None:
            row.rule, row.spread = TENACITY_JITTER, rule.wait_exponential_jitter.jitter
    elif (rising := rule.wait_incrementing) is not None:
        row.rule, row.growth, row.base, row.increment = TENACITY, LINEAR, rising.start, rising.increment
        row.longest = math.inf if rising.longest is None else rising.longest
    else:
        assert rule.wait_random is not None
        row.rule, row.least, row.base = TENACITY_RANDOM, rule.wait_random.least, rule.wait_random.longest


@policy
def library_backoff(row: RetryRow, ring: Ring, k: int, u: float, before: float) -> float:
    """What is remembered of the pause before retry k >= 1; `before` of the one before it, `row.begin` for the first.

    `ring` holds the pauses of a sequence, `u` is uniform in (0, 1).
    """
    if row.rule == SEQUENCE:
        return spread_evenly(row, ring[k - 1 if k < row.steps else row.steps - 1], u)
    if row.rule == RESILIENCE4J:
        return interval(row, k, u)
    if row.rule == GRPC:
        pause = row.base if k == 1 else min(grown(row, row.base, k, row.longest), row.longest)
        return pause * (0.8 + 0.4 * u)
    if row.rule >= FINAGLE_DECORRELATED and row.rule <= FINAGLE_EXPONENTIAL:
        return finagle(row, k, u, math.floor(before * NANOSECONDS + 0.5)) / NANOSECONDS
    if row.rule == POLLY_V2:
        t = k - 1 + u
        twice = math.exp(-2.0 * math.sqrt(4.0 * t))
        return math.exp(t * LN2) * ((1.0 - twice) / (1.0 + twice))
    if row.rule == POLLY:
        return polly(row, k, u)
    return tenacity(row, k, u)


@policy
def seconds_of(row: RetryRow, before: float, now: float) -> float:
    """The pause, by what is remembered of the one before and of this one."""
    if row.rule != POLLY_V2:
        return now
    pause = math.floor((now - before) * (1.0 / 1.4) * math.floor(row.base * TICKS + 0.5)) / TICKS
    return row.longest if pause > row.longest else pause


@policy
def interval(row: RetryRow, k: int, u: float) -> float:
    """IntervalFunction of resilience4j."""
    whole = grown_milliseconds(row.base, row.multiplier, k)
    if row.spread >= 0.0:
        whole = randomized_milliseconds(whole, row.spread, u)
    return capped_milliseconds(whole, row.longest) / MILLISECONDS


@policy
def finagle(row: RetryRow, k: int, u: float, before: float) -> float:
    """Nanoseconds, after a pause of so many."""
    start, maximum = 1.0 * math.floor(row.base * NANOSECONDS + 0.5), 1.0 * math.floor(row.longest * NANOSECONDS + 0.5)
    if k == 1 or start == maximum:
        return start
    if before >= maximum:
        return maximum
    if row.rule == FINAGLE_DECORRELATED:
        high = maximum if before >= math.floor(maximum / 3.0) else 3.0 * before
        return before + math.floor(u * (high - before))
    shift = 1.0
    for _ in range(min(k - 2 if row.rule == FINAGLE_EQUAL else k - 1, 62)):
        shift *= 2.0
    first = start if row.rule == FINAGLE_EQUAL else before
    high = maximum if first >= math.floor(maximum / shift) else first * shift
    if high == maximum:
        return maximum
    more = 1.0 * math.floor(u * high)
    if row.rule == FINAGLE_EXPONENTIAL:
        return more
    return maximum if high >= maximum - more else high + more


@policy
def polly(row: RetryRow, k: int, u: float) -> float:
    """RetryHelper.GetRetryDelay but for V2: ApplyJitter of constant and linear pauses, and the cap."""
    pause = row.base
    if row.growth == LINEAR:
        pause = row.base * k
    elif row.growth == EXPONENTIAL:
        pause = grown(row, row.base, k, row.longest)
    if row.spread >= 0.0:
        half = pause * row.spread
        pause = math.floor((pause + (half * u - half / 2.0)) * TICKS) / TICKS
    return row.longest if pause > row.longest else pause


@policy
def tenacity(row: RetryRow, k: int, u: float) -> float:
    """Its waits: `max(max(0, min), min(result, max))`, and what is random of them."""
    pause = row.base + row.increment * (k - 1) if row.growth == LINEAR else grown(row, row.base, k, row.longest)
    if row.rule == TENACITY_JITTER:
        pause += row.spread * u
    pause = max(row.least, min(pause, row.longest))
    return row.least + (pause - row.least) * u if row.rule == TENACITY_RANDOM else pause
