"""What requests around a quantile spent their time on: until they were answered, or until their orders were
complete.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.metrics.sample import sample_of
from sim.metrics.ways import LEAST, Part, Ways
from sim.records.counted import Floats
from sim.records.tables import Records
from sim.spec.scenario import Scenario
from sim.stats.quantile import Durations

Clock = Literal["response", "completion"]
MOST = 2000  # requests of a band that are looked at; evenly thinned where there are more


@dataclass(frozen=True)
class Composition:
    """What the requests around a quantile spent their time on, on average."""

    share: float  # 0.99: the 99th percentile
    value: float  # s; the quantile itself
    count: int  # requests looked at
    response: float  # s; their mean time
    parts: Mapping[Part, float]  # s; they add up to `response`
    # whether the quantile is that of an order which was not complete at the end: it is later than `value`
    open: bool = False


def compositions(
    records: Records,
    scenario: Scenario,
    shares: tuple[float, ...] = (0.5, 0.99),
    route: str | None = None,
    failures: bool = False,
    clock: Clock = "response",
) -> dict[float, Composition]:
    """The composition of the time around each quantile, of the requests that arrived after the warm-up.

    On the clock of the response they are those that were answered ok or degraded; with `failures` all answered. On that
    of the completion they are the orders whose completion counts: those that are incomplete, and that something alive
    may still complete, stand behind all others. A quantile among them is known only to be later than `value`, which it
    would be if they were complete at the end of the run; then they stand where their age is.

    Around a quantile q are the requests whose rank, as a share, is within min(5 %, (1 - q) / 2) of q: from 45 to 55 %
    for the median, from 98.5 to 99.5 % for p99; at least one.
    """
    rows, times, finished = (
        _answered(records, scenario, failures) if clock == "response" else _ordered(records, scenario)
    )
    if route is not None:
        its = records.requests["route"][rows] == (records.names.index(route) if route in records.names else -1)
        rows, times, finished = rows[its], times[its], finished[its]
    if not rows.size:
        return {}
    values = dict(zip(shares, Durations(times[finished], times[~finished]).quantiles(shares), strict=True))
    # where the incomplete stand behind all others, and by their age
    behind, aged = np.lexsort((times, ~finished)), np.argsort(times, kind="stable")
    bands = {share: _band(aged if value.censored else behind, share) for share, value in values.items()}
    ways = Ways(records, scenario, rows[np.unique(np.concatenate(list(bands.values())))])
    found = {}
    for share, band in bands.items():
        parts = _parts(
            [ways.parts(row) if clock == "response" else ways.until_complete(row) for row in rows[band].tolist()]
        )
        found[share] = Composition(
            share, values[share].value, int(band.size), float(times[band].mean()), parts, values[share].censored
        )
    return found


# rows of the table of requests, their times, and whether these are over
Chosen = tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]


def _answered(records: Records, scenario: Scenario, failures: bool) -> Chosen:
    everyone = sample_of(records, scenario).answers
    counted = everyone.answered & (everyone.arrival >= records.warmup)
    rows = np.flatnonzero(counted if failures else counted & everyone.good)
    return rows, everyone.response[rows], np.ones(rows.size, dtype=bool)


def _ordered(records: Records, scenario: Scenario) -> Chosen:
    orders, numbers = sample_of(records, scenario).orders, np.flatnonzero(records.requests["expects"])
    counted = (orders.finished | (orders.unfinished & orders.pending)) & (orders.arrival >= records.warmup)
    finished = orders.finished[counted]
    return numbers[counted], np.where(finished, orders.completion[counted], orders.age[counted]), finished


def _band(ordered: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    half = min(0.05, (1.0 - share) / 2)
    low = min(math.floor((share - half) * ordered.size), ordered.size - 1)
    high = max(low + 1, math.ceil((share + half) * ordered.size))
    band = ordered[low:high]
    return band if band.size <= MOST else band[np.linspace(0, band.size - 1, MOST).astype(np.int64)]


def _parts(found: list[dict[Part, float]]) -> dict[Part, float]:
    """Their mean, largest first."""
    total: dict[Part, float] = {}
    for its in found:
        for part, seconds in its.items():
            total[part] = total.get(part, 0.0) + seconds
    return {
        part: seconds / len(found)
        for part, seconds in sorted(total.items(), key=lambda item: -item[1])
        if seconds > LEAST * len(found)
    }
