"""A model and a measurement side by side, told: a verdict in words, a table, the JSON, a page."""

from __future__ import annotations

import math
from typing import Any

from sim.experiments.envelope import head, written
from sim.fitting.comparing import Compared, Finding
from sim.fitting.pairing import Paired
from sim.fitting.validation import Validation
from sim.report.words import label_of, show, show_interval
from sim.stats.interval import Interval
from sim.units import show_share

_WORDS: dict[Finding, str] = {
    "within": "valid for",
    "outside": "not valid for",
    "open": "too little was measured to tell",
}


def verdict(validation: Validation) -> list[str]:
    """What was found, in sentences: valid for what, not for what, and what could not be told."""
    lines = []
    for finding, words in _WORDS.items():
        its = validation.named(finding)
        if its:
            lines.append(f"{words.capitalize()}: {', '.join(map(_named, its))}.")
    if not validation.figures:
        lines.append("Not valid: there is no figure that both sides have.")
    return lines


def _named(figure: Compared) -> str:
    """`response p99 (+4.2 %, 3 % borne)`"""
    return f"{label_of(figure.key)} ({_error(figure)}, {show_share(figure.tolerance)} borne)"


def render_validation(validation: Validation) -> str:
    """Verdict, table and what was understood, as plain text."""
    head = [
        f"{validation.study.name}, {validation.variant}: {validation.verdict}",
        *(f"  {line}" for line in verdict(validation)),
        "",
    ]
    rows = [["", "measured", "simulated", "error", "borne", ""], *map(cells_of, validation.figures)]
    sizes = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = [
        "  "
        + "  ".join(
            cell.ljust(size) if not place else cell.rjust(size)
            for place, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in rows
    ]
    paired = ["", f"  {pairs_in_words(validation.paired)}"] if validation.paired is not None else []
    note = (
        f"  {show_share(validation.confidence)} intervals: of the measured, of the mean of "
        f"{validation.replications} replications, and of the error of one to the other"
    )
    return "\n".join([*head, *table, *paired, "", note, *(f"  {line}" for line in validation.said)]) + "\n"


def cells_of(figure: Compared) -> list[str]:
    """A line of the table: figure, measured, simulated, error, what is borne, finding."""
    unit = "share" if figure.tolerated == "outcomes" else "1/s" if figure.tolerated == "throughput" else "s"
    mark = {"within": "ok", "outside": "outside", "open": "?"}[figure.finding]
    return [
        label_of(figure.key),
        show_interval(figure.measured, unit),
        show_interval(figure.simulated, unit),
        _error(figure),
        show_share(figure.tolerance),
        mark,
    ]


def _error(figure: Compared) -> str:
    if math.isnan(figure.error):
        return "not simulated"
    half = (figure.high - figure.low) / 2
    spread = f" ± {_percent(half)}" if half > 0 else ""
    return f"{figure.error * 100:+.2g} {'%' if figure.relative else 'points'}{spread}"


def _percent(value: float) -> str:
    return f"{value * 100:.2g}"


def pairs_in_words(paired: Paired) -> str:
    """How far single requests are apart."""
    return (
        f"request by request: {show_share(paired.close)} of {paired.count:,} answers within 1 % or 1 ms, "
        f"{show(paired.mean, 's')} apart, {show(paired.p95, 's')} at p95, {show(paired.worst, 's')} at most; "
        f"{show_share(paired.same_outcome)} ended alike"
    )


def validation_json(validation: Validation) -> str:
    """What `--json` writes. Missing and infinite values are null."""
    return written(validation_document(validation))


def validation_document(validation: Validation) -> dict[str, Any]:
    """The same as plain data."""
    paired = validation.paired
    return {
        **head(
            "validate",
            validation.study.name,
            seed=validation.simulated.scenario.seed,
            engine=" and ".join(sorted(set(validation.simulated.engines), reverse=True)) or None,
            replications=validation.replications,
            fingerprint=validation.simulated.fingerprint,
            passed=validation.valid,
            answer=" ".join(verdict(validation)),
        ),
        "variant": validation.variant,
        "verdict": validation.verdict,
        "words": verdict(validation),
        "requests": validation.requests,
        "confidence": validation.confidence,
        "figures": {figure.key: _figure(figure) for figure in validation.figures},
        **({"request_by_request": dict(vars(paired))} if paired is not None else {}),
        "said": list(validation.said),
    }


def _figure(figure: Compared) -> dict[str, Any]:
    error = {"value": _finite(figure.error), "low": _finite(figure.low), "high": _finite(figure.high)}
    return {
        "measured": _interval(figure.measured),
        "simulated": _interval(figure.simulated),
        "error": {**error, "relative": figure.relative},
        "tolerance": figure.tolerance,
        "finding": figure.finding,
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {part: _finite(getattr(interval, part)) for part in ("value", "low", "high")}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
