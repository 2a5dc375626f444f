"""Whether a system comes back, told: a verdict in words, a table of loads, and the JSON."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from sim.experiments.envelope import head, written
from sim.experiments.stability.results import LoadPoint, Stability, Step, Threshold
from sim.report.words import clock, show, show_interval
from sim.stats.interval import Interval
from sim.units import show_duration, told_per


def verdict(stability: Stability) -> list[str]:
    """What was found, in sentences."""
    points, region = stability.points, stability.metastable
    lines = []
    if not any(point.vulnerable for point in points):
        lines.append(f"It comes back at every load that was tried, up to {rate_in_words(points[-1].rate)}.")
    elif all(point.vulnerable for point in points):
        lines.append(f"It does not come back at any load that was tried, from {rate_in_words(points[0].rate)} on.")
    else:
        lines.append(f"It comes back below {_about(stability.vulnerable)}, and not above.")
    if not any(point.collapsed for point in points):
        lines.append("Without the stressor it bears every load that was tried.")
    elif all(point.collapsed for point in points):
        lines.append("It bears none of the loads that were tried, even without the stressor.")
    else:
        lines.append(f"Without the stressor it bears loads up to {_about(stability.collapse)}.")
    if region is not None:
        lines.append(
            f"In between, from {rate_in_words(region[0])} to {rate_in_words(region[1])}, it is metastable: it bears "
            "the load, but not a disturbance."
        )
        lines.append(
            f"The scenario as it stands, {rate_in_words(stability.rate)}, is "
            f"{'inside' if region[0] <= stability.rate <= region[1] else 'outside'}."
        )
    slow = [point for point in points if point.recovering and not point.vulnerable]
    if slow:
        lines.append(
            f"At {', '.join(rate_in_words(point.rate) for point in slow)} it was still on its way back when the clock "
            "stopped."
        )
    return lines


def _about(threshold: Threshold) -> str:
    if not threshold.found:
        return rate_in_words(threshold.high if math.isnan(threshold.low) else threshold.low)
    return (
        f"{rate_in_words(threshold.value)} (between {rate_in_words(threshold.low)} and {rate_in_words(threshold.high)})"
    )


def rate_in_words(rate: float) -> str:
    """`42.5/s`, or per what the scenario writes its rates in."""
    length, per = told_per()
    return f"{rate * length:.4g}/{per}"


def render_stability(stability: Stability) -> str:
    """The verdict and the table as plain text."""
    times = stability.times
    head = (
        f"{stability.variant}: stressor {stability.stressor}, from {clock(times.begin)} to {clock(times.end)}, "
        f"looked on for {show_duration(times.duration - times.end)}\n"
    )
    rows = loads_table(stability)
    sizes = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = "".join(
        "  " + "  ".join(cell.rjust(size) for cell, size in zip(row, sizes, strict=True)).rstrip() + "\n"
        for row in rows
    )
    head += f"  {stability.warmup}\n" if stability.warmup is not None else ""
    return head + "".join(f"  {line}\n" for line in verdict(stability)) + "\n" + table


def loads_table(stability: Stability) -> list[list[str]]:
    """Rows of cells, the first one of heads: how every load that was tried fared."""
    return [_HEAD, *map(_cells, stability.points)]


_HEAD = [
    "load",
    "factor",
    "came back",
    "after",
    "success before",
    "after",
    "p99 before",
    "after",
    "success without",
    "requests",
    "",
]


def _cells(point: LoadPoint) -> list[str]:
    on_the_way = f" +{point.recovering}" if point.recovering else ""
    remark = "collapsed without it" if point.collapsed else "does not come back" if point.vulnerable else ""
    return [
        rate_in_words(point.rate),
        f"{point.factor:.3g}",
        f"{point.recovered}{on_the_way} of {point.replications}",
        show_interval(point.recovery_of_recovered, "s"),
        show(point.success_before.value, "share"),
        show(point.success_after.value, "share"),
        show(point.p99_before.value, "s"),
        show(point.p99_after.value, "s"),
        show(point.success_without.value, "share"),
        show(point.requests.value, "1"),
        remark,
    ]


def headline(stability: Stability, took: float) -> str:
    """What was run."""
    runs = f"{stability.replications} replication{'s' if stability.replications != 1 else ''}"
    return (
        f"{stability.study.name}: {runs}, seed {stability.seed}, engine {stability.engine}, {show_duration(took)}, "
        f"fingerprint {stability.fingerprint}"
    )


def stability_document(stability: Stability, answer: str | None = None) -> dict[str, Any]:
    """What `--json` writes. Missing and infinite values are null."""
    times = stability.times
    return {
        **head(
            "stability",
            stability.study.name,
            seed=stability.seed,
            engine=stability.engine,
            replications=stability.replications,
            fingerprint=stability.fingerprint,
            answer=answer,
        ),
        "variant": stability.variant,
        "stressor": {"text": stability.stressor, "begin": times.begin, "end": times.end, "duration": times.duration},
        **({"warmup": stability.warmup.seconds} if stability.warmup is not None else {}),
        "words": verdict(stability),
        "rate": stability.rate,
        "vulnerable_above": _ends(stability.vulnerable),
        "collapsed_above": _ends(stability.collapse),
        "metastable": list(stability.metastable) if stability.metastable is not None else None,
        "points": [_point(point) for point in stability.points],
        "hysteresis": {
            "dwell": stability.dwell,
            "steps": [_step(step) for step in stability.curve],
        },
    }


def stability_json(stability: Stability, answer: str | None = None) -> str:
    """The document as text, the same text for the same results."""
    return written(stability_document(stability, answer))


def _point(point: LoadPoint) -> dict[str, Any]:
    plain = {
        name: getattr(point, name)
        for name in ("factor", "rate", "recovered", "recovering", "stuck", "vulnerable", "collapsed")
    }
    figures = {
        field.name: getattr(point, field.name)
        for field in fields(point)
        if isinstance(getattr(point, field.name), Interval)
    }
    return {**plain, **{name: _limits(figure) for name, figure in figures.items()}}


def _step(step: Step) -> dict[str, Any]:
    plain = {"factor": step.factor, "rate": step.rate, "rising": step.rising}
    return {**plain, **{name: _limits(getattr(step, name)) for name in ("goodput", "success", "requests")}}


def _ends(threshold: Threshold) -> dict[str, float | None]:
    return {"value": _finite(threshold.value), "low": _finite(threshold.low), "high": _finite(threshold.high)}


def _limits(figure: Interval) -> dict[str, Any]:
    limits: dict[str, Any] = {part: _finite(getattr(figure, part)) for part in ("value", "low", "high")}
    return {**limits, "censored": True} if figure.censored else limits


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
