"""Figures in the reader's words: metric names, values, intervals, differences, times of the run; used by table, story,
charts and HTML alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.spec.base import word_of
from sim.spec.fault import Fault
from sim.stats.interval import Difference, Interval
from sim.units import told_per
from sim.vocabulary import better_of, split_key

_LABELS = {
    "availability": "availability",
    "completed": "orders completed",
    "error_budget_burn": "error budget burn",
    "amplification": "attempts per needed call",
    "wasted_work": "work for callers who gave up",
    "utilisation_max": "busiest station",
    "charged_not_reserved": "charged without a reservation",
    "charged_after_failure": "charged after a failure",
    "cost_per_thousand": "cost per 1,000 orders",
    "messages_dead_lettered": "messages dead-lettered",
    "lag_max": "largest lag",
    "queue_mean": "mean queue",
    "stale_reads": "stale reads",
}


def better_direction(key: str) -> str:
    """As `better_of`, and of the shares of outcomes too, which are judged by their outcome."""
    name, label = split_key(key)
    if name == "outcome_share":
        return "higher" if label == "ok" else "" if label in ("refused", "degraded") else "lower"
    return better_of(key)


def label_of(key: str) -> str:
    """A metric key as a reader would say it: `response_p99(POST /orders)` -> `response p99 (POST /orders)`."""
    name, label = split_key(key)
    if name == "outcome_share" and label:
        return label.replace("_", " ")
    words = _LABELS.get(name) or name.replace("_", " ").replace("p999", "p99.9")
    return f"{words} ({label})" if label else words


# of the half-width: by so much the middle of an interval may lie beside the value and still be told as ±
LOPSIDED = 0.1


@dataclass(frozen=True)
class Scale:
    """A unit to print in: printed = value / size."""

    size: float
    suffix: str

    def number(self, value: float, decimals: int) -> str:
        """The scaled number with thousands separated, `never` for infinity."""
        if math.isnan(value):
            return "-"
        if math.isinf(value):
            return "never" if value > 0 else "-never"
        text = f"{value / self.size:,.{decimals}f}"
        return text[1:] if text.startswith("-") and not text.strip("-0.,") else text


def scale_of(magnitude: float, unit: str, difference: bool = False) -> Scale:
    """The scale in which a value of this size reads best."""
    size = abs(magnitude) if math.isfinite(magnitude) else 0.0
    if unit == "s":
        for length, least, suffix in (
            (3600.0, 7200.0, " h"),
            (60.0, 120.0, " min"),
            (1.0, 1.0, " s"),
            (1e-3, 1e-3, " ms"),
            (1e-6, 1e-6, " us"),
        ):
            if size >= least * 0.9995:
                return Scale(length, suffix)
        return Scale(1e-9, " ns") if size >= 1e-9 else Scale(1.0, " s")
    if unit == "share":
        return Scale(0.01, " pp" if difference else "%")
    if unit == "1/s":
        length, per = told_per()
        return Scale(1.0 / length, f"/{per}")
    return Scale(1.0, "")


def show(value: float, unit: str) -> str:
    """One value, short: `61.2 ms`, `99.95%`, `1,204`, `never`, `-`."""
    if not math.isfinite(value):
        return Scale(1.0, "").number(value, 0)
    scale = scale_of(value, unit)
    return scale.number(value, _decimals(value / scale.size, math.nan, unit)) + scale.suffix


def show_interval(interval: Interval, unit: str) -> str:
    """A value and how sure we are: `61.2 ± 0.4 ms`, `3 [1, 9]`, `> 13 m` when censored."""
    if interval.censored:
        return f"> {show(interval.value, unit)}" if math.isfinite(interval.value) else "never"
    if not math.isfinite(interval.value):
        return show(interval.value, unit)
    scale, decimals = _form(interval, unit)
    value = scale.number(interval.value, decimals)
    if _certain(interval):
        return value + scale.suffix
    if _symmetric(interval):
        return f"{value} ± {scale.number(interval.half_width, decimals)}{scale.suffix}"
    return f"{value}{scale.suffix} [{scale.number(interval.low, decimals)}, {scale.number(interval.high, decimals)}]"


def show_between(bounds: tuple[float, float], unit: str) -> str:
    """What something is at least and at most: `77.5% to 100%`; once where that is the same."""
    texts = dict.fromkeys(show(bound, unit) for bound in bounds)
    return " to ".join(texts)


def show_bounds(interval: Interval, unit: str) -> str:
    """The same in square brackets, as sentences have it: `99.98% [99.97, 99.99]`."""
    if interval.censored or not math.isfinite(interval.value) or _certain(interval):
        return show_interval(interval, unit)
    scale, decimals = _form(interval, unit)
    value, low, high = (scale.number(number, decimals) for number in (interval.value, interval.low, interval.high))
    return f"{value}{scale.suffix} [{low}, {high}]"


def show_spread(interval: Interval, unit: str) -> str:
    """Where single runs lay, and their standard deviation: `57.9 .. 66.1, sd 2.4 ms`; '' where all were equal, or there
    was but one.
    """
    if not interval.deviation > 0 or interval.most - interval.least <= 1e-9 * abs(interval.value):
        return ""
    scale = scale_of(interval.most, unit)
    decimals = _decimals(interval.value / scale.size, interval.deviation / scale.size, unit)
    least, most, deviation = (
        scale.number(number, decimals) for number in (interval.least, interval.most, interval.deviation)
    )
    return f"{least} .. {most}, sd {deviation}{scale.suffix}"


def show_difference(difference: Difference, unit: str) -> str:
    """`+12.3 ± 0.5 ms`, `+3 [-1, +9]` where the interval is lopsided, `=` where nothing differs; percentage points for
    shares.
    """
    if not math.isfinite(difference.value):
        return {math.inf: "to never", -math.inf: "from never"}.get(difference.value, "-")
    if all(number == 0 or math.isnan(number) for number in (difference.value, difference.low, difference.high)):
        return "="
    scale, decimals = _form(difference, unit)
    value = _signed(scale, difference.value, decimals)
    if _certain(difference):
        return value + scale.suffix
    if _symmetric(difference):
        return f"{value} ± {scale.number(difference.half_width, decimals)}{scale.suffix}"
    return (
        f"{value}{scale.suffix} [{_signed(scale, difference.low, decimals)}, "
        f"{_signed(scale, difference.high, decimals)}]"
    )


def show_change(difference: Difference, unit: str) -> str:
    """The difference alone, without its interval: `+12.3 ms`."""
    return show_difference(Difference(difference.value), unit)


def would_have_shown(difference: Difference, unit: str) -> str:
    """`1.2 pp would have shown`: the smallest difference that so many replications would have seen; '' where that is
    not known.
    """
    size = difference.detectable
    if not math.isfinite(size):
        return ""
    if unit == "share" and size >= 1:
        return "not even 100 pp would have shown"
    scale = scale_of(size, unit, difference=True)
    return f"{scale.number(size, _decimals(size / scale.size, math.nan, ''))}{scale.suffix} would have shown"


def clock(seconds: float, fine: bool = False) -> str:
    """A time of the run: `5:00`, `1:02:03`; with tenths when `fine`: `5:01.3`."""
    total = round(seconds * 10) / 10 if fine else round(seconds)
    hours, rest = divmod(total, 3600)
    minutes, second = divmod(rest, 60)
    tail = f"{second:04.1f}" if fine and total != int(total) else f"{int(second):02d}"
    return f"{int(hours)}:{int(minutes):02d}:{tail}" if hours else f"{int(minutes)}:{tail}"


def lasting(seconds: float) -> str:
    """A span of time in a sentence: `0.3 s`, `12 s`, `3 min`, `1 h 20 min`."""
    if not math.isfinite(seconds):
        return "for ever"
    if seconds < 1:
        return show(seconds, "s") if seconds > 0 else "0 s"
    if seconds < 119.5:
        return f"{seconds:.3g} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 600:
        minutes, second = divmod(round(seconds), 60)
        return f"{minutes} min {second} s" if second else f"{minutes} min"
    if seconds < 3570:
        return f"{seconds / 60:.3g} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def count_of(number: float, noun: str, plural: str = "") -> str:
    """`1 breaker`, `4 breakers`, `12,300 messages`."""
    return f"{number:,.0f} {noun if number == 1 else plural or noun + 's'}"


def listed(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def fault_name(fault: Fault) -> str:
    """The name a scenario gives a fault, or what it does to whom."""
    return fault.name or fault.described


def fault_kind(fault: Fault) -> str:
    """What the fault does, in a few words: `outage, hang`, `slow, 5x`, `errors, 20%`."""
    words = word_of(fault).replace("_", " ")
    return f"{words}, {fault.detail}" if fault.detail else words


def service_of(component: str) -> str:
    """`orders[3]` -> `orders`; `payments.charge` is left as it is."""
    head, bracket, tail = component.partition("[")
    return head + tail.partition("]")[2] if bracket else component


def _signed(scale: Scale, value: float, decimals: int) -> str:
    text = scale.number(value, decimals)
    return text if text.startswith("-") or not text.strip("0.,") else f"+{text}"


def _form(interval: Interval, unit: str) -> tuple[Scale, int]:
    """The scale and the decimals of a figure and its interval.

    An interval of thousands of ms is told in seconds, and the figure with it.
    """
    difference = isinstance(interval, Difference)
    largest = max((abs(number) for number in (interval.low, interval.high) if math.isfinite(number)), default=0.0)
    scale = scale_of(abs(interval.value) or largest if difference else interval.value, unit, difference)
    error = math.nan if difference and _certain(interval) else interval.half_width
    if unit == "s" and math.isfinite(error) and error >= 1000 * scale.size:
        scale = scale_of(error, unit, difference)
        return scale, max(1, _decimals(interval.value / scale.size, error / scale.size, ""))
    return scale, _decimals(
        interval.value / scale.size, error / scale.size, unit if not difference or unit == "1" else ""
    )


def _certain(interval: Interval) -> bool:
    """Whether there is no interval to show: one replication, or the same value in all of them."""
    return not math.isfinite(interval.half_width) or interval.half_width <= 1e-9 * abs(interval.value)


def _symmetric(interval: Interval) -> bool:
    half = interval.half_width
    return math.isfinite(half) and abs(interval.value - (interval.low + interval.high) / 2) <= LOPSIDED * half + 1e-12


def _decimals(value: float, error: float, unit: str) -> int:
    """Digits after the point: one digit of the error (two when it begins with 1), else three of the value, more close
    to 100 %.
    """
    if math.isfinite(error) and error > 0:
        exponent = math.floor(math.log10(error))
        wanted = -exponent + (1 if error / 10.0**exponent < 1.95 else 0)
    elif (unit == "1" and value == round(value)) or (unit == "share" and round(value, 5) == 100):
        wanted = 0
    elif unit == "share" and 99 < value < 100:
        wanted = min(5, max(2, -math.floor(math.log10(100 - value)) + 1))
    else:
        wanted = 2 - math.floor(math.log10(abs(value))) if value else 0
        return max(0, min(wanted, 6))
    most = 4 - math.floor(math.log10(abs(value))) if value else 3
    return max(0, min(wanted, max(most, 0) if unit != "share" else 5))
