"""Rate limiters that go by the clock of whichever node asks, where clocks are apart.

`clock` is what the node reads, `now` the right time, by which a store lets keys expire. Where all clocks are right each
decides as its namesake of `limiter.py` and `library_limits.py`.

    window    Kong's `rate-limiting`: the number of the window, reckoned by the node, is in the name of the key, so that
              nodes count in different windows at once. The key lives for a window from its first request on, by the
              store (INCR, and EXPIRE where that answered 1: policies/init.lua, expiration.lua): who is behind finds
              that of his window gone, and begins it anew.
    counter   a sliding window counter of windows of the clock (Cloudflare; limits in memory).
    kong      Kong's rate-limiting-advanced, with penalty: what is refused counts too. How long its counts are kept
              is not told by its documentation: here for as long as any clock needs them.
    log       limits' moving window on Redis: stamps are time.time() of the node (redis.py, acquire_entry), in the order
              in which requests came; the list lives for a window from the last that passed (EXPIRE).
    bucket    request_rate_limiter.lua of Spring Cloud Gateway as it was when nodes sent it their time:
              filled = min(burst, tokens + max(0, clock - last) * rate), and last = clock, backwards too, also where it
              refuses. So each turn from a node that is behind to one that is ahead gives the tokens of the time between
              them (issue 2412 there). Idle for 2 * burst / rate the key is gone, and the bucket full.
    gcra      tat' = max(clock, tat) + T, kept for the time until then by the node's reckoning (throttled, SetWithTTL).

A count in the memory of a node is one of these too, where a clock is set while it runs; there no key expires.

Source: Kong/kong kong/plugins/rate-limiting; alisaifee/limits; spring-cloud/spring-cloud-gateway; throttled/throttled.
Not here: copies that nodes keep (`sync_rate`); that Kong's local memory may forget a window that a clock comes back to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.base import Ring, dtype_of, noise, passed, periods, policy, whole_of
from sim.policies.library_limits import weigh_as_kong
from sim.policies.limiter import ALLOWED, weigh
from sim.spec.limits import RateLimit, requests_in

WINDOW, COUNTER, KONG, LOG, BUCKET, GCRA = range(6)
SLOT = 3  # numbers of a window in the ring: which one, how many requests, until when it is kept

_KINDS = {
    "fixed_window": WINDOW,
    "sliding_window_counter": COUNTER,
    "sliding_log": LOG,
    "token_bucket": BUCKET,
    "gcra": GCRA,
}


@dataclass(slots=True)
class ClockedRow:
    """One counter of one key. Times in seconds; those marked C are read from the clock of a node, others are right."""

    kind: int = WINDOW
    limit: int = 1  # requests in a window; log: stamps in the ring
    slots: int = 1  # windows that are kept in the ring
    count: int = 0  # log: stamps in the ring
    index: int = 0  # log: next place in the ring
    seen: int = 0  # bucket, gcra: whether any request has been counted
    cost: int = 1  # bucket: tokens of a request
    penalty: int = 0  # kong: whether refused requests count
    stamps: int = 0  # length of the ring
    ring: int = 0  # where that begins, of the compiled engine
    tokens: float = 0.0  # bucket
    last: float = 0.0  # C; bucket: when it was refilled; gcra: tat
    kept: float = 0.0  # until when log, bucket and gcra are kept
    lifetime: float = math.inf  # of a key from its first request, log and bucket: from the last; inf: none expires
    unit: float = 0.0  # bucket: of what its clock counts whole ones; 0: of nothing
    period: float = 1.0  # 1 / rate
    rate: float = 1.0
    burst: float = 1.0
    window: float = 1.0


CLOCKED = dtype_of(ClockedRow)


def new_clocked(spec: RateLimit, apart: float) -> ClockedRow:
    """One that has seen nothing, for clocks that are this far apart at most."""
    kind = KONG if spec.preset == "kong-advanced" else _KINDS[spec.algorithm]
    limit = requests_in(spec.window, spec.rate)
    row = ClockedRow(kind, limit, period=1.0 / spec.rate, rate=spec.rate, burst=float(spec.burst), window=spec.window)
    row.slots = math.ceil(apart / spec.window) + 3  # the present one of each clock, and the one before
    row.penalty = int(kind == KONG and not spec.disable_penalty)
    row.stamps = limit if kind == LOG else SLOT * row.slots if kind in (WINDOW, COUNTER, KONG) else 0
    row.cost = spec.requested_tokens
    whole = spec.preset == "spring-cloud-gateway"
    row.unit = float(whole)
    if spec.scope == "cluster":
        row.lifetime = spec.window if kind in (WINDOW, LOG) else math.inf
        if kind == BUCKET:
            idle = 2.0 * spec.burst / spec.rate
            row.lifetime = float(math.floor(idle + noise(1.0))) if whole else idle
        elif kind == GCRA:
            row.lifetime = 0.0  # for as long as it says itself
    return row


@policy
def look(row: ClockedRow, ring: Ring, now: float, clock: float) -> float:
    """-1.0: would be allowed. Otherwise the seconds after which a retry may succeed, by the clock of the node that is
    asked. Changes nothing.
    """
    if row.kind == LOG:
        return look_log(row, ring, now, clock)
    if row.kind == BUCKET:
        return look_bucket(row, now, clock)
    if row.kind == GCRA:
        wait = tat_of(row, now, clock) - row.burst * row.period - clock
        return wait if wait > noise(clock) else ALLOWED
    index = periods(clock, row.window)
    count = count_of(row, ring, index, now)
    if row.kind == WINDOW:
        return (index + 1) * row.window - clock if count >= row.limit else ALLOWED
    previous = count_of(row, ring, index - 1, now)
    if row.kind == COUNTER:
        return weigh(row.limit, row.window, index, count, previous, clock)
    return weigh_as_kong(row.limit, row.window, index, count, previous, clock)


@policy
def take(row: ClockedRow, ring: Ring, now: float, clock: float) -> None:
    """Count a request that `look` allowed at this very time."""
    if row.kind == LOG:
        if passed(now, row.kept):
            row.count = 0
            row.index = 0
        if row.count < row.limit:
            row.count += 1
        ring[row.index] = clock
        row.index = (row.index + 1) % row.limit
        row.kept = now + row.lifetime
    elif row.kind == BUCKET:
        refill(row, now, clock)
        row.tokens -= row.cost
    elif row.kind == GCRA:
        row.last = tat_of(row, now, clock) + row.period
        row.seen = 1
        row.kept = now + (row.last - clock) + row.lifetime
    else:
        count_in_window(row, ring, now, clock)


@policy
def deny(row: ClockedRow, ring: Ring, now: float, clock: float) -> None:
    """A request was refused by this counter: for Kong's penalty it counts all the same, and a bucket takes its time."""
    if row.kind == KONG and row.penalty == 1:
        count_in_window(row, ring, now, clock)
    elif row.kind == BUCKET:
        refill(row, now, clock)


