"""A CSV of requests with a header in plain words, as people and this program's own export write it: a row is a request.

Columns are found by name: an arrival, and a duration or an end; beside them a route, an outcome or a status, a user.
A unit may stand behind the name (`duration_ms`); plain numbers are seconds where none does, and the file says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from sim.measured.measurement import Measured
from sim.measured.moment import UnreadableRowError, of_iso, of_number, seconds_of, unit_of
from sim.measured.outcomes import outcome_of
from sim.measured.rows import Rows
from sim.measured.source import Source
from sim.measured.table import Table, cell_of, cells_of
from sim.spec.moments import decimal, is_moment
from sim.vocabulary import Outcome

_UNIT = re.compile(r"[\s_(\[]+(ns|us|µs|ms|s|sec|seconds)[\])]?$")
_NAMES = {
    "arrival": ("arrival", "arrived", "start", "began", "begin", "sent", "timestamp", "time"),
    "end": ("end", "ended", "finish", "finished", "completed"),
    "duration": ("duration", "response", "response_time", "latency", "elapsed", "took", "rt"),
    "route": ("route", "path", "endpoint", "name", "url", "operation", "label"),
    "outcome": ("outcome", "result"),
    "status": ("status", "code", "status_code", "response_code"),
    "user": ("user", "user_id", "account", "session"),
}
_WORDS = {outcome.word: outcome for outcome in Outcome} | {
    "success": Outcome.OK,
    "failure": Outcome.ERROR,
    "failed": Outcome.ERROR,
}


def recognises(source: Source) -> bool:
    """A header with a time and a duration or an end, above a row of numbers or dates."""
    columns = _Columns(cells_of(source.first_line))
    if not columns.complete or len(source.lines_of_head) < 2:
        return False
    return is_moment(cell_of(cells_of(source.lines_of_head[1]), columns.places["arrival"]))


def read(source: Source) -> Measured:
    """The requests."""
    rows, table = Rows(source), Table(source)
    columns = _Columns(table.header)
    if not columns.complete:
        raise source.wrong("found no header with an arrival and a duration or an end", 1)
    for number, row in table.rows():
        try:
            columns.add(rows, row)
        except UnreadableRowError as error:
            rows.pass_over(number, str(error))
    return rows.measured("CSV of requests", columns.said(), ())


class _Columns:
    """Where what stands, and in which unit."""

    def __init__(self, header: Sequence[str]) -> None:
        self.places: dict[str, int] = {}
        self._units: dict[str, str] = {}
        self._header = list(header)
        plain = [_UNIT.sub("", name.strip().lower()) for name in header]
        for what, names in _NAMES.items():
            place = next((plain.index(name) for name in names if name in plain), None)
            if place is not None:
                self.places[what] = place
                found = _UNIT.search(header[place].strip().lower())
                self._units[what] = {"sec": "s", "seconds": "s", "µs": "us"}.get(found[1], found[1]) if found else ""

    @property
    def complete(self) -> bool:
        """Whether arrival and duration are there."""
        return "arrival" in self.places and ("duration" in self.places or "end" in self.places)

    def said(self) -> tuple[str, ...]:
        """What was understood."""
        times = self._units.get("arrival") or "s"
        last = "duration" if "duration" in self.places else "end"
        unit = self._units.get(last) or ("s" if last == "duration" else times)
        names = [self._header[self.places[what]] for what in ("arrival", last)]
        return (f"'{names[0]}' is when a request came ({times}), '{names[1]}' its {last} ({unit})",)

    def add(self, rows: Rows, row: Sequence[str]) -> None:
        """One request."""
        cells = {what: cell_of(row, place) for what, place in self.places.items()}
        arrival = self._moment(cells["arrival"])
        if "duration" in cells:
            duration = (
                seconds_of(cells["duration"], self._units["duration"] or "s") if _said(cells["duration"]) else math.nan
            )
        else:
            duration = (self._moment(cells["end"]) - arrival) / 1e9 if _said(cells["end"]) else math.nan
        status = int(cells["status"]) if cells.get("status", "").isdigit() and len(cells["status"]) < 5 else 0
        rows.add(
            arrival, duration, cells.get("route", ""), status, _outcome(cells, status, duration), cells.get("user", "")
        )

    def _moment(self, text: str) -> int:
        if decimal(text) is None:
            return of_iso(text)
        if not self._units["arrival"]:
            self._units["arrival"] = unit_of(text)
        return of_number(text, self._units["arrival"])


def _said(text: str) -> bool:
    return bool(text) and text.lower() not in ("nan", "-", "null", "none")


def _outcome(cells: dict[str, str], status: int, duration: float) -> Outcome:
    word = cells.get("outcome", "").lower()
    if word:
        if word not in _WORDS:
            raise UnreadableRowError(f"found the outcome {word[:40]!r}, expected one of {', '.join(list(_WORDS)[:12])}")
        return _WORDS[word]
    if status:
        return outcome_of(status)
    return Outcome.OK if not math.isnan(duration) else Outcome.IN_FLIGHT
