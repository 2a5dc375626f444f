"""Spans as CSV: a line a span, with a header whose names say what the columns are, however they are spelt.

There is no standard; these are the names that exports of databases and published recordings have. What is needed is
a trace, a span, a parent, a service (or a pod), an operation, a start, and an end or a duration. A unit is taken
from the end of a column's name (`StartTimeUnixNano`, `duration_us`), or told from the size of the numbers: times
since 1970 in s, ms, us or ns, and durations in the unit of the times.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

from sim.errors import Problem, ScenarioError
from sim.importing.traces.table import CONSUMER, INTERNAL, Spans, service_of_pod
from sim.importing.traces.tags import KINDS, about, failed, nanoseconds
from sim.units import shown

_NAMES = {
    "trace": ("traceid", "trace"),
    "span": ("spanid", "span", "id"),
    "parent": ("parentid", "parentspanid", "parentspan", "parent"),
    "service": ("servicename", "service", "resourceservicename", "processservicename"),
    "pod": ("podname", "pod", "instance", "cmdbid"),
    "operation": ("operationname", "operation", "name", "spanname", "endpoint", "url"),
    "start": ("starttime", "start", "startts", "timestamp", "begin"),
    "end": ("endtime", "end", "endts", "finish"),
    "duration": ("duration", "elapsed", "elapsedtime", "latency"),
    "kind": ("kind", "spankind"),
    "error": ("error", "iserror"),
    "status": ("status", "statuscode", "otelstatuscode", "httpstatuscode"),
    "topic": ("topic", "messagingdestinationname"),
}
_UNITS = (
    ("s", 10**9, r"(?:unix)?(?:sec|secs|seconds|s)"),
    ("ms", 10**6, r"(?:unix)?(?:milli|millis|milliseconds|ms)"),
    ("us", 10**3, r"(?:unix)?(?:micro|micros|microseconds|us)"),
    ("ns", 1, r"(?:unix)?(?:nano|nanos|nanoseconds|ns)"),
)
_ROOTS = {"", "root", "none", "null", "-1", "0", "nan"}
_LONGEST_FIELD = 100_000


@dataclass(frozen=True)
class Columns:
    """Where what stands in a row, and in which unit (ns) its times are; 0 where their name does not say it."""

    at: dict[str, int]
    units: dict[str, int]


def columns_of(header: Sequence[str]) -> Columns | None:
    """What the columns of this header are; None where they are not those of spans."""
    at: dict[str, int] = {}
    units: dict[str, int] = {}
    for place, written in enumerate(header[:200]):
        plain = re.sub(r"[^a-z0-9]", "", written[:100].lower())
        for meaning, names in _NAMES.items():
            unit = next(
                (size for _, size, ending in _UNITS if any(re.fullmatch(name + ending, plain) for name in names)), 0
            )
            if meaning not in at and (plain in names or (unit and meaning in ("start", "end", "duration"))):
                at[meaning] = place
                units[meaning] = unit
                break
    needed = {"trace", "span", "parent", "operation", "start"} <= at.keys()
    return Columns(at, units) if needed and at.keys() & {"service", "pod"} and at.keys() & {"end", "duration"} else None


def read(source: IO[bytes], file: str, spans: Spans) -> None:
    """All rows of a file; a ScenarioError where its header is not one of spans."""
    text = io.TextIOWrapper(source, "utf-8-sig", newline="")
    csv.field_size_limit(_LONGEST_FIELD)
    rows = csv.reader(text)
    try:
        header = next(rows, [])
        columns = columns_of(header)
        if columns is None:
            found = ", ".join(name[:30] for name in header[:8]) or "nothing"
            raise ScenarioError(
                [
                    Problem(
                        f"found the columns {shown(found)}, expected those of spans: {', '.join(list(_NAMES)[:8])}",
                        "",
                        file,
                        1,
                    )
                ]
            )
        reader = _Reader(columns, spans)
        for row in rows:
            if row:
                reader.take(row, rows.line_num)
    except UnicodeDecodeError:
        raise ScenarioError([Problem("found bytes that are no text in UTF-8", "", file, rows.line_num + 1)]) from None
    except csv.Error as error:
        raise ScenarioError([Problem(f"found what is no CSV: {error}", "", file, rows.line_num)]) from None
    finally:
        text.detach()


class _Reader:
    """Takes rows into the table."""

    def __init__(self, columns: Columns, spans: Spans) -> None:
        self._at, self._units, self._spans = columns.at, dict(columns.units), spans
        self._owners: dict[tuple[str, str], int] = {}

    def take(self, row: Sequence[str], line: int) -> None:
        """One span."""
        spans = self._spans
        if len(row) <= max(self._at.values()):
            spans.leave_out("is a row of too few columns", line)
            return
        start, end = self._times(row)
        kind = KINDS.get(self._cell(row, "kind").lower().rpartition("_")[2], INTERNAL)
        operation, parent = self._cell(row, "operation"), self._cell(row, "parent")
        tags = {
            "error": self._cell(row, "error") or None,
            "otel.status_code": self._cell(row, "status"),
            "http.status_code": self._cell(row, "status"),
        }
        topic = self._cell(row, "topic")
        spans.add(
            self._cell(row, "trace"),
            self._cell(row, "span"),
            parent if parent.lower() not in _ROOTS else None,
            start,
            end,
            self._owner(row),
            operation,
            kind=kind,
            error=failed(tags),
            about=about({"messaging.destination.name": topic}, kind, operation),
            group=self._cell(row, "service") if kind == CONSUMER else "",
            line=line,
        )

    def _owner(self, row: Sequence[str]) -> int:
        pod = self._cell(row, "pod")
        key = (self._cell(row, "service") or service_of_pod(pod), pod)
        if key not in self._owners:
            self._owners[key] = self._spans.own(*key)
        return self._owners[key]

    def _times(self, row: Sequence[str]) -> tuple[int, int]:
        start = self._time(row, "start")
        if "end" in self._at:
            return start, self._time(row, "end")
        unit = self._units["duration"] or self._units["start"] or 10**9
        lasts = nanoseconds(self._cell(row, "duration"), unit)
        return start, start + lasts if start >= 0 and lasts >= 0 else -1

    def _time(self, row: Sequence[str], meaning: str) -> int:
        """A time in ns since 1970; -1 where it is none."""
        written = self._cell(row, meaning)
        if not self._units[meaning]:
            number = nanoseconds(written)
            if number < 0:
                return _date(written)
            self._units[meaning] = next(
                size for most, size in ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3), (10**30, 1)) if number < most
            )
        return nanoseconds(written, self._units[meaning])

    def _cell(self, row: Sequence[str], meaning: str) -> str:
        return row[self._at[meaning]].strip() if meaning in self._at else ""


def _date(written: str) -> int:
    """A date with its time, of UTC where it names no zone; -1 where it is none."""
    try:
        date = datetime.fromisoformat(written[:40].replace("Z", "+00:00"))
    except ValueError:
        return -1
    zoned = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    try:
        return int(zoned.timestamp() * 10**6) * 1000
    except (OverflowError, ValueError):
        return -1
