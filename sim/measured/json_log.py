"""Access logs of JSON lines: the keys that nginx, Envoy, Traefik, Caddy and loggers use, in one level or two.

The unit of a duration is told from its key (`duration_ms`), or is that of the program that uses the key:
`request_time` of nginx is seconds, `duration` of Envoy and `elapsed` milliseconds, `Duration` of Traefik nanoseconds,
Caddy's is seconds as a float.
"""

from __future__ import annotations

import math
import re
from typing import Any

from sim.measured.measurement import Measured
from sim.measured.moment import UnreadableRowError, is_dated, of_common, of_iso, of_number, seconds_of
from sim.measured.outcomes import outcome_of
from sim.measured.rows import Rows, route_of
from sim.measured.source import Source, object_of
from sim.units import duration as duration_with_unit

_TIMES = (
    "start_time",
    "StartUTC",
    "time_iso8601",
    "@timestamp",
    "timestamp",
    "time",
    "ts",
    "time_local",
    "msec",
    "date",
    "datetime",
)
_DURATIONS = (
    *("duration_ms", "latency_ms", "response_time_ms", "elapsed_ms", "request_time_ms", "durationMs", "latencyMs"),
    *("duration_us", "latency_us", "duration_ns", "latency_ns", "duration_s", "latency_s", "duration_seconds"),
    *("latency_seconds", "request_time", "response_time", "responseTime", "Duration", "duration", "latency"),
    *("elapsed", "took"),
)
_STATUSES = ("status", "status_code", "statusCode", "response_code", "DownstreamStatus", "code", "http_status")
_METHODS = ("method", "request_method", "RequestMethod", "http_method")
_PATHS = ("route", "path", "uri", "request_uri", "url", "RequestPath", "endpoint", "request")
_USERS = ("user", "user_id", "userId", "remote_user", "client_ip", "remote_addr", "ClientHost", "remote_ip")
# times that are of the beginning of a request; all others of the line, when it had ended
_STARTS = (
    "start_time",
    "StartUTC",
)
_UNIT = re.compile(r"(?:_|(?<=[a-z]))(ns|us|ms|s|seconds|Ms)$")
_OF_KEY = {
    "request_time": "s",
    "response_time": "s",
    "Duration": "ns",
    "elapsed": "ms",
    "responseTime": "ms",
    "took": "ms",
}
_REQUEST = re.compile(r"([A-Z]{1,20}) (\S+)(?: HTTP/[\d.]+)?")


def recognises(source: Source) -> bool:
    """A line of JSON with a time and either a status or a duration."""
    first = source.first_object()
    if first is None:
        return False
    line = _flat(first)
    return _key(line, _TIMES) is not None and (_key(line, _STATUSES) is not None or _key(line, _DURATIONS) is not None)


def read(source: Source) -> Measured:
    """The requests: keys are those of the first line that has them."""
    rows, keys = Rows(source), _Keys()
    for number, line in source.lines():
        if not line.strip():
            continue
        try:
            found = object_of(line.strip())
            if found is None:
                raise UnreadableRowError("found no object of JSON")
            keys.add(rows, _flat(found))
        except UnreadableRowError as error:
            rows.pass_over(number, str(error))
    return rows.measured("access log of JSON lines", keys.said(), (), ends=keys.ends, resolution=keys.resolution)


class _Keys:
    """Which keys say what in this log."""

    def __init__(self) -> None:
        self._time = self._duration = self._unit = ""
        self._coarse = True  # no time so far has a fraction of a second

    @property
    def ends(self) -> bool:
        """Whether the times are those of the answers."""
        return self._time not in _STARTS

    @property
    def resolution(self) -> float:
        """Of the times, in seconds."""
        return 1.0 if self._coarse else 0.0

    def said(self) -> tuple[str, ...]:
        """What was understood."""
        when = "when a request had ended" if self.ends else "when a request came"
        said = [f"'{self._time}' is {when}"]
        return (
            (*said, f"'{self._duration}' is a duration in {self._unit or 'the unit that stands there'}")
            if self._duration
            else tuple(said)
        )

    def add(self, rows: Rows, line: dict[str, Any]) -> None:
        """A line of the log. What is no request (a line of the program itself) is an UnreadableRowError."""
        self._time = self._time or _key(line, _TIMES) or ""
        self._duration = self._duration or _key(line, _DURATIONS) or ""
        if not self._unit and self._duration in line:
            self._unit = _unit(self._duration, line[self._duration])
        if self._time not in line:
            raise UnreadableRowError(f"found no '{self._time or 'time'}'")
        code = str(line.get(_key(line, _STATUSES) or "", ""))
        status = int(code) if code.isdigit() and len(code) < 5 else 0
        if not code and self._duration not in line:
            raise UnreadableRowError("found neither a status nor a duration")
        user = str(line.get(_key(line, _USERS) or "", ""))
        outcome = outcome_of(status if code else 200)
        rows.add(
            _moment(line[self._time]), self._seconds(line), _route(line), status, outcome, user if user != "-" else ""
        )

    def _seconds(self, line: dict[str, Any]) -> float:
        value = line.get(self._duration)
        if value is None or value in ("", "-"):
            return math.nan
        if self._unit:
            return seconds_of(str(value), self._unit)
        try:
            return duration_with_unit(str(value))
        except ValueError:
            raise UnreadableRowError(f"found {str(value)[:40]!r}, expected a duration") from None


def _unit(key: str, value: object) -> str:
    """The unit of plain numbers under a key; empty where the values say theirs."""
    if isinstance(value, str) and not re.fullmatch(r"[\d.eE+-]+", value):
        return ""
    found = _UNIT.search(key)
    if found:
        return {"seconds": "s", "Ms": "ms"}.get(found[1], found[1])
    known = _OF_KEY.get(key)
    if known:
        return known
    return "s" if isinstance(value, float) and value < 10 else "ms"


def _moment(value: object) -> int:
    text = str(value)
    if isinstance(value, (int, float)) or re.fullmatch(r"\d+(\.\d+)?", text):
        moment = of_number(text)
        if not is_dated(moment):
            raise UnreadableRowError(f"found the time {text[:40]!r}, expected one since 1970")
        return moment
    return of_common(text) if "/" in text[:7] else of_iso(text)


def _route(line: dict[str, Any]) -> str:
    path = str(line.get(_key(line, _PATHS) or "", ""))
    method = str(line.get(_key(line, _METHODS) or "", ""))
    asked = _REQUEST.fullmatch(path)
    if asked:
        return route_of(asked[1], asked[2])
    return route_of(method, path) if path else ""


def _key(line: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in line and not isinstance(line[name], (dict, list, bool))), None)


def _flat(line: dict[str, Any]) -> dict[str, Any]:
    """The line with the keys of its maps beside its own (`request: {method, uri}` of Caddy)."""
    inner = {key: value for part in line.values() if isinstance(part, dict) for key, value in part.items()}
    return {**inner, **line}
