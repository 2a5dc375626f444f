"""The figures by which a model is brought to a measurement, the same of both.

Logarithms of times, and shares of outcomes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.measured import Distribution, Requests
from sim.records.tables import Records
from sim.vocabulary import GOOD, Outcome

Floats = NDArray[np.float64]

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_LEAST_BEYOND = 10  # requests beyond a percentile
_LEAST_SHARE = 0.002  # of an outcome that is looked at
_SHORTEST = 1e-9  # s
_CROWDS = ((0, 0), (1, 1), (2, 2), *((2**power + 1, 2 ** (power + 1)) for power in range(1, 10)), (1025, math.inf))
_LEAST_CROWD = 50  # requests that found so many others


@dataclass(frozen=True)
class Moment:
    """One figure."""

    what: str  # "mean", "p95", "ok"
    route: str  # empty: of all requests
    q: float = math.nan  # of a percentile
    found: tuple[int, float] | None = None  # at least and at most so many others in the system at the arrival

    @property
    def is_time(self) -> bool:
        """Whether it is a time, and its logarithm compared."""
        return self.what == "mean" or not math.isnan(self.q)

    @property
    def name(self) -> str:
        """`p95 of POST /orders`, `mean with 3 to 4 there`"""
        if self.found is not None:
            least, most = self.found
            others = f"{least}" if most == least else f"{least} or more" if math.isinf(most) else f"{least} to {most:g}"
            return f"{self.what} with {others} there"
        return f"{self.what} of {self.route}" if self.route else self.what


@dataclass(frozen=True)
class Columns:
    """What is known of requests on either side."""

    arrival: Floats
    response: Floats  # nan: none
    outcome: NDArray[np.int8]
    route: NDArray[np.int64]
    routes: tuple[str, ...]


def of_requests(requests: Requests, warmup: float, duration: float) -> Columns:
    """Measured ones that arrived in [warmup, duration); who was not answered by then is in flight, as in a run."""
    inside = (requests.arrival >= warmup) & (requests.arrival < duration)
    late = requests.arrival + requests.duration > duration
    outcome = np.where(late, np.int8(Outcome.IN_FLIGHT), requests.outcome)
    response = np.where(late, np.nan, requests.duration)
    return Columns(
        requests.arrival[inside],
        response[inside],
        outcome[inside],
        requests.route[inside].astype(np.int64),
        requests.routes,
    )


def of_records(records: Records) -> Columns:
    """Simulated ones."""
    rows = records.requests
    inside = rows["arrival"] >= records.warmup
    response = rows["end"] - rows["arrival"]
    return Columns(
        rows["arrival"][inside],
        response[inside],
        rows["outcome"][inside],
        rows["route"][inside].astype(np.int64),
        records.names,
    )


def chosen(columns: Columns, crowds: bool = False) -> list[Moment]:
    """The figures that so many requests tell something of: of each route where there are several, else of all.

    `crowds`: means by how many others were in the system, too. They hang little on how full it happened to be, and tell
    from how many on one waits: c workers of mean work m answer who finds n others in m on average where n < c, and in
    m (1 + (n - c + 1) / c) else, where work is exponential.
    """
    counts = {name: int(np.count_nonzero(columns.route == number)) for number, name in enumerate(columns.routes)}
    routes = [name for name, count in counts.items() if count]
    found: list[Moment] = []
    for route in routes if len(routes) > 1 else [""]:
        mask = _mask(columns, route)
        timed = int(np.count_nonzero(mask & _good(columns) & ~np.isnan(columns.response)))
        if timed >= 2 * _LEAST_BEYOND:
            found.append(Moment("mean", route))
        found += [Moment(f"p{q * 100:g}", route, q) for q in QUANTILES if timed * min(q, 1 - q) >= _LEAST_BEYOND]
        shares = np.bincount(columns.outcome[mask].astype(np.int64), minlength=len(Outcome)) / max(1, int(mask.sum()))
        lost = [outcome for outcome in Outcome if outcome is not Outcome.IN_FLIGHT and shares[outcome] >= _LEAST_SHARE]
        found += [Moment(outcome.word, route) for outcome in lost if len(lost) > 1 or outcome is not Outcome.OK]
    if crowds:
        others = _others(columns)[_good(columns) & ~np.isnan(columns.response)]
        found += [
            Moment("mean", "", found=(least, most))
            for least, most in _CROWDS
            if np.count_nonzero((others >= least) & (others <= most)) >= _LEAST_CROWD
        ]
    return found


def values(columns: Columns, moments: Sequence[Moment]) -> Floats:
    """(moments,) their values; nan where there is none."""
    found = np.full(len(moments), math.nan)
    others = _others(columns) if any(moment.found is not None for moment in moments) else None
    for route in dict.fromkeys(moment.route for moment in moments):
        mask = _mask(columns, route)
        timed = mask & _good(columns) & ~np.isnan(columns.response)
        times, outcomes = columns.response[timed], columns.outcome[mask]
        for place, moment in enumerate(moments):
            if moment.route != route:
                continue
            if moment.found is not None and others is not None:
                inside = columns.response[timed & (others >= moment.found[0]) & (others <= moment.found[1])]
                found[place] = math.log(max(float(inside.mean()), _SHORTEST)) if inside.size else math.nan
            elif moment.is_time and times.size:
                value = float(times.mean()) if moment.what == "mean" else float(np.quantile(times, moment.q))
                found[place] = math.log(max(value, _SHORTEST))
            elif not moment.is_time and outcomes.size:
                found[place] = float(np.mean(outcomes == Outcome[moment.what.upper()]))
    return found


def of_table(table: Distribution) -> tuple[list[Moment], Floats]:
    """What a summary tells, where it was all that was measured."""
    moments, found = [], []
    if math.isfinite(table.mean) and table.mean > 0:
        moments.append(Moment("mean", ""))
        found.append(math.log(table.mean))
    for q in QUANTILES:
        value = table.quantile(q)
        if table.tabulates(q) and value > 0 and (not table.count or table.count * min(q, 1 - q) >= _LEAST_BEYOND):
            moments.append(Moment(f"p{q * 100:g}", "", q))
            found.append(math.log(value))
    return moments, np.array(found)


def _others(columns: Columns) -> NDArray[np.int64]:
    """How many had arrived before each and were not answered yet."""
    before = np.empty(columns.arrival.size, dtype=np.int64)
    before[np.argsort(columns.arrival, kind="stable")] = np.arange(columns.arrival.size)
    ends = np.sort(columns.arrival + np.where(np.isnan(columns.response), np.inf, columns.response))
    return np.asarray(before - np.searchsorted(ends, columns.arrival, side="right"))


def _mask(columns: Columns, route: str) -> NDArray[np.bool_]:
    if not route:
        return np.ones(columns.arrival.size, dtype=bool)
    return np.asarray(columns.route == (columns.routes.index(route) if route in columns.routes else -2))


def _good(columns: Columns) -> NDArray[np.bool_]:
    return np.isin(columns.outcome, [int(outcome) for outcome in GOOD])
