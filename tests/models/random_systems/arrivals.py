"""When requests come: every kind of arrivals, recordings as the loader embeds them."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems import times
from tests.models.random_systems.luck import Luck
from tests.models.random_systems.times import time

KINDS = {"poisson": 4, "deterministic": 2, "closed": 3, "mmpp": 1, "profile": 2, "replay": 2}
EXACT = ("deterministic", "closed", "replay")  # they need no logarithm, where a recording is one of requests
THOUGHTS = {
    kind: weight for kind, weight in times.KINDS.items() if kind != "zero"
}  # whoever is answered at once goes on for ever
SECONDS = 22.0  # of a recording: a little more than a run has


def arrivals(luck: Luck, rate: float, targets: list[str]) -> dict[str, Any]:
    """About this many requests in a second; a recording names what it asks for among the targets."""
    kind = luck.word("kind", {kind: KINDS[kind] for kind in EXACT} if luck.exact else KINDS)
    if kind in ("poisson", "deterministic"):
        return {kind: _rate(rate)}
    if kind == "mmpp":
        return {
            "mmpp": {
                "rates": [_rate(0.5 * rate), _rate(3 * rate)],
                "stays": ["2s", luck.pick("burst", ("300ms", "1s"))],
            }
        }
    if kind == "closed":
        users = luck.pick("users", (1, 3, 10))
        return {"closed": {"users": users, "think": time(luck.at("think"), users / rate, THOUGHTS)}}
    if kind == "profile":
        return {"profile": _profile(luck, rate)}
    return {"replay": _recording(luck, rate, targets)}


def _rate(rate: float) -> str:
    return f"{rate:.4g}/s"


def _profile(luck: Luck, rate: float) -> Any:
    count = luck.number("segments", 1, 4)
    segments = [_segment(luck.at(index), rate, index == count - 1) for index in range(count)]
    return {"segments": segments, "times": luck.pick("by", (1.2, "0.7x"))} if luck.maybe("times", 0.3) else segments


def _segment(luck: Luck, rate: float, last: bool) -> dict[str, Any]:
    form = luck.pick("form", ("rate", "ramp", "diurnal", "flash_crowd", "silence"))
    lasts = {"for": luck.pick("for", ("1s", "3.3s", "6s"))}
    spec: dict[str, Any] = {} if last and form != "ramp" and luck.maybe("for ever") else lasts
    if form == "ramp":
        ends = luck.pick("ramp", ((0.0, 2.0), (1.5, 0.2)))
        return {"from": _rate(ends[0] * rate), "to": _rate(ends[1] * rate), **spec}
    if form == "diurnal":
        wave = {
            "mean": _rate(rate),
            "amplitude": luck.pick("amplitude", (0.5, 1)),
            "period": luck.pick("period", ("3s", "20s")),
        }
        return {"diurnal": {**wave, **({"phase": "1.3s"} if luck.maybe("phase") else {})}, **spec}
    if form == "flash_crowd":
        crowd = {
            "base": _rate(luck.pick("base", (0.0, 0.5)) * rate),
            "peak": _rate(3 * rate),
            "rise": "1s",
            "decay": "2s",
        }
        return {"flash_crowd": crowd, **spec}
    return {"rate": _rate(0.0 if form == "silence" else rate), **spec}


def _recording(luck: Luck, rate: float, targets: list[str]) -> dict[str, Any]:
    """Requests with routes and users of their own, or a series of rates or counts."""
    if not luck.exact and luck.maybe("series", 0.4):
        return _series(luck, rate)
    size = luck.below("size", max(2, round(SECONDS * rate))) + 1
    moments = sorted(round(SECONDS * luck.share(f"moment {index}"), 3) for index in range(size))
    rows: dict[str, Any] = {"values": moments, "after": luck.pick("after", (0.0, 1.5))}
    if luck.maybe("routes", 0.7):
        which = [luck.below(f"route {index}", len(targets)) for index in range(size)]
        rows |= {"routes": targets, "shares": [1 / len(targets)] * len(targets), "route": which}
    if luck.maybe("users", 0.7):
        rows |= {"users": 7, "user": [luck.below(f"user {index}", 7) for index in range(size)]}
    named = {**({"route": "r"} if "route" in rows else {}), **({"user": "u"} if "user" in rows else {})}
    return {"file": "f", **named, **({"speed": "1.5x"} if luck.maybe("faster", 0.3) else {}), "data": rows}


def _series(luck: Luck, rate: float) -> dict[str, Any]:
    what = luck.pick("what", ("rates", "counts"))
    every = luck.pick("every", (0.5, 1.0))
    values = [round(2 * rate * luck.share(f"value {index}")) for index in range(luck.number("rows", 1, 30))]
    rows: dict[str, Any] = {"values": values if what == "rates" else [value * every for value in values]}
    spec: dict[str, Any] = {"file": "f", what: "r", **({"times": 0.8} if luck.maybe("times", 0.3) else {})}
    if luck.maybe("regular"):
        return {**spec, "every": f"{every}s", "data": rows}
    lengths = [luck.pick(f"length {index}", (0.05, 0.2, 1.0)) for index in range(len(values))]
    return {**spec, "data": {**rows, "lengths": lengths, "after": luck.pick("after", (0.0, 1.5))}}
