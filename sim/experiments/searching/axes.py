"""What a sweep varies: `PATH=VALUES` read into an axis. Lists `2,4,8`, ranges `50/s..400/s:50/s`, `1..64:x2`, intervals
`0.1..10` and `10ms..1s:log`.

Several paths that take the same value are joined by +: `services.a.replicas+services.b.replicas=1,2,4`. The path `load`
is the factor on all open arrivals. What is *not* here: whether a path exists; the scenario tells.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sim import units
from sim.errors import UsageError

LOAD = "load"
MOST_VALUES = 100_000
_BOUND = re.compile(rf"({units.NUMBER})\s*(\D*?)")
_EXAMPLES = (
    "expected PATH=VALUES such as services.payments.replicas=2,4,8 or "
    "traffic.shoppers.arrivals.poisson=50/s..400/s:50/s"
)


@dataclass(frozen=True)
class Interval:
    """`low..high`, before it is known how many values of it are wanted. The bounds are in one unit."""

    low: Decimal
    high: Decimal
    suffix: str
    whole: bool
    logarithmic: bool = False

    def at(self, share: float) -> str:
        """The value at this share of the way, every whole number with the same room."""
        low, high = float(self.low), float(self.high)
        if self.whole:
            return f"{min(int(high), int(low) + math.floor(share * (high - low + 1)))}{self.suffix}"
        value = low * (high / low) ** share if self.logarithmic else low + share * (high - low)
        return f"{format(Decimal(f'{value:.6g}'), 'f')}{self.suffix}"


@dataclass(frozen=True)
class Axis:
    """One thing that varies: the paths that take the value, and the values, or an interval to take them from."""

    paths: tuple[str, ...]
    values: tuple[str, ...] = ()
    interval: Interval | None = None

    @property
    def name(self) -> str:
        """Its column in the results."""
        return "+".join(self.paths)

    @property
    def label(self) -> str:
        """A short name for a chart: without the beginning that goes without saying."""
        return " + ".join(
            path.removeprefix("services.").removeprefix("traffic.").removeprefix("brokers.") for path in self.paths
        )

    @property
    def text(self) -> str:
        """The PATH=VALUES that gives this axis."""
        if self.interval is None:
            return f"{self.name}={','.join(self.values)}"
        low, high, suffix = self.interval.low, self.interval.high, self.interval.suffix
        return f"{self.name}={low}{suffix}..{high}{suffix}{':log' if self.interval.logarithmic else ''}"

    def listed(self) -> tuple[str, ...]:
        """All values, as a grid needs them: every whole number of an interval, where there is no step."""
        if self.interval is None:
            return self.values
        if not self.interval.whole:
            raise UsageError(
                f"--over {self.name}: a grid needs steps: found an interval, expected LOW..HIGH:STEP, or --design lhs "
                "or sobol with --points"
            )
        return _stepped(self.interval, Decimal(1), self.name)

    def at(self, share: float) -> str:
        """The value for a uniform number below 1, as a sampled design needs it."""
        if self.interval is not None:
            return self.interval.at(share)
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def settings(self, value: str) -> tuple[str, ...]:
        """PATH=VALUE for each path."""
        return tuple(f"{path}={value}" for path in self.paths)

    def checks(self) -> tuple[str, ...]:
        """Values to try before anything runs: those of a list, the ends of an interval."""
        return self.values if self.interval is None else (self.interval.at(0.0), self.interval.at(1.0 - 1e-12))


def axes_of(texts: Sequence[str]) -> tuple[Axis, ...]:
    """All axes of a call, no path twice."""
    if not texts:
        raise UsageError(f"nothing to vary: {_EXAMPLES}")
    axes = tuple(parse_axis(text) for text in texts)
    paths = [path for axis in axes for path in axis.paths]
    twice = next((path for place, path in enumerate(paths) if path in paths[:place]), None)
    if twice is not None:
        raise UsageError(f"--over {twice}: is varied twice")
    return axes


def parse_axis(text: str) -> Axis:
    """`PATH=VALUES` as an axis, or a UsageError that says what is wrong with it."""
    left, equals, right = text.partition("=")
    paths = tuple(path.strip() for path in left.split("+"))
    if not equals or not all(paths):
        raise UsageError(f"--over {text}: {_EXAMPLES}")
    parts = _split(right)
    if not all(parts):
        raise UsageError(f"--over {text}: found an empty value, {_EXAMPLES}")
    if len(parts) == 1 and ".." in parts[0]:
        interval, step = _range(parts[0], text)
        if step is None:
            return Axis(paths, interval=interval)
    values = tuple(dict.fromkeys(value for part in parts for value in _values(part, text)))
    if len(values) > MOST_VALUES:
        raise UsageError(f"--over {text}: found {len(values):,} values, expected at most {MOST_VALUES:,}")
    return Axis(paths, values)


def number_of(value: str) -> float:
    """A value as a plain number in base units, for charts and fits; nan where it is a word."""
    readers: tuple[Callable[[object], float], ...] = (units.duration, units.rate, units.share, units.size, units.factor)
    try:
        return float(value)
    except ValueError:
        pass
    for read in readers:
        try:
            return float(read(value))
        except ValueError:
            continue
    return math.nan


def unit_of_values(values: Sequence[str]) -> str:
    """The unit in which `number_of` gives all of these: s, 1/s, share, or 1."""
    kinds: tuple[tuple[Callable[[object], float], str], ...] = ((units.duration, "s"), (units.rate, "1/s"))
    for read, unit in kinds:
        try:
            for value in values:
                read(value)
        except ValueError:
            continue
        return unit if any(number_of(value) for value in values) else "1"
    return "share" if values and all(value.strip().endswith("%") for value in values) else "1"


def _split(text: str) -> list[str]:
    """At commas outside of brackets and quotes."""
    parts, depth, quote, current = [], 0, "", ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        depth += (letter in "[{(") - (letter in "]})")
        if letter == "," and depth == 0 and not quote:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
    return [*parts, current.strip()]


def _values(part: str, text: str) -> tuple[str, ...]:
    if ".." not in part or part[0] in "[{'\"":
        return (part,)
    interval, step = _range(part, text)
    name = text.partition("=")[0]
    if step is None and not interval.whole:
        raise UsageError(f"--over {text}: {part} has no step, expected LOW..HIGH:STEP")
    return _stepped(interval, step if step is not None else Decimal(1), name)


def _range(part: str, text: str) -> tuple[Interval, Decimal | str | None]:
    """`low..high`, `low..high:step`, `low..high:x2`, `low..high:log`; the factor is answered as text."""
    bounds, _, after = part.partition(":")
    low_text, _, high_text = bounds.partition("..")
    low, high, suffix = _bounds(low_text.strip(), high_text.strip(), text)
    if not low < high:
        raise UsageError(f"--over {text}: found the range {bounds}, expected the smaller bound first")
    whole = not suffix and "." not in low_text + high_text.lstrip(".") and low == int(low) and high == int(high)
    if not after.strip():
        return Interval(low, high, suffix, whole), None
    if after.strip() == "log":
        if low <= 0:
            raise UsageError(f"--over {text}: a logarithmic range cannot begin at 0")
        return Interval(low, high, suffix, whole=False, logarithmic=True), None
    if after.strip().startswith("x"):
        factor = _number(after.strip()[1:])
        if factor is None or factor <= 1 or low <= 0:
            raise UsageError(
                f"--over {text}: found the step {after.strip()}, expected a factor above 1, such as x2, on a range "
                "above 0"
            )
        return Interval(low, high, suffix, whole), f"x{factor}"
    return Interval(low, high, suffix, whole), _step(after.strip(), suffix, text)


def _bounds(low: str, high: str, text: str) -> tuple[Decimal, Decimal, str]:
    """Both in the unit of the lower one; where the units differ, both in the base unit."""
    one, other = _BOUND.fullmatch(low), _BOUND.fullmatch(high)
    if one is None or other is None:
        raise UsageError(
            f"--over {text}: found the range {low}..{high}, expected numbers with a unit, such as 50/s..400/s:50/s or "
            "2..8"
        )
    if one[2].strip() == other[2].strip():
        return Decimal(one[1]), Decimal(other[1]), one[2].strip()
    for read, suffix in ((units.duration, "s"), (units.rate, "/s"), (units.share, ""), (units.size, "B")):
        try:
            return Decimal(repr(read(low))), Decimal(repr(read(high))), suffix
        except ValueError:
            continue
    raise UsageError(f"--over {text}: found the range {low}..{high}, expected the same unit on both sides")


def _step(after: str, suffix: str, text: str) -> Decimal:
    match = _BOUND.fullmatch(after)
    step = Decimal(match[1]) if match is not None and match[2].strip() in ("", suffix) else None
    if step is None and suffix in ("s", "/s", "ms", "m", "/m"):
        try:  # 100ms..2s:100ms
            read, base = (units.rate, f"1{suffix}") if "/" in suffix else (units.duration, f"1{suffix}")
            step = Decimal(repr(read(after))) / Decimal(repr(read(base)))
        except ValueError:
            step = None
    if step is None or step <= 0:
        raise UsageError(
            f"--over {text}: found the step {after}, expected one in the unit of the range, a factor such as x2, or log"
        )
    return step


def _stepped(interval: Interval, step: Decimal | str, name: str) -> tuple[str, ...]:
    values, value = [], interval.low
    factor = Decimal(step[1:]) if isinstance(step, str) else None
    while value <= interval.high:
        values.append(f"{_plain(value)}{interval.suffix}")
        if len(values) > MOST_VALUES:
            raise UsageError(f"--over {name}: found more than {MOST_VALUES:,} values")
        value = value * factor if factor is not None else value + Decimal(step)
    return tuple(values)


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(text: str) -> Decimal | None:
    return Decimal(text) if re.fullmatch(units.NUMBER, text) else None
