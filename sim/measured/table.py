"""Rows of CSV out of a source, with their lines: commas, semicolons or tabs, as the header has them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from sim.measured.source import LONGEST_LINE, Source

_MARKS = (",", ";", "\t")


class Table:
    """The rows of a CSV file, one after the other."""

    def __init__(self, source: Source, headless: Sequence[str] = ()) -> None:
        """`headless`: the names of the columns of a file that has no header."""
        self._lines = source.lines()
        self._number = 0
        first = source.first_line
        self._mark = max(_MARKS, key=first.count)
        self._has_header = not headless
        self.header = list(headless) or [cell.strip() for cell in cells_of(first)]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row that holds anything, with its line; the header is left out."""
        csv.field_size_limit(LONGEST_LINE)
        header = self._has_header
        for row in csv.reader(self._texts(), delimiter=self._mark):
            if header and row:
                header = False
            elif row:
                yield self._number, row

    def index(self, *names: str) -> int:
        """The first column that has one of these names, in any case; -1: there is none."""
        lower = [cell.lower() for cell in self.header]
        return next((lower.index(name.lower()) for name in names if name.lower() in lower), -1)

    def _texts(self) -> Iterator[str]:
        for number, line in self._lines:
            self._number = number
            if line.strip():
                yield f"{line}\n".replace("\0", "")


def cells_of(line: str) -> list[str]:
    """The cells of one line."""
    mark = max(_MARKS, key=line.count)
    try:
        return next(csv.reader([line.lstrip("\ufeff").replace("\0", "")], delimiter=mark), [])
    except csv.Error:
        return []


def cell_of(row: Sequence[str], index: int) -> str:
    """A cell; empty where the row is too short, or there is no such column."""
    return row[index].strip() if 0 <= index < len(row) else ""
