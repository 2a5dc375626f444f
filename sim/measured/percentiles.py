"""Distributions as tables of percentiles: the output of HdrHistogram (.hgrm), and CSV of quantiles."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from sim.measured.measurement import Distribution, Measured
from sim.measured.moment import UnreadableRowError, seconds_of
from sim.measured.source import Source
from sim.measured.table import Table, cell_of, cells_of
from sim.spec.moments import decimal
from sim.units import NUMBER, duration

_ROW = re.compile(rf"\s*({NUMBER})\s+({NUMBER})\s+(\d+)(?:\s+\S+)?\s*")
_MEAN = re.compile(rf"#\[Mean\s*=\s*({NUMBER})")
_MAX = re.compile(rf"#\[Max\s*=\s*({NUMBER}).*Total count\s*=\s*(\d+)")
_SHARES = ("percentile", "quantile", "share", "q", "p")
_VALUES = ("value", "latency", "duration", "response", "response_time", "time")
_UNIT = re.compile(r"(?:^|[\s_(\[]+)(ns|us|ms|s|seconds)[\])]?$")
_PERCENTILE = re.compile(r"p?(\d{1,3}(?:\.\d+)?)%?")
_MOST = 1_000_000  # rows


def recognises_hgrm(source: Source) -> bool:
    """Its header."""
    return any(re.match(r"\s*Value\s+Percentile\s+TotalCount", line) for line in source.lines_of_head[:5])


def read_hgrm(source: Source) -> Measured:
    """Values are milliseconds, as HdrHistogram's tools scale them unless told otherwise."""
    pairs: list[tuple[float, float]] = []
    mean, count = math.nan, 0
    for number, line in source.lines():
        if found := _ROW.fullmatch(line):
            pairs.append((float(found[1]) / 1e3, float(found[2])))
            count = max(count, int(found[3]) if len(found[3]) < 16 else 0)
        elif found := _MEAN.match(line):
            mean = float(found[1]) / 1e3
        elif found := _MAX.match(line):
            count = int(found[2]) if len(found[2]) < 16 else 0
        if number > _MOST:
            raise source.wrong(f"found more than {_MOST:,} lines, expected a table of percentiles", number)
    said = ("values are milliseconds, which the file does not say",)
    return _measured(source, "HdrHistogram percentiles", "", pairs, said, mean, count)


def recognises_table(source: Source) -> bool:
    """A header with a column of percentiles and one of values, and rows of both."""
    columns = _columns(cells_of(source.first_line))
    return (
        columns is not None
        and len(source.lines_of_head) > 1
        and _share_of(cell_of(cells_of(source.lines_of_head[1]), columns[0])) is not None
    )


def read_table(source: Source) -> Measured:
    """Percentiles as 99, p99, 99% or 0.99; values with their unit, or in that of the header, else seconds."""
    table = Table(source)
    columns = _columns(table.header)
    if columns is None:
        raise source.wrong("found no header with a percentile and a value", 1)
    share_at, value_at, unit = columns
    pairs = []
    for number, row in table.rows():
        try:
            share = _share_of(cell_of(row, share_at))
            if share is None:
                raise UnreadableRowError(
                    f"found {cell_of(row, share_at)[:40]!r}, expected a percentile such as 99 or p99"
                )
            pairs.append((_value(cell_of(row, value_at), unit), share))
        except UnreadableRowError as error:
            raise source.wrong(str(error), number) from None
        if len(pairs) > _MOST:
            raise source.wrong(f"found more than {_MOST:,} rows, expected a table of percentiles", number)
    if pairs and max(share for _, share in pairs) > 1:  # percentiles, not shares
        pairs = [(value, share / 100) for value, share in pairs]
    return _measured(source, "table of quantiles", "", pairs, (f"values are {unit or 's'} where they say no unit",))


def _columns(header: Sequence[str]) -> tuple[int, int, str] | None:
    """Where the percentile stands, where the value, and its unit."""
    names = [name.strip().lower() for name in header]
    share = next((names.index(name) for name in _SHARES if name in names), None)
    if share is None or len(names) > 10:
        return None
    for place, name in enumerate(names):
        found = _UNIT.search(name)
        plain = _UNIT.sub("", name)
        if place != share and (plain in _VALUES or (found and not plain)):
            return share, place, {"seconds": "s"}.get(found[1], found[1]) if found else ""
    return None


def _share_of(text: str) -> float | None:
    found = _PERCENTILE.fullmatch(text.strip().lower())
    return float(found[1]) if found else None


def _value(text: str, unit: str) -> float:
    if decimal(text) is not None:
        return seconds_of(text, unit or "s")
    try:
        return duration(text)
    except ValueError as error:
        raise UnreadableRowError(str(error)) from None


def _measured(
    source: Source,
    kind: str,
    route: str,
    pairs: Sequence[tuple[float, float]],
    said: tuple[str, ...],
    mean: float = math.nan,
    count: int = 0,
) -> Measured:
    table = sorted({pair for pair in pairs if 0 <= pair[1] <= 1}, key=lambda pair: (pair[1], pair[0]))
    if not table:
        raise source.wrong("found no rows, expected percentiles between 0 and 100", 1)
    values, shares = np.array([value for value, _ in table]), np.array([share for _, share in table])
    if np.any(values[1:] < values[:-1]):
        raise source.wrong("found a percentile below a smaller one, expected values that grow", 1)
    its = Distribution(route, count, values, shares, mean=mean)
    lacks = ("single requests", "how many requests came", "how requests ended")
    return Measured(kind, source.file, None, (its,), understood=said, missing=lacks)
