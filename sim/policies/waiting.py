"""Rate limiters that make a caller wait for its turn, rather than refuse it.

    smooth         Go's x/time/rate, and a leaky bucket as a queue: a token bucket that may be overdrawn. A request
    waits
                   until what it lacks has come; starts full with `burst` tokens. With burst 1 the k-th of a crowd waits
                   (k - 1) / rate: an M/D/1 queue.
    guava          RateLimiter.create(rate), SmoothBursty: a request is let through when the one before it is paid for,
                   and pays by making the next one wait; permits of one idle second are stored; starts with none. Whole
                   microseconds (SmoothRateLimiter.java). With a warm-up it is SmoothWarmingUp: what is stored is paid
                   for, those beyond `threshold` the dearer the more there are, up to three times (the cold factor);
                   starts cold, with all that it can store.
    resilience4j   AtomicRateLimiter: `limit` permits at the start of each cycle, counted from time 0; permits may be
                   reserved ahead and go negative. Who would wait too long waits `wait` and is refused then.

`ahead(row, now)` is the seconds that a request which comes now would have to wait; `willing` says whether that is not
too long, `look` both in one, as other limiters do; `reserve` takes its turn. Guava and Go refuse at once who would wait
longer than `wait`.
Source: semantics.md 4.6; golang.org/x/time/rate `reserveN`; google/guava RateLimiter and SmoothRateLimiter.

Not here: requests for several permits at once of resilience4j.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.base import MICROSECONDS, dtype_of, noise, periods, policy, reached, ticks
from sim.policies.limiter import ALLOWED, take_tokens, tokens_of
from sim.spec.limits import requests_in

SMOOTH = 0
GUAVA = 1
RESILIENCE4J = 2

KINDS = {"smooth": SMOOTH, "guava": GUAVA, "resilience4j": RESILIENCE4J}

COLD_FACTOR = 3.0  # of RateLimiter.create(permitsPerSecond, warmupPeriod)


@dataclass(slots=True)
class WaitingRow:
    """One waiting limiter. Times in seconds, but those of guava in microseconds."""

    kind: int = SMOOTH
    limit: int = 1  # resilience4j: permits of a cycle
    permits: int = 1  # resilience4j: left in `cycle`; negative: reserved ahead
    cycle: int = 0  # resilience4j
    count: int = 0  # smooth: taken since `last`
    free_at: int = 0  # guava: when the next request may go, whole microseconds
    last: float = 0.0  # smooth: when it was full
    period: float = 1.0  # of one request; resilience4j: of a cycle
    rate: float = 1.0
    burst: float = 1.0
    stored: float = 0.0  # guava: permits
    most: float = 1.0  # guava: no more are stored
    interval: float = 1.0  # guava: between two requests at the rate
    cool_down: float = 1.0  # guava: in which one is stored
    threshold: float = 0.0  # guava, where it warms up: stored permits beyond these cost more
    slope: float = 0.0  # guava: by so much for each; 0: what is stored is free
    wait: float = 0.0  # no caller waits longer


WAITING = dtype_of(WaitingRow)


def new_waiting(kind: str, rate: float, burst: int, window: float, wait: float, warm_up: float = 0.0) -> WaitingRow:
    """One that has seen nothing. resilience4j: `rate * window` permits in each window; at least one."""
    code = KINDS[kind]
    limit = requests_in(window, rate)
    period = window if code == RESILIENCE4J else 1.0 / rate
    row = WaitingRow(code, limit, limit, period=period, rate=rate, burst=float(burst), wait=wait)
    row.interval = row.cool_down = MICROSECONDS / rate
    row.most = rate
    if warm_up > 0.0:
        time, cold = float(round(warm_up * MICROSECONDS)), row.interval * COLD_FACTOR
        row.threshold = 0.5 * time / row.interval
        row.most = row.stored = row.threshold + 2.0 * time / (row.interval + cold)
        row.slope = (cold - row.interval) / (row.most - row.threshold)
        row.cool_down = time / row.most
    return row


@policy
def ahead(row: WaitingRow, now: float) -> float:
    """Seconds until a request that comes now may go. Changes nothing."""
    if row.kind == SMOOTH:
        if tokens_of(row, now) >= row.burst:
            return 0.0
        wait = row.last + (row.count + 1.0 - row.burst) * row.period - now
        return wait if wait > noise(now) else 0.0
    if row.kind == GUAVA:
        early = row.free_at - ticks(now, MICROSECONDS)
        return early / MICROSECONDS if early > 0 else 0.0
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
        row.free_at += price_of(row, spent) + math.floor((number - spent) * row.interval)
        row.stored -= spent
    else:
        cycle = periods(now, row.period)
        row.permits = permits_in(row, cycle) - number
        row.cycle = cycle


@policy
def store(row: WaitingRow, now: float) -> None:
    """What has been idle since the last request is paid for becomes stored permits: those of one second, or of the
    warm-up, at most.
    """
    micros = ticks(now, MICROSECONDS)
    if micros > row.free_at:
        stored = row.stored + (micros - row.free_at) / row.cool_down
        row.stored = row.most if stored > row.most else stored
        row.free_at = micros


@policy
def price_of(row: WaitingRow, spent: float) -> int:
    """Whole microseconds for which the next one waits because these stored permits are spent: the area under the line
    (storedPermitsToWaitTime).
    """
    if row.slope == 0.0:
        return 0
    above = row.stored - row.threshold
    if above <= 0.0:
        return math.floor(row.interval * spent)
    dear = spent if spent < above else above
    heights = row.interval + above * row.slope + (row.interval + (above - dear) * row.slope)
    return math.floor(dear * heights / 2.0) + math.floor(row.interval * (spent - dear))


@policy
def permits_in(row: WaitingRow, cycle: int) -> int:
    """What is left in this cycle. Each that began brings its own, and no more than those of one are kept."""
    permits = row.permits + (cycle - row.cycle) * row.limit
    return row.limit if permits > row.limit and cycle != row.cycle else permits
