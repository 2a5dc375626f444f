"""Times as recorded files write them: seconds, milli-, micro- or nanoseconds, from a start or since 1970, and ISO 8601
dates.

The unit of plain numbers is told from their size: as times since 1970 they lie between 1990 and 2100 in one unit only,
and anything up to ten years is seconds from a start. A moment is a Decimal of nanoseconds, exact to the last digit
written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

from sim.units import LONGEST

# seconds from a start; dates without a zone; dates with one, and numbers since 1970
Clock = Literal["start", "local", "utc"]
NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_OTHER_UNITS = {"m": 60 * 10**9, "h": 3600 * 10**9}  # only where they are said
_YEARS = (1990, 2100)
_FIRST, _LAST = (
    Decimal((date(year, 1, 1).toordinal() - date(1970, 1, 1).toordinal()) * 86400 * 10**9) for year in _YEARS
)
_LONGEST = Decimal(int(LONGEST)) * 10**9
_WHEN = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,30}))?)?)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?"
)
EXPECTED = "seconds or a time such as 2023-11-16 18:17:03.97996"


class NoMomentError(Exception):
    """The row (by its place in the column) that is no time, or no plausible one, and what was expected instead."""

    def __init__(self, index: int, expected: str) -> None:
        super().__init__(expected)
        self.index, self.expected = index, expected


@dataclass(frozen=True)
class Moments:
    """A column of times: nanoseconds in the order of the file, the clock they are of, and the unit in which plain
    numbers were taken.
    """

    values: list[Decimal]
    clock: Clock
    unit: str  # empty for dates


def moments_of(texts: Sequence[str], unit: str | None) -> Moments:
    """The times in a column, all of one kind; `unit` is that of plain numbers, told from the first of them
    where None.
    """
    first = decimal(texts[0])
    if first is None:
        return _dates(texts)
    known = unit if unit is not None else _unit_of(first)
    if known is None:
        raise NoMomentError(
            0,
            f"seconds from a start or a time since 1970 in s, ms, us or ns, between {_YEARS[0]} and {_YEARS[1]}; say "
            "its `unit`",
        )
    scale = (NANOSECONDS | _OTHER_UNITS)[known]
    clock = _clock_of(first * scale)
    values = []
    for index, text in enumerate(texts):
        number = decimal(text)
        if number is None:
            raise NoMomentError(index, EXPECTED if _date(text) is None else f"a number like those before: {texts[0]}")
        value = number * scale
        if clock is None or _clock_of(value) != clock:
            raise NoMomentError(index, _plausible(number, known, clock, texts[0] if index else None))
        values.append(value)
    assert clock is not None
    return Moments(values, clock, known)


def is_moment(text: str, absolute: bool = False) -> bool:
    """Whether this is a number or a date; with `absolute`, a date or a number that counts from 1970."""
    number = decimal(text)
    if number is None:
        return _WHEN.fullmatch(text) is not None
    unit = _unit_of(number)
    return not absolute or (unit is not None and _clock_of(number * NANOSECONDS[unit]) == "utc")


def decimal(text: str) -> Decimal | None:
    """A finite number of bearable size, exactly."""
    if len(text) > 40:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 30 else None


def show_moment(nanoseconds: int) -> str:
    """`2023-11-16 18:17:03`, of nanoseconds since 1970."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=nanoseconds // 10**9)).strftime("%Y-%m-%d %H:%M:%S")


def _unit_of(number: Decimal) -> str | None:
    """The unit in which a number is a plausible time."""
    return next(
        (unit for unit, scale in NANOSECONDS.items() if _FIRST <= number * scale < _LAST),
        "s" if 0 <= number * 10**9 <= _LONGEST else None,
    )


def _clock_of(value: Decimal) -> Clock | None:
    """From a start, or since 1970; None where neither is plausible."""
    if _FIRST <= value < _LAST:
        return "utc"
    return "start" if 0 <= value <= _LONGEST else None


def _plausible(number: Decimal, unit: str, clock: Clock | None, example: str | None) -> str:
    """What was expected of a number that is no plausible time in this unit, or of another clock than the first."""
    other = _unit_of(number)
    hint = (
        f"; in {other} it would be {show_moment(int(number * NANOSECONDS[other]))}"
        if other not in (None, unit) and is_moment(str(number), True)
        else ""
    )
    if number < 0:
        return f"a time of 0 {unit} or more"
    if example is not None and clock is not None:
        return f"a time of the same kind as the first, {example} {unit}{hint}"
    return f"a time in {unit} between {_YEARS[0]} and {_YEARS[1]}, or at most ten years from a start{hint}"


def _dates(texts: Sequence[str]) -> Moments:
    zoned: bool | None = None
    values = []
    for index, text in enumerate(texts):
        found = _date(text)
        if found is None:
            raise NoMomentError(
                index, f"a date like those before: {texts[0]}" if index and decimal(text) is not None else EXPECTED
            )
        value, has_zone = found
        if not _FIRST <= value < _LAST:
            raise NoMomentError(index, f"a time between {_YEARS[0]} and {_YEARS[1]}")
        if zoned is None:
            zoned = has_zone
        if has_zone != zoned:
            raise NoMomentError(index, f"a time {'with' if zoned else 'without'} a zone, like the first: {texts[0]}")
        values.append(value)
    return Moments(values, "utc" if zoned else "local", "")


def _date(text: str) -> tuple[Decimal, bool] | None:
    """Nanoseconds since 1970, and whether a zone was written; a time without one is taken as it stands."""
    match = _WHEN.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = (int(match[group] or 0) for group in (4, 5, 6))
    days = _days(match[1], match[2], match[3])
    if days is None or hour > 23 or minute > 59 or second > 60:
        return None
    whole = days * 86400 + hour * 3600 + minute * 60 + second - _offset(match[8])
    return Decimal(whole * 10**9) + Decimal(f"0.{match[7] or 0}") * 10**9, match[8] is not None


@lru_cache(maxsize=1000)
def _days(year: str, month: str, day: str) -> int | None:
    try:
        return date(int(year), int(month), int(day)).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        return None


def _offset(zone: str | None) -> int:
    """Seconds east of Greenwich."""
    if zone in (None, "Z", "UTC"):
        return 0
    assert zone is not None
    hours, minutes = int(zone[1:3]), int(zone[3:].replace(":", "") or 0)
    return int(f"{zone[0]}1") * (hours * 3600 + minutes * 60)
