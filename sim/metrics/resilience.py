"""How a system gets over a fault: the time to detect it, to recover from it, to work off the backlog it left.

The words: recovered is when, for a minute in 1 s buckets, success share and p95 are within 5 % of what they were
before. Taken bucket by bucket that is a lottery: the p95 of the 120 requests of one second strays further than 5 % in a
healthy system, and sixty such seconds in a row never come. So the minute is judged as a whole, and its first second
too, so that it cannot begin in the tail of the trouble:

* success: at least 95 % of the share before;
* p95 at most 105 % of that before, which is to say: at most 5 % of the answers took longer than 1.05 x p95. Counting
  the slow needs no percentile of a small sample;
* both with two standard errors of what so many requests show by chance;
* better than before is recovered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.metrics.keys import COMPLETION, NamedFault, before_harm, key_of, named_faults
from sim.metrics.sample import Judged, Sample
from sim.records.counted import Counted, Floats, Mask, Orders
from sim.records.lines import ascending
from sim.records.tables import Records
from sim.spec.promises import ROUNDING
from sim.spec.scenario import Scenario
from sim.stats.quantile import quantile
from sim.vocabulary import EventKind, Outcome

HOLD = 60  # buckets of 1 s
FIRST_LOOK = 600  # s after a fault that are looked at first
TOLERANCE = 0.05
SLOW = 0.05  # the share beyond a 95th percentile
ERRORS = 2.0  # standard errors
BACKLOG = ("lag", "outbox")  # quantities; a service with several outboxes has one `outbox TOPIC` for each
DRAINED = 60.0  # s; for so long the backlog stays down, on average


def resilience(records: Records, scenario: Scenario, everyone: Sample) -> dict[str, float]:
    """Detection, recovery on both clocks, and drain of every named fault; from a fault that outlasts the run there is
    nothing to recover (nan).
    """
    figures: dict[str, float] = {}
    faults = named_faults(scenario)
    if not faults:
        return figures
    clocks = (("", response_clock(everyone.answers)), (COMPLETION, completion_clock(everyone.orders)))
    # nearly all faults have one and the same time before
    known: dict[tuple[str, tuple[float, float]], Usual | None] = {}
    backlog = backlog_of(records)
    for fault in faults:
        before, over = before_harm(records, scenario, fault), fault.end < records.duration
        for word, clock in clocks:
            if (word, before) not in known:
                known[word, before] = usual_of(clock, before)
            usual = known[word, before]
            recovered = usual.recovered(fault.end, records.duration) if over and usual is not None else math.nan
            figures[key_of("recovery_time", fault.name, word)] = recovered
        figures[key_of("detection_time", fault.name)] = detection_time(records, fault)
        figures[key_of("drain_time", fault.name)] = drain_time(backlog, before, fault.end) if over else math.nan
    return figures


@dataclass(frozen=True)
class Clock(Counted):
    """What counts as success and as slow."""

    arrival: Floats
    judged: Mask  # counts for the success share
    success: Mask  # a part of the judged
    latency: Floats  # nan where none counts for the p95
    # age of those that may yet succeed, and are too young to judge while below the limit for the p95; nan: others
    waiting: Floats


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
    """Seconds from the end of the fault to the first good minute; inf where none fits into the run, nan where nothing
    was well before.
    """
    usual = usual_of(clock, before)
    return usual.recovered(end, duration) if usual is not None else math.nan


def usual_of(clock: Clock, before: tuple[float, float]) -> Usual | None:
    """What the clock showed before any harm, as the measure of what came after; None where nothing was well."""
    clock = clock if ascending(clock.arrival) else clock.at(np.argsort(clock.arrival, kind="stable"))
    normal = (clock.arrival >= before[0]) & (clock.arrival < before[1])
    timed = ~np.isnan(clock.latency)
    judged = clock.total(normal & clock.judged)
    share = clock.total(normal & clock.success) / judged if judged else 0.0
    if not share or not (normal & timed).any():
        return None
    limit = (1 + TOLERANCE) * quantile(clock.latency[normal & timed], 1 - SLOW, clock.counts(normal & timed)) + ROUNDING
    old = ~(clock.waiting <= limit)
    return Usual(
        arrival=clock.arrival,
        asked=_running(clock, clock.judged & old),
        failed=_running(clock, clock.judged & old & ~clock.success),
        answered=_running(clock, timed),
        late=_running(clock, clock.latency > limit),
        can_fail=_Allowed(1 - (1 - TOLERANCE) * share, share * (1 - share)),
        can_be_late=_Allowed(SLOW, SLOW * (1 - SLOW)),
    )


@dataclass(frozen=True)
class Usual:
    """Requests in the order of arrival, with running counts of the good and the bad among them, and how many bad ones
    are usual.

    Running counts make the seconds after a fault a matter of looking up: a run with hundreds of faults is counted once.
    """

    arrival: Floats
    asked: Floats  # of the first 0, 1, 2 ... requests; so are the others
    failed: Floats
    answered: Floats
    late: Floats
    can_fail: _Allowed
    can_be_late: _Allowed

    def recovered(self, end: float, duration: float) -> float:
        """Seconds from `end` to the first good minute; inf where none fits into the run."""
        seconds = math.floor(duration - end + 1e-9)
        span = min(FIRST_LOOK, seconds)
        while True:
            found = self._first_good_minute(end, span)
            if found.size or span >= seconds:
                return float(found[0]) if found.size else math.inf
            span = min(span * 4, seconds)  # most recover soon; who never does is looked at about once more in all

    def _first_good_minute(self, end: float, seconds: int) -> NDArray[np.intp]:
        """The good minutes that begin with one of so many seconds after `end` and lie within them."""
        first, last = np.searchsorted(self.arrival, [end, end + seconds + 1.0])
        since = self.arrival[first:last] - end
        at = first + np.searchsorted(since, np.arange(seconds + 1, dtype=np.float64))
        asked, failed, answered, late = (
            np.diff(running[at]) for running in (self.asked, self.failed, self.answered, self.late)
        )
        good_second = self.can_fail(failed, asked) & self.can_be_late(late, answered)
        few, slow = (
            self.can_fail(_minutes(failed), _minutes(asked)),
            self.can_be_late(_minutes(late), _minutes(answered)),
        )
        good_minute = few & slow & (_minutes(asked) > 0)
        return np.flatnonzero(good_minute & good_second[: good_minute.size])


def _running(clock: Clock, mask: Mask) -> Floats:
    """How many of the first 0, 1, 2 ... requests the mask holds for."""
    counted = mask.astype(np.float64) if clock.count is None else np.where(mask, clock.count, 0).astype(np.float64)
    return np.concatenate([[0.0], np.cumsum(counted)])


@dataclass(frozen=True)
class _Allowed:
    """How many of n may be bad: a share, and what chance adds to it."""

    share: float
    variance: float  # of one request

    def __call__(self, bad: Floats, n: Floats) -> Mask:
        return bad <= self.share * n + ERRORS * np.sqrt(n * self.variance) + 1e-9


def _minutes(counts: Floats) -> Floats:
    """Sums over each HOLD neighbouring seconds, by the first of them."""
    total = np.concatenate([[0.0], np.cumsum(counts)])
    return total[HOLD:] - total[:-HOLD] if total.size > HOLD else np.empty(0)


def detection_time(records: Records, fault: NamedFault) -> float:
    """Seconds from the start of the fault to the first breaker that opened during it; nan where none did."""
    times = records.events["time"][records.events["kind"] == EventKind.BREAKER_OPENED]
    during = times[(times >= fault.begin) & (times <= fault.end)]
    return float(during.min()) - fault.begin if during.size else math.nan


def drain_time(backlog: Backlog, before: tuple[float, float], end: float) -> float:
    """Seconds from the end of the fault until lag and outboxes together are back at their mean before (and 2 sd, or 5
    %), and stay there.

    To stay is to be there on average over the minute that follows (or what remains of the run), so that one poll does
    not end a backlog and one burst does not renew it. inf where the run ends first; nan where there is no broker.
    """
    ticks, level = backlog.ticks, backlog.level
    normal = level[(ticks >= before[0]) & (ticks < before[1])]
    if not normal.size:
        return math.nan
    usual = float(normal.mean())
    limit = max(usual + ERRORS * float(normal.std()), (1 + TOLERANCE) * usual)
    first = max(0, int(np.searchsorted(ticks, end, side="right")) - 1)
    drained = np.flatnonzero((level[first:] <= limit) & (backlog.minute[first:] <= limit))
    return max(0.0, float(ticks[first + drained[0]]) - end) if drained.size else math.inf


@dataclass(frozen=True)
class Backlog:
    """Messages that wait in all topics and outboxes together, at each tick."""

    ticks: Floats
    level: Floats
    minute: Floats  # its mean over the minute that begins with the tick


def backlog_of(records: Records) -> Backlog:
    """The backlog over time; without ticks where there is no broker."""
    series = [
        records.gauges[:, index] for index, series in enumerate(records.series) if series.quantity.split()[0] in BACKLOG
    ]
    if not series:
        return Backlog(np.empty(0), np.empty(0), np.empty(0))
    level, ticks = np.sum(series, axis=0), records.ticks
    total, last = np.concatenate([[0.0], np.cumsum(level)]), np.searchsorted(ticks, ticks + DRAINED, side="right")
    return Backlog(ticks, level, (total[last] - total[:-1]) / (last - np.arange(ticks.size)))
