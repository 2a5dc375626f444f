"""A measurement as plain columns: single requests where they are known, else distributions, else series of rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.vocabulary import GOOD, Outcome

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Requests:
    """One row for each request, in the order of arrival: 27 bytes a row."""

    arrival: Floats  # (n,) s from the zero of the measurement
    duration: Floats  # (n,) s from arrival to the answer; nan: no answer was seen
    outcome: NDArray[np.int8]  # (n,) Outcome
    status: NDArray[np.int16]  # (n,) of HTTP; 0: none
    route: NDArray[np.int32]  # (n,) index into routes; -1: none said
    user: NDArray[np.int32]  # (n,) a number for each user; -1: none said
    routes: tuple[str, ...] = ()
    users: int = 0  # how many there are

    def __len__(self) -> int:
        return int(self.arrival.size)

    @property
    def good(self) -> NDArray[np.bool_]:
        """(n,) answered ok or degraded, whether or not it is known how long that took."""
        found = np.zeros(len(self), np.bool_)
        for outcome in GOOD:
            found |= self.outcome == outcome
        return found

    @property
    def timed(self) -> NDArray[np.bool_]:
        """(n,) answered ok or degraded, in a time that is known."""
        return self.good & ~np.isnan(self.duration)

    @property
    def span(self) -> float:
        """Seconds from the first arrival to the last; one usual gap more, so that n / span is the rate."""
        if len(self) < 2:
            return 1.0
        length = float(self.arrival[-1] - self.arrival[0])
        return length * len(self) / (len(self) - 1) if length > 0 else 1.0

    def at(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Requests:
        """These rows."""
        times, codes = (self.arrival[index], self.duration[index]), (self.outcome[index], self.status[index])
        return Requests(*times, *codes, self.route[index], self.user[index], self.routes, self.users)


@dataclass(frozen=True)
class Distribution:
    """Durations of which only a table is known: percentiles, or how many fell into each bucket. Times in seconds."""

    route: str  # empty: of all requests
    count: int  # requests; 0: not said
    values: Floats  # (k,) ascending
    shares: Floats  # (k,) the share of requests that took at most so long
    span: float = math.nan  # s of the measurement
    mean: float = math.nan
    least: float = math.nan
    most: float = math.nan
    failures: int = 0  # of the requests
    users: int = 0  # connections or users that sent them; 0: not said

    def quantile(self, q: float) -> float:
        """The smallest tabulated time that at least a share q did not exceed; nan where the table ends before."""
        place = int(np.searchsorted(self.shares, q - 1e-9))
        return float(self.values[place]) if place < self.values.size else math.nan

    def tabulates(self, q: float) -> bool:
        """Whether the table knows this percentile itself, or buckets so fine that it is known to within 2 %."""
        place = int(np.searchsorted(self.shares, q - 1e-9))
        if place >= self.values.size:
            return False
        below = self.values[place - 1] if place else self.values[0]
        return bool(abs(self.shares[place] - q) < 1e-6 or self.values[place] <= 1.02 * below)


@dataclass(frozen=True)
class Series:
    """A quantity over time, as a monitoring system or a load generator samples it."""

    name: str
    times: Floats  # (n,) s from the zero of the measurement
    values: Floats  # (n,) nan: none
    unit: str = ""  # "1/s", "s", "1"; empty: not said


@dataclass(frozen=True)
class PassedOver:
    """Lines of a file that could not be read: how many, and the first with what is wrong."""

    count: int
    line: int
    why: str


@dataclass(frozen=True)
class Measured:
    """One measurement, whatever tool made it."""

    kind: str  # "k6 JSON"
    file: str
    requests: Requests | None = None
    distributions: tuple[Distribution, ...] = ()
    series: tuple[Series, ...] = ()
    began: int | None = None  # nanoseconds since 1970 of the zero; None: times count from a start
    understood: tuple[str, ...] = ()  # units, clocks, what a row was taken for
    missing: tuple[str, ...] = ()  # what such a file does not tell
    resolution: float = 0.0  # s to which arrivals are known; 0: as exactly as matters
    passed_over: PassedOver | None = None

    def __str__(self) -> str:
        lines = [f"{self.file}: {self.kind}: {self._amount()}"]
        lines += [f"  {words}" for words in self.understood]
        if self.passed_over is not None:
            lines.append(
                f"  passed over {self.passed_over.count:,} lines, first {self.passed_over.line}: {self.passed_over.why}"
            )
        lines += [f"  does not tell {words}" for words in self.missing]
        return "\n".join(lines)

    def _amount(self) -> str:
        if self.requests is not None:
            requests = self.requests
            routes = f" on {len(requests.routes)} routes" if len(requests.routes) > 1 else ""
            share = float(np.mean(requests.good)) if len(requests) else math.nan
            return f"{len(requests):,} requests{routes} in {requests.span:,.4g} s, {share:.4g} of them answered well"
        parts = [f"{len(self.distributions)} distributions of durations"] if self.distributions else []
        parts += [f"{len(self.series)} series"] if self.series else []
        return ", ".join(parts) or "nothing"


@dataclass
class Gathered:
    """Several measurements as one: all their requests on one clock, their distributions and series beside."""

    measured: list[Measured] = field(default_factory=list)

    def requests(self) -> Requests | None:
        """The requests of all that know any, in the order of arrival."""
        known = [part for part in self.measured if part.requests is not None]
        if len(known) <= 1:
            return known[0].requests if known else None
        dated = [part.began for part in known if part.began is not None]
        zero = min(dated) if len(dated) == len(known) else None
        return _joined(known, zero)


def _joined(parts: Sequence[Measured], zero: int | None) -> Requests:
    routes: dict[str, int] = {}
    columns: list[list[NDArray[Any]]] = [[] for _ in range(6)]
    users = 0
    for part in parts:
        requests = part.requests
        assert requests is not None
        numbers = np.array([routes.setdefault(name, len(routes)) for name in requests.routes] + [-1], dtype=np.int32)
        after = (part.began - zero) / 1e9 if zero is not None and part.began is not None else 0.0
        user = np.where(requests.user >= 0, requests.user + users, -1).astype(np.int32)
        users += requests.users
        its: tuple[NDArray[Any], ...] = (
            requests.arrival + after,
            requests.duration,
            requests.outcome,
            requests.status,
            numbers[requests.route],
            user,
        )
        for column, more in zip(columns, its, strict=True):
            column.append(more)
    arrival, duration, outcome, status, route, user = (np.concatenate(column) for column in columns)
    order = np.argsort(arrival, kind="stable")
    return Requests(arrival, duration, outcome, status, route, user, tuple(routes), users).at(order)


def shares_of(requests: Requests) -> dict[str, float]:
    """The share of each outcome that occurs, by its word."""
    counts = np.bincount(requests.outcome.astype(np.int64), minlength=len(Outcome))
    return {Outcome(code).word: float(count / len(requests)) for code, count in enumerate(counts) if count}
