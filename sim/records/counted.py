"""Requests, orders and messages in columns, each line with how many there are of it: a row counts once, a cell of a summary as often as it holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sim.records.summary import Summary
from sim.records.tables import Records
from sim.vocabulary import GOOD, Outcome

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Counted:
    """Columns of one length."""

    count: Counts | None  # of each line; None: one

    def where(self, mask: Mask) -> Self:
        """Those for which the mask holds."""
        return self if mask.all() else self.at(mask)

    def at(self, index: NDArray[Any] | slice) -> Self:
        """Those that numpy finds by this index, in its order."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: column[index] for name, column in columns.items() if column is not None})

    def total(self, mask: Mask) -> int:
        """How many there are for which the mask holds."""
        return int(mask.sum()) if self.count is None else int(self.count[mask].sum())

    def bins(self, places: NDArray[np.integer], n: int, mask: Mask | None = None) -> Counts:
        """How many there are at each of n places (at least), of those for which the mask holds; `places` has one for each of these."""
        if self.count is None:
            return np.bincount(places, minlength=n)
        return np.bincount(places, weights=self.count if mask is None else self.count[mask], minlength=n).astype(np.int64)

    def counts(self, mask: Mask) -> Counts | None:
        """The counts of those for which the mask holds; None: one each."""
        return None if self.count is None else self.count[mask]

    @staticmethod
    def widths(column: Floats | None, mask: Mask) -> Floats | None:
        """How wide that is of which the times are the middles, for those for which the mask holds; None: they are the times themselves."""
        return None if column is None else column[mask]


@dataclass(frozen=True)
class Requests(Counted):
    """What is known of a request on either clock. Times in seconds."""

    arrival: Floats
    age: Floats  # from arrival to the end of the run
    outcome: NDArray[np.int8]
    source: NDArray[np.int16]  # index into names
    route: NDArray[np.int16]  # index into names
    arrival_width: Floats | None  # of the interval that `arrival` stands for; None: it is the very moment

    @cached_property
    def size(self) -> int:
        """How many there are in all."""
        return self.outcome.size if self.count is None else int(self.count.sum())

    def since(self, begin: float) -> Self:
        """Those that arrived then or later."""
        return self.where(self.arrival >= begin)

    def arrived(self, begin: float, end: float) -> Self:
        """Those that arrived in [begin, end)."""
        return self.where((self.arrival >= begin) & (self.arrival < end))

    def by_arrival(self) -> Self:
        """The same in the order of arrival."""
        return self.at(np.argsort(self.arrival, kind="stable"))

    @cached_property
    def good(self) -> Mask:
        """Answered ok or degraded."""
        return self.ended(*GOOD)

    @cached_property
    def served(self) -> Mask:
        """Answered ok, degraded or refused: the system did what it should."""
        return self.ended(*GOOD, Outcome.REFUSED)

    @cached_property
    def in_flight(self) -> Mask:
        """Without an answer at the end of the run."""
        return self.ended(Outcome.IN_FLIGHT)

    def ended(self, *outcomes: Outcome) -> Mask:
        """Those that ended in one of these ways."""
        wanted = np.zeros(len(Outcome), dtype=bool)
        wanted[list(outcomes)] = True
        return wanted[self.outcome]


@dataclass(frozen=True)
class Answers(Requests):
    """Requests, on the clock of their answer."""

    response: Floats  # from arrival to the answer; nan: not answered
    response_width: Floats | None  # of the bucket that `response` is the middle of; None: it is the very time

    @cached_property
    def answered(self) -> Mask:
        """Those that have an answer."""
        return ~np.isnan(self.response)


