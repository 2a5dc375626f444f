"""Circuit breakers of further libraries, each with its own idea of what opens it, and when.

    consecutive  so many failures in a row (pybreaker, cockatiel): a success forgets them; open until
                 `opened + open_for`, that instant not included; any failed probe opens it again, all good ones close it
    gobreaker    more than `consecutive` failures in a row; open until `opened + open_for`, that instant included
                 (sony/gobreaker); a closed one forgets every `interval`, and the calls that are under way then
    polly        ratio of failures over ten windows that begin with an event; judged at failures only; one probe
                 (Polly.Core, AdvancedCircuitBehavior, RollingHealthMetrics; semantics.md 1.2)
    opossum      percentage of failures among all invocations, also rejected ones and those under way, strictly above;
                 closing forgets nothing; so many buckets of whole milliseconds, one at least, which are less than
                 the window where that is no multiple (lib/circuit.js, lib/status.js; semantics.md 1.3)
    hystrix      percentage over complete buckets, looked at every snapshot interval and not in between; the intervals
                 begin at the first call, and anew whenever it closes (HystrixCircuitBreaker, HealthCountsStream,
                 BucketedCounterStream; semantics.md 1.4)

Functions take and give what those of `breaker.py` do: `admit` a ticket or -1, `settle` the end of an admitted call,
`give_back` one that nobody will hear of. What happens by the clock alone is worked out at the next call, result or
look, with the time at which it happened.

Left out: forced and isolated states, warm-up, capacity and error filters of opossum, generators of break durations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.base import Ring, dtype_of, noise, passed, periods, policy, reached
from sim.policies.breaker import CLOSED, HALF_OPEN, OPEN, REJECTED
from sim.policies.verdicts import NO_VERDICT, verdict, verdicts
from sim.spec.policy import CircuitBreaker

CONSECUTIVE, GOBREAKER, POLLY, OPOSSUM, HYSTRIX = range(5)
_POLLY_BUCKETS = 12  # windows of a tenth begin at least as long after one another: ten, one more by noise, the next


@dataclass(slots=True)
class LibraryRow:
    """One breaker. Times in seconds, percentages from 0 to 100."""

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
    window: float = 0.0  # polly, hystrix: of all buckets together; gobreaker: the interval, 0: none
    width: float = 0.0  # of one bucket
    expires: float = 0.0  # gobreaker: the present interval
    origin: float = -1.0  # hystrix: when its first snapshot interval began; negative: it was never called


LIBRARY = dtype_of(LibraryRow)


def new_library_breaker(spec: CircuitBreaker, limited: bool = False) -> tuple[LibraryRow, Ring] | None:
    """A closed one; None where the spec names none of these. `limited` where its caller has a rate limit of its own.

    Ring: start or number, calls, failures of each bucket.
    """
    row: LibraryRow
    if spec.consecutive is not None:
        row = LibraryRow(kind=CONSECUTIVE, most=spec.consecutive, open_for=spec.open_for, probes=spec.half_open_calls)
    elif (go := spec.gobreaker) is not None:
        row = LibraryRow(kind=GOBREAKER, most=go.consecutive_failures + 1, open_for=go.timeout, probes=go.max_requests)
        row.window = row.expires = go.interval
    elif (polly := spec.polly) is not None:
        row = LibraryRow(kind=POLLY, most=polly.minimum_throughput, percent=100.0 * polly.failure_ratio)
        row.open_for, row.window = polly.break_duration, polly.sampling_duration
        row.width, row.places = row.window / 10.0, _POLLY_BUCKETS
    elif (its := spec.opossum) is not None:
        row = LibraryRow(kind=OPOSSUM, most=its.volume_threshold, percent=its.error_threshold_percentage)
        row.open_for, row.places = its.reset_timeout, its.rolling_count_buckets
        row.width = max(1, math.floor(1000.0 * its.rolling_count_timeout / row.places + 1e-9)) / 1000.0
    elif (hystrix := spec.hystrix) is not None:
        row = LibraryRow(
            kind=HYSTRIX, most=hystrix.request_volume_threshold, percent=hystrix.error_threshold_percentage
        )
        row.open_for, row.window = hystrix.sleep_window, hystrix.rolling_stats
        row.width, row.places = hystrix.health_snapshot_interval, hystrix.snapshots + 1
    else:
        return None
    row.failing, row.passing = verdicts(spec, row.kind != CONSECUTIVE, limited)
    return row, [0.0] * (3 * row.places)


@policy
def admit(row: LibraryRow, ring: Ring, now: float) -> int:
    """May a call go out? -1: no."""
    look(row, ring, now)
    if row.kind == HYSTRIX and row.origin < 0.0:
        row.origin = now
    elif row.kind == OPOSSUM:
        to_bucket_of_clock(row, ring, now)
        count_call(row, ring)  # fires, also of those that are rejected
    if row.state == OPEN and wait_is_over(row, now):
        change(row, HALF_OPEN, now)
    if row.state == CLOSED:
        return row.generation
    if row.state == OPEN or row.permits <= 0:
        return REJECTED
    row.permits -= 1
    return row.generation


@policy
def settle(row: LibraryRow, ring: Ring, now: float, ticket: int, outcome: int) -> None:
    """An admitted call has ended so. Libraries count what their own bulkhead refuses as a failure."""
    failed = verdict(row.failing, row.passing, outcome)
    if failed == NO_VERDICT:
        give_back(row, now, ticket)
        return
    look(row, ring, now)
    if row.kind == CONSECUTIVE or row.kind == GOBREAKER:  # noqa: PLR1714 - no tuple in machine code
        if ticket == row.generation:
            count_in_a_row(row, now, failed)
    elif row.kind == OPOSSUM:
        settle_opossum(row, ring, now, failed)
    elif row.state == HALF_OPEN:  # whoever comes back now decides, the probe or a late one
        if failed == 1:
            change(row, OPEN, now)
        else:
            forget_buckets(row)
            change(row, CLOSED, now)
            if row.kind == HYSTRIX:
                begin_snapshots(row, ring, now)
    elif row.kind == POLLY:
        settle_polly(row, ring, now, failed)
    else:
        settle_hystrix(row, ring, now, failed)


@policy
def give_back(row: LibraryRow, now: float, ticket: int) -> None:
    """An admitted call ended with nothing to say: a probe's permit is free again; of Hystrix it opens again, as at an
    `unsubscribe` and a HystrixBadRequestException (`markNonSuccess`).
    """
    if row.state == HALF_OPEN and ticket == row.generation:
        if row.kind == HYSTRIX:
            change(row, OPEN, now)
        else:
            row.permits += 1


@policy
def look(row: LibraryRow, ring: Ring, now: float) -> None:
    """What the clock alone has brought about by now."""
    if row.kind == OPOSSUM:
        if row.state == OPEN and reached(now, row.opened + row.open_for):
            change(row, HALF_OPEN, row.opened + row.open_for)
    elif row.kind == HYSTRIX:
        take_snapshots(row, ring, now)
    elif row.kind == GOBREAKER and row.window > 0.0 and row.state == CLOSED and passed(now, row.expires):
        row.failed = 0
        row.expires = now + row.window
        row.generation += 1


# -- each in its way ---------------------------------------------------------------------------------------------------


@policy
def count_in_a_row(row: LibraryRow, now: float, failed: int) -> None:
    """A result of the present generation."""
    if row.state == HALF_OPEN:
        row.good += 1 - failed
        if failed == 1:
            change(row, OPEN, now)
        elif row.good >= row.probes:
            change(row, CLOSED, now)
            row.expires = now + row.window
    elif row.state == CLOSED:
        row.failed = row.failed + 1 if failed == 1 else 0
        if row.failed >= row.most:
            change(row, OPEN, now)


@policy
def settle_polly(row: LibraryRow, ring: Ring, now: float, failed: int) -> None:
    """An open one counts a late result, and does nothing."""
    while row.buckets > 0 and reached(now, ring[3 * row.first] + row.window):
        drop_oldest(row, ring)
    if row.buckets == 0 or reached(now, newest(row, ring) + row.width):
        add_bucket(row, ring, now)
    count_call(row, ring)
    count_failure(row, ring, failed)
    too_many = 100.0 * row.failures >= row.percent * row.calls * (1.0 - 1e-12)
    if failed == 1 and row.state == CLOSED and row.calls >= row.most and too_many:
        change(row, OPEN, now)


@policy
def settle_opossum(row: LibraryRow, ring: Ring, now: float, failed: int) -> None:
    """Any result decides a half-open one."""
    to_bucket_of_clock(row, ring, now)
    if failed == 0:
        if row.state == HALF_OPEN:
            change(row, CLOSED, now)
        return
    count_failure(row, ring, failed)
    too_many = row.calls >= row.most and 100.0 * row.failures > row.percent * row.calls * (1.0 + 1e-12)
    if row.state == HALF_OPEN or (row.state == CLOSED and too_many):
        change(row, OPEN, now)


@policy
def settle_hystrix(row: LibraryRow, ring: Ring, now: float, failed: int) -> None:
    """Nothing is judged: that is done at the end of the snapshot interval."""
    number = 1.0 * intervals(row, now)
    if row.buckets == 0 or newest(row, ring) < number:
        add_bucket(row, ring, number)
    count_call(row, ring)
    count_failure(row, ring, failed)


@policy
def begin_snapshots(row: LibraryRow, ring: Ring, now: float) -> None:
    """It has closed: the old stream of snapshots ends and another begins now (`HystrixCommandMetrics.resetStream`),
    which still hears of the good probe: a command closes its breaker before it tells that it is done.
    """
    row.origin = now
    row.looked = 0
    settle_hystrix(row, ring, now, 0)


@policy
def intervals(row: LibraryRow, now: float) -> int:
    """The snapshot intervals that are over."""
    return math.floor((now - row.origin + noise(now)) / row.width)


@policy
def take_snapshots(row: LibraryRow, ring: Ring, now: float) -> None:
    """Every interval that is over by now: the complete buckets of the window before it, and nothing of the present."""
    if row.origin < 0.0:
        return
    last = intervals(row, now)
    while row.looked < last:
        if row.buckets == 0:
            row.looked = last
            return
        row.looked += 1
        while row.buckets > 0 and ring[3 * row.first] < row.looked - (row.places - 1):
            drop_oldest(row, ring)
        judges = row.state == CLOSED and row.calls > 0 and row.calls >= row.most
        # HealthCounts: (int) ((double) errorCount / totalCount * 100), so that 29 of 100 are 28 %
        if judges and math.floor(row.failures / row.calls * 100.0) >= row.percent:
            change(row, OPEN, row.origin + row.looked * row.width)


# -- buckets -----------------------------------------------------------------------------------------------------------


@policy
def newest(row: LibraryRow, ring: Ring) -> float:
    """The start or number of the latest bucket."""
    return ring[3 * ((row.first + row.buckets - 1) % row.places)]


@policy
def to_bucket_of_clock(row: LibraryRow, ring: Ring, now: float) -> None:
    """The latest bucket is the present one of the clock; those that have left the window are forgotten."""
    number = 1.0 * periods(now, row.width)
    while row.buckets > 0 and ring[3 * row.first] <= number - row.places:
        drop_oldest(row, ring)
    if row.buckets == 0 or newest(row, ring) < number:
        add_bucket(row, ring, number)


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


# -- states ------------------------------------------------------------------------------------------------------------


@policy
def wait_is_over(row: LibraryRow, now: float) -> bool:
    """Whether an open breaker may let a call try."""
    if row.kind == GOBREAKER or row.kind == HYSTRIX:  # noqa: PLR1714 - no tuple in machine code
        return passed(now, row.opened + row.open_for)
    return reached(now, row.opened + row.open_for)


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
