"""Whether records that were read can be those of a run: kinds, lengths, codes in their lists, times in the run, in
order.

Metrics and charts rely on these and look at none of them again. Whether the numbers are true is another question.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import unprintable_in
from sim.records import summary as cells
from sim.records.buckets import NOISE
from sim.records.summary import POINTS, Summary
from sim.records.tables import EVENT, MESSAGE, REQUEST, SPAN, STAGE, Records
from sim.vocabulary import EventKind, MessageEnd, Outcome, Stage

TABLES: dict[str, np.dtype[Any]] = {
    **{"requests": REQUEST, "messages": MESSAGE, "spans": SPAN, "stages": STAGE, "events": EVENT},
    **dict.fromkeys(("ticks", "gauges"), np.dtype(np.float64)),
}
"""The tables of records, and what they are made of."""

SUMMARY_TABLES: dict[str, np.dtype[Any]] = {
    **dict.fromkeys(("moments", "edges", "leaving", "limits", "last_end"), np.dtype(np.float64)),
    **{
        "answers": cells.ANSWERS,
        "orders": cells.ORDERS,
        "departures": cells.DEPARTURES,
        "completions": cells.COMPLETIONS,
    },
    **{
        "ledger": cells.LEDGER,
        "deliveries": cells.DELIVERIES,
        "over_time": cells.OVER_TIME,
        "settling": cells.SETTLING,
        "slowest": REQUEST,
    },
}
"""Those of a summary."""

Rows = NDArray[np.void]
LARGEST = 1e100  # whose square is a number, too
ROUNDING = -1e-6  # of a level that is 0: what is left of the sums that it is made of


def refuse_impossible(records: Records) -> None:
    """Raise a ValueError for records that no run can have."""
    _Checks(records).all()


class _Checks:
    """What may stand in the records of one run."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.names = len(records.names)
        self.last = records.duration * (1.0 + NOISE)

    def all(self) -> None:
        records = self.records
        _expect(
            0.0 < records.duration < math.inf and 0.0 <= records.warmup < records.duration,
            "duration and warm-up",
            "a span of time",
        )
        words = (
            *records.names,
            *records.effect_names,
            *(word for series in records.series for word in (series.component, series.quantity)),
        )
        _expect(all(unprintable_in(word) is None for word in words), "names", "words that can be printed")
        _expect(len(set(records.names)) == self.names, "names", "names that differ")
        _refuse_other_forms(records, TABLES, "", {"gauges": 2})
        self.series()
        self.books()
        self.requests(records.requests, "requests")
        self.messages()
        self.flows()
        self.events()
        if records.summary is not None:
            self.summary(records.summary)

    def series(self) -> None:
        records, ticks = self.records, self.records.ticks
        _expect(
            records.gauges.shape == (ticks.size, len(records.series)),
            "gauges",
            f"{ticks.size} rows of {len(records.series)} columns",
        )
        self.times(ticks, "ticks", sorted_too=True)
        wrong = (records.gauges > LARGEST) | (records.gauges < ROUNDING)  # nan: a limit that is none
        _expect(not wrong.any(), "gauges", "finite numbers of 0 or more")

    def books(self) -> None:
        ends = {end.word for kind in (Outcome, MessageEnd) for end in kind}
        for book in self.records.books:
            counts = (book.offered, book.open, *book.ended.values())
            _expect(
                min(counts) >= 0 and set(book.ended) <= ends and book.balances,
                f"book of {book.component}",
                "a book that balances",
            )

    def requests(self, rows: Rows, what: str) -> None:
        self.times(rows["arrival"], f"{what}.arrival")
        for column in ("end", "completion"):
            self.later(rows[column], rows["arrival"], f"{what}.{column}")
        _codes(rows["outcome"], len(Outcome), f"{what}.outcome")
        _expect(
            np.array_equal(np.isnan(rows["end"]), rows["outcome"] == Outcome.IN_FLIGHT),
            f"{what}.outcome",
            "in flight without an answer, and only then",
        )
        self.named(rows, what, ("source", "route"), ("where",))
        _least(rows, what, {"id": 0, "user": -1, "item": -1, "attempts": 0})
        most = (1 << len(self.records.effect_names)) - 1
        _expect(
            len(self.records.effect_names) <= 64 and not (rows["effects"] > np.uint64(most)).any(),
            f"{what}.effects",
            "effects that have a name",
        )

    def messages(self) -> None:
        rows = self.records.messages
        self.times(rows["published"], "messages.published")
        for column in ("available", "end"):
            self.later(rows[column], rows["published"], f"messages.{column}")
        _codes(rows["how"], len(MessageEnd), "messages.how")
        self.named(rows, "messages", ("topic", "group"))
        _least(rows, "messages", {"id": 0, "request": 0, "offset": -1, "partition": -1, "deliveries": 0})

    def flows(self) -> None:
        spans, stages = self.records.spans, self.records.stages
        self.times(spans["arrived"], "spans.arrived")
        self.later(spans["started"], spans["arrived"], "spans.started")
        self.later(spans["ended"], spans["arrived"], "spans.ended")
        _codes(spans["outcome"], len(Outcome), "spans.outcome")
        self.named(spans, "spans", ("endpoint",))
        _least(spans, "spans", {"request": 0, "replica": -1, "flow": -1})
        self.times(stages["begin"], "stages.begin")
        _expect(
            bool((np.isfinite(stages["seconds"]) & (stages["seconds"] >= 0)).all()),
            "stages.seconds",
            "numbers of 0 or more",
        )
        _codes(stages["kind"], len(Stage), "stages.kind")
        self.named(stages, "stages", (), ("place",))
        _least(stages, "stages", {"request": 0, "flow": -1, "about": -1})

    def events(self) -> None:
        rows = self.records.events
        self.times(rows["time"], "events.time", sorted_too=True)
        _codes(rows["kind"], max(EventKind) + 1, "events.kind")
        self.named(rows, "events", ("subject",), ("object",))
        _expect(bool(np.isfinite(rows["value"]).all()), "events.value", "finite numbers")

    def summary(self, summary: Summary) -> None:
        _refuse_other_forms(summary, SUMMARY_TABLES, "summary.", {})
        rows = self.records.requests.size + self.records.messages.size
        _expect(rows == 0, "requests and messages", "none beside a summary")
        for name in ("moments", "edges", "limits", "leaving"):
            line = getattr(summary, name)
            _expect(
                bool(np.isfinite(line).all() and (np.diff(line) > 0).all()),
                f"summary.{name}",
                "finite numbers in ascending order",
            )
        _expect(
            summary.moments.size >= 1 and summary.edges.size >= 1 and summary.leaving.size >= 1,
            "summary",
            "lines between its cells",
        )
        self.cells(summary)
        _expect(
            summary.over_time.size == self.records.ticks.size, "summary.over_time", f"{self.records.ticks.size} rows"
        )
        _expect(
            summary.settling.size == POINTS and bool((summary.settling["total"] >= 0).all()),
            "summary.settling",
            f"{POINTS} rows of 0 or more",
        )
        _expect(bool(np.isfinite(summary.settling["total"]).all()), "summary.settling", "finite numbers")
        _expect(summary.slowest.size <= 1, "summary.slowest", "one request at most")
        self.requests(summary.slowest, "summary.slowest")
        _expect(summary.last_end.size == len(Outcome), "summary.last_end", f"{len(Outcome)} times")
        self.later(summary.last_end, np.zeros(summary.last_end.size), "summary.last_end")

    def cells(self, summary: Summary) -> None:
        """Every cell between lines that there are."""
        for name, intervals, buckets in (
            ("answers", summary.moments.size, summary.edges.size + 1),
            ("orders", summary.moments.size, summary.edges.size + 1),
            ("departures", summary.leaving.size, summary.limits.size + 1),
            ("completions", summary.leaving.size, 0),
        ):
            rows = getattr(summary, name)
            _codes(rows["interval"], intervals, f"summary.{name}.interval")
            if buckets:
                _codes(rows["bucket"], buckets, f"summary.{name}.bucket")
            self.named(
                rows, f"summary.{name}", tuple(column for column in ("source", "route") if column in rows.dtype.names)
            )
        for name in ("answers", "orders", "departures", "ledger"):
            _codes(getattr(summary, name)["outcome"], len(Outcome), f"summary.{name}.outcome")
        self.named(summary.deliveries, "summary.deliveries", ("topic", "group"))
        _codes(summary.deliveries["how"], len(MessageEnd), "summary.deliveries.how")
        for name in ("answers", "orders", "departures", "completions", "ledger", "deliveries", "settling"):
            counts = getattr(summary, name)["count"]
            _expect(
                not (counts < 0).any() and not (counts >> 48).any(), f"summary.{name}.count", "numbers of 0 or more"
            )
        for column in ("opened", "kept"):
            _expect(not (summary.over_time[column] < 0).any(), f"summary.over_time.{column}", "numbers of 0 or more")

    def times(self, times: NDArray[np.float64], what: str, sorted_too: bool = False) -> None:
        """All within the run."""
        _expect(
            bool(((times >= 0) & (times <= self.last)).all()), what, f"times between 0 and {self.records.duration:g} s"
        )
        _expect(not sorted_too or bool((np.diff(times) >= 0).all()), what, "times in ascending order")

    def later(self, times: NDArray[np.float64], than: NDArray[np.float64], what: str) -> None:
        """All later, and within the run, where they are at all."""
        known = ~np.isnan(times)
        fit = (times[known] >= than[known] - NOISE * self.records.duration) & (times[known] <= self.last)
        _expect(bool(fit.all()), what, f"times after the beginning, of at most {self.records.duration:g} s")

    def named(self, rows: Rows, what: str, always: Iterable[str], sometimes: Iterable[str] = ()) -> None:
        """Numbers of names that there are; -1 stands for none where there may be none."""
        for column in always:
            _codes(rows[column], self.names, f"{what}.{column}")
        for column in sometimes:
            _codes(rows[column], self.names, f"{what}.{column}", least=-1)


def _refuse_other_forms(
    holder: object, expected: Mapping[str, np.dtype[Any]], prefix: str, dimensions: Mapping[str, int]
) -> None:
    """Tables of another kind, or of more dimensions."""
    for name, dtype in expected.items():
        table = getattr(holder, name)
        _expect(
            table.dtype == dtype and table.ndim == dimensions.get(name, 1),
            f"{prefix}{name}",
            "a table of its own columns",
        )


def _codes(column: NDArray[np.integer], most: int, what: str, least: int = 0) -> None:
    _expect(
        not column.size or bool(column.min() >= least and column.max() < most),
        what,
        f"numbers from {least} to {most - 1}",
    )


def _least(rows: Rows, what: str, columns: Mapping[str, int]) -> None:
    for column, least in columns.items():
        _expect(not rows.size or bool(rows[column].min() >= least), f"{what}.{column}", f"numbers from {least} on")


def _expect(holds: bool, what: str, expected: str) -> None:
    if not holds:
        raise ValueError(f"{what}: found something else, expected {expected}")
