"""Limits of concurrency that adapt: Netflix's concurrency-limits, answer by answer (AIMDLimit, VegasLimit,
Gradient2Limit, WindowedLimit; semantics.md 3.4).

    aimd       dropped, or longer than `timeout`: floor(0.9 limit); else, where twice those under way are the limit or
               more, one more
    vegas      waiting = ceil(limit (1 - least / time)); the limit moves by log10 of itself until that is between 3 and
               6 of these, by 6 where it is one or less. The least time is forgotten after 15 to 30 limits of answers
    gradient2  gradient = tolerance * long / time, from 0.5 to 1, where `long` is an average of 600; the limit goes a
               fifth of the way to gradient * limit + 4
    windowed   they hear the mean time of a window, its most under way, and whether anything was dropped

`gradient_controller.py` has Envoy's. Times are whole nanoseconds, as in Java. `inside` is how many were under way when
the answered one began, itself included. An answer is a success (also a business refusal); a timeout, 503, 429 or no
connection is a drop (Limiter.Listener: "rejected by an external limit or hitting a timeout"); any other failure says
nothing about load, and is ignored.
"""

from __future__ import annotations

import math

from sim.policies.base import NANOSECONDS, Ring, policy
from sim.policies.concurrency_row import AIMD, ENVOY, GRADIENT2, VEGAS, ConcurrencyRow
from sim.policies.gradient_controller import BINS, answered, due, first_window
from sim.spec.policy import Bulkhead
from sim.vocabulary import Outcome

_GOOD = sum(1 << outcome for outcome in (Outcome.OK, Outcome.DEGRADED, Outcome.REFUSED))
_DROPPED = sum(1 << outcome for outcome in (Outcome.TIMEOUT, Outcome.SHED, Outcome.RATE_LIMITED, Outcome.UNREACHABLE))
WARM_UP = 10  # answers of which the long average is a plain mean


def new_concurrency(spec: Bulkhead) -> tuple[ConcurrencyRow, Ring] | None:
    """One that has seen nobody; None where the number is fixed. Ring: how many answers took how long, of Envoy."""
    windowed = None
    if (aimd := spec.aimd) is not None:
        row = ConcurrencyRow(AIMD, aimd.min_limit, aimd.max_limit, estimate=float(aimd.initial_limit))
        row.ratio, row.timeout, windowed = aimd.backoff_ratio, aimd.timeout * NANOSECONDS, aimd.windowed
    elif (vegas := spec.vegas) is not None:
        row = ConcurrencyRow(VEGAS, 1, vegas.max_concurrency, estimate=float(vegas.initial_limit))
        row.smoothing, row.multiplier, windowed = vegas.smoothing, float(vegas.probe_multiplier), vegas.windowed
    elif (its := spec.gradient2) is not None:
        row = ConcurrencyRow(GRADIENT2, its.min_limit, its.max_concurrency, estimate=float(its.initial_limit))
        row.smoothing, row.ratio, row.queue = its.smoothing, its.rtt_tolerance, its.queue_size
        row.multiplier, windowed = 2.0 / (its.long_window + 1.0), its.windowed
    elif (envoy := spec.envoy) is not None:
        limit, rtt = envoy.concurrency_limit_params, envoy.min_rtt_calc_params
        row = ConcurrencyRow(ENVOY, rtt.min_concurrency, limit.max_concurrency_limit, enough=rtt.request_count)
        row.ratio, row.jitter, row.percentile = 1.0 + rtt.buffer, rtt.jitter, envoy.sample_aggregate_percentile
        row.interval, row.measures = limit.concurrency_update_interval, rtt.interval or 0.0
        first_window(row, rtt.fixed_value)
        return row, [0.0] * BINS
    else:
        return None
    if windowed is not None:
        row.window_size, row.window, row.threshold = windowed.window_size, windowed.window, windowed.min_rtt_threshold
    return row, [0.0]


@policy
def limit_of(row: ConcurrencyRow, ring: Ring, now: float) -> int:
    """How many may be under way now."""
    if row.kind == ENVOY:
        due(row, ring, now)
    return math.floor(row.estimate)


