"""Units live at the border: "250ms", "120/s", "64KiB", "20%" <-> plain numbers in seconds, per second, bytes,
shares.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator
from contextvars import ContextVar

_PART_OF_SECOND = {"ns": -9, "us": -6, "µs": -6, "ms": -3}  # powers of ten
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}

NUMBER = r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
TIME_UNIT = "ns|us|µs|ms|min|s|m|h|d"
_DURATION_PART = re.compile(rf"({NUMBER})\s*({TIME_UNIT})")
_PER = re.compile(rf"({NUMBER})\s*/\s*({TIME_UNIT})")
_SIZE = re.compile(rf"({NUMBER})\s*(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)")
_PERCENT = re.compile(rf"({NUMBER})\s*%")
_FACTOR = re.compile(rf"({NUMBER})\s*x")

LONGEST = 10 * 366 * 86400.0  # ten years: anything above is a slip of the pen, and would outlive float precision
_LONGEST_TEXT = 100  # characters; the patterns above are quadratic in the length of what does not match


def duration(value: object) -> float:
    """Seconds of `250ms`, `1.5s`, `2m`, `1h30m`.

    A bare 0 is allowed; any other bare number has no unit and is refused.
    """
    return _length(value, value, "a duration such as 250ms, 1.5s, 2m or 1h30m")


def offset(value: object) -> float:
    """Seconds of a duration that may be negative: `2s`, `-500ms`."""
    expected = "a duration that may be negative, such as 3s or -500ms"
    text = _text(value)
    return -_length(text[1:], value, expected) if text.startswith("-") else _length(value, value, expected)


def _length(text: object, found: object, expected: str) -> float:
    """Seconds of a duration without a sign, which is all of what was found, or what stands behind its sign."""
    if isinstance(text, (int, float)) and not isinstance(text, bool) and text == 0:
        return 0.0
    text = _text(text)
    parts = _DURATION_PART.findall(text)
    if not parts or _DURATION_PART.sub("", text).strip():
        raise ValueError(f"found {shown(found)}, expected {expected}")
    return _within(
        sum(seconds(number, unit) for number, unit in parts), LONGEST, found, "a duration of at most ten years"
    )


def seconds(number: str, unit: str) -> float:
    """`number` of a time unit, in seconds."""
    return _scaled(number, _PART_OF_SECOND[unit]) if unit in _PART_OF_SECOND else float(number) * _SECONDS[unit]


def rate(value: object) -> float:
    """Events per second of `120/s`, `30/m`, `5/h`."""
    match = _PER.fullmatch(_text(value))
    if match is None:
        raise ValueError(f"found {shown(value)}, expected a rate such as 120/s or 30/m")
    return _within(float(match[1]) / seconds("1", match[2]), 1e12, value, "a rate of at most 1e12/s")


def rate_unit(value: object) -> str | None:
    """The time unit that a rate is written in, as a duration: `1m` of `30/m`; None where it is no rate, or per less
    than a second.
    """
    match = _PER.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= _LONGEST_TEXT else None
    return f"1{match[2]}" if match is not None and match[2] in _SECONDS else None


def price(value: object) -> float:
    """Cost per second of `0.10/h`; a currency is the reader's own."""
    match = _PER.fullmatch(_text(value))
    if match is None:
        raise ValueError(f"found {shown(value)}, expected a cost per time such as 0.10/h")
    return _within(float(match[1]) / seconds("1", match[2]), 1e12, value, "a smaller cost")


def size(value: object) -> float:
    """Bytes of `64KiB`, `1MB`."""
    match = _SIZE.fullmatch(_text(value))
    if match is None:
        raise ValueError(f"found {shown(value)}, expected a size such as 64KiB or 1MB")
    return _within(float(match[1]) * _BYTES[match[2]], 1e18, value, "a size of at most 1e18 bytes")


