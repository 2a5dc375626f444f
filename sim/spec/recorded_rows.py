"""What a recorded file says: when requests came, at which rate, how long something took. A row is a request, or an interval of a series."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from statistics import median_low

from sim import units
from sim.spec.csv_file import BadFileError, Cell, CsvFile
from sim.spec.document import Data
from sim.spec.measured import Recorded
from sim.spec.moments import Moments, NoMomentError, decimal, moments_of
from sim.spec.traffic import Replay

_SECOND = Decimal(10**9)  # nanoseconds
_YEAR = 366 * 86400 * _SECOND
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_LEFT_OUT = Decimal("1.5")  # of the usual gap: from here on rows of a regular series are missing


def requests(file: CsvFile, spec: Replay) -> dict[str, Data]:
    """Each row as one request, in the order of their times: a log is often written in the order of completion."""
    rows = file.rows([spec.timestamps, *(column for column in (spec.route, spec.user) if column is not None)], spec.where)
    moments = _moments(file, [row[0] for row in rows], spec)
    order = sorted(range(len(rows)), key=moments.values.__getitem__)
    times = [moments.values[index] for index in order]
    _refuse_implausible(times)
    data: dict[str, Data] = {"values": [float((time - times[0]) / _SECOND) for time in times], **_when(times[0], moments)}
    if spec.route is not None:
        names = [rows[index][1].text for index in order]
        numbers, requests_of = _numbered(names), Counter(names)
        shares = [requests_of[name] / len(names) for name in numbers]
        data |= {"routes": list(numbers), "shares": shares, "route": [numbers[name] for name in names]}
    if spec.user is not None:
        users = _numbered([rows[index][-1].text for index in order])
        data |= {"user": [users[rows[index][-1].text] for index in order], "users": len(users)}
    return data


def series(file: CsvFile, spec: Replay) -> dict[str, Data]:
    """Rates or counts, and how long each of them holds: until the next row, the last one for the usual gap."""
    column = spec.rates if spec.rates is not None else spec.counts
    expected = "a rate per second of 0 or more" if spec.rates is not None else "a number of requests of 0 or more"
    if spec.timestamps is None and spec.every is not None:
        rows = file.rows([column], spec.where)
        return {"values": [_number(row[0], expected) for row in rows]}
    if spec.timestamps is None and column == file.names[0]:
        raise BadFileError(f"has its times in no column before '{column}'; name the column in `timestamps`, or give `every`")
    rows = file.rows([spec.timestamps, column], spec.where)
    moments = _moments(file, [row[0] for row in rows], spec)
    if not spec.where:
        _refuse_overlap(file, rows, moments)
    values: dict[Decimal, float] = {}
    for moment, row in zip(moments.values, rows, strict=True):
        values[moment] = values.get(moment, 0.0) + _number(row[1], expected)
    times = sorted(values)
    every = Decimal(repr(spec.every)) * _SECOND if spec.every is not None else None
    lengths, kept = _intervals(times, [values[time] for time in times], every, spec.counts is not None)
    return {"values": kept, "lengths": lengths, **_when(times[0], moments)}


def durations(file: CsvFile, spec: Recorded, owner: Replay | None) -> list[float]:
    """A column of durations in seconds: in the order of the file, or of the times of the arrivals whose rows they are."""
    if owner is None:
        return [_duration(row[0], spec.unit) for row in file.rows([spec.column], spec.where)]
    rows = file.rows([spec.column, owner.timestamps], spec.where or owner.where)
    moments = _moments(file, [row[1] for row in rows], owner).values
    return [_duration(rows[index][0], spec.unit) for index in sorted(range(len(rows)), key=moments.__getitem__)]


def _moments(file: CsvFile, cells: Sequence[Cell], spec: Replay) -> Moments:
    try:
        moments = moments_of([cell.text for cell in cells], spec.unit)
        dates = file.dates_in(file.first_row()) if spec.timestamps is None and moments.clock == "start" else []
        if dates:
            found = f"no `timestamps`, and its first column '{file.names[0]}' holds numbers while {' and '.join(dates[:5])} holds dates"
            raise BadFileError(f"found {found}; name the column of the times in `timestamps`")
        return moments
    except NoMomentError as error:
        wrong = cells[error.index].wrong(error.expected)
        others = file.times_in(file.first_row()) if spec.timestamps is None else []
        if others:
            wrong = BadFileError(f"{wrong.message}; name the column of the times in `timestamps`: {' or '.join(others[:5])}", wrong.line)
        raise wrong from None


def _when(first: Decimal, moments: Moments) -> dict[str, Data]:
    return {"began": int(first), "clock": moments.clock, "unit": moments.unit}


def _numbered(names: Sequence[str]) -> dict[str, int]:
    """A number for each name, in the order in which they appear."""
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _refuse_implausible(times: Sequence[Decimal]) -> None:
    """Less than one request an hour, for years: no load, but a column of something else."""
    span = times[-1] - times[0]
    if span > _YEAR and len(times) * 3600 * _SECOND < span:
        years = float(span / _YEAR)
        raise BadFileError(f"has {len(times)} rows in {years:.1f} years, fewer than one an hour; are these the times of requests, and in which `unit`?")


def _refuse_overlap(file: CsvFile, rows: Sequence[tuple[Cell, ...]], moments: Moments) -> None:
    """Several rows of one time are several series, perhaps with their total among them."""
    lines: dict[Decimal, int] = {}
    for moment, row in zip(moments.values, rows, strict=True):
        first = lines.setdefault(moment, row[0].line)
        if first != row[0].line:
            names = [name for name in file.differing(first, row[0].line) if name != row[1].column]
            picks = f"where: {{{names[-1] if len(names) == 1 else names[0]}: ...}}" if names else "where"
            differ = f", which differ in {', '.join(names[:5])}" if names else ""
            raise BadFileError(
                f"column '{row[0].column}': found {row[0].text} in line {first}, too{differ}; expected one row for each time: pick the rows of one"
                f" series (or of several, whose sum is meant) with `{picks}`",
                row[0].line,
            )


def _intervals(times: Sequence[Decimal], values: Sequence[float], every: Decimal | None, counts: bool) -> tuple[list[float], list[float]]:
    """How long each value holds, and the values. Counts that a regular series leaves out are 0: whoever counts by group writes no empty ones."""
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if not gaps and every is None:
        raise BadFileError("has too few rows to tell their interval; give `every`")
    usual = every if every is not None else median_low(gaps)
    regular = sum(abs(gap - usual) <= usual / 100 for gap in gaps) * 2 > len(gaps)
    lengths: list[float] = []
    kept: list[float] = []
    for gap, value in zip([*gaps, usual], values, strict=True):
        holds = usual if counts and (regular or every is not None) and gap >= _LEFT_OUT * usual else gap
        lengths.append(float(holds / _SECOND))
        kept.append(value)
        if holds < gap:
            lengths.append(float((gap - holds) / _SECOND))
            kept.append(0.0)
    return lengths, kept


def _number(cell: Cell, expected: str) -> float:
    number = decimal(cell.text)
    if number is None or number < 0:
        raise cell.wrong(expected + _point(cell))
    return float(number)


def _duration(cell: Cell, unit: str) -> float:
    expected = f"a duration of 0 or more, at most ten years: a number of {unit}, or one with its unit such as 250ms"
    number = decimal(cell.text)
    try:
        seconds = units.seconds(f"{number:f}", unit) if number is not None else units.duration(cell.text)
    except ValueError:
        raise cell.wrong(expected + _point(cell)) from None
    if not math.isfinite(seconds) or not 0 <= seconds <= units.LONGEST:
        raise cell.wrong(expected)
    return seconds


def _point(cell: Cell) -> str:
    return ", with a decimal point" if _DECIMAL_COMMA.fullmatch(cell.text) else ""