@dataclass(frozen=True)
class Orders(Requests):
    """Requests of which effects are expected, on the clock of their completion."""

    completion: Floats  # from arrival to the last effect; nan: incomplete
    completion_width: Floats | None  # of the bucket that `completion` is the middle of; None: it is the very time
    pending: Mask

    @cached_property
    def finished(self) -> Mask:
        """Orders whose effects all exist."""
        return ~np.isnan(self.completion)

    @cached_property
    def unfinished(self) -> Mask:
        """Orders that should be complete, or become so: answered ok or degraded or still in flight, and incomplete."""
        return ~self.finished & self.ended(*GOOD, Outcome.IN_FLIGHT)

    @cached_property
    def promised(self) -> Mask:
        """Orders answered ok or degraded, and incomplete."""
        return ~self.finished & self.good


@dataclass(frozen=True)
class Ledger(Counted):
    """What happened to the money and the goods of requests."""

    outcome: NDArray[np.int8]
    pending: Mask
    charges: NDArray[np.uint8]
    reservations: NDArray[np.uint8]


@dataclass(frozen=True)
class Deliveries(Counted):
    """Messages, once for every group."""

    topic: NDArray[np.int16]  # index into names
    group: NDArray[np.int16]  # index into names
    how: NDArray[np.int8]  # MessageEnd
    deliveries: NDArray[np.int16]
    late: Mask  # ended after the warm-up


def answers(records: Records) -> Answers:
    """All requests of the run, warm-up included."""
    if (summary := records.summary) is not None:
        cells = summary.answers
        bucket = cells["bucket"]
        return Answers(*_of_cells(records, summary, cells), response=summary.times[bucket], response_width=summary.widths[bucket])
    rows = records.requests
    return Answers(*_of_rows(records, rows), response=rows["end"] - rows["arrival"], response_width=None)


def orders(records: Records) -> Orders:
    """All requests of the run of which effects are expected."""
    if (summary := records.summary) is not None:
        cells = summary.orders
        times, widths = summary.times[cells["bucket"]], summary.widths[cells["bucket"]]
        return Orders(*_of_cells(records, summary, cells), completion=times, completion_width=widths, pending=_column(cells, "pending"))
    rows = records.requests
    expects = rows["expects"]
    rows = rows if expects.all() else rows[expects]
    times = rows["completion"] - rows["arrival"]
    return Orders(*_of_rows(records, rows), completion=times, completion_width=None, pending=_column(rows, "pending"))


_Base = tuple[Counts | None, Floats, Floats, NDArray[np.int8], NDArray[np.int16], NDArray[np.int16], Floats | None]


def _of_rows(records: Records, rows: NDArray[np.void]) -> _Base:
    arrival = _column(rows, "arrival")
    return None, arrival, records.duration - arrival, _column(rows, "outcome"), _column(rows, "source"), _column(rows, "route"), None


def _of_cells(records: Records, summary: Summary, cells: NDArray[np.void]) -> _Base:
    arrival, width = summary.arrivals[cells["interval"]], summary.arrival_widths[cells["interval"]]
    words = _column(cells, "outcome"), _column(cells, "source"), _column(cells, "route")
    return _column(cells, "count"), arrival, records.duration - arrival, *words, width


def _column(rows: NDArray[np.void], name: str) -> NDArray[Any]:
    return np.ascontiguousarray(rows[name])


def ledger(records: Records) -> Ledger:
    """The business side of all requests of the run."""
    rows = records.requests if records.summary is None else records.summary.ledger
    count = None if records.summary is None else _column(rows, "count")
    return Ledger(count, rows["outcome"], rows["pending"], rows["charges"], rows["reservations"])


def deliveries(records: Records) -> Deliveries:
    """All messages of the run, by group."""
    rows = records.messages if records.summary is None else records.summary.deliveries
    count, late = (None, rows["end"] >= records.warmup) if records.summary is None else (_column(rows, "count"), _column(rows, "late"))
    return Deliveries(count, rows["topic"], rows["group"], rows["how"], rows["deliveries"], late)


def last_end(records: Records, outcome: Outcome) -> float:
    """When the last request that ended in this way had its answer; nan where none did."""
    if records.summary is not None:
        return float(records.summary.last_end[outcome])
    ends = records.requests["end"][records.requests["outcome"] == outcome]
    known = ends[~np.isnan(ends)]
    return float(known.max()) if known.size else math.nan
