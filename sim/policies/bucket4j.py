"""One bandwidth of Bucket4j (BucketState64BitsInteger.java), in whole tokens and whole nanoseconds.

    greedy       tokens come one by one: `speed` of them in each `span`, and what is begun of the next is kept
    intervally   the `speed` tokens of a span come together at its end, counted from when the bucket was made

Full at most with `limit`, in the beginning with `initial`. A bucket of several bandwidths lets a request pass where
each has a token, and takes one from each. A refusal changes nothing, but that a bucket is made by whoever comes first.

Its clock counts nanoseconds, as `withNanosecondPrecision` has it; without that the builder of a local bucket takes
System.currentTimeMillis. Where tokens times nanoseconds do not fit 64 bits it goes on in floating point, and forgets
what is begun of a token.

A clock that is behind that of who came before refills nothing, and sets nothing back (`refill`: where currentTimeNanos
is not after the last refill it returns).

Not here: refills that are aligned to a time of the day, requests for several tokens, `tryConsumeAsMuchAsPossible`.
"""

from __future__ import annotations

import math
from typing import Protocol

from sim.policies.base import NANOSECONDS, policy, ticks
from sim.policies.limiter import ALLOWED

LARGEST = 2**63 - 1  # Long.MAX_VALUE


class Bandwidth(Protocol):
    """What is known of it. Times in whole nanoseconds."""

    seen: int  # whether the bucket has been made
    limit: int
    count: int  # tokens at `last`
    excess: int  # what is begun of a token, in parts of `span`
    last: int
    span: int
    speed: int
    initial: int
    intervally: int


@policy
def refilled_until(row: Bandwidth, ns: int) -> int:
    """Up to when tokens have come, where it is `ns`."""
    if row.intervally == 1:
        return ns - (ns - row.last) % row.span
    return ns


@policy
def begun_in(row: Bandwidth, time: int) -> int:
    """Parts of a token, in parts of `span`, that come in less than a span, with those of before; -1: they do not fit 64
    bits.
    """
    if time > 0 and row.speed > (LARGEST - row.excess) // time:
        return -1
    return row.speed * time + row.excess


@policy
def tokens_at(row: Bandwidth, ns: int) -> int:
    """Whole tokens."""
    if row.seen == 0:
        return row.initial
    time = refilled_until(row, ns) - row.last
    if time <= 0 or row.count >= row.limit:
        return row.count
    begun = begun_in(row, time % row.span)
    inexact = float(time % row.span) / float(row.span) * float(row.speed)
    came = begun // row.span if begun >= 0 else math.floor(inexact)
    tokens = row.count + time // row.span * row.speed + came
    return row.limit if tokens > row.limit else tokens


@policy
def excess_at(row: Bandwidth, ns: int) -> int:
    """What is begun of the next one; nothing where it is full."""
    if row.seen == 0 or tokens_at(row, ns) >= row.limit:
        return 0
    time = refilled_until(row, ns) - row.last
    if time <= 0:
        return row.excess
    begun = begun_in(row, time % row.span)
    return begun % row.span if begun >= 0 else 0


@policy
def look(row: Bandwidth, now: float) -> float:
    """Retry-After is the time until the next token is there, rounded up to a nanosecond."""
    ns = ticks(now, NANOSECONDS)
    if tokens_at(row, ns) >= 1:
        return ALLOWED
    if row.intervally == 1:
        since = ns if row.seen == 0 else refilled_until(row, ns)
        return (since + row.span - ns) / NANOSECONDS
    return (row.span - excess_at(row, ns) + row.speed - 1) // row.speed / NANOSECONDS


@policy
def begin(row: Bandwidth, now: float) -> None:
    """The bucket is made by the first who asks."""
    if row.seen == 0:
        row.seen = 1
        row.count = row.initial
        row.last = ticks(now, NANOSECONDS)


@policy
def take(row: Bandwidth, now: float) -> None:
    """Take a token."""
    begin(row, now)
    ns = ticks(now, NANOSECONDS)
    tokens, excess = tokens_at(row, ns), excess_at(row, ns)
    row.last = max(row.last, refilled_until(row, ns))
    row.count = tokens - 1
    row.excess = excess
