"""Rate limiters as single libraries have them, where none of `limiter.py` decides as they do.

    leaky_bucket   nginx's limit_req (ngx_http_limit_req_module.c): thousandths of a request and whole milliseconds, as
                   integers. excess = max(0, excess - rate * ms / 1000 + 1000); refused where excess > burst, else held
                   for (excess - delay) / rate. A refusal changes nothing; the first request of a key has no excess.
    first_request  a fixed window that begins with the first request of it (express-rate-limit's MemoryStore, limits'
                   MemoryStorage): at its very end it is over.
    redis_window   the same by INCR and EXPIRE of Redis, and redis_counter limits' sliding window counter on Redis:
                   `redis_limits.py`.
    bucket4j       one bandwidth of Bucket4j: `bucket4j.py`.
    kong_advanced  Kong's rate-limiting-advanced, window_type sliding: previous * (1 - elapsed share) + current, this
                   request counted, must not exceed the limit. What is refused counts too, unless `disable_penalty` is
                   set. Retry-After as its handler.lua reckons it, whole seconds.
    spring         Spring Cloud Gateway's request_rate_limiter.lua: a token bucket in whole seconds of the clock of
                   Redis. Where floor(2 * capacity / rate) is 0 it keeps no state, and allows everything.

`look` changes nothing: -1.0 allowed, else the seconds after which a retry may succeed. `hold` is for how long a request
that is allowed is held, asked before `take` counts it. `deny` is told of a refusal. Source: semantics.md 4.2 to 4.5.

Not here: races between check and increment, stale copies with `sync_rate`, Kong's throttling of refused requests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies import bucket4j, redis_limits
from sim.policies.base import (
    MILLISECONDS,
    NANOSECONDS,
    dtype_of,
    noise,
    periods,
    policy,
    reached,
    span_in,
    ticks,
)
from sim.policies.limiter import ALLOWED
from sim.spec.limits import RateLimit, requests_in

LEAKY_BUCKET = 0
FIRST_REQUEST = 1
KONG_ADVANCED = 2
SPRING = 3
REDIS_WINDOW = 4
REDIS_COUNTER = 5
BUCKET4J = 6

NO_DELAY = -1

WHOLE_SECONDS = 1.0  # in a second: what the script of Spring reads from Redis


@dataclass(slots=True)
class LibraryRow:
    """One counter of one key. Times in seconds, but for `last` and `span`: whole ms of leaky_bucket and of those on
    Redis, s of spring, ns of bucket4j.
    """

    kind: int = LEAKY_BUCKET
    seen: int = 0  # whether any request has been counted
    limit: int = 1  # requests in a window; spring, bucket4j: the capacity
    count: int = 0  # in window `index`, or since the first request; bucket4j: tokens
    previous: int = 0  # kong_advanced, redis_counter: requests in the window before
    index: int = 0  # kong_advanced: of the window
    excess: int = 0  # leaky_bucket: thousandths of a request; bucket4j: of a token, in parts of `span`
    last: int = 0  # redis_window: when it began; redis_counter: when its key expires; bucket4j: when it was refilled
    span: int = 1  # of a window, or of a refill
    initial: int = 0  # bucket4j: tokens in the beginning
    intervally: int = 0  # bucket4j: whether the tokens of a span come together at its end
    speed: int = 1000  # leaky_bucket: thousandths of a request per second; bucket4j: tokens of a refill
    burst: int = 0  # leaky_bucket: thousandths of a request
    delay: int = 0  # leaky_bucket: thousandths of a request that are not held; NO_DELAY: nobody is
    penalty: int = 1  # kong_advanced: whether refused requests count
    cost: int = 1  # spring: tokens of a request
    tokens: float = 0.0  # spring
    rate: float = 1.0
    start: float = 0.0  # first_request: of the window
    window: float = 1.0


LIBRARY = dtype_of(LibraryRow)


def new_library_limit(spec: RateLimit) -> LibraryRow:
    """One that has seen nothing. nginx cuts what a rate per minute is per second to whole thousandths."""
    if spec.algorithm == "leaky_bucket":
        speed = max(1, math.floor(spec.rate * 1000.0 * (1.0 + 1e-12)))
        delay = NO_DELAY if spec.nodelay else spec.delay * 1000
        return LibraryRow(LEAKY_BUCKET, speed=speed, burst=spec.burst * 1000, delay=delay)
    if spec.preset == "spring-cloud-gateway":
        return LibraryRow(SPRING, limit=spec.burst, rate=spec.rate, cost=spec.requested_tokens)
    limit = requests_in(spec.window, spec.rate)
    if spec.preset == "bucket4j":
        first = spec.capacity if spec.initial_tokens is None else spec.initial_tokens
        row = LibraryRow(
            BUCKET4J, limit=spec.capacity, speed=limit, span=span_in(spec.window, NANOSECONDS), initial=first
        )
        row.intervally = int(spec.refill == "intervally")
        if not spec.keys:  # one of all is made before there are requests
            row.seen, row.count = 1, first
        return row
    if spec.algorithm == "sliding_window_counter" and spec.window_from == "first_request":
        return LibraryRow(REDIS_COUNTER, limit=limit, span=span_in(spec.window, MILLISECONDS))
    if spec.window_from == "first_request" and spec.on_redis:
        return LibraryRow(REDIS_WINDOW, limit=limit, span=span_in(spec.window, MILLISECONDS))
    kind = FIRST_REQUEST if spec.window_from == "first_request" else KONG_ADVANCED
    return LibraryRow(kind, limit=limit, penalty=int(not spec.disable_penalty), window=spec.window)


@policy
def look(row: LibraryRow, now: float) -> float:
    """-1.0: would be allowed. Otherwise the seconds (>= 0) after which a retry may succeed. Changes nothing."""
    if row.kind == LEAKY_BUCKET:
        over = excess_of(row, now) - row.burst
        return over / row.speed if over > 0 else ALLOWED
    if row.kind == FIRST_REQUEST:
        if row.seen == 0 or reached(now, row.start + row.window) or row.count < row.limit:
            return ALLOWED
        return row.start + row.window - now
    if row.kind == KONG_ADVANCED:
        return look_kong_advanced(row, now)
    if row.kind == SPRING:
        return look_spring(row, now)
    if row.kind == BUCKET4J:
        return bucket4j.look(row, now)
    if row.kind == REDIS_WINDOW:
        return redis_limits.look_window(row, now)
    return redis_limits.look_counter(row, now)


@policy
def hold(row: LibraryRow, now: float) -> float:
    """Seconds for which a request that is allowed now is held; asked before it is counted."""
    if row.kind != LEAKY_BUCKET or row.delay == NO_DELAY:
        return 0.0
    excess = excess_of(row, now)
    if excess <= row.delay:
        return 0.0
    return (excess - row.delay) * 1000 // row.speed / 1000.0


@policy
def take(row: LibraryRow, now: float) -> None:
    """Count a request that `look` allowed at this very time."""
    if row.kind == LEAKY_BUCKET:
        ms = ticks(now, MILLISECONDS)
        row.excess = excess_of(row, now)
        if row.seen == 0 or ms != row.last:
            row.last = ms
    elif row.kind == FIRST_REQUEST:
        if row.seen == 0 or reached(now, row.start + row.window):
            row.start = now
            row.count = 0
        row.count += 1
    elif row.kind == KONG_ADVANCED:
        turn_window(row, now)
        row.count += 1
    elif row.kind == BUCKET4J:
        bucket4j.take(row, now)
    elif row.kind == REDIS_WINDOW:
        redis_limits.take_window(row, now)
    elif row.kind == REDIS_COUNTER:
        redis_limits.take_counter(row, now)
    else:
        row.tokens = filled(row, now) - row.cost
        row.last = ticks(now, WHOLE_SECONDS)
    row.seen = 1


@policy
def deny(row: LibraryRow, now: float) -> None:
    """A request was refused by this counter: for one library it counts all the same, and others mark the time."""
    if row.kind == KONG_ADVANCED and row.penalty == 1:
        turn_window(row, now)
        row.count += 1
        row.seen = 1
    elif row.kind == REDIS_COUNTER:
        redis_limits.turn_counter(row, now)
    elif row.kind == BUCKET4J:
        bucket4j.begin(row, now)


@policy
def excess_of(row: LibraryRow, now: float) -> int:
    """What a request that comes now would be ahead of the rate by, thousandths of a request."""
    if row.seen == 0:
        return 0
    excess = row.excess - row.speed * (ticks(now, MILLISECONDS) - row.last) // 1000 + 1000
    return excess if excess > 0 else 0


@policy
def look_kong_advanced(row: LibraryRow, now: float) -> float:
    """Retry-After: the rest of the window, at least a second, and the more the further the count is above the limit."""
    index = periods(now, row.window)
    count = row.count if index == row.index else 0
    previous = row.previous if index == row.index else (row.count if index == row.index + 1 else 0)
    return weigh_as_kong(row.limit, row.window, index, count, previous, now)


@policy
def weigh_as_kong(limit: int, window: float, index: int, count: int, previous: int, now: float) -> float:
    """The same of the requests in the window of this number, and in the one before it."""
    left = (index + 1) * window - now
    weighted = previous * left / window + count + 1.0
    if weighted <= limit + noise(now) * previous / window:
        return ALLOWED
    rest = left if left > 1.0 else 1.0
    return float(math.ceil(rest + (weighted - limit) / limit * window - noise(now)))


@policy
def turn_window(row: LibraryRow, now: float) -> None:
    """Go on to the window that is now."""
    index = periods(now, row.window)
    if index != row.index:
        row.previous = row.count if index == row.index + 1 else 0
        row.count = 0
        row.index = index


@policy
def look_spring(row: LibraryRow, now: float) -> float:
    """Retry-After, which Spring does not tell: the whole second at which there are tokens enough."""
    if math.floor(2.0 * row.limit / row.rate + noise(1.0)) <= 0:
        return ALLOWED
    missing = row.cost - filled(row, now)
    if missing <= noise(1.0) * row.limit:
        return ALLOWED
    return ticks(now, WHOLE_SECONDS) + math.ceil(missing / row.rate) - now


@policy
def filled(row: LibraryRow, now: float) -> float:
    """What is in the bucket, from whole seconds."""
    if row.seen == 0:
        return float(row.limit)
    tokens = row.tokens + (ticks(now, WHOLE_SECONDS) - row.last) * row.rate
    return float(row.limit) if tokens > row.limit else tokens
