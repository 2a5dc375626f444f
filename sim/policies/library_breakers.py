"""Circuit breakers of further libraries, each with its own idea of what opens it, and when.

    consecutive  so many failures in a row (pybreaker): a success forgets them; open until
                 `opened + open_for`, that instant not included; any failed probe opens it again, all good ones close it
    gobreaker    more than `consecutive` failures in a row, or a ratio of failures among requests, those under way
                 included; open until `opened + open_for`, that instant included; a closed one forgets every
                 `interval`, and the calls that are under way then, or bucket by bucket (sony/gobreaker v2,
                 gobreaker.go, counter.go)
    polly        ratio of failures over ten windows that begin with an event; judged at failures only; one probe
                 (Polly.Core, AdvancedCircuitBehavior, RollingHealthMetrics; semantics.md 1.2)
    opossum      percentage of failures among all invocations, also rejected ones and those under way, strictly above;
                 closing forgets nothing; so many buckets of whole milliseconds, one at least, which are less than
                 the window where that is no multiple (lib/circuit.js, lib/status.js; semantics.md 1.3)
    hystrix      percentage over complete buckets, looked at every snapshot interval and not in between; the intervals
                 begin at the first call, and anew whenever it closes (HystrixCircuitBreaker, HealthCountsStream,
                 BucketedCounterStream; semantics.md 1.4)
    purgatory    so many failures in a row; open until `opened + ttl`, that instant included; then every call goes out
                 until the first result, whoever's it is, closes or opens it (src/purgatory/domain/model.py)
    cockatiel    in `cockatiel.py`

Functions take and give what those of `breaker.py` do: `admit` a ticket or -1, `settle` the end of an admitted call,
`give_back` one that nobody will hear of. What happens by the clock alone is worked out at the next call, result or
look, with the time at which it happened.

Left out: forced and isolated states, warm-up, capacity and error filters of opossum, generators of break durations,
and the TypeError that purgatory 1 raises at a call that ends while it is open.
"""

from __future__ import annotations

import math

from sim.policies import cockatiel
from sim.policies.base import Ring, noise, passed, periods, policy, reached
from sim.policies.breaker import CLOSED, HALF_OPEN, OPEN, REJECTED
from sim.policies.breaker_row import (
    COCKATIEL_IN_A_ROW,
    CONSECUTIVE,
    GOBREAKER,
    HYSTRIX,
    OPOSSUM,
    POLLY,
    PURGATORY,
    add_bucket,
    change,
    count_call,
    count_failure,
    drop_oldest,
    forget_buckets,
    newest,
)
from sim.policies.breaker_row import LIBRARY as LIBRARY  # noqa: PLC0414 - a breaker is found here
from sim.policies.breaker_row import LibraryRow as LibraryRow  # noqa: PLC0414 - as is its row
from sim.policies.verdicts import NO_VERDICT, verdict, verdicts
from sim.spec.policy import CircuitBreaker, GoBreaker

AGES = 1_000_000_000  # buckets of one generation of a gobreaker: a ticket is its generation and the bucket it came in
UNBOUNDED = 1 << 60  # probes; nobody makes as many
_POLLY_BUCKETS = 12  # windows of a tenth begin at least as long after one another: ten, one more by noise, the next


def new_library_breaker(spec: CircuitBreaker, limited: bool = False) -> tuple[LibraryRow, Ring] | None:
    """A closed one; None where the spec names none of these. `limited` where its caller has a rate limit of its own.

    Ring: start or number, calls, failures of each bucket.
    """
    row: LibraryRow
    if spec.consecutive is not None:
        row = LibraryRow(kind=CONSECUTIVE, most=spec.consecutive, open_for=spec.open_for, probes=spec.half_open_calls)
    elif (go := spec.gobreaker) is not None:
        row = _new_gobreaker(go)
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
    elif (its_own := spec.purgatory) is not None:
        row = LibraryRow(kind=PURGATORY, most=its_own.threshold, open_for=its_own.ttl, probes=UNBOUNDED)
    elif spec.cockatiel is not None:
        row = cockatiel.new_row(spec.cockatiel)
    else:
        return None
    row.failing, row.passing = verdicts(spec, row.kind != CONSECUTIVE, limited)
    return row, [0.0] * (3 * row.places)


def _new_gobreaker(spec: GoBreaker) -> LibraryRow:
    """Of one bucket for a fixed window; with a `bucket_period` as many as make the interval, which is rounded up."""
    row = LibraryRow(
        kind=GOBREAKER, most=spec.consecutive_failures + 1, open_for=spec.timeout, probes=spec.max_requests
    )
    row.window = row.expires = spec.interval
    row.places, row.origin = 1, 0.0
    if spec.failure_ratio is not None:
        row.ratio, row.most = spec.failure_ratio, spec.minimum_requests
    if spec.bucket_period is not None:
        row.window = row.expires = spec.buckets * spec.bucket_period
        if spec.buckets > 1:
            row.places, row.width, row.window = spec.buckets, spec.bucket_period, 0.0  # expires bucket by bucket
            row.generation = 1  # so that a ticket with a bucket is told from one without
    return row


