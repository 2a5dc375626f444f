"""Times in lines of logs, millions of them: nanoseconds since 1970 or from a start, exact, and quickly."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

from sim.spec.moments import NANOSECONDS, decimal, moments_of

_SECOND = 10**9
_FARTHEST = 2**62  # ns since 1970
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_COMMON = re.compile(r"(\d{2})/([A-Z][a-z]{2})/(\d{4}):(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))? ([+-])(\d{2})(\d{2})")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9})\d*)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?")


class UnreadableRowError(Exception):
    """A line that is no record of its kind: what is wrong with it."""


def of_iso(text: str) -> int:
    """Of `2017-05-09T14:34:45.239531499+02:00`; without a zone it is taken as it stands."""
    found = _ISO.fullmatch(text)
    if found is None:
        raise UnreadableRowError(f"found the time {text[:40]!r}, expected one such as 2017-05-09T14:34:45.239+02:00")
    return _iso_second(found[1], found[3] or "Z") * _SECOND + int((found[2] or "0").ljust(9, "0"))


def of_common(text: str) -> int:
    """Of `10/Oct/2000:13:55:36 -0700`, as the common log format has it."""
    found = _COMMON.fullmatch(text)
    if found is None:
        raise UnreadableRowError(f"found the time {text[:40]!r}, expected one such as 10/Oct/2000:13:55:36 -0700")
    return _common_second(found.group(1, 2, 3, 4, 5, 6), found[8] + found[9] + found[10]) * _SECOND + int(
        (found[7] or "0").ljust(9, "0")
    )


def of_number(number: float | int | str, unit: str | None = None) -> int:
    """Of a number in a unit; without one it is told from its size (`sim.spec.moments`)."""
    text = str(number)
    if unit is None:
        unit = unit_of(text)
    exact = decimal(text)
    if exact is None:
        raise UnreadableRowError(f"found {text[:40]!r}, expected a time")
    moment = int((exact * NANOSECONDS[unit]).to_integral_value())
    if not -_FARTHEST < moment < _FARTHEST:
        raise UnreadableRowError(f"found {text[:40]!r}, expected a time before the year 2116")
    return moment


def unit_of(text: str) -> str:
    """The unit in which a number is a plausible time."""
    try:
        return moments_of([text], None).unit or "s"
    except Exception as error:  # of several kinds, all of which say that it is no time
        raise UnreadableRowError(f"found {text[:40]!r}, expected a time") from error


def is_dated(nanoseconds: int) -> bool:
    """Whether this counts since 1970 rather than from a start: it lies after 1990."""
    return nanoseconds > 631_152_000 * _SECOND


def seconds_of(number: float | str, unit: str) -> float:
    """`number` of a unit in seconds; UnreadableRowError where it is none."""
    exact = decimal(str(number).strip())
    if exact is None:
        raise UnreadableRowError(f"found {str(number)[:40]!r}, expected a number of {unit}")
    return float(exact * Decimal(NANOSECONDS[unit]) / _SECOND)


@lru_cache(maxsize=4096)
def _iso_second(text: str, zone: str) -> int:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise UnreadableRowError(f"found the time {text[:40]!r}, expected a date that exists") from None
    if zone in ("Z", "UTC"):
        return int(moment.timestamp())
    return int(moment.timestamp()) - _offset(zone.replace(":", ""))


@lru_cache(maxsize=4096)
def _common_second(parts: tuple[str, ...], zone: str) -> int:
    day, month, year, hour, minute, second = parts
    try:
        moment = datetime(
            int(year),
            _MONTHS[month],
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59),
            tzinfo=timezone(timedelta()),
        )
    except (KeyError, ValueError):
        raise UnreadableRowError(f"found the day {day}/{month}/{year}, expected a date that exists") from None
    return int(moment.timestamp()) - _offset(zone)


def _offset(zone: str) -> int:
    """Seconds east of Greenwich."""
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[3:5]) * 60)
