"""The rows of a recorded file: CSV of several habits, read line by line; only the wanted columns of the wanted rows are
kept.

A file has a header or none (then its columns are named 1, 2, 3 ...), commas, semicolons or tabs, quotes or none, and
perhaps a `;` at the end of each line (LIMBO writes `0.5,306.0;`). Lines that are blank or begin with `#` are passed
over.

Errors name line and column and say what kind of thing stands there. What it says is told only of a file in the folder
of the scenario: whoever has a scenario of a stranger checked would else show him any file that can be read, line by
line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from sim import files
from sim.errors import did_you_mean
from sim.spec.moments import decimal, is_moment
from sim.units import shown

LARGEST = 256 * 2**20  # bytes of a recorded file
LARGEST_TOGETHER = 2**30  # bytes of all recorded files of a scenario
MOST_ROWS = 20_000_000  # that are kept of one
_SAMPLE = 64 * 2**10  # characters from which the habits of a file are told
_LONGEST_CELL = 2**20  # characters; a quote that is never closed would swallow the rest of the file

_QUOTED = re.compile(r'"[^"]*"')
_MAGIC = {
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"PK\x03\x04": "a zip file, such as a spreadsheet; save it as CSV",
    b"PAR1": "a parquet file; write it as CSV",
    b"\x28\xb5\x2f\xfd": "a zstd file; unpack it first",
    b"BZh": "a bzip2 file; unpack it first",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}


class BadFileError(Exception):
    """A recorded file that cannot be used; the line where a row is to blame, else 0."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(frozen=True)
class Columns:
    """Some columns of the picked rows, as text, and the line of each row."""

    names: tuple[str, ...]
    lines: list[int]
    texts: tuple[list[str], ...]  # one list for each column
    tells: bool = True  # errors may say what the file says

    def wrong(self, column: int, row: int, expected: str) -> BadFileError:
        """The error that names line, column, what was found (or only its kind) and what was expected."""
        return BadFileError(
            f"column '{self.names[column]}': found {self.found(column, row)}, expected {expected}", self.lines[row]
        )

    def found(self, column: int, row: int) -> str:
        """What stands in a cell, or only its kind."""
        text = self.texts[column][row]
        return (shown(text) if self.tells else _kind(text)) if text else "an empty cell"


Where = Mapping[str, Sequence[str]]  # column -> the values of the rows that are picked


