"""Recorded CSV files: arrival times, rate series and columns of durations, read at load and embedded in the document as `data`.

A file has a header or none (then its columns are named 1, 2, 3 ...), commas, semicolons or tabs, and perhaps a `;` at the end of each
line (LIMBO writes `0.5,306.0;`). Times are seconds or ISO dates; their differences are exact to the last digit written.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from statistics import median_low

from sim import units
from sim.errors import Problem, did_you_mean
from sim.spec.base import body_of
from sim.spec.document import Data, Location, Map, problem_at, value_at
from sim.spec.measured import Recorded
from sim.spec.shape import Shape, choices
from sim.spec.traffic import Replay

LARGEST = 256 * 2**20  # bytes of a recorded file
MOST_INTERVALS = 10_000_000  # of a rate series whose gaps are filled with zeros

_NANOSECONDS = 10**9
_WHEN = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,30}))?)?)?\s*(Z|[+-]\d\d:?\d\d)?")


class BadFileError(Exception):
    """A recorded file that cannot be used; the line where a row is to blame, else 0."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line


def embed_recordings(documents: Sequence[Map], shape: Shape, base: Path | None) -> list[Problem]:
    """Put `data` beside every `file` of a replay or a recorded distribution. Choices that have it are left alone."""
    problems: list[Problem] = []
    for document in documents:
        for at, word, cls in list(choices(document, shape)):
            if issubclass(cls, (Replay, Recorded)):
                problems += _embed(document, at, word, cls, base)
    return problems


def _embed(document: Map, at: Location, word: str, cls: type[Replay] | type[Recorded], base: Path | None) -> list[Problem]:
    choice = value_at(document, at)
    body = body_of(cls, choice[word])
    if not isinstance(body, dict) or body.get("data") is not None or not isinstance(body.get("file"), str) or not body["file"]:
        return []  # nothing to read, or wrong in a way that validation tells
    place = problem_at(document, (*at, word, "file"), "")
    if base is None:
        return [Problem("names a file, which this document does not embed", place.path, place.file, place.line, place.column)]
    path = base / body["file"]
    try:
        filled = {**body, **(_replay(path, body) if issubclass(cls, Replay) else _durations(path, body))}
    except BadFileError as error:
        if error.line:
            return [Problem(error.message, place.path, str(path), error.line)]
        return [Problem(f"{path}: {error.message}", place.path, place.file, place.line, place.column)]
    written = choice[word] if isinstance(choice[word], Map) else Map()
    choice[word] = Map(filled, written.keys_at, written.values_at)
    return []


def _replay(path: Path, body: dict[str, Data]) -> dict[str, Data]:
    """`data` (and `every`, where the file tells it) of a replay; nothing where fields are wrong in a way that validation tells."""
    times, rates, every = body.get("timestamps"), body.get("rates"), body.get("every")
    table = read_table(path)
    if rates is None:
        return {"data": arrival_times(table, _name(times))}
    counts = table.column(str(rates))
    if every is not None:
        return {"data": [_count(text, line) for line, text in counts]}
    values, step = rate_series(table, _name(times), str(rates))
    return {"data": values, "every": f"{step!r}s"}


def _durations(path: Path, body: dict[str, Data]) -> dict[str, Data]:
    unit = body.get("unit", "s")
    table = read_table(path)
    rows = table.column(_name(body.get("column")))
    values = [_duration(text, line, unit if unit in ("ns", "us", "ms", "s", "m", "h") else "s") for line, text in rows]
    return {"data": values}


def _name(column: object) -> str | None:
    return None if column is None else str(column)


@dataclass(frozen=True)
class Table:
    """The rows of a file as text, with their line numbers, under the names of the columns."""

    names: tuple[str, ...]
    rows: tuple[tuple[int, list[str]], ...]

    def column(self, name: str | None) -> list[tuple[int, str]]:
        """Line and cell of every row; the first column where no name is given."""
        if name is not None and name not in self.names:
            raise BadFileError(f"has no column '{name}'{did_you_mean(name, self.names)}")
        if not self.rows:
            raise BadFileError("holds no rows")
        index = self.names.index(name) if name is not None else 0
        return [(line, _cell(row, index, line)) for line, row in self.rows]


def _cell(row: list[str], index: int, line: int) -> str:
    if index >= len(row):
        raise BadFileError(f"found {len(row)} columns, expected at least {index + 1}", line)
    return row[index].strip()


