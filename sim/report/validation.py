"""A model and a measurement side by side, told: a verdict in words, a table, the JSON, a page."""

from __future__ import annotations

import json
import math
from html import escape
from typing import Any

from sim.fitting.comparing import Compared, Finding
from sim.fitting.pairing import Paired
from sim.fitting.validation import Validation
from sim.report.words import label_of, show, show_interval
from sim.stats.interval import Interval
from sim.units import show_share

SCHEMA = 1
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
        f"{validation.study}, {validation.variant}: {validation.verdict}",
        *(f"  {line}" for line in verdict(validation)),
        "",
    ]
    rows = [["", "measured", "simulated", "error", "borne", ""], *map(_cells, validation.figures)]
    sizes = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = [
        "  "
        + "  ".join(
            cell.ljust(size) if not place else cell.rjust(size)
            for place, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in rows
    ]
    paired = ["", f"  {_pairs(validation.paired)}"] if validation.paired is not None else []
    note = (
        f"  {show_share(validation.confidence)} intervals: of the measured, of the mean of "
        f"{validation.replications} replications, and of the error of one to the other"
    )
    return "\n".join([*head, *table, *paired, "", note, *(f"  {line}" for line in validation.said)]) + "\n"


def _cells(figure: Compared) -> list[str]:
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


def _pairs(paired: Paired) -> str:
    return (
        f"request by request: {show_share(paired.close)} of {paired.count:,} answers within 1 % or 1 ms, "
        f"{show(paired.mean, 's')} apart, {show(paired.p95, 's')} at p95, {show(paired.worst, 's')} at most; "
        f"{show_share(paired.same_outcome)} ended alike"
    )


def validation_json(validation: Validation) -> str:
    """What `--json` writes. Missing and infinite values are null."""
    return json.dumps(validation_document(validation), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def validation_document(validation: Validation) -> dict[str, Any]:
    """The same as plain data."""
    paired = validation.paired
    return {
        "schema": SCHEMA,
        "scenario": validation.study,
        "variant": validation.variant,
        "verdict": validation.verdict,
        "words": verdict(validation),
        "replications": validation.replications,
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


def validation_page(validation: Validation) -> str:
    """The report: verdict, figures, charts, what was understood, the scenario."""
    from sim.report.charts.measured import draw_measured
    from sim.report.html import chart_figure, page

    charts = "".join(chart_figure(chart) for chart in draw_measured(validation))
    mood = {"valid": "good", "not valid": "bad", "not refuted": "muted"}[validation.verdict]
    lines = "".join(f"<p>{escape(line)}</p>" for line in verdict(validation))
    said = "".join(f"<li>{escape(line.strip())}</li>" for line in validation.said)
    sections = [
        ("verdict", "Verdict", f'<p class="{mood}"><b>{escape(validation.verdict)}</b></p>{lines}'),
        ("figures", "Figures", _html_table(validation)),
        ("charts", "Charts", charts),
        ("measurement", "The measurement", f"<ul>{said}</ul>"),
        (
            "scenario",
            "The scenario",
            f'<pre class="scenario" tabindex="0"><code>{escape(validation.text)}</code></pre>'
            if validation.text
            else "",
        ),
    ]
    header = f'<p class="kicker">sim · model against measurement</p><h1>{escape(validation.study)}</h1>'
    return page(validation.study, header, sections)


def _html_table(validation: Validation) -> str:
    names = ["figure", "measured", "simulated", "error", "borne", "finding"]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(figure))}</tr>" for figure in validation.figures
    )
    paired = f"<p>{escape(_pairs(validation.paired))}</p>" if validation.paired is not None else ""
    words = (
        f"Intervals of {show_share(validation.confidence)}; simulated: means of {validation.replications} replications."
    )
    table = f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<p class="muted">{words}</p><div class="scroll" tabindex="0">{table}</div>{paired}'