class CsvFile:
    """A recorded file, its habits known, its rows not yet read."""

    def __init__(self, path: Path, folder: Path, confine: Path | None = None) -> None:
        """A file that is named by a scenario in `folder`; with `confine` it must lie in that folder."""
        self.path = path
        self.tells = files.lies_inside(path, folder)
        self._content = _content(path, folder if self.tells and confine is None else confine, self.tells)
        sample = self._sample()
        self._delimiter = _delimiter(sample)
        self._trailing = self._delimiter != ";" and all(line.endswith(";") for line in sample)
        first = next(csv.reader([self._trimmed(sample[0])], delimiter=self._delimiter), [])
        cells = [cell.strip() for cell in first]
        self.has_header = not all(is_moment(cell) for cell in cells)
        self.names = tuple(cells) if self.has_header else tuple(str(index + 1) for index in range(len(cells)))

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self._content)

    def index(self, name: str | None) -> int:
        """Where the column stands; the first where no name is given."""
        if name is None:
            return 0
        if name not in self.names:
            hint = did_you_mean(name, self.names) if self.tells else ""
            if len(self.names) == 1 and "mean" not in hint:
                only = f", and so the only one is '{self.names[0]}'" if self.tells else ""
                hint = f"; the rows are not parted by commas, semicolons or tabs{only}"
            raise BadFileError(f"has no column '{name}'{hint}")
        if self.names.count(name) > 1:
            raise BadFileError(f"has {self.names.count(name)} columns '{name}', expected names that differ")
        return self.names.index(name)

    def columns(self, names: Sequence[str | None], where: Where | None = None) -> Columns:
        """These columns of every row that `where` picks, in the order of the file; at least one row."""
        indices = [self.index(name) for name in names]
        picked = [(self.index(name), frozenset(values)) for name, values in (where or {}).items()]
        least = max([*indices, *(index for index, _ in picked)]) + 1
        called = (
            str(index + 1) if name is None and not self.tells else self.names[index]
            for name, index in zip(names, indices, strict=True)
        )
        found = Columns(tuple(called), [], tuple([] for _ in indices), self.tells)
        passed: dict[str, None] = {}  # values that the first of `where` did not pick, for the message
        for line, row in self._lines():
            if len(row) < least:
                raise BadFileError(f"found {len(row)} columns, expected at least {least}", line)
            if all(row[index].strip() in values for index, values in picked):
                found.lines.append(line)
                for index, texts in zip(indices, found.texts, strict=True):
                    texts.append(row[index].strip())
                if len(found.lines) > MOST_ROWS:
                    raise BadFileError(f"holds more than {MOST_ROWS:,} rows", line)
            elif len(passed) < 20:
                passed[row[picked[0][0]].strip()] = None
        if not found.lines:
            raise self._none(where, list(passed))
        return found

    def _none(self, where: Where | None, passed: Sequence[str]) -> BadFileError:
        if not where or not passed:
            return BadFileError("holds no rows")
        name, values = next(iter(where.items()))
        picks = ", ".join(f"{column}: {' or '.join(map(repr, wanted))}" for column, wanted in where.items())
        hint = did_you_mean(values[0], passed) if self.tells and values and values[0] not in passed else ""
        return BadFileError(f"has no row where {picks}{hint.replace('known', f'in {name!r} stand')}")

    def differing(self, one: int, other: int) -> list[str]:
        """The columns in which the rows of two lines differ."""
        rows = [row for line, row in self._lines() if line in (one, other)][:2]
        return [name for name, *cells in zip(self.names, *rows, strict=False) if len(set(cells)) > 1]

    def times_in(self, cells: Sequence[str]) -> list[str]:
        """The columns whose cell of this row looks like a time since 1970 or a date."""
        return [name for name, cell in zip(self.names, cells, strict=False) if is_moment(cell.strip(), absolute=True)]

    def dates_in(self, cells: Sequence[str]) -> list[str]:
        """The columns whose cell of this row is a date."""
        return [
            name
            for name, cell in zip(self.names, cells, strict=False)
            if decimal(cell.strip()) is None and is_moment(cell.strip())
        ]

    def first_row(self) -> list[str]:
        """The cells of the first row; none where there is none."""
        return next((row for _, row in self._lines()), [])

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Every row and the line it begins on, the header left out."""
        header = self.has_header
        try:
            source = _Lines(self._text(), self._trimmed)
            csv.field_size_limit(_LONGEST_CELL)
            for row in csv.reader(source, delimiter=self._delimiter):
                if header:
                    header = False
                elif row:
                    yield source.first, row
                source.first = 0
        except csv.Error as error:
            raise BadFileError(f"is no CSV: {error}", source.first) from None
        except UnicodeDecodeError:
            raise BadFileError("is not text in UTF-8") from None

    def _text(self) -> TextIO:
        return io.TextIOWrapper(io.BytesIO(self._content), encoding="utf-8-sig", newline="")

    def _sample(self) -> list[str]:
        """The first lines that hold anything."""
        try:
            text = self._text().read(_SAMPLE)
        except UnicodeDecodeError:
            raise BadFileError("is not text in UTF-8") from None
        _refuse_other_formats(text)
        lines = [line.strip("\r ") for line in text.splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")][:50]
        if not lines:
            raise BadFileError("is empty")
        return lines[:-1] if len(lines) > 1 and len(text) == _SAMPLE else lines  # the last may be cut

    def _trimmed(self, line: str) -> str:
        return line.rstrip("\r\n ").removesuffix(";") if self._trailing else line


class _Lines:
    """The lines of a file without those that hold nothing; `first` is the number of the line on which the current row
    begins.
    """

    def __init__(self, file: TextIO, trimmed: Callable[[str], str]) -> None:
        self._file, self._trimmed = enumerate(file, 1), trimmed
        self.first = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        for number, line in self._file:
            if self.first:  # inside of quotes everything counts
                return line
            if line.strip() and not line.startswith("#"):
                self.first = number
                return self._trimmed(line)
        raise StopIteration


def _delimiter(sample: Sequence[str]) -> str:
    """The mark that parts the cells: in every line of the sample, or failing that in the first."""
    bare = [_QUOTED.sub("", line) for line in sample]
    inner = [line.rstrip(";") for line in bare]  # a mark at the end parts nothing
    for lines in (inner, inner[:1]):
        for mark in (";", "\t", ","):
            if all(mark in line for line in lines):
                return mark
    return ","


def _content(path: Path, inside: Path | None, tells: bool) -> bytes:
    """What a text file of a bearable size holds."""
    try:
        content = files.read(path, LARGEST, inside)
    except files.UnreadableError as error:
        raise BadFileError(f"{error.message}{_nearest(path) if error.missing and tells else ''}") from None
    if len(content) > LARGEST:
        raise BadFileError(f"is larger than {LARGEST // 2**20} MiB")
    for magic, what in _MAGIC.items():
        if content.startswith(magic):
            raise BadFileError(f"is {what}")
    if b"\0" in content[:_SAMPLE]:
        raise BadFileError("is binary, expected text: rows of a CSV file")
    return content


def _kind(text: str) -> str:
    """What kind of thing stands in a cell that is not to be told."""
    if decimal(text) is not None:
        return "a number"
    return "a date" if is_moment(text) else "text"


def _refuse_other_formats(text: str) -> None:
    """Text that is no table, though its lines may look like rows."""
    start = text.lstrip()
    if "Histogram log format version" in text[:2000] or "Interval_Compressed_Histogram" in text[:4000]:
        raise BadFileError(
            "is an HdrHistogram log: each row is the histogram of an interval, not a request; expected a CSV file "
            "with a row for each"
        )
    if start.startswith(("{", "[")):
        raise BadFileError("is JSON, expected rows of a CSV file")
    if start.startswith("<"):
        raise BadFileError("is XML or HTML, expected rows of a CSV file")


def _nearest(path: Path) -> str:
    hint = did_you_mean(path.name, files.beside(path))
    return hint if "mean" in hint else ""
