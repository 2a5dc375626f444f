"""Rate limiters that make a caller wait for its turn, rather than refuse it.

    smooth         Go's x/time/rate, and a leaky bucket as a queue: a token bucket that may be overdrawn. A request
    waits
                   until what it lacks has come; starts full with `burst` tokens. With burst 1 the k-th of a crowd waits
                   (k - 1) / rate: an M/D/1 queue.
    guava          RateLimiter.create(rate), SmoothBursty: a request is let through when the one before it is paid for,
                   and pays by making the next one wait; permits of one idle second are stored; starts with none. Whole
                   microseconds (SmoothRateLimiter.java).
    resilience4j   AtomicRateLimiter: `limit` permits at the start of each cycle, counted from time 0; permits may be
                   reserved ahead and go negative. Who would wait too long waits `wait` and is refused then.

`ahead(row, now)` is the seconds that a request which comes now would have to wait; `willing` says whether that is not
too long, `look` both in one, as other limiters do; `reserve` takes its turn. Guava and Go refuse at once who would wait
longer than `wait`.
Source: semantics.md 4.6; golang.org/x/time/rate `reserveN`; google/guava RateLimiter and SmoothRateLimiter.

Not here: Guava's SmoothWarmingUp, and requests for several permits at once of resilience4j.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.base import NOISE, dtype_of, noise, periods, policy, reached
from sim.policies.limiter import ALLOWED, requests_in, take_tokens, tokens_of

SMOOTH = 0
GUAVA = 1
RESILIENCE4J = 2

KINDS = {"smooth": SMOOTH, "guava": GUAVA, "resilience4j": RESILIENCE4J}

MICRO = 1e6


@dataclass(slots=True)
class WaitingRow:
    """One waiting limiter. Times in seconds, but for `free_at`, whole microseconds."""

    kind: int = SMOOTH
    limit: int = 1  # resilience4j: permits of a cycle
    permits: int = 1  # resilience4j: left in `cycle`; negative: reserved ahead
    cycle: int = 0  # resilience4j
    count: int = 0  # smooth: taken since `last`
    free_at: int = 0  # guava: when the next request may go
    last: float = 0.0  # smooth: when it was full
    period: float = 1.0  # of one request; resilience4j: of a cycle
    rate: float = 1.0
    burst: float = 1.0
    stored: float = 0.0  # guava: permits
    wait: float = 0.0  # no caller waits longer


WAITING = dtype_of(WaitingRow)


def new_waiting(kind: str, rate: float, burst: int, window: float, wait: float) -> WaitingRow:
    """One that has seen nothing. resilience4j: `rate * window` permits in each window; at least one."""
    code = KINDS[kind]
    limit = requests_in(window, rate)
    period = window if code == RESILIENCE4J else 1.0 / rate
    return WaitingRow(code, limit, limit, period=period, rate=rate, burst=float(burst), wait=wait)


@policy
def ahead(row: WaitingRow, now: float) -> float:
    """Seconds until a request that comes now may go. Changes nothing."""
    if row.kind == SMOOTH:
        if tokens_of(row, now) >= row.burst:
            return 0.0
        wait = row.last + (row.count + 1.0 - row.burst) * row.period - now
        return wait if wait > noise(now) else 0.0
    if row.kind == GUAVA:
        early = row.free_at - microseconds(now)
        return early / MICRO if early > 0 else 0.0
    cycle = periods(now, row.period)
    permits = permits_in(row, cycle)
    if permits >= 1:
        return 0.0
    full = -((permits + row.limit - 1) // row.limit)  # the least number of whole cycles in which they come
    return (cycle + 1 + full) * row.period - now


@policy
def willing(row: WaitingRow, now: float, wait: float) -> bool:
    """Whether a caller waits so long."""
    return reached(now + row.wait, now + wait)


@policy
def look(row: WaitingRow, now: float) -> float:
    """-1.0: would be allowed, now or when its turn comes. Otherwise the seconds (>= 0) until that is near enough.

    Changes nothing.
    """
    wait = ahead(row, now)
    return ALLOWED if willing(row, now, wait) else wait - row.wait


@policy
def reserve(row: WaitingRow, now: float, number: int) -> None:
    """Take so many turns: those of a request that goes now or waits."""
    if row.kind == SMOOTH:
        take_tokens(row, now, number)
    elif row.kind == GUAVA:
        store(row, now)
        spent = row.stored if row.stored < number else float(number)
        row.free_at += math.floor((number - spent) * row.period * MICRO + 1e-6)
        row.stored -= spent
    else:
        cycle = periods(now, row.period)
        row.permits = permits_in(row, cycle) - number
        row.cycle = cycle


@policy
def microseconds(now: float) -> int:
    """The clock of Guava's stopwatch."""
    return math.floor(now * MICRO * (1.0 + NOISE))


@policy
def store(row: WaitingRow, now: float) -> None:
    """What has been idle since the last request is paid for becomes stored permits: those of one second at most."""
    micros = microseconds(now)
    if micros > row.free_at:
        stored = row.stored + (micros - row.free_at) / (row.period * MICRO)
        row.stored = row.rate if stored > row.rate else stored
        row.free_at = micros


@policy
def permits_in(row: WaitingRow, cycle: int) -> int:
    """What is left in this cycle. Each that began brings its own, and no more than those of one are kept."""
    permits = row.permits + (cycle - row.cycle) * row.limit
    return row.limit if permits > row.limit and cycle != row.cycle else permits
