"""What may be calibrated: named values of a scenario with bounds, and how a number becomes a setting again.

A parameter is a path as `--set` has it, or `SERVICE.ENDPOINT.work` for the first such step of an endpoint. A time
that is a distribution keeps its form: its mean is the parameter, and every time in it is scaled alike. `.cv` behind a
time frees its spread: the time becomes a lognormal of that mean and coefficient of variation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sim import units
from sim.errors import UsageError, did_you_mean
from sim.spec.distribution import Distribution
from sim.spec.document import Data
from sim.spec.times import time_of
from sim.units import show_duration, shown

Kind = Literal["time", "spread", "count", "number"]

_TIMED = ("work", "wait")  # the steps that take time of their own
_SPREAD = (0.05, 3.0)  # bounds of a coefficient of variation where none are said
_WIDE = 100.0  # a time may be so many times shorter than it stands there, where no bounds are said
_MOST = 1024  # of a count, where no bounds are said: so many times as it stands there at most 8


@dataclass(frozen=True)
class Parameter:
    """A free value."""

    name: str  # as it was asked for
    path: tuple[str | int, ...]  # in the document, of the value that is written
    kind: Kind
    now: float  # as the scenario has it; of a time the mean, in seconds
    low: float
    high: float

    @property
    def logarithmic(self) -> bool:
        """Whether it is searched by factors rather than by steps: times, and numbers above 0."""
        return self.low > 0 and self.kind in ("time", "number")

    def show(self, value: float) -> str:
        """As people read it."""
        if self.kind == "time":
            return show_duration(value)
        return f"{value:.0f}" if self.kind == "count" else f"{value:.3g}"


def parameter_of(text: str, document: Mapping[str, Any], longest: float) -> Parameter:
    """`payments.charge.work=1ms..1s`.

    Without bounds they are told from the value, and from the `longest` mean that was measured (s).

    Raises UsageError where there is no such value, or it is none that can be calibrated.
    """
    name, sign, bounds = text.partition("=")
    name = name.strip()
    spread = name.endswith(".cv") and _place(document, name) is None
    path = _place(document, name.removesuffix(".cv") if spread else name)
    if path is None:
        raise UsageError(f"--free {name}: the scenario has no such value{did_you_mean(name, _names(document))}")
    value = value_at(document, path)
    kind, now = _kind(name, value, spread)
    low, high = _bounds(text, bounds, kind) if sign else _default(kind, now, longest)
    if not low < high:
        raise UsageError(f"--free {text}: found {bounds}, expected two bounds that differ, the smaller first: 1ms..1s")
    return Parameter(name, path, kind, now, low, high)


def _place(document: Mapping[str, Any], name: str) -> tuple[str | int, ...] | None:
    """The place that a dotted path means, names with dots in them included; None where there is none."""
    whole = _walk(document, name)
    if whole is not None:
        return whole
    services = document.get("services", {})
    for service, body in services.items() if isinstance(services, dict) else ():
        endpoints = body.get("endpoints") if isinstance(body, dict) else None
        for endpoint, steps in endpoints.items() if isinstance(endpoints, dict) else ():
            rest = name.removeprefix(f"{service}.{endpoint}.")
            if rest == name or not isinstance(steps, list):
                continue
            for index, step in enumerate(steps):
                found = _walk(step, rest) if isinstance(step, dict) else None
                if found is not None:
                    return ("services", service, "endpoints", endpoint, index, *found)
    return ("services", *inner) if (inner := _walk(services, name)) is not None else None


def _walk(here: Data, rest: str) -> tuple[str | int, ...] | None:
    if not rest:
        return ()
    if isinstance(here, list):
        head, _, below = rest.partition(".")
        inner = _walk(here[int(head)], below) if head.isdigit() and int(head) < len(here) else None
        return (int(head), *inner) if inner is not None else None
    if not isinstance(here, dict):
        return None
    for key in sorted(here, key=len, reverse=True):
        if rest == key or rest.startswith(f"{key}."):
            inner = _walk(here[key], rest[len(key) + 1 :])
            if inner is not None:
                return (key, *inner)
    return None


def _names(document: Mapping[str, Any]) -> list[str]:
    """The times of all endpoints, for a hint."""
    services = document.get("services", {})
    found = []
    for service, body in services.items() if isinstance(services, dict) else ():
        found += [f"{service}.workers"] if isinstance(body, dict) and "workers" in body else []
        endpoints = body.get("endpoints") if isinstance(body, dict) else None
        for endpoint, steps in endpoints.items() if isinstance(endpoints, dict) else ():
            found += [
                f"{service}.{endpoint}.{word}"
                for step in steps
                if isinstance(step, dict)
                for word in _TIMED
                if word in step
            ]
    return found


def _kind(name: str, value: Data, spread: bool) -> tuple[Kind, float]:
    its = time_of(value)
    if spread:
        if its is None:
            raise UsageError(f"--free {name}: found {shown(value)}, expected a time, whose spread .cv is")
        return "spread", min(max(math.sqrt(its.scv), _SPREAD[0]), _SPREAD[1])
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return "count", float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number", float(value)
    if its is not None and its.mean > 0 and math.isfinite(its.mean):
        return "time", its.mean
    raise UsageError(
        f"--free {name}: found {shown(value)}, expected a time above 0, a distribution of times, or a number"
    )


def _bounds(text: str, bounds: str, kind: Kind) -> tuple[float, float]:
    ends = bounds.split("..")
    try:
        if len(ends) != 2:
            raise ValueError(f"found '{bounds}', expected two bounds")
        low, high = (
            units.duration(end) if kind == "time" else units.ratio(end) if kind == "spread" else float(end)
            for end in ends
        )
    except ValueError as error:
        example = "1ms..1s" if kind == "time" else "1..64"
        raise UsageError(f"--free {text}: {error}, such as {example}") from None
    if (
        not math.isfinite(low)
        or not math.isfinite(high)
        or (kind == "count" and (low < 1 or low != int(low) or high != int(high)))
    ):
        raise UsageError(f"--free {text}: expected bounds such as {'1..64' if kind == 'count' else '0.1..2'}")
    return (max(low, 1e-9) if kind == "time" else low), high


def _default(kind: Kind, now: float, longest: float) -> tuple[float, float]:
    if kind == "time":
        return min(now, longest) / _WIDE, max(2 * longest, 2 * now)
    if kind == "spread":
        return _SPREAD
    if kind == "count":
        return max(1.0, now // 8), min(float(_MOST), 8 * now)
    return (now / 4, now * 4) if now > 0 else (0.0, 1.0)


def value_at(document: Data, path: Sequence[str | int]) -> Any:  # noqa: ANN401 - whatever stands there
    """What stands at a place that the document has."""
    for part in path:
        document = document[part]
    return document


def written(
    document: Mapping[str, Any], parameters: Sequence[Parameter], values: Sequence[float]
) -> dict[tuple[str | int, ...], Data]:
    """What is written where, for these values: a time and its spread are one value."""
    found: dict[tuple[str | int, ...], Data] = {}
    for parameter, value in zip(parameters, values, strict=True):
        if parameter.kind in ("count", "number"):
            found[parameter.path] = round(value) if parameter.kind == "count" else float(f"{value:.6g}")
        elif parameter.kind == "time" and parameter.path not in found:
            found[parameter.path] = scaled(value_at(document, parameter.path), value / parameter.now)
        elif parameter.kind == "time":
            found[parameter.path] = _lognormal(value, math.sqrt(_time(found[parameter.path]).scv))
        else:
            before = found.get(parameter.path, value_at(document, parameter.path))
            found[parameter.path] = _lognormal(_time(before).mean, value)
    return found


def _time(value: Data) -> Distribution:
    found = time_of(value)
    assert found is not None, "it was one when the parameter was made"
    return found


def _lognormal(mean: float, cv: float) -> Data:
    return {"lognormal": {"mean": exact(mean), "cv": float(f"{cv:.6g}")}}


_DURATION = re.compile(rf"(?:{units.NUMBER}\s*(?:{units.TIME_UNIT})\s*)+")


def scaled(value: Data, factor: float) -> Data:
    """A time, or a distribution with every time in it, longer by a factor."""
    if isinstance(value, dict):
        return {key: scaled(inner, factor) for key, inner in value.items()}
    if isinstance(value, list):
        return [scaled(inner, factor) for inner in value]
    if isinstance(value, str) and _DURATION.fullmatch(value.strip()):
        return exact(units.duration(value) * factor)
    return value


def exact(seconds: float) -> str:
    """A time in the unit that people would write it in, with six digits."""
    for unit, length in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= length:
            return f"{seconds / length:.6g}{unit}"
    return f"{seconds / 1e-9:.6g}ns"


def with_values(document: dict[str, Any], changes: Mapping[tuple[str | int, ...], Data]) -> dict[str, Any]:
    """A copy of the document with other values at these places."""
    changed: Any = document
    for path, value in changes.items():
        changed = _put(changed, path, value)
    return dict(changed)


def _put(here: Any, path: Sequence[str | int], value: Data) -> Any:  # noqa: ANN401 - a document
    if not path:
        return value
    copy: Any = list(here) if isinstance(here, list) else dict(here)
    copy[path[0]] = _put(here[path[0]], path[1:], value)
    return copy
