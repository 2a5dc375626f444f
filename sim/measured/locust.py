"""Results of Locust: `_stats.csv`, percentiles for each name, and `_stats_history.csv`, a row every second or ten.

Times are milliseconds, rounded to two digits above 100 ms; they count from when the request was sent. `Aggregated`
rows are of all names together. Source: the page "Retrieve test statistics in CSV format" of Locust's documentation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sim.measured.measurement import Distribution, Measured, Series
from sim.measured.moment import UnreadableRowError, of_number, seconds_of
from sim.measured.source import Source
from sim.measured.table import Table, cell_of
from sim.spec.moments import decimal

_ALL = "Aggregated"
_MOST = 1_000_000  # rows
_ROUNDED = "times are milliseconds, which Locust rounds to two digits above 100 ms"


def recognises_statistics(source: Source) -> bool:
    """Its header."""
    return source.first_line.replace('"', "").startswith("Type,Name,Request Count,Failure Count")


def read_statistics(source: Source) -> Measured:
    """A distribution for each name, and that of all."""
    table = Table(source)
    shares = {place: share for place, name in enumerate(table.header) if (share := _share(name)) is not None}
    found = []
    for number, row in table.rows():
        try:
            found.append(_distribution(table, row, shares))
        except UnreadableRowError as error:
            raise source.wrong(str(error), number) from None
        if len(found) > 10_000:
            raise source.wrong("found more than 10,000 names, expected at most that many", number)
    if not found:
        raise source.wrong("found no rows, expected one for each name", 1)
    lacks = ("single requests", "when requests were sent", "how many users there were")
    return Measured("Locust statistics", source.file, None, tuple(found), understood=(_ROUNDED,), missing=lacks)


def _share(name: str) -> float | None:
    number = decimal(name[:-1]) if name.endswith("%") else None
    return float(number / 100) if number is not None and 0 <= number <= 100 else None


def _distribution(table: Table, row: Sequence[str], shares: dict[int, float]) -> Distribution:
    name = cell_of(row, table.index("Name"))
    route = "" if name == _ALL else f"{cell_of(row, table.index('Type'))} {name}".strip()
    count, failures = (int(_number(table, row, column)) for column in ("Request Count", "Failure Count"))
    known = [
        (seconds_of(text, "ms"), share)
        for place, share in shares.items()
        if (text := cell_of(row, place)) not in ("", "N/A")
    ]
    known.sort(key=lambda pair: pair[1])
    rate = _number(table, row, "Requests/s")
    mean, least, most = (_number(table, row, f"{word} Response Time") / 1e3 for word in ("Average", "Min", "Max"))
    values = np.maximum.accumulate(np.array([value for value, _ in known])) if known else np.empty(0)
    span = count / rate if rate > 0 else math.nan
    return Distribution(
        route, count, values, np.array([share for _, share in known]), span, mean, least, most, failures
    )


def _number(table: Table, row: Sequence[str], column: str) -> float:
    text = cell_of(row, table.index(column))
    number = decimal(text)
    if number is None or number < 0:
        raise UnreadableRowError(f"column '{column}': found {text[:40]!r}, expected a number of 0 or more")
    return float(number)


def recognises_history(source: Source) -> bool:
    """Its header."""
    return source.first_line.replace('"', "").startswith("Timestamp,User Count,Type,Name,Requests/s")


def read_history(source: Source) -> Measured:
    """Rates, users and percentiles of all requests over time: the `Aggregated` rows, for the others repeat them."""
    table = Table(source)
    wanted = {"Requests/s": "1/s", "Failures/s": "1/s", "User Count": "1", "50%": "s", "95%": "s", "99%": "s"}
    places = {name: table.index(name) for name in wanted if table.index(name) >= 0}
    times: list[int] = []
    values: dict[str, list[float]] = {name: [] for name in places}
    for number, row in table.rows():
        if cell_of(row, 3) != _ALL:
            continue
        try:
            times.append(of_number(cell_of(row, 0)))
        except UnreadableRowError as error:
            raise source.wrong(str(error), number) from None
        for name, place in places.items():
            amount = decimal(cell_of(row, place))
            values[name].append(math.nan if amount is None else float(amount) / (1e3 if wanted[name] == "s" else 1))
        if len(times) > _MOST:
            raise source.wrong(f"found more than {_MOST:,} rows, expected at most that many", number)
    if not times:
        raise source.wrong(f"found no rows named {_ALL}, expected one for each time", 1)
    when = (np.array(times) - times[0]) / 1e9
    series = tuple(Series(name, when, np.array(values[name]), wanted[name]) for name in places)
    lacks = ("single requests",)
    return Measured("Locust history", source.file, None, (), series, times[0], (_ROUNDED,), lacks)