@policy
def count_of(row: ClockedRow, ring: Ring, index: int, now: float) -> int:
    """Requests in the window of this number, as far as they are still known."""
    at = index % row.slots * SLOT
    if ring[at] != index or passed(now, ring[at + 2]):
        return 0
    return int(ring[at + 1])


@policy
def count_in_window(row: ClockedRow, ring: Ring, now: float, clock: float) -> None:
    """One more in the window that is now by this clock; the first begins it."""
    index = periods(clock, row.window)
    at = index % row.slots * SLOT
    count = count_of(row, ring, index, now)
    if count == 0:
        ring[at] = float(index)
        ring[at + 2] = now + row.lifetime
    ring[at + 1] = count + 1.0


@policy
def look_log(row: ClockedRow, ring: Ring, now: float, clock: float) -> float:
    """Retry-After is the time until the oldest of the last `limit` stamps is older than the window."""
    if row.count == row.limit and not passed(now, row.kept):
        end = ring[row.index] + row.window
        if not passed(clock, end):
            return end + 4.0 * noise(end) - clock
    return ALLOWED


@policy
def reading(row: ClockedRow, clock: float) -> float:
    """What the node sends to a bucket: its time, in whole seconds or as it is."""
    return whole_of(clock / row.unit) * row.unit if row.unit > 0.0 else clock


@policy
def filled(row: ClockedRow, now: float, clock: float) -> float:
    """What is in the bucket; a clock that is behind adds nothing."""
    if row.seen == 0 or passed(now, row.kept):
        return row.burst
    tokens = row.tokens + max(0.0, reading(row, clock) - row.last) * row.rate
    return row.burst if tokens > row.burst else tokens


@policy
def refill(row: ClockedRow, now: float, clock: float) -> None:
    """Write down what is in the bucket, and the time of whoever asked, backwards too."""
    row.tokens = filled(row, now, clock)
    row.last = reading(row, clock)
    row.kept = now + row.lifetime
    row.seen = 1


@policy
def look_bucket(row: ClockedRow, now: float, clock: float) -> float:
    """Retry-After is the time in which the missing tokens come; of whole seconds, until that second begins."""
    if row.lifetime < 1.0 and row.unit > 0.0:  # EXPIRE 0: no state is kept
        return ALLOWED
    missing = row.cost - filled(row, now, clock)
    if missing * row.period <= noise(clock) + noise(1.0) * row.burst * row.period:
        return ALLOWED
    if row.unit > 0.0:
        return reading(row, clock) + math.ceil(missing / row.rate) - clock
    return missing * row.period


@policy
def tat_of(row: ClockedRow, now: float, clock: float) -> float:
    """The theoretical arrival time of the next request; that of one who comes after a rest is now."""
    if row.seen == 0 or clock > row.last or passed(now, row.kept):
        return clock
    return row.last
