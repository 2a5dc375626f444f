"""What the breakers of libraries have in common: their row, the buckets of their windows, and how a state changes.

A bucket is three places of the ring: its start or number, calls, failures. Those in use stand one behind the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.policies.base import Ring, dtype_of, policy
from sim.policies.breaker import CLOSED, HALF_OPEN, OPEN

CONSECUTIVE, GOBREAKER, POLLY, OPOSSUM, HYSTRIX, PURGATORY = range(6)
COCKATIEL_IN_A_ROW, COCKATIEL_SAMPLING, COCKATIEL_COUNT = range(6, 9)


@dataclass(slots=True)
class LibraryRow:
    """One breaker. Times in seconds, of cockatiel's in milliseconds, by which it counts; percentages from 0 to 100."""

    kind: int = CONSECUTIVE
    failing: int = 0  # bit i: outcome i is a failure
    passing: int = 0  # bit i: it is a success
    state: int = CLOSED
    period: int = 0  # how often the state has changed
    generation: int = 0  # the same, and how often gobreaker's interval began anew: the ticket of calls admitted now
    permits: int = 0  # probes that may still be admitted
    good: int = 0  # probes that were good
    failed: int = 0  # in a row
    probes: int = 1
    most: int = 1  # failures in a row; calls below which it does not judge
    looked: int = 0  # hystrix: snapshots since `origin`
    first: int = 0  # place of the oldest bucket in the ring
    buckets: int = 0
    places: int = 0  # for how many there is room
    calls: int = 0  # in all buckets
    failures: int = 0  # likewise
    was: int = CLOSED  # the state before this one
    since: float = 0.0
    was_since: float = 0.0
    opened: float = 0.0
    open_for: float = 0.0
    percent: float = 0.0
    window: float = 0.0  # polly, hystrix: of all buckets; gobreaker: the interval, 0: none; cockatiel: requests
    width: float = 0.0  # of one bucket
    expires: float = 0.0  # gobreaker: the present interval
    origin: float = -1.0  # since when intervals and buckets are counted; hystrix, negative: it was never called
    ratio: float = -1.0  # gobreaker, cockatiel: share of failures at which it opens; negative: in a row


LIBRARY = dtype_of(LibraryRow)


# -- buckets -----------------------------------------------------------------------------------------------------------


@policy
def newest(row: LibraryRow, ring: Ring) -> float:
    """The start or number of the latest bucket."""
    return ring[3 * ((row.first + row.buckets - 1) % row.places)]


@policy
def add_bucket(row: LibraryRow, ring: Ring, start: float) -> None:
    """A new one, behind all others."""
    at = 3 * ((row.first + row.buckets) % row.places)
    ring[at] = start
    ring[at + 1] = 0.0
    ring[at + 2] = 0.0
    row.buckets += 1


@policy
def drop_oldest(row: LibraryRow, ring: Ring) -> None:
    """What was counted in it is forgotten."""
    at = 3 * row.first
    row.calls -= int(ring[at + 1])
    row.failures -= int(ring[at + 2])
    row.first = (row.first + 1) % row.places
    row.buckets -= 1


@policy
def count_call(row: LibraryRow, ring: Ring) -> None:
    """One more in the latest bucket."""
    ring[3 * ((row.first + row.buckets - 1) % row.places) + 1] += 1.0
    row.calls += 1


@policy
def count_failure(row: LibraryRow, ring: Ring, failed: int) -> None:
    """One more there that has failed, or 0."""
    ring[3 * ((row.first + row.buckets - 1) % row.places) + 2] += 1.0 * failed
    row.failures += failed


@policy
def forget_buckets(row: LibraryRow) -> None:
    """All of them."""
    row.first = 0
    row.buckets = 0
    row.calls = 0
    row.failures = 0


@policy
def change(row: LibraryRow, state: int, now: float) -> None:
    """Enter a state."""
    row.was = row.state
    row.was_since = row.since
    row.state = state
    row.since = now
    row.period += 1
    row.generation += 1
    row.failed = 0
    row.good = 0
    if state == OPEN:
        row.opened = now
    elif state == HALF_OPEN:
        row.permits = row.probes
