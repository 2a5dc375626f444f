"""Paired differences on common random numbers, one or many judged together.

What is *not* here: tests for unpaired samples.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.stats.bootstrap import Resamples, bootstrap
from sim.stats.bounds import UNBOUNDED, Bounds, clipped
from sim.stats.interval import Difference, Interval
from sim.stats.mean import deviation_of, half_width_of, infinite_mean, mean_interval
from sim.stats.power import FEWEST, detectable_difference
from sim.stats.quantile import as_floats
from sim.stats.student import two_sided_p

K = TypeVar("K", bound=Hashable)
EPSILON = float(np.finfo(float).eps)
ADDITIONS = 4096  # that a figure is taken to be made of, where nobody says how many
MOST_ADDITIONS = 2**25  # beyond which a bound of the worst case would hide one request among all


@dataclass(frozen=True)
class Nature:
    """What kind of figure is compared: what it can be, and how much of it is the rounding of floats.

    A figure is a sum of `additions` numbers, divided: each addition rounds by at most half a unit in the last place of
    what there is so far, so that the whole is off by at most additions x eps / 2 of its magnitude (Higham 2002, 4.2),
    and the difference of two such by twice that. Of a share the magnitude is that of the whole, 1: what is left of a
    subtraction carries the error of what it was taken from. `clock` is the size of the clock readings whose difference
    a time is, with the additions that led there: its error does not shrink with the time.
    """

    bounds: Bounds = UNBOUNDED
    additions: int = ADDITIONS
    clock: float = 0.0  # s x additions

    def noise(self, variant: NDArray[np.float64], baseline: NDArray[np.float64]) -> NDArray[np.float64]:
        """The difference of two such figures that is nothing but rounding."""
        size = np.maximum(np.abs(variant), np.abs(baseline))
        if math.isfinite(self.bounds.high):
            size = np.maximum(size, np.where(np.isfinite(size), self.bounds.high, size))
        return np.asarray(EPSILON * (min(self.additions, MOST_ADDITIONS) * size + self.clock))

    def noise_of(self, one: float, other: float) -> float:
        """The same of a single pair; 0 where one of them is not finite."""
        return (
            float(self.noise(np.array([one]), np.array([other]))[0])
            if math.isfinite(one) and math.isfinite(other)
            else 0.0
        )


PLAIN = Nature()


def paired_difference(
    variant: ArrayLike,
    baseline: ArrayLike,
    confidence: float = 0.95,
    *,
    variant_censored: bool = False,
    baseline_censored: bool = False,
    resamples: Resamples | None = None,
    nature: Nature = PLAIN,
    exact: bool = False,
) -> Difference:
    """variant - baseline, replication by replication: mean, interval and two-sided p-value, judged alone; by Student's
    t, or as `mean_interval`.

    A pair with a nan is left out, and so is one that is infinite on both sides (neither recovered: no difference is
    known). Where a difference is infinite there is no t test, and the p-value is that of the sign test. Differences
    that are all equal and not zero are significant from n = 2, and from n = 1 where nothing is random (`exact`). A
    lower bound (censored) can be judged only where the truth, which is further out, would say the same; else p is nan.
    The limits do not leave what the intervals of both sides and the bounds of the figure allow.
    """
    after, before = as_floats(variant), as_floats(baseline)
    gaps = _gaps(after, before, nature)
    paired = ~np.isnan(gaps)
    after, before, gaps = after[paired], before[paired], gaps[paired]
    censored = variant_censored or baseline_censored or bool(np.isinf(gaps).any())
    if not gaps.size:
        return Difference(math.nan, n=0, censored=censored)
    difference = (
        _certain(gaps, censored) if exact and gaps.size == 1 else _judged(gaps, confidence, censored, resamples)
    )
    if _undecidable(difference.value, variant_censored, baseline_censored):
        difference = replace(difference, p_value=math.nan, significant=False)
    if _beyond(difference, float(after.mean()), float(before.mean()), nature.bounds):
        sides = [mean_interval(side, confidence, bounds=nature.bounds) for side in (after, before)]
        difference = cut_to_possible(difference, sides[0], sides[1], nature.bounds)
    return replace(difference, few=gaps.size < FEWEST and not exact)


def differences(
    variant: Mapping[str, ArrayLike],
    baseline: Mapping[str, ArrayLike],
    confidence: float = 0.95,
    *,
    variant_censored: Collection[str] = (),
    baseline_censored: Collection[str] = (),
    resamples: Resamples | None = None,
    natures: Mapping[str, Nature] | None = None,
    exact: bool = False,
) -> dict[str, Difference]:
    """The paired differences of all metrics that both sides have, judged together: p-values are Holm's, intervals are
    each metric's own.

    A metric that is equal in every replication is no hypothesis (p = 1), and one figure under two names (overall, and
    of the only route) is one: neither makes the others harder to prove. Where a difference is not significant, it is
    said which would have been.
    """
    kinds = natures or {}
    found = {
        name: paired_difference(
            values,
            baseline[name],
            confidence,
            variant_censored=name in variant_censored,
            baseline_censored=name in baseline_censored,
            resamples=resamples,
            nature=kinds.get(name, PLAIN),
            exact=exact,
        )
        for name, values in variant.items()
        if name in baseline
    }
    together, level = holm_together(found, 1.0 - confidence)
    return {
        name: _seeing(its, level, as_floats(variant[name]), as_floats(baseline[name]), kinds.get(name, PLAIN).bounds)
        for name, its in together.items()
    }


def holm_together(found: Mapping[K, Difference], alpha: float) -> tuple[dict[K, Difference], float]:
    """The same differences with Holm's p-values, and the level at which one more could have been significant.

    With k of m hypotheses rejected, one more is rejected, whichever it is, if its own p-value is at most alpha / (m -
    k).
    """
    hypotheses = list(dict.fromkeys(difference for difference in found.values() if difference.p_value < 1))
    corrected = dict(zip(hypotheses, holm([difference.p_value for difference in hypotheses]), strict=True))
    judged = {
        name: replace(difference, p_value=p_value, significant=p_value <= alpha)
        if (p_value := corrected.get(difference)) is not None
        else difference
        for name, difference in found.items()
    }
    return judged, alpha / max(1, sum(p_value > alpha for p_value in corrected.values()))


def _beyond(difference: Difference, variant: float, baseline: float, bounds: Bounds) -> bool:
    """Whether its limits leave what these means allow: only then there may be something to cut."""
    lowest, highest = (
        max(bounds.low - baseline, variant - bounds.high),
        min(bounds.high - baseline, variant - bounds.low),
    )
    return difference.low < lowest or difference.high > highest


def cut_to_possible(difference: Difference, variant: Interval, baseline: Interval, bounds: Bounds) -> Difference:
    """Its limits cut at what can be: the variant is within the bounds wherever in its interval the baseline lies, and
    the other way round.

    The cut limits hold the truth wherever the others did and that interval does, and 0 is never cut off: star and
    interval go on to agree.
    """
    if not all(math.isfinite(its.half_width) for its in (difference, variant, baseline)):
        return difference
    room = Bounds(
        max(bounds.low - baseline.high, variant.low - bounds.high),
        min(bounds.high - baseline.low, variant.high - bounds.low),
    )
    low, high = clipped(difference.low, difference.high, room)
    return replace(difference, low=min(low, difference.value), high=max(high, difference.value))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: the smallest p-value times m, the next times m - 1, ..., never falling, at
    most 1.
    """
    corrected, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = highest
    return corrected


