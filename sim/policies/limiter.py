"""Rate limiters: token bucket, fixed window, sliding window counter, sliding log, GCRA. A refused request changes
nothing.

    token_bucket            starts full with `burst` tokens, refilled at `rate` all the time; a request takes one (nginx
                            limit_req with nodelay, where excess <= burst lets burst + 1 pass; Envoy's local rate limit;
                            Spring Cloud Gateway, in whole seconds there)
    fixed_window            fewer than `limit` requests so far in this window; windows are aligned to time 0 (Kong's
                            `rate-limiting`)
    sliding_window_counter  previous window's count * (1 - elapsed share) + this window's < limit (Cloudflare; limits,
                            which counts only what it lets pass: acquire_sliding_window.lua. Kong's
                            `rate-limiting-advanced` also counts what it refuses, unless disable_penalty)
    sliding_log             fewer than `limit` stamps >= now - window: exact, and a request that is a window old to the
                            last bit still counts (limits' moving window: acquire_moving_window.lua and
                            MemoryStorage.acquire_entry, `entry.atime >= timestamp - expiry` refuses)
    gcra                    T = 1 / rate, tau = T * burst: allowed when now >= max(now, tat) - tau, and then tat =
                            max(now, tat) + T. `burst` is throttled's MaxBurst, beyond the first: burst + 1 requests
                            pass at once (throttled rate.go)

with limit = floor(rate * window), at least 1. Source: semantics.md 4. The answer to a refused request is its
Retry-After in seconds, not rounded; to an obedient client the limiter says yes at that time if no one else came.

`look` asks and `take` counts, so that a request that must pass several limiters is counted by all of them or by none
(Kong: "if stop: do not increment"); `allow` is both.

At a boundary times are compared as `base.py` says, so that a token is there after exactly 1/rate seconds. Nothing is
given away by that: a bucket and GCRA count what they have allowed since they were last at rest, and add up no
fractions.

Not here: the delay that nginx puts in the place of a refusal where there is no `nodelay`, the work of asking a shared
store, races between check and increment, stale copies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from sim.policies.base import Ring, dtype_of, noise, passed, periods, policy
from sim.spec.limits import RateLimit, requests_in

TOKEN_BUCKET = 0
FIXED_WINDOW = 1
SLIDING_WINDOW_COUNTER = 2
SLIDING_LOG = 3
GCRA = 4

ALLOWED = -1.0

_ALGORITHMS = {
    "token_bucket": TOKEN_BUCKET,
    "fixed_window": FIXED_WINDOW,
    "sliding_window_counter": SLIDING_WINDOW_COUNTER,
    "sliding_log": SLIDING_LOG,
    "gcra": GCRA,
}


@dataclass(slots=True)
class LimiterRow:
    """One counter: of one user, one route, or of all. Times in seconds."""

    algorithm: int = TOKEN_BUCKET
    limit: int = 1  # requests per window
    count: int = 0  # allowed requests, in window `index` or since `last`; sliding_log: stamps in the ring
    previous: int = 0  # requests allowed in the window before
    index: int = 0  # of the window of the last allowed request; sliding_log: next place in the ring
    last: float = 0.0  # token_bucket: when it was full; gcra: when a request came that had not been due
    period: float = 1.0  # 1 / rate
    rate: float = 1.0
    burst: float = 1.0
    window: float = 1.0


LIMITER = dtype_of(LimiterRow)


class Bucket(Protocol):
    """A row with a token bucket. Times in seconds."""

    count: int  # tokens taken since `last`
    last: float  # when it was full
    rate: float
    burst: float


def new_limiter(spec: RateLimit) -> tuple[LimiterRow, Ring]:
    """A limiter that has seen nothing. Ring: `limit` stamps for the sliding log, empty for the others."""
    limit = requests_in(spec.window, spec.rate)
    row = LimiterRow(
        _ALGORITHMS[spec.algorithm],
        limit,
        period=1.0 / spec.rate,
        rate=spec.rate,
        burst=float(spec.burst),
        window=spec.window,
    )
    return row, [0.0] * limit if row.algorithm == SLIDING_LOG else []


@policy
def in_whole_seconds(wait: float) -> float:
    """A Retry-After as a header says it: whole seconds, rounded up, at least one (RFC 9110, 10.2.3: delay-seconds)."""
    return float(max(1, math.ceil(wait)))


@policy
def allow(row: LimiterRow, ring: Ring, now: float) -> float:
    """Look, and take where there is something: the answer of `look`."""
    wait = look(row, ring, now)
    if wait < 0.0:
        take(row, ring, now)
    return wait


@policy
def look(row: LimiterRow, ring: Ring, now: float) -> float:
    """-1.0: would be allowed.

    Otherwise refused: the seconds (>= 0) after which a retry may succeed. Changes nothing.
    """
    if row.algorithm == TOKEN_BUCKET:
        return look_token_bucket(row, now)
    if row.algorithm == FIXED_WINDOW:
        return look_fixed_window(row, now)
    if row.algorithm == SLIDING_WINDOW_COUNTER:
        return look_sliding_window_counter(row, now)
    if row.algorithm == SLIDING_LOG:
        return look_sliding_log(row, ring, now)
    return look_gcra(row, now)


@policy
def take(row: LimiterRow, ring: Ring, now: float) -> None:
    """Count a request that `look` allowed at this very time."""
    if row.algorithm == TOKEN_BUCKET:
        take_tokens(row, now, 1)
    elif row.algorithm == SLIDING_LOG:
        if row.count < row.limit:
            row.count += 1
        ring[row.index] = now
        row.index += 1
        if row.index == row.limit:
            row.index = 0
    elif row.algorithm == GCRA:
        if now >= row.last + row.count * row.period:
            row.last = now
            row.count = 0
        row.count += 1
    else:
        index = periods(now, row.window)
        previous = previous_in(row, index)
        row.count = count_in(row, index) + 1
        row.previous = previous
        row.index = index


@policy
def look_token_bucket(row: LimiterRow, now: float) -> float:
    """Retry-After is the time in which the missing part of a token comes."""
    missing = (1.0 - tokens_of(row, now)) * row.period
    if missing > noise(now):
        return missing
    return ALLOWED


@policy
def look_fixed_window(row: LimiterRow, now: float) -> float:
    """Retry-After is the rest of the window."""
    index = periods(now, row.window)
    if count_in(row, index) >= row.limit:
        return (index + 1) * row.window - now
    return ALLOWED


@policy
def look_sliding_window_counter(row: LimiterRow, now: float) -> float:
    """Retry-After is the time until the weighted count falls below the limit, which it does strictly after it reaches
    it.
    """
    index = periods(now, row.window)
    return weigh(row.limit, row.window, index, count_in(row, index), previous_in(row, index), now)


@policy
def weigh(limit: int, window: float, index: int, count: int, previous: int, now: float) -> float:
    """The same of the requests in the window of this number, and in the one before it."""
    if count < limit:
        if previous == 0:
            return ALLOWED
        end = (index + 1.0 - (limit - count) / previous) * window  # when the weighted count is the limit
        if passed(now, end):
            return ALLOWED
    else:
        end = (index + 1.0) * window  # this window is full, and weighs less than the limit just after its end
    return end + 4.0 * noise(end) - now


@policy
def look_sliding_log(row: LimiterRow, ring: Ring, now: float) -> float:
    """The ring holds the last `limit` stamps in order; when the oldest is older than the window there is room."""
    if row.count == row.limit:
        end = ring[row.index] + row.window
        if not passed(now, end):
            return end + 4.0 * noise(end) - now
    return ALLOWED


@policy
def look_gcra(row: LimiterRow, now: float) -> float:
    """The virtual scheduling form; Retry-After is tat' - tau - T - now."""
    wait = row.last + (row.count - row.burst) * row.period - now
    if wait > noise(now):
        return wait
    return ALLOWED


@policy
def tokens_of(row: Bucket, now: float) -> float:
    """What is in the bucket now: full at `last`, less what was taken since, and refilled all the time; full at most.

    Negative where it may be overdrawn, and is.
    """
    tokens = row.burst - row.count + row.rate * (now - row.last)
    return row.burst if tokens > row.burst else tokens


@policy
def take_tokens(row: Bucket, now: float, number: int) -> None:
    """So many; a full bucket begins to count anew."""
    if tokens_of(row, now) >= row.burst:
        row.last = now
        row.count = 0
    row.count += number


@policy
def count_in(row: LimiterRow, index: int) -> int:
    """Requests allowed so far in the window of this number, which is not before that of the last allowed request."""
    if index == row.index:
        return row.count
    return 0


@policy
def previous_in(row: LimiterRow, index: int) -> int:
    """Requests allowed in the window before the one of this number."""
    if index == row.index:
        return row.previous
    if index == row.index + 1:
        return row.count
    return 0
