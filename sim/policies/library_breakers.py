"""Circuit breakers of further libraries, each with its own idea of what opens it, and when.

    consecutive  so many failures in a row (pybreaker, cockatiel): a success forgets them; open until
                 `opened + open_for`, that instant not included; any failed probe opens it again, all good ones close it
    gobreaker    more than `consecutive` failures in a row; open until `opened + open_for`, that instant included
                 (sony/gobreaker); a closed one forgets every `interval`
    polly        ratio of failures over ten windows that begin with an event; judged at failures only; one probe
                 (Polly.Core, AdvancedCircuitBehavior, RollingHealthMetrics; semantics.md 1.2)
    opossum      percentage of failures among all invocations, also rejected ones and those under way, strictly above;
                 closing forgets nothing (lib/circuit.js, lib/status.js; semantics.md 1.3)
    hystrix      percentage over complete buckets, looked at every snapshot interval and not in between
                 (HystrixCircuitBreaker, HealthCountsStream; semantics.md 1.4)

Functions take and give what those of `breaker.py` do: `admit` a ticket or -1, `settle` the end of an admitted call,
`give_back` one that nobody will hear of. What happens by the clock alone is worked out at the next call, result or
look, with the time at which it happened.

Left out: forced and isolated states, warm-up, capacity and error filters of opossum, generators of break durations.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from sim.policies.base import passed, periods, reached
from sim.policies.breaker import CLOSED, HALF_OPEN, NO_VERDICT, OPEN, REJECTED, BreakerRow, verdict
from sim.policies.breaker import COUNT_BASED as OF_LIBRARIES
from sim.spec.policy import CircuitBreaker

CONSECUTIVE, GOBREAKER, POLLY, OPOSSUM, HYSTRIX = range(5)
_JUDGE = BreakerRow(kind=OF_LIBRARIES)  # libraries count what their own bulkhead refuses as a failure
_OURS = BreakerRow()


@dataclass(slots=True)
class LibraryRow:
    """One breaker. Times in seconds, percentages from 0 to 100."""

    kind: int = CONSECUTIVE
    state: int = CLOSED
    period: int = 0  # how often the state has changed
    since: float = 0.0
    opened: float = 0.0
    permits: int = 0  # probes that may still be admitted
    good: int = 0  # probes that were good
    failed: int = 0  # in a row
    open_for: float = 0.0
    probes: int = 1
    most: int = 1  # failures in a row; calls below which it does not judge
    percent: float = 0.0
    window: float = 0.0  # of all buckets together; gobreaker: the interval, 0: none
    width: float = 0.0  # of one bucket
    expires: float = 0.0  # gobreaker: the present interval
    looked: int = 0  # hystrix: snapshots so far
    buckets: deque[list[float]] = field(default_factory=deque)  # start or number, calls, failures


def new_library_breaker(spec: CircuitBreaker) -> LibraryRow | None:
    """A closed one; None where the spec names none of these."""
    if spec.consecutive is not None:
        return LibraryRow(CONSECUTIVE, most=spec.consecutive, open_for=spec.open_for, probes=spec.half_open_calls)
    if (go := spec.gobreaker) is not None:
        row = LibraryRow(GOBREAKER, most=go.consecutive_failures + 1, open_for=go.timeout, probes=go.max_requests)
        row.window = row.expires = go.interval
        return row
    if (polly := spec.polly) is not None:
        row = LibraryRow(POLLY, most=polly.minimum_throughput, percent=100.0 * polly.failure_ratio)
        row.open_for, row.window = polly.break_duration, polly.sampling_duration
        row.width = row.window if row.window < 0.2 else row.window / 10.0
        return row
    if (its := spec.opossum) is not None:
        row = LibraryRow(OPOSSUM, most=its.volume_threshold, percent=its.error_threshold_percentage)
        row.open_for, row.window = its.reset_timeout, its.rolling_count_timeout
        row.width = math.floor(1000.0 * its.rolling_count_timeout / its.rolling_count_buckets + 1e-9) / 1000.0
        return row
    if (hystrix := spec.hystrix) is not None:
        row = LibraryRow(HYSTRIX, most=hystrix.request_volume_threshold, percent=hystrix.error_threshold_percentage)
        row.open_for, row.window = hystrix.sleep_window, hystrix.rolling_stats
        row.width = hystrix.health_snapshot_interval
        return row
    return None


def admit(row: LibraryRow, now: float) -> int:
    """May a call go out? -1: no."""
    look(row, now)
    if row.kind == OPOSSUM:
        _bucket(row, now)[1] += 1.0  # fires, also of those that are rejected
    if row.state == OPEN and _wait_is_over(row, now):
        _change(row, HALF_OPEN, now)
    if row.state == CLOSED:
        return row.period
    if row.state == OPEN or row.permits <= 0:
        return REJECTED
    row.permits -= 1
    return row.period


def settle(row: LibraryRow, now: float, ticket: int, outcome: int) -> None:
    """An admitted call has ended so."""
    failed = verdict(_OURS if row.kind == CONSECUTIVE else _JUDGE, outcome)
    if failed == NO_VERDICT:
        give_back(row, ticket)
        return
    look(row, now)
    if row.kind in (CONSECUTIVE, GOBREAKER):
        if ticket == row.period:
            _count_in_a_row(row, now, failed)
    elif row.kind == POLLY:
        _settle_polly(row, now, failed)
    elif row.kind == OPOSSUM:
        _settle_opossum(row, now, failed)
    else:
        _settle_hystrix(row, now, failed)


def give_back(row: LibraryRow, ticket: int) -> None:
    """An admitted call ended with nothing to say: a probe's permit is free again."""
    if row.state == HALF_OPEN and ticket == row.period:
        row.permits += 1


