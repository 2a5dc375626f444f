"""Results of vegeta: `encode` to JSON and CSV, and its report as text and JSON.

Latencies are nanoseconds from when the request was sent; `timestamp` is that moment. Columns of the CSV, which has no
header: Unix time in nanoseconds, code, latency, bytes out, bytes in, error, body, name, number, method, URL, headers.
Source: the README of tsenart/vegeta.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from sim import files
from sim.measured.measurement import Distribution, Measured
from sim.measured.moment import UnreadableRowError, of_iso, of_number, seconds_of
from sim.measured.outcomes import outcome_of, outcome_of_error
from sim.measured.rows import Rows, route_of
from sim.measured.source import Source, object_of
from sim.measured.table import Table, cell_of, cells_of
from sim.units import NUMBER, seconds
from sim.vocabulary import Outcome

_UNDERSTOOD = ("a request is a result: nanoseconds, from when it was sent",)
_NAMES = (
    "timestamp",
    "code",
    "latency",
    "bytes_out",
    "bytes_in",
    "error",
    "body",
    "attack",
    "seq",
    "method",
    "url",
    "headers",
)
_REPORTED = {"50th": 0.5, "90th": 0.9, "95th": 0.95, "99th": 0.99, "max": 1.0}
_PART = re.compile(rf"({NUMBER})(ns|µs|us|ms|s|m|h)")
_MOST = 2**20  # bytes of a report


def recognises_results(source: Source) -> bool:
    """Lines of JSON that say what one hit did."""
    first = source.first_object() or {}
    return "latency" in first and "timestamp" in first and "code" in first and "seq" in first


def read_results(source: Source) -> Measured:
    """Of lines of JSON."""
    rows = Rows(source)
    for number, line in source.lines():
        if not line.strip():
            continue
        try:
            hit = object_of(line.strip())
            if hit is None:
                raise UnreadableRowError("found no object of JSON")
            words = {key: str(hit.get(key, "")) for key in ("timestamp", "code", "latency", "error", "method", "url")}
            _add(rows, of_iso(words["timestamp"]), words)
        except UnreadableRowError as error:
            rows.pass_over(number, str(error))
    return rows.measured("vegeta results", _UNDERSTOOD)


def _add(rows: Rows, time: int, hit: Mapping[str, str]) -> None:
    code = hit["code"]
    status = int(code) if code.isdigit() and len(code) < 5 else 0
    outcome = outcome_of(status) if status else outcome_of_error(hit["error"])
    if not status and not hit["error"]:
        outcome = Outcome.UNREACHABLE
    route = route_of(hit["method"], hit["url"]) if hit["url"] else ""
    rows.add(time, seconds_of(hit["latency"], "ns"), route, status, outcome)


def recognises_csv(source: Source) -> bool:
    """A row of numbers of the right size in twelve columns (nine in old versions)."""
    cells = cells_of(source.first_line)
    if len(cells) < 9 or not all(cell.isdigit() for cell in cells[:5]):
        return False
    return len(cells[0]) == 19 and int(cells[1]) < 600


def read_csv(source: Source) -> Measured:
    """Of CSV."""
    rows, table = Rows(source), Table(source, _NAMES)
    for number, row in table.rows():
        try:
            hit = {name: cell_of(row, place) for place, name in enumerate(_NAMES)}
            _add(rows, of_number(hit["timestamp"], "ns"), hit)
        except UnreadableRowError as error:
            rows.pass_over(number, str(error))
    return rows.measured("vegeta CSV", _UNDERSTOOD)


def recognises_report(source: Source) -> bool:
    """The first words of the text, or the map of the JSON."""
    return (
        source.head.startswith("Requests      [total") or '"latencies":{"total"' in source.head.replace(" ", "")[:200]
    )


def read_report(source: Source) -> Measured:
    """One distribution: that of all requests."""
    content = source.whole(_MOST)
    try:
        its = _of_json(content) if content.lstrip().startswith(b"{") else _of_text(content.decode("utf-8", "replace"))
    except (KeyError, TypeError, ValueError, IndexError):
        raise source.wrong(
            "found a report that lacks requests or latencies, expected what vegeta report prints", 1
        ) from None
    lacks = ("single requests; vegeta encode tells them",)
    return Measured(
        "vegeta report",
        source.file,
        None,
        (its,),
        understood=("latency counts from when a request was sent",),
        missing=lacks,
    )


def _of_json(content: bytes) -> Distribution:
    report: dict[str, Any] = files.json_of(content, 64 * _MOST)
    latencies = report["latencies"]
    pairs = sorted((share, float(latencies[name]) / 1e9) for name, share in _REPORTED.items() if name in latencies)
    count = int(report["requests"])
    failures = count - sum(
        int(number) for code, number in report.get("status_codes", {}).items() if 200 <= int(code) < 400
    )
    return _distribution(count, pairs, float(latencies["mean"]) / 1e9, float(report["rate"]), failures)


def _of_text(text: str) -> Distribution:
    """`Requests [total, rate, throughput] 1200, 120.00, 65.87` and its other lines."""
    lines = {line.split("[")[0].strip(): line for line in text.splitlines() if "[" in line}
    requests = re.findall(NUMBER, lines["Requests"].partition("]")[2])
    names = [name.strip() for name in lines["Latencies"].partition("[")[2].partition("]")[0].split(",")]
    times = [_duration(word) for word in lines["Latencies"].partition("]")[2].split(",")]
    known = dict(zip(names, times, strict=True))
    pairs = sorted((float(name) / 100, value) for name, value in known.items() if name.isdigit())
    codes = re.findall(r"(\d+):(\d+)", lines["Status Codes"])
    failures = sum(int(number) for code, number in codes if not 200 <= int(code) < 400)
    return _distribution(int(requests[0]), [*pairs, (1.0, known["max"])], known["mean"], float(requests[1]), failures)


def _distribution(
    count: int, pairs: list[tuple[float, float]], mean: float, rate: float, failures: int
) -> Distribution:
    values = np.maximum.accumulate(np.array([value for _, value in pairs]))
    shares = np.array([share for share, _ in pairs])
    span = count / rate if rate > 0 else math.nan
    return Distribution("", count, values, shares, span, mean, math.nan, float(values[-1]), failures)


def _duration(word: str) -> float:
    """As Go writes it: `1m2.5s`."""
    parts = _PART.findall(word)
    if not parts:
        raise ValueError(word)
    return sum(seconds(number, unit) for number, unit in parts)
