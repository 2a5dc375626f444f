"""How a system gets over a fault: the time to detect it, to recover from it, to work off the backlog it left.

The words: recovered is when, for a minute in 1 s buckets, success share and p95 are within 5 % of what they were before. Taken bucket by bucket
that is a lottery: the p95 of the 120 requests of one second strays further than 5 % in a healthy system, and sixty such seconds in a row never
come. So the minute is judged as a whole, and its first second too, so that it cannot begin in the tail of the trouble:

* success: at least 95 % of the share before;
* p95 at most 105 % of that before, which is to say: at most 5 % of the answers took longer than 1.05 x p95. Counting the slow needs no percentile of
  a small sample;
* both with two standard errors of what so many requests show by chance;
* better than before is recovered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sim.metrics.keys import COMPLETION, NamedFault, before_harm, key_of, named_faults
from sim.metrics.sample import Judged, Sample
from sim.records.counted import Counted, Floats, Mask, Orders
from sim.records.tables import Records
from sim.spec.promises import ROUNDING
from sim.spec.scenario import Scenario
from sim.stats.quantile import quantile
from sim.vocabulary import EventKind, Outcome

HOLD = 60  # buckets of 1 s
TOLERANCE = 0.05
SLOW = 0.05  # the share beyond a 95th percentile
ERRORS = 2.0  # standard errors
BACKLOG = ("lag", "outbox")  # quantities; a service with several outboxes has one `outbox TOPIC` for each
DRAINED = 60.0  # s; for so long the backlog stays down, on average


def resilience(records: Records, scenario: Scenario, everyone: Sample) -> dict[str, float]:
    """Detection, recovery on both clocks, and drain of every named fault; from a fault that outlasts the run there is nothing to recover (nan)."""
    figures: dict[str, float] = {}
    clocks = (("", response_clock(everyone.answers)), (COMPLETION, completion_clock(everyone.orders)))
    for fault in named_faults(scenario):
        before, over = before_harm(records, scenario, fault), fault.end < records.duration
        for word, clock in clocks:
            figures[key_of("recovery_time", fault.name, word)] = recovery_time(clock, before, fault.end, records.duration) if over else math.nan
        figures[key_of("detection_time", fault.name)] = detection_time(records, fault)
        figures[key_of("drain_time", fault.name)] = drain_time(records, before, fault.end) if over else math.nan
    return figures


@dataclass(frozen=True)
class Clock(Counted):
    """What counts as success and as slow."""

    arrival: Floats
    judged: Mask  # counts for the success share
    success: Mask  # a part of the judged
    latency: Floats  # nan where none counts for the p95
    waiting: Floats  # age of those that may yet succeed, and are too young to judge while below the limit for the p95; nan: others


def response_clock(answers: Judged) -> Clock:
    """Success as availability has it; the time to the answer of those answered ok or degraded."""
    never = np.full(answers.arrival.shape, math.nan)
    latency = np.where(answers.good, answers.response, math.nan)
    return Clock(answers.count, answers.arrival, answers.judged, answers.judged & answers.served, latency, never)


def completion_clock(orders: Orders) -> Clock:
    """Success is a completed order; neither an unauthorized request nor a business refusal is an order."""
    wanted = orders.finished | ~orders.ended(Outcome.UNAUTHORIZED, Outcome.REFUSED)
    waiting = np.where(wanted & ~orders.finished & orders.pending, orders.age, math.nan)
    return Clock(orders.count, orders.arrival, wanted, orders.finished, orders.completion, waiting)


def recovery_time(clock: Clock, before: tuple[float, float], end: float, duration: float) -> float:
    """Seconds from the end of the fault to the first good minute; inf where none fits into the run, nan where nothing was well before."""
    normal = (clock.arrival >= before[0]) & (clock.arrival < before[1])
    timed = ~np.isnan(clock.latency)
    judged = clock.total(normal & clock.judged)
    share = clock.total(normal & clock.success) / judged if judged else 0.0
    if not share or not (normal & timed).any():
        return math.nan
    limit = (1 + TOLERANCE) * quantile(clock.latency[normal & timed], 1 - SLOW, clock.counts(normal & timed)) + ROUNDING
    old = ~(clock.waiting <= limit)
    count = _Seconds(clock, end, math.floor(duration - end + 1e-9))
    asked, failed = count(clock.judged & old), count(clock.judged & old & ~clock.success)
    answered, late = count(timed), count(clock.latency > limit)
    can_fail, can_be_late = _Allowed(1 - (1 - TOLERANCE) * share, share * (1 - share)), _Allowed(SLOW, SLOW * (1 - SLOW))
    good_second = can_fail(failed, asked) & can_be_late(late, answered)
    good_minute = can_fail(_minutes(failed), _minutes(asked)) & can_be_late(_minutes(late), _minutes(answered)) & (_minutes(asked) > 0)
    recovered = np.flatnonzero(good_minute & good_second[: good_minute.size])
    return float(recovered[0]) if recovered.size else math.inf


@dataclass(frozen=True)
class _Allowed:
    """How many of n may be bad: a share, and what chance adds to it."""

    share: float
    variance: float  # of one request

    def __call__(self, bad: Floats, n: Floats) -> Mask:
        return bad <= self.share * n + ERRORS * np.sqrt(n * self.variance) + 1e-9


class _Seconds:
    """Counts requests by the second, from the end of the fault to the end of the run."""

    def __init__(self, clock: Clock, end: float, seconds: int) -> None:
        since = clock.arrival - end
        self.clock, self.seconds = clock, seconds
        self.inside = (since >= 0) & (since < seconds)
        self.second = np.where(self.inside, since, 0.0).astype(np.int64)

    def __call__(self, mask: Mask) -> Floats:
        mask = mask & self.inside
        return self.clock.bins(self.second[mask], self.seconds, mask).astype(np.float64)


def _minutes(counts: Floats) -> Floats:
    """Sums over each HOLD neighbouring seconds, by the first of them."""
    total = np.concatenate([[0.0], np.cumsum(counts)])
    return total[HOLD:] - total[:-HOLD] if total.size > HOLD else np.empty(0)


def detection_time(records: Records, fault: NamedFault) -> float:
    """Seconds from the start of the fault to the first breaker that opened during it; nan where none did."""
    times = records.events["time"][records.events["kind"] == EventKind.BREAKER_OPENED]
    during = times[(times >= fault.begin) & (times <= fault.end)]
    return float(during.min()) - fault.begin if during.size else math.nan


def drain_time(records: Records, before: tuple[float, float], end: float) -> float:
    """Seconds from the end of the fault until lag and outboxes together are back at their mean before (and 2 sd, or 5 %), and stay there.

    To stay is to be there on average over the minute that follows (or what remains of the run), so that one poll does not end a backlog and one
    burst does not renew it. inf where the run ends first; nan where there is no broker.
    """
    ticks = records.ticks
    series = [records.gauges[:, index] for index, series in enumerate(records.series) if series.quantity.split()[0] in BACKLOG]
    normal = (ticks >= before[0]) & (ticks < before[1])
    if not series or not normal.any():
        return math.nan
    backlog = np.sum(series, axis=0)
    usual = float(backlog[normal].mean())
    limit = max(usual + ERRORS * float(backlog[normal].std()), (1 + TOLERANCE) * usual)
    for index in range(max(0, int(np.searchsorted(ticks, end, side="right")) - 1), ticks.size):
        following = backlog[index : np.searchsorted(ticks, ticks[index] + DRAINED, side="right")]
        if backlog[index] <= limit and following.mean() <= limit:
            return max(0.0, float(ticks[index]) - end)
    return math.inf