def look(row: LibraryRow, now: float) -> None:
    """What the clock alone has brought about by now."""
    if row.kind == OPOSSUM and row.state == OPEN and reached(now, row.opened + row.open_for):
        _change(row, HALF_OPEN, row.opened + row.open_for)
    elif row.kind == HYSTRIX:
        _take_snapshots(row, now)
    elif row.kind == GOBREAKER and row.window > 0.0 and row.state == CLOSED and passed(now, row.expires):
        row.failed, row.expires = 0, now + row.window


# -- in a row ----------------------------------------------------------------------------------------------------------


def _count_in_a_row(row: LibraryRow, now: float, failed: int) -> None:
    if row.state == HALF_OPEN:
        row.good += 1 - failed
        if failed:
            _change(row, OPEN, now)
        elif row.good >= row.probes:
            _change(row, CLOSED, now)
            row.expires = now + row.window
    elif row.state == CLOSED:
        row.failed = row.failed + 1 if failed else 0
        if row.failed >= row.most:
            _change(row, OPEN, now)


# -- Polly -------------------------------------------------------------------------------------------------------------


def _settle_polly(row: LibraryRow, now: float, failed: int) -> None:
    """A late result decides a half-open one as its probe would; an open one counts it, and does nothing."""
    if row.state == HALF_OPEN:
        if failed:
            _change(row, OPEN, now)
        else:
            row.buckets.clear()
            _change(row, CLOSED, now)
        return
    if not row.buckets or reached(now, row.buckets[-1][0] + row.width):
        row.buckets.append([now, 0.0, 0.0])
    while reached(now, row.buckets[0][0] + row.window):
        row.buckets.popleft()
    row.buckets[-1][1] += 1.0
    row.buckets[-1][2] += failed
    calls, failures = sum(bucket[1] for bucket in row.buckets), sum(bucket[2] for bucket in row.buckets)
    if failed and row.state == CLOSED and calls >= row.most and 100.0 * failures >= row.percent * calls * (1 - 1e-12):
        _change(row, OPEN, now)


# -- opossum -----------------------------------------------------------------------------------------------------------


def _bucket(row: LibraryRow, now: float) -> list[float]:
    """The present bucket of the clock; those that have left the window are forgotten."""
    number = periods(now, row.width)
    if not row.buckets or row.buckets[-1][0] < number:
        row.buckets.append([number, 0.0, 0.0])
    oldest = number - round(row.window / row.width)
    while row.buckets[0][0] <= oldest:
        row.buckets.popleft()
    return row.buckets[-1]


def _settle_opossum(row: LibraryRow, now: float, failed: int) -> None:
    bucket = _bucket(row, now)
    if not failed:
        if row.state == HALF_OPEN:
            _change(row, CLOSED, now)
        return
    bucket[2] += 1.0
    calls, failures = sum(its[1] for its in row.buckets), sum(its[2] for its in row.buckets)
    if row.state == HALF_OPEN or (
        row.state == CLOSED and calls >= row.most and 100.0 * failures > row.percent * calls * (1 + 1e-12)
    ):
        _change(row, OPEN, now)


# -- Hystrix -----------------------------------------------------------------------------------------------------------


def _settle_hystrix(row: LibraryRow, now: float, failed: int) -> None:
    if row.state == HALF_OPEN:  # whoever comes back now decides, the probe or a late one
        if failed:
            _change(row, OPEN, now)
        else:
            row.buckets.clear()
            _change(row, CLOSED, now)
        return
    number = periods(now, row.width)
    if not row.buckets or row.buckets[-1][0] < number:
        row.buckets.append([number, 0.0, 0.0])
    row.buckets[-1][1] += 1.0
    row.buckets[-1][2] += failed


def _take_snapshots(row: LibraryRow, now: float) -> None:
    """Every interval that is over by now: the complete buckets of the window before it, and nothing of the present."""
    last = periods(now, row.width)
    span = max(1, round(row.window / row.width))
    while row.looked < last:
        row.looked = max(row.looked + 1, min(last, row.looked + 1 if row.buckets else last))
        while row.buckets and row.buckets[0][0] < row.looked - span:
            row.buckets.popleft()
        calls = sum(bucket[1] for bucket in row.buckets if bucket[0] < row.looked)
        failures = sum(bucket[2] for bucket in row.buckets if bucket[0] < row.looked)
        if row.state == CLOSED and calls > 0 and calls >= row.most and int(100.0 * failures / calls) >= row.percent:
            _change(row, OPEN, row.looked * row.width)


# -- states ------------------------------------------------------------------------------------------------------------


def _wait_is_over(row: LibraryRow, now: float) -> bool:
    if row.kind in (GOBREAKER, HYSTRIX):
        return passed(now, row.opened + row.open_for)
    return reached(now, row.opened + row.open_for)


def _change(row: LibraryRow, state: int, now: float) -> None:
    row.state, row.since = state, now
    row.period += 1
    row.failed = row.good = 0
    if state == OPEN:
        row.opened = now
    elif state == HALF_OPEN:
        row.permits = row.probes