@policy
def hear(row: ConcurrencyRow, ring: Ring, now: float, began: float, inside: int, outcome: int, luck: float) -> None:
    """One that began then has ended so; `luck` is uniform in (0, 1)."""
    if row.kind == ENVOY:
        due(row, ring, now)
        answered(row, ring, now, began, luck)
        return
    dropped = (_DROPPED >> outcome) & 1
    if not dropped and not (_GOOD >> outcome) & 1:
        return
    took = float(math.floor((now - began) * NANOSECONDS + 0.5))
    took = max(took, 1.0)
    if row.window_size == 0:
        adapt(row, took, inside, dropped, luck)
    elif took >= row.threshold * NANOSECONDS:
        hear_window(row, now, took, inside, dropped, luck)


@policy
def hear_window(row: ConcurrencyRow, now: float, took: float, inside: int, dropped: int, luck: float) -> None:
    """One more of the window, which ends with the first answer that is behind its end."""
    row.samples += 1
    row.window_sum += took
    row.window_dropped |= dropped
    row.window_inside = max(row.window_inside, inside)
    if now > row.window_ends:
        row.window_ends = now + row.window
        if row.samples >= row.window_size:
            mean = float(math.floor(row.window_sum / row.samples))
            adapt(row, mean, row.window_inside, row.window_dropped, luck)
        row.samples = row.window_inside = row.window_dropped = 0
        row.window_sum = 0.0


@policy
def adapt(row: ConcurrencyRow, took: float, inside: int, dropped: int, luck: float) -> None:
    """What the algorithm makes of it."""
    if row.kind == AIMD:
        adapt_aimd(row, took, inside, dropped)
    elif row.kind == VEGAS:
        adapt_vegas(row, took, inside, dropped, luck)
    else:
        adapt_gradient2(row, took, inside)


@policy
def adapt_aimd(row: ConcurrencyRow, took: float, inside: int, dropped: int) -> None:
    """One more, or a share of it."""
    limit = row.estimate
    if dropped or took > row.timeout:
        limit = float(math.floor(limit * row.ratio))
    elif inside * 2 >= limit:
        limit += 1.0
    row.estimate = bounded(row, limit)


@policy
def adapt_vegas(row: ConcurrencyRow, took: float, inside: int, dropped: int, luck: float) -> None:
    """By what the least time says about how many wait."""
    if row.jitter == 0.0:
        row.jitter = 0.5 + 0.5 * luck
    row.count += 1
    if row.jitter * row.multiplier * row.estimate <= row.count:
        row.jitter = 0.5 + 0.5 * luck
        row.count = 0
        row.no_load = took
        return
    if row.no_load == 0.0 or took < row.no_load:
        row.no_load = took
        return
    waiting = math.ceil(row.estimate * (1.0 - row.no_load / took))
    step = digits(math.floor(row.estimate))
    limit = row.estimate
    if dropped:
        limit -= step
    elif inside * 2 < row.estimate:
        return
    elif waiting <= step:
        limit += 6 * step
    elif waiting < 3 * step:
        limit += step
    elif waiting > 6 * step:
        limit -= step
    else:
        return
    row.estimate = (1.0 - row.smoothing) * row.estimate + row.smoothing * bounded(row, limit)


@policy
def adapt_gradient2(row: ConcurrencyRow, took: float, inside: int) -> None:
    """By what is usual in the long run."""
    if row.count < WARM_UP:
        row.count += 1
        row.long_sum += took
        row.long = row.long_sum / row.count
    else:
        row.long = row.long * (1.0 - row.multiplier) + took * row.multiplier
    long = row.long
    if long / took > 2.0:
        row.long = long * 0.95
    if inside < row.estimate / 2.0:
        return
    gradient = row.ratio * long / took
    if gradient > 1.0:
        gradient = 1.0
    elif gradient < 0.5:
        gradient = 0.5
    limit = row.estimate * gradient + row.queue
    limit = row.estimate * (1.0 - row.smoothing) + limit * row.smoothing
    row.estimate = bounded(row, limit)


@policy
def bounded(row: ConcurrencyRow, limit: float) -> float:
    """No less than the least, no more than the most."""
    if limit > row.most:
        limit = float(row.most)
    return limit if limit > row.least else float(row.least)


@policy
def digits(limit: int) -> int:
    """The logarithm to the base 10 of a whole number, rounded down, at least 1."""
    found = 0
    while limit >= 10:
        limit = limit // 10
        found += 1
    return found if found > 1 else 1