def read_table(path: Path) -> Table:
    """The file as a table. The first row is a header unless all of its cells are numbers or times."""
    lines = [(number, line.strip().rstrip(";")) for number, line in enumerate(_text(path).splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not lines:
        raise BadFileError("is empty")
    delimiter = next((mark for mark in (";", ",", "\t") if mark in lines[0][1]), ",")
    rows = [(number, cells) for number, cells in _rows(lines, delimiter) if cells]
    first = [cell.strip() for cell in rows[0][1]]
    if all(_is_value(cell) for cell in first):
        return Table(tuple(str(index + 1) for index in range(len(first))), tuple(rows))
    return Table(tuple(first), tuple(rows[1:]))


def _rows(lines: list[tuple[int, str]], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in lines:
        if '"' in line:
            yield number, next(csv.reader([line], delimiter=delimiter), [])
        else:
            yield number, line.split(delimiter)


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise BadFileError(f"no such file{_nearest(path)}" if not path.exists() else "is not a regular file")
        if path.stat().st_size > LARGEST:
            raise BadFileError(f"is larger than {LARGEST // 2**20} MiB")
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFileError("is not text in UTF-8") from None
    except (OSError, ValueError) as error:
        raise BadFileError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _nearest(path: Path) -> str:
    names = [near.name for near in path.parent.iterdir() if near.is_file()] if path.parent.is_dir() else []
    hint = did_you_mean(path.name, names)
    return hint if "mean" in hint else ""


def _is_value(text: str) -> bool:
    return _WHEN.fullmatch(text) is not None or _decimal(text) is not None


def arrival_times(table: Table, column: str | None) -> list[float]:
    """Seconds from the earliest row, sorted: a log is often written a little out of order."""
    moments = sorted(_moment(text, line) for line, text in table.column(column))
    return [float((moment - moments[0]) / _NANOSECONDS) for moment in moments]


def rate_series(table: Table, times: str | None, rates: str) -> tuple[list[float], float]:
    """Counts per interval and the interval, which is the usual gap between two rows; an interval without a row counts 0."""
    if times is None and rates == table.names[0]:
        raise BadFileError(f"has its times in no column before '{rates}'; name the column in `timestamps`, or give `every`")
    moments = [_moment(text, line) for line, text in table.column(times)]
    counts = [_count(text, line) for line, text in table.column(rates)]
    ordered = sorted(set(moments))
    if len(ordered) < 2:
        raise BadFileError("has too few rows to tell their interval; give `every`")
    step = median_low(later - earlier for earlier, later in pairwise(ordered))
    slots = round((ordered[-1] - ordered[0]) / step) + 1
    if slots > MOST_INTERVALS:
        raise BadFileError(f"has {slots} intervals of {float(step) / _NANOSECONDS:g} s between its first and last row; give `every`")
    series = [0.0] * slots
    for moment, count in zip(moments, counts, strict=True):
        series[round((moment - ordered[0]) / step)] += count
    return series, float(step / _NANOSECONDS)


def _moment(text: str, line: int) -> Decimal:
    """Nanoseconds since an epoch, exactly."""
    number = _decimal(text)
    if number is not None:
        return number * _NANOSECONDS
    match = _WHEN.fullmatch(text)
    try:
        if match is not None:
            return _nanoseconds(match)
    except ValueError as error:
        raise BadFileError(f"found {units.shown(text)}: {error}", line) from None
    raise BadFileError(f"found {units.shown(text)}, expected seconds or a time such as 2023-11-16 18:17:03.97996", line)


def _nanoseconds(match: re.Match[str]) -> Decimal:
    hour, minute, second = (int(match[group] or 0) for group in (4, 5, 6))
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError("no such time of day")
    whole = _days(match[1], match[2], match[3]) * 86400 + hour * 3600 + minute * 60 + second - _offset(match[8])
    return Decimal(whole * _NANOSECONDS) + Decimal(f"0.{match[7] or 0}") * _NANOSECONDS


@lru_cache(maxsize=1000)
def _days(year: str, month: str, day: str) -> int:
    return date(int(year), int(month), int(day)).toordinal()


def _offset(zone: str | None) -> int:
    """Seconds east of Greenwich; a time without a zone is taken as it stands."""
    if zone is None or zone == "Z":
        return 0
    return int(f"{zone[0]}1") * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)


def _decimal(text: str) -> Decimal | None:
    if len(text) > 40:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 30 else None


def _count(text: str, line: int) -> float:
    number = _decimal(text)
    if number is None or number < 0:
        raise BadFileError(f"found {units.shown(text)}, expected a count", line)
    return float(number)


def _duration(text: str, line: int, unit: str) -> float:
    number = _decimal(text)
    seconds = units.seconds(f"{number:f}", unit) if number is not None else _with_unit(text, line)
    if not math.isfinite(seconds) or not 0 <= seconds <= units.LONGEST:
        raise BadFileError(f"found {units.shown(text)}, expected a duration of 0 or more, at most ten years", line)
    return seconds


def _with_unit(text: str, line: int) -> float:
    try:
        return units.duration(text)
    except ValueError as error:
        raise BadFileError(str(error), line) from None