def share(value: object) -> float:
    """A fraction in [0, 1] of `20%` or `0.2`."""
    number = _percent_or_number(value)
    if number is None or not 0 <= number <= 1:
        raise ValueError(f"found {shown(value)}, expected a share such as 20% or 0.2, between 0 and 1")
    return number


def ratio(value: object) -> float:
    """A share that may exceed 1: `20%`, `0.2`, `150%`."""
    number = _percent_or_number(value)
    if number is None:
        raise ValueError(f"found {shown(value)}, expected a ratio such as 20% or 0.2")
    return _within(number, 1000, value, "a ratio between 0 and 1000")


def factor(value: object) -> float:
    """A multiplier of `5x` or `5`."""
    match = _FACTOR.fullmatch(_text(value))
    number = float(match[1]) if match else value
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not abs(number) < 1e300:
        raise ValueError(f"found {shown(value)}, expected a factor such as 5x")
    return _within(float(number), 1e9, value, "a factor between 0 and 1e9")


def shown(value: object) -> str:
    """What was found, as a message shows it: quoted when it is text, and never longer than a line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list, tuple)):
        return (
            f"a {'map' if isinstance(value, dict) else 'list'} of {len(value)}"
            if value
            else f"an empty {'map' if isinstance(value, dict) else 'list'}"
        )
    if isinstance(value, int) and value.bit_length() > 200:
        return "a huge number"  # Python refuses to print more than 4300 digits
    text = repr(value[:80]) if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _scaled(number: str, power: int) -> float:
    """The float nearest to number x 10^power: 99.9% must be 0.999, which 99.9 / 100 is not."""
    return float(number) * 10.0**power if "e" in number.lower() else float(f"{number}e{power}")


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) and len(value) <= _LONGEST_TEXT else ""


def _percent_or_number(value: object) -> float | None:
    match = _PERCENT.fullmatch(_text(value))
    if match:
        return _scaled(match[1], -2)
    return (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300 else None
    )


def _within(number: float, limit: float, value: object, what: str) -> float:
    if not math.isfinite(number) or number < 0 or number > limit:
        raise ValueError(f"found {shown(value)}, expected {what}")
    return number


def show_duration(seconds: float) -> str:
    """`0.0425` -> `42.5ms`; the unit that leaves one to three digits before the point. Infinity prints as `never`."""
    if math.isnan(seconds):
        return "-"
    if math.isinf(seconds):
        return "never"
    if seconds == 0:
        return "0s"
    for unit, length in (("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= length * (2 if unit in "hm" else 1):
            return f"{_digits(seconds / length)}{unit}"
    return f"{_digits(seconds / 1e-9)}ns"


_told_per: ContextVar[str] = ContextVar("told_per", default="s")


@contextlib.contextmanager
def rates_told_per(unit: str) -> Iterator[None]:
    """Within it rates are told in the unit that the reader writes them in: `2.4/m` rather than `0.04/s`."""
    before = _told_per.set(unit)
    try:
        yield
    finally:
        _told_per.reset(before)


def told_per() -> tuple[float, str]:
    """How rates are told: the seconds of the unit, and its name."""
    unit = _told_per.get()
    return seconds("1", unit), unit


def show_rate(per_second: float) -> str:
    """`120.0` -> `120/s`, or per whatever they are told in (`rates_told_per`)."""
    length, unit = told_per()
    return f"{_digits(per_second * length)}/{unit}"


def show_size(size: float) -> str:
    """`65536` bytes -> `65.5KB`."""
    for unit, length in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if size >= length:
            return f"{_digits(size / length)}{unit}"
    return f"{_digits(size)}B"


def show_share(fraction: float) -> str:
    """`0.999` -> `99.9%`."""
    return f"{_digits(fraction * 100)}%" if not math.isnan(fraction) else "-"


def _digits(number: float) -> str:
    """Three significant digits, more where the number is close to 100 and its last digits matter (99.95)."""
    if 99 < number < 100:
        return f"{number:.4g}"
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"
