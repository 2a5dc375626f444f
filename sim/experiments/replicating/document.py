"""The one JSON document that `--json` and `results.json` hold: contract C of the command line, read by scripts."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from sim.experiments.envelope import head, written
from sim.experiments.replicating.method import ORDINARILY
from sim.experiments.replicating.results import Comparison, VariantResult, bounds_of
from sim.stats.interval import Difference, Interval
from sim.vocabulary import BASES, basis_of, unit_of


def as_document(comparison: Comparison, answer: str | None = None) -> dict[str, Any]:
    """What `--json` writes, with the `answer` in words where somebody knows it. Infinite and missing values are null; a
    lower bound says so.
    """
    judged = any(variant.verdicts for variant in comparison.variants.values())
    document: dict[str, Any] = {
        **head(
            "run" if len(comparison.variants) == 1 else "compare",
            comparison.study.name,
            seed=comparison.seed,
            engine=comparison.engine,
            replications=comparison.replications,
            fingerprint=comparison.fingerprint,
            passed=comparison.passed if judged else None,
            answer=answer,
        ),
        "bases": BASES,
        "variants": {name: _variant_document(result, comparison) for name, result in comparison.variants.items()},
        "differences": {name: _differences_document(found) for name, found in comparison.differences.items()},
    }
    if comparison.method != ORDINARILY:
        document["method"] = {name: part for name, part in asdict(comparison.method).items() if part is not None}
    if comparison.earlier is not None:
        document["earlier"] = {
            "source": comparison.earlier.source,
            "paired": False,
            "against": comparison.earlier.against,
            "differences": {
                name: _differences_document(found) for name, found in comparison.earlier.differences.items()
            },
        }
    return document


def as_json(comparison: Comparison, answer: str | None = None) -> str:
    """The document as text, the same text for the same results."""
    return written(as_document(comparison, answer))


def _variant_document(result: VariantResult, comparison: Comparison) -> dict[str, Any]:
    own, identical = len(result.figures), comparison.identical.get(result.name)
    return {
        **({"replications": own} if own != comparison.replications else {}),  # dropped from a race
        **({"identical_to": identical} if identical is not None else {}),
        # of each replication, where they differ
        **({"engines": list(result.engines)} if len(set(result.engines)) > 1 else {}),
        "window": {"begin": result.records.warmup, "end": result.records.duration},
        "metrics": {key: _figure(result, key, figure) for key, figure in result.metrics.items()},
        "expectations": [
            {
                "text": verdict.text,
                "value": _finite(verdict.value),
                "passed": verdict.passed,
                **({"reason": verdict.reason} if verdict.reason else {}),
            }
            for verdict in result.verdicts
        ],
    }


def _figure(result: VariantResult, key: str, figure: Interval) -> dict[str, Any]:
    return {**_limits(figure), **_bounds(result, key), **_spread(figure), "unit": unit_of(key), "of": basis_of(key)}


def _bounds(result: VariantResult, key: str) -> dict[str, float | None]:
    """What requests in flight at the end can make of a figure, where they can make anything of it."""
    bounds = bounds_of(result.metrics, key)
    return {} if bounds is None else {"at_least": _finite(bounds[0]), "at_most": _finite(bounds[1])}


def _differences_document(found: dict[str, Difference]) -> dict[str, Any]:
    return {key: {**_limits(difference), **_judgement(difference)} for key, difference in found.items()}


def _judgement(difference: Difference) -> dict[str, Any]:
    """What the difference amounts to; where none was seen, which would have been with a probability of 80 %."""
    return {
        "significant": difference.significant,
        "finding": {"few": "too few replications", "open": "not judged"}.get(difference.finding, difference.finding),
        "detectable": _finite(difference.detectable),
    }


def _spread(figure: Interval) -> dict[str, Any]:
    """Of single runs, beside the interval of their mean: what one more run, or a measured one, is to be held
    against.
    """
    sd, least, most = (_finite(number) for number in (figure.deviation, figure.least, figure.most))
    return {"spread": {"sd": sd, "min": least, "max": most, "n": figure.n}}


def _limits(figure: Interval) -> dict[str, Any]:
    limits: dict[str, Any] = {part: _finite(getattr(figure, part)) for part in ("value", "low", "high")}
    if figure.censored or math.isinf(figure.value):
        limits["censored"] = True
    return limits


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
