"""Sweeps and searches as files: the JSON document that scripts read, and tables as parquet."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Any, TypeAlias

import pandas as pd

from sim.experiments.envelope import head, written
from sim.experiments.replicating.storing import RESULTS
from sim.experiments.searching.capacity_results import Capacity, Found
from sim.experiments.searching.cheapest import Cheapest, Choice
from sim.experiments.searching.probing import Probe
from sim.experiments.searching.scaling import CurveFit
from sim.experiments.searching.sweep_results import Sweep
from sim.stats.interval import Interval
from sim.stats.scaling import ScalingFit
from sim.vocabulary import BASES, basis_of, bound_keys

Answer: TypeAlias = Sweep | Capacity | Cheapest


def as_document(answer: Answer, in_words: str | None = None) -> dict[str, Any]:
    """What `--json` writes. `kind` tells the answers apart; infinite and missing values are null."""
    warmup = {"warmup": answer.warmup.seconds} if answer.warmup is not None else {}
    common = {
        **head(
            type(answer).__name__.lower(),
            answer.study.name,
            seed=answer.seed,
            engine=answer.engine,
            replications=answer.replications,
            fingerprint=answer.fingerprint,
            passed=None if isinstance(answer, Sweep) else answer.passed,
            answer=in_words,
        ),
        **warmup,
        "axes": [axis.name for axis in answer.axes],
    }
    if isinstance(answer, Sweep):
        return {**common, **_sweep(answer)}
    return {**common, **(_capacity(answer) if isinstance(answer, Capacity) else _cheapest(answer))}


def as_json(answer: Answer, in_words: str | None = None) -> str:
    """The document as text, the same text for the same results."""
    return written(as_document(answer, in_words))


def files_of(answer: Answer, in_words: str | None = None) -> dict[str, bytes]:
    """What a report directory must hold besides the report itself: name -> content."""
    files = {RESULTS: as_json(answer, in_words).encode()}
    if isinstance(answer, Sweep):
        files |= {"sweep.parquet": parquet(answer.summary), "runs.parquet": parquet(answer.runs.reset_index())}
        if answer.sensitivity is not None:
            files["sensitivity.parquet"] = parquet(answer.sensitivity)
    elif isinstance(answer, Capacity):
        files |= {"capacity.parquet": parquet(answer.summary), "looks.parquet": parquet(answer.looks)}
    else:
        files["cheapest.parquet"] = parquet(answer.summary)
    return files


def parquet(frame: pd.DataFrame) -> bytes:
    """A table as a parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _sweep(sweep: Sweep) -> dict[str, Any]:
    cells = dict(iter(sweep.summary.groupby(["point", "variant"], sort=False)))
    points = []
    for point in sweep.points:
        variants = {}
        for variant in sweep.variants:
            block = cells.get((point.number, variant))
            figures = (
                block.set_index("metric")[["value", "low", "high", "censored", "unit"]].to_dict("index")
                if block is not None
                else {}
            )
            verdicts = sweep.verdicts.get((variant, point.number), ())
            variants[variant] = {
                "metrics": {str(key): _figure(str(key), figures) for key in figures},
                "expectations": [
                    {"text": verdict.text, "value": verdict.value, "passed": verdict.passed} for verdict in verdicts
                ],
            }
        settings = dict(zip((axis.name for axis in sweep.axes), point.values, strict=True))
        points.append({"point": point.number, "settings": settings, "variants": variants})
    return {
        "bases": BASES,
        "design": sweep.design,
        "points": points,
        "fits": [_curve_fit(fit) for fit in sweep.fits],
        "sensitivity": sweep.sensitivity.to_dict("records") if sweep.sensitivity is not None else [],
        "failures": [asdict(failure) for failure in sweep.failures],
    }


def _figure(key: str, figures: dict[Any, dict[Any, Any]]) -> dict[str, Any]:
    figure = figures[key]
    plain = {part: float(figure[part]) for part in ("value", "low", "high")}
    least, most = (figures.get(bound) for bound in bound_keys(key))
    bounds = (
        {} if least is None or most is None else {"at_least": float(least["value"]), "at_most": float(most["value"])}
    )
    return {
        **plain,
        "unit": figure["unit"],
        "of": basis_of(key),
        **({"censored": True} if figure["censored"] else {}),
        **bounds,
    }


def _curve_fit(fit: CurveFit) -> dict[str, Any]:
    others = {name: getattr(value, "item", lambda value=value: value)() for name, value in fit.others.items()}
    preferred = fit.preferred.law if fit.preferred is not None else None
    return {
        "variant": fit.variant,
        "axis": fit.axis,
        "others": others,
        "preferred": preferred,
        "note": fit.note,
        **_laws(fit.usl, fit.amdahl),
    }


def _laws(usl: ScalingFit | None, amdahl: ScalingFit | None) -> dict[str, Any]:
    return {name: _law(fit) if fit is not None else None for name, fit in (("usl", usl), ("amdahl", amdahl))}


def _law(fit: ScalingFit) -> dict[str, Any]:
    parts = {name: _interval(getattr(fit, name)) for name in ("gamma", "alpha", "beta", "peak", "peak_throughput")}
    return {
        **parts,
        "r_squared": fit.r_squared,
        "aicc": fit.aicc,
        "points": fit.points,
        "extrapolated": fit.extrapolated,
    }


def _interval(figure: Interval) -> dict[str, float]:
    return {part: getattr(figure, part) for part in ("value", "low", "high")}


def _capacity(capacity: Capacity) -> dict[str, Any]:
    fits = {variant: {**_laws(usl, amdahl), "note": note} for variant, (usl, amdahl, note) in capacity.fits.items()}
    return {
        "resolution": capacity.resolution,
        "capacities": [_found(found) for found in capacity.found],
        **({"fits": fits} if fits else {}),
    }


def _found(found: Found) -> dict[str, Any]:
    return {
        "variant": found.variant,
        "settings": found.settings,
        "load": {**_interval(found.load), "at_least": found.load.censored},
        "rate": {**_interval(found.rate), "unit": "1/s"},
        "breaks_first": found.breaks_first or None,
        "breaks_too": list(found.breaks_too),
        "note": found.note,
        "looks": [{"load": look.load, **_probe(look.probe)} for look in found.looks],
    }


def _probe(probe: Probe) -> dict[str, Any]:
    return {
        "holds": probe.holds,
        "sure": probe.sure,
        "replications": probe.replications,
        "requests": probe.requests,
        "expectations": [
            {part: getattr(judged, part) for part in ("text", "value", "low", "high", "holds", "sure")}
            for judged in probe.judged
        ],
    }


def _cheapest(cheapest: Cheapest) -> dict[str, Any]:
    return {
        "load": cheapest.load,
        "priced": cheapest.priced,
        "choices": [_choice(choice) for choice in cheapest.choices],
    }


def _choice(choice: Choice) -> dict[str, Any]:
    looks = [
        {"settings": settings, "price": price, "cost": probe.cost, **_probe(probe)}
        for settings, price, probe in choice.looks
    ]
    probe = choice.probe
    return {
        "variant": choice.variant,
        "load": choice.load,
        "settings": choice.settings,
        "price": choice.price,
        "cost": probe.cost if probe is not None else None,
        "undecided": list(choice.undecided),
        "looks": looks,
    }
