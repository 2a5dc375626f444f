"""The USE method (Gregg): utilisation, saturation and errors of every station, and which of them was full first."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from sim.metrics.gauges import Floats, Gauges
from sim.metrics.pools import Pool, members, pools
from sim.records.counted import deliveries
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.vocabulary import GOOD, MessageEnd, Outcome

FULL = 0.95  # of its servers busy: what comes has to wait
TURNED_AWAY = 0.05  # of what comes to a bulkhead or a limit: it is full
LASTING = 5.0  # s; so long it stays full before it counts as full, so that a burst does not
REFUSALS = {"places": Outcome.BULKHEAD_FULL.word, "rate": Outcome.RATE_LIMITED.word}
NO_ERRORS = (*GOOD, Outcome.REFUSED, Outcome.IN_FLIGHT)


@dataclass(frozen=True)
class Use:
    """One pool of servers in one run, after the warm-up."""

    station: str  # service, "gateway", "group topic", "caller -> callee" or "gateway all limit"
    resource: str  # "workers", "cores", "consumers", "hottest consumer", "places" of a bulkhead, "rate" of a limit
    utilisation: float  # share of its servers that is busy, on average; nan: they are unlimited
    utilisation_max: float  # of one interval of the time series
    queue_mean: float  # requests that wait for a worker, or messages that wait
    queue_max: float
    full_at: float  # s; when it began to be full, warm-up included; inf: never
    attempts: int  # attempts that arrived, or messages that ended
    errors: dict[str, int] = field(default_factory=dict)  # by outcome of the attempt, or end of the message


def use_table(records: Records, scenario: Scenario) -> tuple[Use, ...]:
    """Everything that can be full, stations in the order of the scenario and then consumer groups, bulkheads and rate
    limits.
    """
    gauges = Gauges(records)
    return tuple(_use(gauges, pool, *_came(gauges, pool)) for pool in pools(gauges, scenario))


def _came(gauges: Gauges, pool: Pool) -> tuple[int, dict[str, int]]:
    """What arrived there after the warm-up, and how that ended which did not end well; told once for a station."""
    if pool.resource in ("workers", "cores"):
        attempts, errors = _attempts(gauges.records, pool.station)
        return attempts, errors if pool.resource == "workers" else {}
    if pool.resource == "consumers":
        return _messages(gauges.records, pool.station)
    if pool.resource in REFUSALS:
        passed, refused = (round(gauges.growth(pool.station, quantity)) for quantity in ("passed", "turned_away"))
        return passed + refused, {REFUSALS[pool.resource]: refused} if refused else {}
    return 0, {}


def _messages(records: Records, component: str) -> tuple[int, dict[str, int]]:
    names, messages = {name: index for index, name in enumerate(records.names)}, deliveries(records)
    group, _, topic = component.rpartition(" ")
    its = messages.where(
        (messages.group == names.get(group, -1)) & (messages.topic == names.get(topic, -1)) & messages.late
    )
    ends = its.bins(its.how, len(MessageEnd))
    return int(ends.sum()), {
        end.word: int(ends[end])
        for end in MessageEnd
        if end not in (MessageEnd.PROCESSED, MessageEnd.QUEUED) and ends[end]
    }


def _use(gauges: Gauges, pool: Pool, attempts: int, errors: dict[str, int]) -> Use:
    shares = pool.shares
    counted = gauges.records.ticks > gauges.records.warmup
    timed = pool.queue == "queue"  # a mean over the interval; others are levels at its end
    waiting = _waiting(gauges, pool)[counted]
    return Use(
        station=pool.station,
        resource=pool.resource,
        utilisation=float(pool.utilisations(gauges, gauges.window)[0]),
        utilisation_max=float(np.nanmax(shares[counted])) if np.isfinite(shares[counted]).any() else math.nan,
        queue_mean=gauges.mean_waiting(pool.station) if timed else float(waiting.mean()) if waiting.size else math.nan,
        queue_max=float(waiting.max()) if waiting.size else math.nan,
        full_at=_full(gauges, pool, shares),
        attempts=attempts,
        errors=errors,
    )


def _waiting(gauges: Gauges, pool: Pool) -> Floats:
    """What waits there, one value a tick; nan where nobody can."""
    if not pool.queue or not gauges.has(pool.station, pool.queue):
        return np.full(gauges.records.ticks.size, math.nan)
    return gauges.waiting(pool.station) if pool.queue == "queue" else gauges.values(pool.station, pool.queue)


def _full(gauges: Gauges, pool: Pool, shares: Floats) -> float:
    """From when on it was full; of the consumers of a group, from when on any one of them was.

    Where nobody waits for a place, all are hardly ever taken for long, however many are turned away: that they are says
    that it is full.
    """
    if pool.resource in REFUSALS:
        passed, refused = (
            np.diff(gauges.values(pool.station, quantity), prepend=0.0) for quantity in ("passed", "turned_away")
        )
        shares = np.where(refused > TURNED_AWAY * (passed + refused), 1.0, shares)
    if pool.resource == "hottest consumer":
        return min(_full_at(gauges, busy) for busy in members(gauges, pool.station))
    return _full_at(gauges, shares)


def _full_at(gauges: Gauges, shares: Floats) -> float:
    """The beginning of the first spell of at least LASTING seconds in which it is full."""
    since = math.inf
    for before, tick, full in zip(gauges.ticks[:-1], gauges.records.ticks, shares >= FULL, strict=True):
        since = min(since, float(before)) if full else math.inf
        if tick - since >= LASTING:
            return since
    return math.inf


def _attempts(records: Records, station: str) -> tuple[int, dict[str, int]]:
    """Attempts that arrived after the warm-up, and how those ended that did not end well; from the spans of all, or
    else the book of the whole run.
    """
    if records.exemplary or not records.spans.size:
        book = next((book for book in records.books if book.component == station), None)
        errors = {
            word: count
            for word, count in (book.ended if book is not None else {}).items()
            if Outcome[word.upper()] not in NO_ERRORS
        }
        return (book.offered if book is not None else 0), errors
    its = np.array([name == station or name.startswith(f"{station}.") for name in (*records.names, "")], dtype=bool)
    rows = records.spans[its[records.spans["endpoint"]] & (records.spans["arrived"] >= records.warmup)]
    ends = np.bincount(rows["outcome"].astype(np.int64), minlength=len(Outcome))
    return len(rows), {
        outcome.word: int(ends[outcome]) for outcome in Outcome if outcome not in NO_ERRORS and ends[outcome]
    }
