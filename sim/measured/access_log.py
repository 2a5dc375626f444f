"""Access logs in lines of text: the common and combined formats with what people put behind them, and Envoy's.

nginx logs a request when it has been answered; `$request_time` is seconds with three decimals, from its first byte.
Apache's `%t` is when the request came; `%D` is microseconds, `%T` whole seconds. Envoy's START_TIME is when it came,
DURATION milliseconds. A response flag of Envoy says why there was no answer of the upstream. Sources: the
documentation of ngx_http_log_module, of Apache's mod_log_config, and of Envoy's access logging.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from sim.measured.measurement import Measured
from sim.measured.moment import UnreadableRowError, of_common, of_iso, seconds_of
from sim.measured.outcomes import outcome_of
from sim.measured.rows import Rows, route_of
from sim.measured.source import Source
from sim.units import NUMBER
from sim.vocabulary import Outcome

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_COMMON = re.compile(
    rf"(\S+) \S+ (.{{0,200}}?) \[([^\]]{{1,60}})\] {_QUOTED} (\d{{3}}|-) (?:\d+|-)(?: {_QUOTED} {_QUOTED})?(.*)"
)
_NAMED = re.compile(rf'(?:^|[\s,])(?:rt|request_time|reqtime|duration)[=:]"?({NUMBER})')
_FIRST = re.compile(rf'"?({NUMBER})"?(?=[\s,"]|$)')
_REQUEST = re.compile(r"([A-Z]{1,20}) (\S+)(?: HTTP/[\d.]+)?")
_ENVOY = re.compile(rf"\[(\d{{4}}-[^\]]{{1,40}})\] {_QUOTED} (\d+) (\S+) (.*)")
_ENVOY_REST = re.compile(r'(?:(?:\S+ )?\S+ "[^"]*" )?(\d+) (\d+) (\d+) (\d+|-) .*')
_FLAGS = {
    "UT": Outcome.TIMEOUT,
    "DC": Outcome.TIMEOUT,  # the client would wait no longer
    "DT": Outcome.TIMEOUT,
    "RL": Outcome.RATE_LIMITED,
    "UO": Outcome.SHED,  # a circuit breaker of Envoy: too many connections or requests
    "OM": Outcome.SHED,
    "UF": Outcome.UNREACHABLE,
    "UH": Outcome.UNREACHABLE,
    "NC": Outcome.UNREACHABLE,
    "UAEX": Outcome.UNAUTHORIZED,
}


def recognises(source: Source) -> bool:
    """A line in the common or the combined format."""
    return any(_COMMON.fullmatch(line) for line in source.lines_of_head[:5])


def read(source: Source) -> Measured:
    """The requests; their durations where the lines end with one."""
    rows, habit = Rows(source), _Habit(source.lines_of_head)
    for number, line in source.lines():
        if not line.strip():
            continue
        try:
            _add(rows, _COMMON.fullmatch(line.strip()), habit)
        except UnreadableRowError as error:
            rows.pass_over(number, str(error))
    known = ("each address is a user",)
    return rows.measured(habit.kind, (habit.said, *known), (), ends=habit.ends, resolution=habit.resolution)


def _add(rows: Rows, found: re.Match[str] | None, habit: _Habit) -> None:
    if found is None:
        raise UnreadableRowError("found a line that is not in the common or the combined format")
    address, user, time, request, code = found.group(1, 2, 3, 4, 5)
    asked = _REQUEST.fullmatch(request)
    status = int(code) if code != "-" else 0
    route = route_of(asked[1], asked[2]) if asked else ""
    duration = habit.duration(found[8])
    rows.add(of_common(time), duration, route, status, outcome_of(status), user if user != "-" else address)


class _Habit:
    """What the lines of one log have behind the format that all logs share, told from the first of them."""

    def __init__(self, lines: Sequence[str]) -> None:
        rests = [found[8] for line in lines if (found := _COMMON.fullmatch(line))]
        self._pattern = _NAMED if any(_NAMED.search(rest) for rest in rests) else _FIRST
        texts = [found[1] for rest in rests if (found := self._pattern.search(rest))]
        precise = any(re.search(r":\d{2}\.\d+ [+-]\d{4}\]", line) for line in lines)
        self.resolution = 0.0 if precise else 1.0
        self.ends, self.unit = False, ""
        self.kind, self.said = "access log", "the lines end with no duration"
        if not texts:
            return
        if any("." in text for text in texts):
            self.unit, self.ends = "s", True
            self.kind, self.said = (
                "access log of nginx",
                "durations are seconds, lines were written at the end of a request",
            )
        elif max(map(float, texts)) > 120:
            self.unit = "us"
            self.kind, self.said = (
                "access log of Apache",
                "durations are microseconds (%D), times are when a request came",
            )
        else:
            self.unit = "s"
            self.kind, self.said = (
                "access log of Apache",
                "durations are whole seconds (%T), times are when a request came",
            )

    def duration(self, rest: str) -> float:
        """Seconds; nan where the line says none."""
        found = self._pattern.search(rest) if self.unit else None
        return seconds_of(found[1], self.unit) if found else math.nan


def recognises_envoy(source: Source) -> bool:
    """A line in the default format of Envoy or of Istio."""
    return any(_ENVOY.fullmatch(line) for line in source.lines_of_head[:5])


def read_envoy(source: Source) -> Measured:
    """The requests."""
    rows = Rows(source)
    for number, line in source.lines():
        if not line.startswith("["):  # what Envoy itself logs stands among them
            continue
        try:
            _add_envoy(rows, _ENVOY.fullmatch(line.strip()))
        except UnreadableRowError as error:
            rows.pass_over(number, str(error))
    said = ("durations are milliseconds, times are when a request came",)
    return rows.measured("access log of Envoy", said, ())


def _add_envoy(rows: Rows, found: re.Match[str] | None) -> None:
    rest = _ENVOY_REST.fullmatch(found[5]) if found else None
    if found is None or rest is None:
        raise UnreadableRowError("found a line that is not in the default format of Envoy or Istio")
    asked = _REQUEST.fullmatch(found[2])
    status = int(found[3]) if len(found[3]) < 5 else 0
    flags = [_FLAGS[flag] for flag in found[4].split(",") if flag in _FLAGS]
    route = route_of(asked[1], asked[2]) if asked else ""
    rows.add(of_iso(found[1]), seconds_of(rest[3], "ms"), route, status, flags[0] if flags else outcome_of(status))
