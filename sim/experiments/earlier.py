"""An earlier run, known only by its JSON, as a baseline: its figures, unpaired, by Welch's test."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from sim.errors import UsageError
from sim.experiments.comparison import has_direction
from sim.experiments.document import SCHEMA
from sim.experiments.method import ORDINARY
from sim.experiments.results import Comparison, Earlier
from sim.stats.interval import Difference, Interval


def is_earlier_run(path: str | Path) -> bool:
    """Whether a file looks like what `--json` writes, rather than like a scenario."""
    if Path(path).suffix.lower() != ".json" or not Path(path).is_file():
        return False
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(document, dict) and "schema" in document and "fingerprint" in document


def against_earlier(comparison: Comparison, path: str | Path) -> Comparison:
    """The comparison with its variants also set against those of the same name in the earlier run, or else against its first."""
    document = _read(path)
    figures = {name: _figures(variant, document["replications"]) for name, variant in document["variants"].items()}
    confidences = comparison.method.confidence, float(document.get("method", {}).get("confidence", ORDINARY))
    if not figures:
        raise UsageError(f"{path}: the earlier run has no variants")
    partner = {name: name if name in figures else next(iter(figures)) for name in comparison.variants}
    found = {
        (name, key): _welch(now, figures[partner[name]][key], confidences)
        for name, result in comparison.variants.items()
        for key, now in result.metrics.items()
        if has_direction(key) and key in figures[partner[name]]
    }
    return replace(comparison, earlier=Earlier(str(path), partner, _together(found, list(comparison.variants), 1.0 - confidences[0])))


def _read(path: str | Path) -> dict[str, Any]:
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: not the JSON of an earlier run: {error}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else None
        raise UsageError(f"{path}: found schema {found!r}, expected {SCHEMA}: written by another version of sim")
    if "kind" in document:
        raise UsageError(f"{path}: the JSON of a {document['kind']}, expected that of run or compare")
    if not isinstance(document.get("variants"), dict) or not isinstance(document.get("replications"), int):
        raise UsageError(f"{path}: not the JSON of an earlier run: 'variants' and 'replications' are missing")
    return document


def _figures(variant: dict[str, Any], replications: int) -> dict[str, Interval]:
    """The figures that were known; null stands for none and for infinity, with neither of which a test is possible."""
    replications = variant.get("replications", replications)
    return {
        key: Interval(cell["value"], _known(cell["low"]), _known(cell["high"]), replications, bool(cell.get("censored")))
        for key, cell in variant.get("metrics", {}).items()
        if cell["value"] is not None
    }


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _welch(now: Interval, before: Interval, confidences: tuple[float, float] = (ORDINARY, ORDINARY)) -> Difference:
    """The difference of two independent means with Welch's degrees of freedom; a single replication has no spread over replications."""
    from sim.stats.student import t_quantile, two_sided_p

    value = now.value - before.value
    censored = now.censored or before.censored
    if censored or min(now.n, before.n) < 2 or not math.isfinite(value) or math.isnan(now.half_width) or math.isnan(before.half_width):
        return Difference(value, n=min(now.n, before.n), censored=censored)
    tails = [0.5 + confidence / 2 for confidence in confidences]
    variances = [(figure.half_width / t_quantile(tail, figure.n - 1)) ** 2 for figure, tail in zip((now, before), tails, strict=True)]
    total = sum(variances)
    if total == 0.0:
        return Difference(value, value, value, min(now.n, before.n), p_value=1.0 if value == 0 else 0.0)
    degrees = total**2 / sum(variance**2 / (figure.n - 1) for variance, figure in zip(variances, (now, before), strict=True))
    error = math.sqrt(total)
    half = t_quantile(tails[0], degrees) * error
    return Difference(value, value - half, value + half, min(now.n, before.n), p_value=two_sided_p(value / error, degrees))


def _together(found: dict[tuple[str, str], Difference], names: list[str], alpha: float) -> dict[str, dict[str, Difference]]:
    """Judged together by Holm's correction; what is equal is no hypothesis."""
    from sim.stats.paired import holm

    tested = [place for place, difference in found.items() if difference.p_value < 1]
    for place, p_value in zip(tested, holm([found[place].p_value for place in tested]), strict=True):
        found[place] = replace(found[place], p_value=p_value, significant=p_value <= alpha)
    return {name: {key: difference for (owner, key), difference in found.items() if owner == name} for name in names}
