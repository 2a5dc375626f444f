"""Series over time: the answer of a range query of Prometheus (JSON), and CSV with a column of times (`time,rps`).

A matrix whose series carry `le` is a histogram: its buckets, summed over the range, are a distribution in seconds
(the base unit of Prometheus). Source: "HTTP API" and "Histograms and summaries" in the documentation of Prometheus.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sim import files
from sim.measured.measurement import Distribution, Measured, Series
from sim.measured.moment import UnreadableRowError, is_dated, of_iso, of_number
from sim.measured.source import Source
from sim.measured.table import Table, cell_of, cells_of
from sim.spec.moments import decimal, is_moment

_LARGEST = 64 * 2**20  # bytes of an answer
_MEMORY = 2**30  # bytes that its values may take
_MOST = 5_000_000  # rows
_TIMES = ("time", "timestamp", "date", "datetime", "ts", "period")


def recognises(source: Source) -> bool:
    """The envelope of an answer."""
    head = source.head.replace(" ", "").replace("\n", "")
    return head.startswith("{") and (
        '"resultType":"' in head[:400] or ('"status":"success"' in head[:200] and '"data":' in head[:400])
    )


def read(source: Source) -> Measured:
    """A series for each of the matrix, or the distributions that they are the buckets of."""
    try:
        answer = files.json_of(source.whole(_LARGEST), _MEMORY)
    except ValueError as error:
        raise source.wrong(f"is no JSON: {error}") from None
    data = answer.get("data") if isinstance(answer, dict) else None
    kind = data.get("resultType") if isinstance(data, dict) else None
    if not isinstance(data, dict) or kind != "matrix" or not isinstance(data.get("result"), list):
        raise source.wrong(
            f"found a result of the type {str(kind)[:40]!r}, expected matrix: what query_range answers",
            1,
        )
    found = [_series(source, one) for one in data["result"]]
    if not found:
        raise source.wrong("found a matrix without series, expected at least one", 1)
    zero = min(int(times[0]) for _, times, _ in found)
    if all("le" in labels for labels, _, _ in found):
        table = _buckets(found)
        said = ("series with `le` are the buckets of histograms, in seconds",)
        return Measured("Prometheus histogram", source.file, None, table, (), zero, said, ("single requests",))
    series = tuple(Series(_name(labels), (times - zero) / 1e9, values) for labels, times, values in found)
    said = (f"{len(series)} series, one value every {_step(series[0]):.6g} s",)
    return Measured(
        "Prometheus range query",
        source.file,
        None,
        (),
        series,
        zero,
        said,
        ("single requests", "the unit of its values"),
    )


def _series(source: Source, one: object) -> tuple[dict[str, str], Any, Any]:
    """Labels, nanoseconds, values."""
    pairs = one.get("values") if isinstance(one, dict) else None
    labels = one.get("metric") if isinstance(one, dict) else None
    if not isinstance(pairs, list) or not pairs or not isinstance(labels, dict):
        raise source.wrong("found a series without values and labels", 1)
    times, values = [], []
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2:
            raise source.wrong("found a value that is no pair of a time and a number", 1)
        try:
            times.append(of_number(str(pair[0]), "s"))
        except UnreadableRowError as error:
            raise source.wrong(str(error), 1) from None
        number = decimal(str(pair[1]))
        values.append(math.nan if number is None else float(number))
    return {str(key): str(value) for key, value in labels.items()}, np.array(times, dtype=np.int64), np.array(values)


def _name(labels: dict[str, str]) -> str:
    rest = ", ".join(f"{key}={value}" for key, value in sorted(labels.items()) if key != "__name__")
    return f"{labels.get('__name__', '')}{{{rest}}}"[:200] if rest else labels.get("__name__", "value")[:200]


def _step(series: Series) -> float:
    return float(np.median(np.diff(series.times))) if series.times.size > 1 else math.nan


def _buckets(found: list[tuple[dict[str, str], Any, Any]]) -> tuple[Distribution, ...]:
    """One distribution for each set of other labels."""
    groups: dict[str, list[tuple[float, float]]] = {}
    for labels, _, values in found:
        edge = decimal(labels["le"])
        rest = {key: value for key, value in labels.items() if key not in ("le", "__name__")}
        upper = math.inf if edge is None else float(edge)
        groups.setdefault(_name(rest) if rest else "", []).append((upper, float(np.nansum(values))))
    answer = []
    for name, pairs in groups.items():
        edges, sums = (np.array(column) for column in zip(*sorted(pairs), strict=True))
        if not sums[-1] > 0:
            continue
        shares, finite = np.minimum(sums / sums[-1], 1.0), np.isfinite(edges)
        answer.append(Distribution(name, 0, edges[finite], np.maximum.accumulate(shares[finite])))
    return tuple(answer)


def recognises_csv(source: Source) -> bool:
    """A column of times and one of numbers."""
    header = [name.strip().lower() for name in cells_of(source.first_line)]
    if len(header) < 2 or header[0] not in _TIMES or len(source.lines_of_head) < 3:
        return False
    row = cells_of(source.lines_of_head[1])
    return len(row) >= 2 and is_moment(row[0].strip()) and any(decimal(cell.strip()) is not None for cell in row[1:])


def read_csv(source: Source) -> Measured:
    """A series for each column of numbers."""
    table = Table(source)
    times: list[int] = []
    columns: list[list[float]] = [[] for _ in table.header[1:]]
    for number, row in table.rows():
        try:
            text = cell_of(row, 0)
            times.append(of_number(text) if decimal(text) is not None else of_iso(text))
        except UnreadableRowError as error:
            raise source.wrong(str(error), number) from None
        for place, column in enumerate(columns, 1):
            amount = decimal(cell_of(row, place))
            column.append(math.nan if amount is None else float(amount))
        if len(times) > _MOST:
            raise source.wrong(f"found more than {_MOST:,} rows, expected at most that many", number)
    if not times:
        raise source.wrong("found no rows, expected a value for each time", 1)
    order = np.argsort(np.array(times), kind="stable")
    when, zero = np.array(times)[order], min(times)
    named = zip(table.header[1:], columns, strict=True)
    series = tuple(
        Series(name[:200], (when - zero) / 1e9, np.array(column)[order])
        for name, column in named
        if not np.isnan(column).all()
    )
    if not series:
        raise source.wrong("found no column of numbers beside the times", 1)
    began = zero if is_dated(zero) else None
    return Measured(
        "CSV of series", source.file, None, (), series, began, (), ("single requests", "the unit of its values")
    )
