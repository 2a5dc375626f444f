"""Paired differences on common random numbers, one or many judged together. What is *not* here: tests for unpaired samples."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.stats.bootstrap import Resamples, bootstrap
from sim.stats.interval import Difference
from sim.stats.mean import half_width, infinite_mean
from sim.stats.quantile import as_floats
from sim.stats.student import two_sided_p

ROUNDING = 1e-12  # differences below this share of the values are rounding, not effect


def paired_difference(
    variant: ArrayLike,
    baseline: ArrayLike,
    confidence: float = 0.95,
    *,
    variant_censored: bool = False,
    baseline_censored: bool = False,
    resamples: Resamples | None = None,
) -> Difference:
    """variant - baseline, replication by replication: mean, interval and two-sided p-value, judged alone; by Student's t, or as `mean_interval`.

    A pair with a nan is left out, and so is one that is infinite on both sides (neither recovered: no difference is known). Where a difference is
    infinite there is no t test, and the p-value is that of the sign test. Differences that are all equal and not zero are significant from n = 2.
    A lower bound (censored) can be judged only where the truth, which is further out, would say the same; else p is nan.
    """
    gaps = _gaps(as_floats(variant), as_floats(baseline))
    censored = variant_censored or baseline_censored or bool(np.isinf(gaps).any())
    if not gaps.size:
        return Difference(math.nan, n=0, censored=censored)
    difference = _judged(gaps, confidence, censored, resamples)
    if _undecidable(difference.value, variant_censored, baseline_censored):
        return replace(difference, p_value=math.nan, significant=False)
    return difference


def differences(
    variant: Mapping[str, ArrayLike],
    baseline: Mapping[str, ArrayLike],
    confidence: float = 0.95,
    *,
    variant_censored: Collection[str] = (),
    baseline_censored: Collection[str] = (),
    resamples: Resamples | None = None,
) -> dict[str, Difference]:
    """The paired differences of all metrics that both sides have, judged together: p-values are Holm's, intervals are each metric's own.

    A metric that is equal in every replication is no hypothesis (p = 1), and one figure under two names (overall, and of the only route) is one:
    neither makes the others harder to prove.
    """
    found = {
        name: paired_difference(
            values,
            baseline[name],
            confidence,
            variant_censored=name in variant_censored,
            baseline_censored=name in baseline_censored,
            resamples=resamples,
        )
        for name, values in variant.items()
        if name in baseline
    }
    hypotheses = list(dict.fromkeys(difference for difference in found.values() if difference.p_value < 1))
    corrected = dict(zip(hypotheses, holm([difference.p_value for difference in hypotheses]), strict=True))
    return {name: _corrected(difference, corrected.get(difference), _alpha(confidence)) for name, difference in found.items()}


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: the smallest p-value times m, the next times m - 1, ..., never falling, at most 1."""
    corrected, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = highest
    return corrected


def _gaps(variant: NDArray[np.float64], baseline: NDArray[np.float64]) -> NDArray[np.float64]:
    if variant.size != baseline.size:
        raise ValueError(f"found {variant.size} and {baseline.size} values, expected as many of the variant as of the baseline")
    with np.errstate(invalid="ignore"):
        gaps = variant - baseline  # inf - inf is nan
    size = np.maximum(np.abs(variant), np.abs(baseline))
    gaps[np.isfinite(size) & (np.abs(gaps) <= ROUNDING * size)] = 0.0
    return gaps[~np.isnan(gaps)]


def _judged(gaps: NDArray[np.float64], confidence: float, censored: bool, resamples: Resamples | None) -> Difference:
    n = int(gaps.size)
    if np.isinf(gaps).any():
        p_value = _sign_test(gaps)
        return Difference(infinite_mean(gaps), n=n, censored=True, p_value=p_value, significant=p_value <= _alpha(confidence))
    value = float(gaps.mean())
    if n == 1:
        return Difference(value, n=1, censored=censored)
    found = bootstrap(gaps, resamples, confidence) if resamples is not None else None
    if found is not None:
        return Difference(value, found.low, found.high, n, censored, found.p_value, found.p_value <= _alpha(confidence))
    half = half_width(gaps, confidence)
    p_value = _p_value(gaps)
    return Difference(value, value - half, value + half, n, censored, p_value, p_value <= _alpha(confidence))


def _p_value(gaps: NDArray[np.float64]) -> float:
    if np.ptp(gaps) == 0:
        return 0.0 if gaps[0] else 1.0
    scaled = gaps / np.abs(gaps).max()  # whose squares neither vanish nor overflow
    return two_sided_p(float(scaled.mean()) / float(scaled.std(ddof=1)) * math.sqrt(gaps.size), gaps.size - 1)


def _sign_test(gaps: NDArray[np.float64]) -> float:
    """Two-sided and exact; ties are left out."""
    above, below = int((gaps > 0).sum()), int((gaps < 0).sum())
    n = above + below
    return min(1.0, 2.0 * sum(math.comb(n, k) for k in range(min(above, below) + 1)) / 2.0**n)


def _corrected(difference: Difference, p_value: float | None, alpha: float) -> Difference:
    return difference if p_value is None else replace(difference, p_value=p_value, significant=p_value <= alpha)


def _undecidable(value: float, variant_censored: bool, baseline_censored: bool) -> bool:
    """Whether the truth behind a lower bound could turn the sign."""
    return (variant_censored and (baseline_censored or not value > 0)) or (baseline_censored and not value < 0)


def _alpha(confidence: float) -> float:
    return 1.0 - confidence