def _gaps(variant: NDArray[np.float64], baseline: NDArray[np.float64], nature: Nature) -> NDArray[np.float64]:
    if variant.size != baseline.size:
        raise ValueError(
            f"found {variant.size} and {baseline.size} values, expected as many of the variant as of the baseline"
        )
    with np.errstate(invalid="ignore"):
        gaps = variant - baseline  # inf - inf is nan
        gaps[np.isfinite(gaps) & (np.abs(gaps) <= nature.noise(variant, baseline))] = 0.0
    return gaps


def _certain(gaps: NDArray[np.float64], censored: bool) -> Difference:
    """Of one pair, where nothing is random."""
    value = float(gaps[0])
    p_value = 0.0 if value else 1.0
    return Difference(value, value, value, censored=censored, p_value=p_value, significant=value != 0)


def _judged(gaps: NDArray[np.float64], confidence: float, censored: bool, resamples: Resamples | None) -> Difference:
    n, alpha = int(gaps.size), 1.0 - confidence
    if np.isinf(gaps).any():
        p_value = _sign_test(gaps)
        return Difference(infinite_mean(gaps), n=n, censored=True, p_value=p_value, significant=p_value <= alpha)
    value = float(gaps.mean())
    if n == 1:
        return Difference(value, n=1, censored=censored)
    deviation = deviation_of(gaps)
    spread = (deviation, float(gaps.min()), float(gaps.max()))
    found = bootstrap(gaps, resamples, confidence) if resamples is not None else None
    if found is not None:
        return Difference(value, found.low, found.high, n, censored, *spread, found.p_value, found.p_value <= alpha)
    half = half_width_of(deviation, n, confidence)
    p_value = _p_value(gaps, value, deviation)
    return Difference(value, value - half, value + half, n, censored, *spread, p_value, p_value <= alpha)


def _p_value(gaps: NDArray[np.float64], value: float, deviation: float) -> float:
    if gaps.min() == gaps.max():
        return 0.0 if gaps[0] else 1.0
    if not 1e-100 < deviation < 1e100:
        scaled = gaps / np.abs(gaps).max()  # whose squares neither vanish nor overflow
        value, deviation = float(scaled.mean()), float(scaled.std(ddof=1))
    return two_sided_p(value / deviation * math.sqrt(gaps.size), gaps.size - 1)


def _sign_test(gaps: NDArray[np.float64]) -> float:
    """Two-sided and exact; ties are left out."""
    above, below = int((gaps > 0).sum()), int((gaps < 0).sum())
    n = above + below
    return min(1.0, 2.0 * sum(math.comb(n, k) for k in range(min(above, below) + 1)) / 2.0**n)


def _seeing(
    difference: Difference, level: float, variant: NDArray[np.float64], baseline: NDArray[np.float64], bounds: Bounds
) -> Difference:
    """The difference with what could have been seen where it was not, and whether that is more than can be.

    That is the way from the baseline to either bound; of what has no upper bound, that all of it had gone, or come.
    """
    if difference.finding not in ("few", "not significant") or not math.isfinite(difference.deviation):
        return difference
    detectable = detectable_difference(difference.deviation, difference.n, level)
    known = np.isfinite(variant) & np.isfinite(baseline)
    before, after = float(baseline[known].mean()), float(variant[known].mean())
    upward = bounds.high - before if math.isfinite(bounds.high) else after - bounds.low
    return replace(
        difference, detectable=detectable, few=difference.few or detectable >= max(before - bounds.low, upward)
    )


def _undecidable(value: float, variant_censored: bool, baseline_censored: bool) -> bool:
    """Whether the truth behind a lower bound could turn the sign."""
    return (variant_censored and (baseline_censored or not value > 0)) or (baseline_censored and not value < 0)
