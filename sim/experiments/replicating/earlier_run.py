"""An earlier run, known only by its JSON, as a baseline: its figures, unpaired, by Welch's test."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sim import files
from sim.errors import UsageError
from sim.experiments.envelope import READ, SCHEMA
from sim.experiments.replicating.metric_kinds import nature_of
from sim.experiments.replicating.results import Comparison, Earlier
from sim.experiments.running.decoding import DamagedError, decoded, named
from sim.stats.interval import Difference, Interval
from sim.stats.paired import cut_to_possible, holm_together
from sim.stats.power import FEWEST, detectable_by
from sim.units import shown
from sim.vocabulary import has_direction

LARGEST = 64 * 2**20  # bytes of the JSON of an earlier run
_IN_MEMORY = 8 * LARGEST  # bytes it may take


@dataclass(frozen=True)
class _Spread:
    """Of single runs."""

    n: int
    sd: float | None


@dataclass(frozen=True)
class _Cell:
    """What is needed of a figure; null stands for none and for infinity."""

    value: float | None
    low: float | None
    high: float | None
    censored: bool
    spread: _Spread


def is_earlier_run(path: str | Path, confine: Path | None = None) -> bool:
    """Whether a file looks like what `--json` writes, rather than like a scenario; one outside of `confine`
    does not.
    """
    if Path(path).suffix.lower() != ".json":
        return False
    try:
        document = _json(path, confine)
    except (files.UnreadableError, ValueError):
        return False
    return isinstance(document, dict) and "schema" in document and "fingerprint" in document


def against_earlier(comparison: Comparison, path: str | Path, confine: Path | None = None) -> Comparison:
    """The comparison with its variants also set against those of the same name in the earlier run, or else against its
    first.
    """
    document = _read(path, confine)
    try:
        named(document["variants"], "variants")
        figures = {name: _figures(variant, f"variants.{name}") for name, variant in document["variants"].items()}
    except DamagedError as error:
        raise UsageError(f"{path}: damaged, or not what --json wrote: {error}; run that run again") from None
    confidence = comparison.method.confidence
    if not figures:
        raise UsageError(f"{path}: the earlier run has no variants")
    partner = {name: name if name in figures else next(iter(figures)) for name in comparison.variants}
    found = {
        (name, key): _welch(key, now, figures[partner[name]][key], result.records.duration, confidence)
        for name, result in comparison.variants.items()
        for key, now in result.metrics.items()
        if has_direction(key) and key in figures[partner[name]]
    }
    return replace(
        comparison, earlier=Earlier(str(path), partner, _together(found, list(comparison.variants), 1.0 - confidence))
    )


def _json(path: str | Path, confine: Path | None) -> Any:  # noqa: ANN401 - whatever it says
    content = files.read(path, LARGEST, confine)
    if len(content) > LARGEST:
        raise ValueError(f"larger than {LARGEST // 2**20} MiB")
    return files.json_of(content, _IN_MEMORY, constants=False)


def _read(path: str | Path, confine: Path | None) -> dict[str, Any]:
    try:
        document = _json(path, confine)
    except files.UnreadableError as error:
        raise UsageError(f"{path}: {error.message}") from None
    except ValueError as error:
        raise UsageError(f"{path}: not the JSON of an earlier run: {error}") from None
    if not isinstance(document, dict) or document.get("schema") not in READ:
        found = document.get("schema") if isinstance(document, dict) else None
        why = (
            "its rates count by arrival, these by departure; run it again"
            if found == 1
            else "written by another version of sim"
        )
        raise UsageError(f"{path}: found schema {shown(found)}, expected {SCHEMA}: {why}")
    if document.get("kind", "run") not in ("run", "compare"):
        kind = document["kind"] if isinstance(document["kind"], str) else shown(document["kind"])
        raise UsageError(f"{path}: the JSON of a {kind[:40]}, expected that of run or compare")
    if not isinstance(document.get("variants"), dict) or not isinstance(document.get("replications"), int):
        raise UsageError(f"{path}: not the JSON of an earlier run: 'variants' and 'replications' are missing")
    return document


def _figures(variant: object, place: str) -> dict[str, Interval]:
    """The figures that were known; null stands for none and for infinity, with neither of which a test is possible."""
    said = variant.get("metrics") if isinstance(variant, dict) else variant
    metrics: dict[str, dict[str, Any]] = decoded(
        dict[str, dict[str, Any]], {} if said is None else said, f"{place}.metrics"
    )
    cells = {key: _cell(cell, f"{place}.metrics.{key[:60]}") for key, cell in metrics.items()}
    return {
        key: Interval(
            cell.value, _known(cell.low), _known(cell.high), cell.spread.n, cell.censored, _known(cell.spread.sd)
        )
        for key, cell in cells.items()
        if cell.value is not None
    }


def _cell(said: dict[str, Any], place: str) -> _Cell:
    """A figure, of which other programs may have said more."""
    words: dict[str, Any] = {name: said[name] for name in ("value", "low", "high", "spread") if name in said}
    words["censored"] = said.get("censored", False)
    if isinstance(spread := words.get("spread"), dict):
        words["spread"] = {name: spread[name] for name in ("n", "sd") if name in spread}
    cell: _Cell = decoded(_Cell, words, place)
    if cell.spread.n < 0 or (cell.spread.sd or 0.0) < 0:
        raise DamagedError(f"{place}.spread: found a number below 0")
    return cell


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _welch(key: str, now: Interval, before: Interval, duration: float, confidence: float) -> _Unpaired:
    """The difference of two independent means with Welch's degrees of freedom; a single replication has no spread over
    replications.
    """
    from sim.stats.student import t_quantile, two_sided_p

    nature, n = nature_of(key, duration), min(now.n, before.n)
    value = now.value - before.value
    value = 0.0 if abs(value) <= nature.noise_of(now.value, before.value) else value
    censored = now.censored or before.censored
    variances = [figure.deviation**2 / max(1, figure.n) for figure in (now, before)]
    total = sum(variances)
    if censored or n < 2 or not math.isfinite(value) or math.isnan(total):
        return _Unpaired(Difference(value, n=n, censored=censored))
    if total == 0.0:
        return _Unpaired(
            Difference(value, value, value, n, deviation=0.0, p_value=1.0 if value == 0 else 0.0, few=n < FEWEST)
        )
    degrees = total**2 / sum(
        variance**2 / (figure.n - 1) for variance, figure in zip(variances, (now, before), strict=True)
    )
    error = math.sqrt(total)
    half = t_quantile(0.5 + confidence / 2, degrees) * error
    found = Difference(
        value, value - half, value + half, n, p_value=two_sided_p(value / error, degrees), few=n < FEWEST
    )
    return _Unpaired(cut_to_possible(found, now, before, nature.bounds), error, degrees)


@dataclass(frozen=True)
class _Unpaired:
    """A difference, and what its test was made of."""

    difference: Difference
    error: float = math.nan
    degrees: float = math.nan

    def seeing(self, judged: Difference, level: float) -> Difference:
        """The judged difference, and what it could have seen at this level."""
        if judged.finding not in ("few", "not significant") or math.isnan(self.error):
            return judged
        return replace(judged, detectable=detectable_by(self.error, self.degrees, level))


def _together(
    found: dict[tuple[str, str], _Unpaired], names: list[str], alpha: float
) -> dict[str, dict[str, Difference]]:
    """Judged together by Holm's correction; what is equal is no hypothesis."""
    judged, level = holm_together({place: its.difference for place, its in found.items()}, alpha)
    return {
        name: {
            place[1]: found[place].seeing(difference, level) for place, difference in judged.items() if place[0] == name
        }
        for name in names
    }
