"""The USE method (Gregg): utilisation, saturation and errors of every station, and which of them was full first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sim.metrics.gauges import Floats, Gauges
from sim.metrics.keys import stations
from sim.records.counted import deliveries
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.vocabulary import GOOD, MessageEnd, Outcome

FULL = 0.95  # of its servers busy: what comes has to wait
LASTING = 5.0  # s; so long it stays full before it counts as full, so that a burst does not
NO_ERRORS = (*GOOD, Outcome.REFUSED, Outcome.IN_FLIGHT)


@dataclass(frozen=True)
class Use:
    """One pool of servers in one run, after the warm-up."""

    station: str  # service, "gateway", or "group topic"
    resource: str  # "workers", "cores", "consumers"
    utilisation: float  # share of its servers that is busy, on average; nan: they are unlimited
    utilisation_max: float  # of one interval of the time series
    queue_mean: float  # requests that wait for a worker, or messages that wait
    queue_max: float
    full_at: float  # s; when it began to be full, warm-up included; inf: never
    attempts: int  # attempts that arrived, or messages that ended
    errors: dict[str, int] = field(default_factory=dict)  # by outcome of the attempt, or end of the message


def use_table(records: Records, scenario: Scenario) -> tuple[Use, ...]:
    """The services and the gateway by workers (and cores, where they are counted), and the consumer groups."""
    return (*_hosts(records, scenario), *_groups(records))


def _hosts(records: Records, scenario: Scenario) -> Iterator[Use]:
    gauges = Gauges(records)
    for station in stations(scenario):
        attempts, errors = _attempts(records, station)
        for resource, busy in (("workers", "busy"), ("cores", "cores_busy")):
            if gauges.has(station, busy):
                yield _use(gauges, station, resource, busy, "queue", attempts, errors if resource == "workers" else {})


def _groups(records: Records) -> Iterator[Use]:
    gauges, names, messages = Gauges(records), {name: index for index, name in enumerate(records.names)}, deliveries(records)
    for component in gauges.components("lag"):
        group, _, topic = component.rpartition(" ")
        its = messages.where((messages.group == names.get(group, -1)) & (messages.topic == names.get(topic, -1)) & messages.late)
        ends = its.bins(its.how, len(MessageEnd))
        errors = {end.word: int(ends[end]) for end in MessageEnd if end not in (MessageEnd.PROCESSED, MessageEnd.QUEUED) and ends[end]}
        yield _use(gauges, component, "consumers", "busy", "lag", int(ends.sum()), errors)


def _use(gauges: Gauges, station: str, resource: str, busy: str, queue: str, attempts: int, errors: dict[str, int]) -> Use:
    servers = "cores" if resource == "cores" else "workers"
    shares = _shares(gauges, station, busy, servers)
    counted = gauges.records.ticks > gauges.records.warmup
    waiting = gauges.values(station, queue)[counted]
    mean = gauges.mean(station, queue)
    return Use(
        station=station,
        resource=resource,
        utilisation=_ratio(gauges.mean(station, busy), gauges.mean(station, servers)),
        utilisation_max=float(np.nanmax(shares[counted])) if np.isfinite(shares[counted]).any() else math.nan,
        queue_mean=float(waiting.mean()) if queue == "lag" and waiting.size else mean,
        queue_max=float(waiting.max()) if waiting.size else math.nan,
        full_at=_full_at(gauges, shares),
        attempts=attempts,
        errors=errors,
    )


def _shares(gauges: Gauges, station: str, busy: str, servers: str) -> Floats:
    """Busy / servers in every interval; nan where servers are unlimited, or none is up."""
    if not gauges.has(station, servers):
        return np.full(gauges.records.ticks.shape, math.nan)
    there = gauges.values(station, servers)
    known = np.isfinite(there) & (there > 0)
    return np.where(known, gauges.values(station, busy) / np.where(known, there, 1.0), math.nan)


def _full_at(gauges: Gauges, shares: Floats) -> float:
    """The beginning of the first spell of at least LASTING seconds in which it is full."""
    since = math.inf
    for before, tick, full in zip(gauges.ticks[:-1], gauges.records.ticks, shares >= FULL, strict=True):
        since = min(since, float(before)) if full else math.inf
        if tick - since >= LASTING:
            return since
    return math.inf


def _attempts(records: Records, station: str) -> tuple[int, dict[str, int]]:
    """Attempts that arrived after the warm-up, and how those ended that did not end well; from the spans of all, or else the book of the whole run."""
    if records.exemplary or not records.spans.size:
        book = next((book for book in records.books if book.component == station), None)
        errors = {word: count for word, count in (book.ended if book is not None else {}).items() if Outcome[word.upper()] not in NO_ERRORS}
        return (book.offered if book is not None else 0), errors
    its = np.array([name == station or name.startswith(f"{station}.") for name in (*records.names, "")], dtype=bool)
    rows = records.spans[its[records.spans["endpoint"]] & (records.spans["arrived"] >= records.warmup)]
    ends = np.bincount(rows["outcome"].astype(np.int64), minlength=len(Outcome))
    return len(rows), {outcome.word: int(ends[outcome]) for outcome in Outcome if outcome not in NO_ERRORS and ends[outcome]}


def _ratio(part: float, whole: float) -> float:
    return part / whole if math.isfinite(whole) and whole > 0 else math.nan
