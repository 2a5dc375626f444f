"""Envoy's gradient controller (adaptive_concurrency/controller/gradient_controller.cc; semantics.md 3.5).

It begins by measuring: at most `min_concurrency` are under way until `request_count` have ended; their percentile is
the time without load. From then on, every interval in which something has ended,

    gradient = time without load * (1 + buffer) / percentile of the interval, from 0.5 to 2
    limit    = floor(gradient * limit + sqrt(gradient * limit)), between the least and the most

It measures anew an interval and up to `jitter` of it later, in whole milliseconds, or after five updates in a row to
the least. What began before it measures is not counted. Times are whole microseconds in a histogram of two digits,
whose percentile lies where it would if a bin were filled evenly (libcircllhist, hist_approx_quantile).

What timers do is worked out when somebody comes or an answer does. Every end is an answer, also a timeout, for which
the filter sees the router's 504. With a `fixed_value` nothing is ever measured: that is the time without load, and the
limit begins at `min_concurrency`. Left out: `min_concurrency_limit`, of which the newest protocol alone tells.
"""

from __future__ import annotations

import math

from sim.policies.base import Ring, policy, reached
from sim.policies.concurrency_row import ConcurrencyRow

DECADES = 10  # from a microsecond to hours
BINS = 2 + 90 * DECADES  # how many there are in all, how many took no time, and those of two digits in each decade
AT_THE_LEAST = 5


def first_window(row: ConcurrencyRow, fixed: float | None) -> None:
    """It measures from time 0, unless the time without load is `fixed` (s)."""
    row.estimate = float(row.least)
    row.next_update = row.interval
    if fixed is None:
        row.deferred = row.least
    else:
        row.no_load, row.measures = float(math.floor(fixed * 1e6 + 1e-3)), 0.0


@policy
def due(row: ConcurrencyRow, ring: Ring, now: float) -> None:
    """What timers have done by now; where nothing has ended, an update changes nothing."""
    while reached(now, row.next_update) or reached(now, row.next_measure):
        if row.next_measure < row.next_update:
            begin_measuring(row, ring, row.next_measure)
            row.next_measure = math.inf
        elif row.deferred > 0:
            row.next_update = math.inf  # the end of measuring sets it again
        elif ring[0] == 0.0:
            skipped = math.floor((now - row.next_update) / row.interval)
            row.next_update += row.interval * (skipped + 1.0 if skipped > 0 else 1.0)
        else:
            at = row.next_update
            update(row, ring)
            row.next_update = at + row.interval
            if row.at_least >= AT_THE_LEAST and row.measures > 0.0:
                row.next_measure = at


@policy
def answered(row: ConcurrencyRow, ring: Ring, now: float, began: float, luck: float) -> None:
    """One that began then has ended."""
    if began < row.epoch:
        return
    note(ring, float(math.floor((now - began) * 1e6 + 1e-3)))
    if row.deferred > 0 and ring[0] >= row.enough:
        row.no_load = percentile(ring, row.percentile)
        set_limit(row, row.deferred)
        row.deferred = 0
        longer = math.ceil(1000.0 * row.measures * row.jitter)
        row.next_measure = now + row.measures + math.floor(luck * longer) / 1000.0
        row.next_update = now + row.interval


@policy
def begin_measuring(row: ConcurrencyRow, ring: Ring, at: float) -> None:
    """At the least concurrency, from then on."""
    if row.deferred == 0:
        row.deferred = math.floor(row.estimate)
        set_limit(row, row.least)
        for i in range(BINS):
            ring[i] = 0.0
        row.epoch = at


@policy
def update(row: ConcurrencyRow, ring: Ring) -> None:
    """Set the limit by what the interval has shown."""
    took = percentile(ring, row.percentile)
    gradient = 2.0
    if took > 0.0:
        gradient = row.no_load * row.ratio / took
    if gradient > 2.0:
        gradient = 2.0
    elif gradient < 0.5:
        gradient = 0.5
    limit = row.estimate * gradient
    limit = float(math.floor(limit + math.sqrt(limit)))
    if limit > row.most:
        limit = float(row.most)
    set_limit(row, math.floor(limit) if limit > row.least else row.least)


@policy
def set_limit(row: ConcurrencyRow, limit: int) -> None:
    """It, and how often it was the least in a row while nothing was measured."""
    if row.deferred == 0 and row.estimate == row.least and limit == row.least:
        row.at_least += 1
    else:
        row.at_least = 0
    row.estimate = float(limit)


@policy
def note(ring: Ring, took: float) -> None:
    """One more of so many microseconds."""
    ring[0] += 1.0
    if took < 1.0:
        ring[1] += 1.0
        return
    decade, width = 0, 0.1
    while took >= 100.0 * width and decade < DECADES - 1:
        decade += 1
        width *= 10.0
    digit = math.floor(took / width + 1e-9) - 10
    ring[2 + 90 * decade + (digit if digit < 89 else 89)] += 1.0


@policy
def percentile(ring: Ring, share: float) -> float:
    """Whole microseconds below which this share is; the histogram is empty from then on."""
    wanted, below, width = ring[0] * share, ring[1], 0.1
    found = 0.0 if below >= wanted and below > 0.0 else -1.0
    for decade in range(DECADES):
        for digit in range(90):
            here = ring[2 + 90 * decade + digit]
            if here > 0.0 and found < 0.0 and below + here >= wanted:
                found = width * (10 + digit)
                if below != wanted:
                    found += (wanted - below) / here * width
            below += here
        width *= 10.0
    for i in range(BINS):
        ring[i] = 0.0
    return float(math.floor(found + 1e-9))
