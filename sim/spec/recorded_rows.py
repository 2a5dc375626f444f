"""What a recorded file says: when requests came, at which rate, how long something took.

A row is a request, or an interval of a series.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from statistics import median_low

from sim import units
from sim.spec.arrivals import Replay
from sim.spec.csv_file import BadFileError, Columns, CsvFile
from sim.spec.document import Data
from sim.spec.measured import Recorded
from sim.spec.moments import EXPECTED, Moments, NoMomentError, decimal, moments_of

_SECOND = Decimal(10**9)  # nanoseconds
_YEAR = 366 * 86400 * _SECOND
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_LEFT_OUT = Decimal("1.5")  # of the usual gap: from here on rows of a regular series are missing


def requests(file: CsvFile, spec: Replay) -> dict[str, Data]:
    """Each row as one request, in the order of their times: a log is often written in the order of completion."""
    columns = file.columns(
        [spec.timestamps, *(column for column in (spec.route, spec.user) if column is not None)], spec.where
    )
    moments = _moments(file, columns, 0, spec)
    order = _order(moments)
    times = [moments.values[row] for row in order]
    _refuse_implausible(times)
    data: dict[str, Data] = {
        "values": [float((time - times[0]) / _SECOND) for time in times],
        **_when(times[0], moments),
    }
    if spec.route is not None:
        names = [columns.texts[1][row] for row in order]
        numbers, requests_of = _numbered(names), Counter(names)
        shares = [requests_of[name] / len(names) for name in numbers]
        data |= {"routes": list(numbers), "shares": shares, "route": [numbers[name] for name in names]}
    if spec.user is not None:
        names = [columns.texts[-1][row] for row in order]
        numbers = _numbered(names)
        data |= {"user": [numbers[name] for name in names], "users": len(numbers)}
    return data


def series(file: CsvFile, spec: Replay) -> dict[str, Data]:
    """Rates or counts, and how long each of them holds: until the next row, the last one for the usual gap."""
    column = spec.rates if spec.rates is not None else spec.counts
    expected = "a rate per second of 0 or more" if spec.rates is not None else "a number of requests of 0 or more"
    if spec.timestamps is None and spec.every is not None:
        columns = file.columns([column], spec.where)
        return {"values": [_number(columns, 0, row, expected) for row in range(len(columns.lines))]}
    if spec.timestamps is None and column == file.names[0]:
        raise BadFileError(
            f"has its times in no column before '{column}'; name the column in `timestamps`, or give `every`"
        )
    columns = file.columns([spec.timestamps, column], spec.where)
    moments = _moments(file, columns, 0, spec)
    if not spec.where:
        _refuse_overlap(file, columns, moments)
    values: dict[Decimal, float] = {}
    for row, moment in enumerate(moments.values):
        values[moment] = values.get(moment, 0.0) + _number(columns, 1, row, expected)
    times = sorted(values)
    every = Decimal(repr(spec.every)) * _SECOND if spec.every is not None else None
    lengths, kept = _intervals(times, [values[time] for time in times], every, spec.counts is not None)
    return {"values": kept, "lengths": lengths, **_when(times[0], moments)}


def durations(file: CsvFile, spec: Recorded, owner: Replay | None) -> list[float]:
    """A column of durations in seconds: in the order of the file, or of the times of the arrivals whose rows
    they are.
    """
    if owner is None:
        columns = file.columns([spec.column], spec.where)
        return [_duration(columns, row, spec.unit) for row in range(len(columns.lines))]
    columns = file.columns([spec.column, owner.timestamps], spec.where or owner.where)
    return [_duration(columns, row, spec.unit) for row in _order(_moments(file, columns, 1, owner))]


def _moments(file: CsvFile, columns: Columns, column: int, spec: Replay) -> Moments:
    try:
        moments = moments_of(columns.texts[column], spec.unit)
    except NoMomentError as error:
        wrong = columns.wrong(
            column, error.index, error.expected if columns.tells else f"{EXPECTED}, of one kind and unit in all rows"
        )
        others = file.times_in(file.first_row()) if spec.timestamps is None else []
        if others:
            which = f": {' or '.join(others[:5])}" if file.tells else ""
            wrong = BadFileError(f"{wrong.message}; name the column of the times in `timestamps`{which}", wrong.line)
        raise wrong from None
    dates = file.dates_in(file.first_row()) if spec.timestamps is None and moments.clock == "start" else []
    if dates:
        first, holds = (f" '{file.names[0]}'", " and ".join(dates[:5])) if file.tells else ("", "another")
        found = f"no `timestamps`, and its first column{first} holds numbers while {holds} holds dates"
        raise BadFileError(f"found {found}; name the column of the times in `timestamps`")
    return moments


def _order(moments: Moments) -> list[int]:
    """The rows in the order of their times; those of one time as they stand in the file."""
    return sorted(range(len(moments.values)), key=moments.values.__getitem__)


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
        raise BadFileError(
            f"has {len(times)} rows in {years:.1f} years, fewer than one an hour; are these the times of requests, "
            "and in which `unit`?"
        )


def _refuse_overlap(file: CsvFile, columns: Columns, moments: Moments) -> None:
    """Several rows of one time are several series, perhaps with their total among them."""
    rows: dict[Decimal, int] = {}
    for row, moment in enumerate(moments.values):
        first = rows.setdefault(moment, row)
        if first != row:
            names = [
                name for name in file.differing(columns.lines[first], columns.lines[row]) if name != columns.names[1]
            ]
            names = names if file.tells else []
            differ = f", which differ in {', '.join(names[:5])}" if names else ""
            pick = f"`where: {{{names[0]}: ...}}`" if names else "`where`"
            expected = (
                f"one row for each time: pick the rows of one series (or of several, whose sum is meant) with {pick}"
            )
            raise BadFileError(
                f"column '{columns.names[0]}': found {columns.texts[0][row] if columns.tells else 'the same'} in line "
                f"{columns.lines[first]}, too{differ}; "
                f"expected {expected}",
                columns.lines[row],
            )


def _intervals(
    times: Sequence[Decimal], values: Sequence[float], every: Decimal | None, counts: bool
) -> tuple[list[float], list[float]]:
    """How long each value holds, and the values.

    Counts that a regular series leaves out are 0: whoever counts by group writes no empty ones.
    """
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


def _number(columns: Columns, column: int, row: int, expected: str) -> float:
    text = columns.texts[column][row]
    number = decimal(text)
    if number is None or number < 0:
        raise columns.wrong(column, row, expected + _point(text))
    return float(number)


def _duration(columns: Columns, row: int, unit: str) -> float:
    expected = f"a duration of 0 or more, at most ten years: a number of {unit}, or one with its unit such as 250ms"
    text = columns.texts[0][row]
    number = decimal(text)
    try:
        seconds = units.seconds(f"{number:f}", unit) if number is not None else units.duration(text)
    except ValueError:
        raise columns.wrong(0, row, expected + _point(text)) from None
    if not math.isfinite(seconds) or not 0 <= seconds <= units.LONGEST:
        raise columns.wrong(0, row, expected)
    return seconds


def _point(text: str) -> str:
    return ", with a decimal point" if _DECIMAL_COMMA.fullmatch(text) else ""
