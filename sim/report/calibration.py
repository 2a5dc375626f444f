"""A calibration told: what was fitted with its interval, what the data cannot tell, how near the model came.

And the JSON.
"""

from __future__ import annotations

import math
from typing import Any

from sim.experiments.envelope import head, written
from sim.fitting.calibration import Fit, Residual
from sim.report.words import show
from sim.units import show_share


def render_fit(fit: Fit) -> str:
    """As plain text."""
    lines = [f"{fit.study.name}, {fit.variant}: {len(fit.fitted)} values fitted to {fit.requests:,} requests", ""]
    lines += [f"  {one.parameter.name}: {one}, was {one.parameter.show(one.parameter.now)}" for one in fit.fitted]
    if fit.untold:
        lines += ["", "  not fitted, for the data cannot tell; left as they are:"]
        lines += [
            f"    {one.parameter.name} ({one.parameter.show(one.parameter.now)}): {one.why}" for one in fit.untold
        ]
    lines += [
        f"  {one} and {other} may be exchanged: the data cannot tell which is which" for one, other in fit.exchangeable
    ]
    lines += [
        "",
        "  "
        + "  ".join(
            (
                "figure".ljust(24),
                "measured".rjust(10),
                "error before".rjust(14),
                "after".rjust(10),
                "of chance".rjust(10),
            )
        ),
    ]
    lines += [_line(residual) for residual in fit.residuals]
    lines += [
        "",
        f"  {_misfit(fit)}",
        f"  {show_share(fit.confidence)} intervals; {fit.replications} replications at each point, {fit.runs:,} runs",
    ]
    return "\n".join([*lines, *(f"  {line}" for line in fit.said)]) + "\n"


def _line(residual: Residual) -> str:
    moment = residual.moment
    measured = show(residual.measured, "s" if moment.is_time else "share")
    cells = (
        measured.rjust(10),
        _percent(residual.before).rjust(14),
        _percent(residual.after).rjust(10),
        f"± {residual.chance * 100:.2g} %".rjust(10),
    )
    return "  " + "  ".join((moment.name[:40].ljust(24), *cells))


def _percent(error: float) -> str:
    return f"{error * 100:+.3g} %" if math.isfinite(error) else "-"


def _misfit(fit: Fit) -> str:
    if fit.shows:
        return "the model shows the measured figures to within what chance can do"
    worst = max(fit.residuals, key=lambda residual: abs(residual.after) / max(residual.chance, 1e-9))
    return (
        f"the model does not show what was measured whatever its values (misfit {fit.misfit:.1f}, 1 is chance; "
        f"worst at {worst.moment.name}, {_percent(worst.after)}): its form is wrong, or something else varied; "
        "intervals are wider for it"
    )


def _in_words(fit: Fit) -> str:
    """What was fitted and what not, in a sentence."""
    values = ", ".join(f"{one.parameter.name} {one.parameter.show(one.value)}" for one in fit.fitted)
    untold = f"; the data cannot tell {', '.join(one.parameter.name for one in fit.untold)}" if fit.untold else ""
    return f"{'Fitted: ' + values if values else 'Nothing could be fitted'}{untold}."


def fit_json(fit: Fit) -> str:
    """What `--json` writes. Missing and infinite values are null."""
    document: dict[str, Any] = {
        **head("fit", fit.study.name, engine=fit.engine, replications=fit.replications, answer=_in_words(fit)),
        "variant": fit.variant,
        "fitted": [
            {
                "name": one.parameter.name,
                "path": ".".join(map(str, one.parameter.path)),
                "kind": one.parameter.kind,
                "was": one.parameter.now,
                "value": one.value,
                "low": _finite(one.low),
                "high": _finite(one.high),
            }
            for one in fit.fitted
        ],
        "not_told": [{"name": one.parameter.name, "value": one.parameter.now, "why": one.why} for one in fit.untold],
        "exchangeable": [list(pair) for pair in fit.exchangeable],
        "figures": [
            {
                "figure": residual.moment.name,
                "measured": residual.measured,
                "error_before": _finite(residual.before),
                "error_after": _finite(residual.after),
                "chance": residual.chance,
            }
            for residual in fit.residuals
        ],
        "misfit": _finite(fit.misfit),
        "requests": fit.requests,
        "runs": fit.runs,
        "confidence": fit.confidence,
        "sets": list(fit.sets),
        "text": fit.text,
        "said": list(fit.said),
    }
    return written(document)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
