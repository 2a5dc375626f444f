"""Requests, orders and messages in columns, each line with how many there are of it: a row counts once, a cell of a
summary as often as it holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sim.records.lines import ascending
from sim.records.rows import columns_of
from sim.records.summary import Summary
from sim.records.tables import Records
from sim.vocabulary import GOOD, Outcome

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]
EVERY = slice(None)


def chosen(column: NDArray[Any], mask: Mask) -> NDArray[Any]:
    """The values for which the mask holds; where it holds for all, the column itself."""
    return column if mask.all() else column[mask]


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
        return replace(
            self, **{name: column[index] for name, column in columns.items() if isinstance(column, np.ndarray)}
        )

    def total(self, mask: Mask, span: slice = EVERY) -> int:
        """How many there are for which the mask holds, of all or of a span of them."""
        return int(np.count_nonzero(mask[span])) if self.count is None else int(self.count[span][mask[span]].sum())

    def sum_of(self, values: Floats, mask: Mask, span: slice = EVERY) -> float:
        """The sum of a value over those for which the mask holds, of all or of a span of them."""
        its = mask[span]
        found = chosen(values[span], its)
        return float(found.sum() if self.count is None else (found * self.count[span][its]).sum())

    def bins(self, places: NDArray[np.integer], n: int, mask: Mask | None = None) -> Counts:
        """How many there are at each of n places (at least), of those for which the mask holds; `places` has one for
        each of these.
        """
        if self.count is None:
            return np.bincount(places, minlength=n)
        return np.bincount(places, weights=self.count if mask is None else self.count[mask], minlength=n).astype(
            np.int64
        )

    def counts(self, mask: Mask | slice) -> Counts | None:
        """The counts of those for which the mask holds; None: one each."""
        return None if self.count is None else self.count[mask]

    @staticmethod
    def widths(column: Floats | None, mask: Mask | slice) -> Floats | None:
        """How wide that is of which the times are the middles, for those for which the mask holds; None: they are the
        times themselves.
        """
        return None if column is None else column[mask]


@dataclass(frozen=True)
class Buckets:
    """What the numbers of buckets of time stand for."""

    times: Floats  # s; the middle of each
    widths: Floats  # s


@dataclass(frozen=True)
class Requests(Counted):
    """What is known of a request on either clock. Times in seconds."""

    arrival: Floats
    until: float | Floats  # the end of the run as far as it has been seen, of all or of each
    outcome: NDArray[np.int8]
    source: NDArray[np.int16]  # index into names
    route: NDArray[np.int16]  # index into names
    arrival_width: Floats | None  # of the interval that `arrival` stands for; None: it is the very moment
    buckets: Buckets | None  # that the times from arrival are counted in; None: they are the very times

    @cached_property
    def age(self) -> Floats:
        """From arrival to the end of the run."""
        return self.until - self.arrival

    @cached_property
    def size(self) -> int:
        """How many there are in all."""
        return self.outcome.size if self.count is None else int(self.count.sum())

    def since(self, begin: float) -> Self:
        """Those that arrived then or later."""
        return self.where(self.arrival >= begin)

    def arrived(self, begin: float, end: float) -> Self:
        """Those that arrived in [begin, end)."""
        if not self.in_order:
            return self.where((self.arrival >= begin) & (self.arrival < end))
        first, last = self.arrival.searchsorted([begin, end])
        return self if last - first == self.arrival.size else self.at(slice(first, last))

    @cached_property
    def in_order(self) -> bool:
        """Whether they stand in the order of their arrival."""
        return ascending(self.arrival)

    @cached_property
    def by_arrival(self) -> Self:
        """The same in the order of arrival."""
        return self if self.in_order else self.at(np.argsort(self.arrival, kind="stable"))

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
        first, *others = outcomes
        found: Mask = self.outcome == first
        for outcome in others:
            found |= self.outcome == outcome
        return found


@dataclass(frozen=True)
class Answers(Requests):
    """Requests, on the clock of their answer."""

    response: Floats  # from arrival to the answer; nan: not answered
    response_bucket: Counts | None  # the number of the bucket that `response` is the middle of

    @cached_property
    def answered(self) -> Mask:
        """Those that have an answer."""
        return ~np.isnan(self.response)


@dataclass(frozen=True)
class Orders(Requests):
    """Requests of which effects are expected, on the clock of their completion."""

    completion: Floats  # from arrival to the last effect; nan: incomplete
    completion_bucket: Counts | None  # the number of the bucket that `completion` is the middle of
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
    return on_both_clocks(records)[0]


def orders(records: Records) -> Orders:
    """All requests of the run of which effects are expected."""
    return on_both_clocks(records)[1]


def on_both_clocks(records: Records) -> tuple[Answers, Orders]:
    """Answers and orders: what there is to be known of the requests of a run, read from its rows once."""
    return _of_rows(records) if records.summary is None else _of_cells(records, records.summary)


def _of_rows(records: Records) -> tuple[Answers, Orders]:
    rows = records.requests
    columns = columns_of(rows, ("arrival", "end", "outcome", "source", "route", "expects"))
    arrival, end, expects = (columns.pop(name) for name in ("arrival", "end", "expects"))
    base: dict[str, Any] = {
        "count": None,
        "arrival": arrival,
        "until": records.duration,
        "arrival_width": None,
        "buckets": None,
        **columns,
    }
    found = Answers(**base, response=end - arrival, response_bucket=None)
    if not expects.any():  # then there are no orders, and nothing more to read
        rows, expects = rows[:0], expects[:0]
        base = {name: column[:0] if isinstance(column, np.ndarray) else column for name, column in base.items()}
    ordered = columns_of(rows, ("completion", "pending"))
    orders = Orders(
        **base,
        completion=ordered["completion"] - base["arrival"],
        completion_bucket=None,
        pending=ordered["pending"],
    )
    return found, orders.where(expects)


def _of_cells(records: Records, summary: Summary) -> tuple[Answers, Orders]:
    answered, ordered = (columns_of(cells) for cells in (summary.answers, summary.orders))
    response, completion = answered.pop("bucket"), ordered.pop("bucket")
    return (
        Answers(
            **_when(records, summary, answered),
            response=summary.times[response],
            response_bucket=response,
        ),
        Orders(
            **_when(records, summary, ordered),
            completion=summary.times[completion],
            completion_bucket=completion,
        ),
    )


def _when(records: Records, summary: Summary, cells: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """The columns of cells, with the moments that their intervals stand for."""
    interval = cells.pop("interval")
    return {
        **cells,
        "arrival": summary.arrivals[interval],
        "until": records.duration,
        "arrival_width": summary.arrival_widths[interval],
        "buckets": Buckets(summary.times, summary.widths),
    }


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
    count, late = (
        (None, rows["end"] >= records.warmup)
        if records.summary is None
        else (_column(rows, "count"), _column(rows, "late"))
    )
    return Deliveries(count, rows["topic"], rows["group"], rows["how"], rows["deliveries"], late)


def last_end(records: Records, outcome: Outcome) -> float:
    """When the last request that ended in this way had its answer; nan where none did."""
    if records.summary is not None:
        return float(records.summary.last_end[outcome])
    ends = records.requests["end"][records.requests["outcome"] == outcome]
    known = ends[~np.isnan(ends)]
    return float(known.max()) if known.size else math.nan
