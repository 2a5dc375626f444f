"""Results of k6: lines of JSON (`--out json=`) and CSV (`--out csv=`).

A row of `http_req_duration` is a request. Its time is when the request had ended, its value milliseconds of sending,
waiting and receiving, without the making of a connection. Source: the pages "JSON" and "CSV" of the results output in
the documentation of k6. `error_code` 1050 is a request timeout, 12xx failures to reach the host, 1400 to 1599 answers
with these codes.
"""

from __future__ import annotations

import json
from typing import Any

from sim.measured.measurement import Measured
from sim.measured.moment import UnreadableRowError, of_iso, of_number, seconds_of, unit_of
from sim.measured.outcomes import outcome_of
from sim.measured.rows import Rows, route_of
from sim.measured.source import Source, object_of
from sim.measured.table import Table
from sim.vocabulary import Outcome

_DURATION = "http_req_duration"
_REQUEST_TIMEOUT = "1050"
_UNDERSTOOD = (
    "a request is a row of http_req_duration: milliseconds, told at its end, without the making of connections",
)
_MISSING = ("when a request was meant to be sent, where k6 was late with it (dropped iterations)",)


def recognises_json(source: Source) -> bool:
    """Lines that say `type` and `metric`, as no other tool does."""
    first = source.first_object()
    return first is not None and first.get("type") in ("Metric", "Point") and "metric" in first


def read_json(source: Source) -> Measured:
    """Of lines of JSON."""
    rows = Rows(source)
    for number, line in source.lines():
        if f'"{_DURATION}"' not in line or '"Point"' not in line:  # most lines are of other metrics: not parsed
            if line.strip() and not line.startswith("{"):
                rows.pass_over(number, "found no object of JSON")
            continue
        try:
            _add(rows, object_of(line.strip()))
        except UnreadableRowError as error:
            rows.pass_over(number, str(error))
    return rows.measured("k6 JSON", _UNDERSTOOD, _MISSING, ends=True)


def _add(rows: Rows, line: dict[str, Any] | None) -> None:
    if line is None:
        raise UnreadableRowError("found no object of JSON")
    data = line.get("data")
    if line.get("metric") != _DURATION or not isinstance(data, dict):
        return
    tags = data.get("tags")
    tags = tags if isinstance(tags, dict) else {}
    value, time = data.get("value"), data.get("time")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isinstance(time, str):
        raise UnreadableRowError("found a point without a time and a number")
    _add_request(rows, of_iso(time), seconds_of(json.dumps(value), "ms"), {key: str(tag) for key, tag in tags.items()})


def _add_request(rows: Rows, time: int, duration: float, tags: dict[str, str]) -> None:
    status = int(tags["status"]) if tags.get("status", "").isdigit() and len(tags["status"]) < 6 else 0
    outcome = Outcome.TIMEOUT if tags.get("error_code") == _REQUEST_TIMEOUT else outcome_of(status)
    name, method = tags.get("name", ""), tags.get("method", "")
    named = bool(name) and "://" not in name and name != tags.get("url")  # a name that the script gave
    route = name if named else route_of(method, tags.get("url") or name) if name or tags.get("url") else ""
    rows.add(time, duration, route, status, outcome)


def recognises_csv(source: Source) -> bool:
    """The header with its three first columns."""
    return source.first_line.startswith("metric_name,timestamp,metric_value")


def read_csv(source: Source) -> Measured:
    """Of CSV, whose times are whole seconds since 1970 unless `K6_CSV_TIME_FORMAT` said otherwise."""
    rows = Rows(source)
    table = Table(source)
    unit = ""
    for number, row in table.rows():
        if row[0] != _DURATION:
            continue
        try:
            if len(row) < 3:
                raise UnreadableRowError("found a row of fewer than three columns")
            unit = unit or ("date" if "-" in row[1] else unit_of(row[1]))
            time = of_iso(row[1]) if unit == "date" else of_number(row[1], unit)
            _add_request(rows, time, seconds_of(row[2], "ms"), dict(zip(table.header[3:], row[3:], strict=False)))
        except UnreadableRowError as error:
            rows.pass_over(number, str(error))
    return rows.measured("k6 CSV", _UNDERSTOOD, _MISSING, ends=True, resolution=1.0 if unit == "s" else 0.0)