@policy
def admit(row: LibraryRow, ring: Ring, now: float) -> int:
    """May a call go out? -1: no."""
    if row.kind >= COCKATIEL_IN_A_ROW:
        return cockatiel.admit(row, now)
    look(row, ring, now)
    if row.kind == HYSTRIX and row.origin < 0.0:
        row.origin = now
    elif row.kind == OPOSSUM:
        to_bucket_of_clock(row, ring, now)
        count_call(row, ring)  # fires, also of those that are rejected
    if row.state == OPEN and wait_is_over(row, now):
        change(row, HALF_OPEN, now)
    if row.kind == GOBREAKER and row.state == CLOSED:
        return count_request(row, ring, now)
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
    if row.kind >= COCKATIEL_IN_A_ROW:
        cockatiel.settle(row, ring, now, ticket, failed)
        return
    if failed == NO_VERDICT:
        give_back(row, now, ticket)
        return
    look(row, ring, now)
    if row.kind == CONSECUTIVE:
        if ticket == row.generation:
            count_in_a_row(row, now, failed)
    elif row.kind == GOBREAKER:
        settle_gobreaker(row, ring, now, ticket, failed)
    elif row.kind == OPOSSUM:
        settle_opossum(row, ring, now, failed)
    elif row.kind == PURGATORY:
        settle_purgatory(row, now, failed)
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
    if row.kind >= COCKATIEL_IN_A_ROW:
        cockatiel.give_back(row, now, ticket)
    elif row.state == HALF_OPEN and ticket == row.generation:
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
    elif row.kind == GOBREAKER and row.state == CLOSED:
        if row.window > 0.0 and passed(now, row.expires):
            row.failed = 0
            forget_buckets(row)
            row.expires = now + row.window
            row.generation += 1
        elif row.width > 0.0:
            age = age_of(row, now)
            while row.buckets > 0 and ring[3 * row.first] <= age - row.places:
                drop_oldest(row, ring)


# -- each in its way ---------------------------------------------------------------------------------------------------


@policy
def age_of(row: LibraryRow, now: float) -> int:
    """The bucket of a closed gobreaker that a request falls into now; 0 where its window is fixed."""
    return math.floor((now - row.origin + noise(now)) / row.width) if row.width > 0.0 else 0


@policy
def count_request(row: LibraryRow, ring: Ring, now: float) -> int:
    """`onRequest` of a closed gobreaker: a request is counted when it sets out. Its ticket."""
    age = age_of(row, now)
    if row.buckets == 0 or newest(row, ring) < age:
        add_bucket(row, ring, 1.0 * age)
    count_call(row, ring)
    return row.generation * AGES + age if row.width > 0.0 else row.generation


@policy
def settle_gobreaker(row: LibraryRow, ring: Ring, now: float, ticket: int, failed: int) -> None:
    """A result of the present generation; in a rolling window it counts where its request came in, if that is still in
    it. ReadyToTrip is asked at every failure.
    """
    rolls = row.width > 0.0 and row.state == CLOSED
    if (ticket // AGES if ticket >= AGES else ticket) != row.generation:
        return
    if row.ratio < 0.0 or row.state == HALF_OPEN:
        count_in_a_row(row, now, failed)
        return
    if failed == 0:
        return
    if not rolls:
        count_failure(row, ring, 1)
    else:
        for index in range(row.buckets):
            at = 3 * ((row.first + index) % row.places)
            if ring[at] == ticket % AGES:
                ring[at + 2] += 1.0
                row.failures += 1
    if row.calls >= row.most and row.calls > 0 and row.failures / row.calls >= row.ratio:
        change(row, OPEN, now)
        forget_buckets(row)


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
            row.origin = now
            forget_buckets(row)
    elif row.state == CLOSED:
        row.failed = row.failed + 1 if failed == 1 else 0
        if row.failed >= row.most:
            change(row, OPEN, now)


@policy
def settle_purgatory(row: LibraryRow, now: float, failed: int) -> None:
    """The state of the moment hears of it, whenever the call went out; an open one does not."""
    if row.state == HALF_OPEN:
        change(row, OPEN if failed == 1 else CLOSED, now)
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


@policy
def to_bucket_of_clock(row: LibraryRow, ring: Ring, now: float) -> None:
    """The latest bucket is the present one of the clock; those that have left the window are forgotten."""
    number = 1.0 * periods(now, row.width)
    while row.buckets > 0 and ring[3 * row.first] <= number - row.places:
        drop_oldest(row, ring)
    if row.buckets == 0 or newest(row, ring) < number:
        add_bucket(row, ring, number)


# -- states ------------------------------------------------------------------------------------------------------------


@policy
def wait_is_over(row: LibraryRow, now: float) -> bool:
    """Whether an open breaker may let a call try."""
    if row.kind == GOBREAKER or row.kind == HYSTRIX or row.kind == PURGATORY:  # noqa: PLR1714 - no tuple in machine code
        return passed(now, row.opened + row.open_for)
    return reached(now, row.opened + row.open_for)
