"""Windows that are counted in Redis, by its clock of whole milliseconds.

    window     INCR, and EXPIRE where that answered 1 (limits' incr_expire.lua): a fixed window that begins with the
               first request of it. What is refused is counted too, and changes nothing: the key goes at its time.
    counter    limits' sliding window counter on Redis (acquire_sliding_window.lua): its window begins with the first
               request, where the one in memory goes by the clock. The key of a window lives for two of them; when less
               than one is left of it, it becomes that of the window before, and weighs as much as is left of it:
               floor(previous * left / window) + current + 1 must not exceed the limit.

A key whose time has come is there until that millisecond is over (Redis' db.c, keyIsExpired: now > when), so that a
request that comes a window after the first to the millisecond still counts with it.
"""

from __future__ import annotations

from typing import Protocol

from sim.policies.base import MILLISECONDS, policy, ticks
from sim.policies.limiter import ALLOWED


class Window(Protocol):
    """What is known of a key. Times in whole milliseconds."""

    seen: int
    limit: int
    count: int
    previous: int
    last: int  # window: when it began; counter: when the key of the current window expires
    span: int


@policy
def look_window(row: Window, now: float) -> float:
    """Retry-After is the time until the key has expired."""
    over = row.last + row.span + 1
    if row.seen == 0 or ticks(now, MILLISECONDS) >= over or row.count < row.limit:
        return ALLOWED
    return over / MILLISECONDS - now


@policy
def take_window(row: Window, now: float) -> None:
    """Count a request; the first one begins a window."""
    ms = ticks(now, MILLISECONDS)
    if row.seen == 0 or ms > row.last + row.span:
        row.last = ms
        row.count = 0
    row.count += 1


@policy
def left_of(row: Window, now: float) -> int:
    """What is left of the time of the key of the current window; negative: there is none."""
    return row.last - ticks(now, MILLISECONDS) if row.seen == 1 else -1


@policy
def look_counter(row: Window, now: float) -> float:
    """Retry-After is the time until the window before weighs little enough, or this one has become it."""
    left = left_of(row, now)
    if left < 0:
        return ALLOWED
    turns = 0 < left < row.span
    count = 0 if turns else row.count
    previous = row.count if turns else row.previous
    weighs = max(0, left if turns else left - row.span)
    if previous * weighs // row.span + count < row.limit:
        return ALLOWED
    if count < row.limit and weighs > 0:
        wait = weighs - ((row.limit - count) * row.span - 1) // previous
    else:
        wait = left - row.span + 1
    at = (ticks(now, MILLISECONDS) + max(wait, 1)) / MILLISECONDS
    return at - now if at > now else 0.0


@policy
def turn_counter(row: Window, now: float) -> None:
    """Go on to the window that is now; the script does so for a request that it refuses as well."""
    left = left_of(row, now)
    if 0 < left < row.span:
        row.previous = row.count
        row.count = 0
        row.last += row.span


@policy
def take_counter(row: Window, now: float) -> None:
    """Count a request; where there is no key any more it begins a window."""
    turn_counter(row, now)
    if left_of(row, now) < 0:
        row.count = 0
        row.previous = 0
        row.last = ticks(now, MILLISECONDS) + 2 * row.span
    row.count += 1
