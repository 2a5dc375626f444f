"""Scaling laws: how throughput grows with the number of servers or users, by Amdahl and by Gunther's Universal
Scalability Law.

    X(N) = gamma N / (1 + alpha (N - 1) + beta N (N - 1))        alpha: contention   beta: coherency   Amdahl: beta = 0

Least squares on X with alpha in [0, 1] and beta >= 0; intervals by a bootstrap that draws the residuals of the fit and
the replications anew, so that they hold both what the law does not describe and the luck of the draw. What is *not*
here: whether the points were measured at saturation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.stats.interval import Interval

Floats = NDArray[np.float64]

FEWEST = {"usl": 4, "amdahl": 3}  # points: one more than parameters
ENOUGH = 6  # points, on both sides of the peak, for a fit that can be trusted
_RESAMPLES = 300
_SEED = 19930401


@dataclass(frozen=True)
class ScalingFit:
    """One law fitted to one curve. The limits are nan where there is nothing to draw anew."""

    law: str  # usl, amdahl
    gamma: Interval  # throughput of one
    alpha: Interval
    beta: Interval
    # N at which throughput is highest: sqrt((1 - alpha) / beta); infinite for Amdahl and where beta is 0
    peak: Interval
    peak_throughput: Interval  # X at the peak; gamma / alpha where the peak is infinite
    r_squared: float
    aicc: float  # to compare laws: the smaller one describes the points better for the parameters it takes
    points: int
    largest: float  # N up to which there are points

    def at(self, n: ArrayLike) -> Floats:
        """X(N) of the fitted law."""
        return throughput(np.asarray(n, dtype=np.float64), self.gamma.value, self.alpha.value, self.beta.value)

    @property
    def extrapolated(self) -> bool:
        """Whether the peak lies beyond the points."""
        return not self.peak.value <= self.largest


def throughput(n: Floats, gamma: float, alpha: float, beta: float) -> Floats:
    """X(N) by the Universal Scalability Law."""
    return gamma * n / (1.0 + alpha * (n - 1.0) + beta * n * (n - 1.0))


def peak_of(alpha: float, beta: float) -> float:
    """N at which throughput is highest."""
    return math.sqrt(max(0.0, 1.0 - alpha) / beta) if beta > 0.0 else math.inf


def fit_scaling(sizes: ArrayLike, throughputs: ArrayLike, law: str = "usl", confidence: float = 0.95) -> ScalingFit:
    """Fit a law to `throughputs`, one row per replication and one column per size (or a single row).

    ValueError where there is too little.
    """
    n = np.asarray(sizes, dtype=np.float64)
    rows = np.atleast_2d(np.asarray(throughputs, dtype=np.float64))
    if rows.shape[1] != n.size or not (np.isfinite(rows).all() and (n > 0).all()):
        raise ValueError("expected finite throughputs, one for each size above 0")
    if len(set(n.tolist())) < FEWEST[law]:
        raise ValueError(f"found {len(set(n.tolist()))} sizes, expected at least {FEWEST[law]}")
    x = rows.mean(axis=0)
    if not (x > 0).all():
        raise ValueError("found a throughput of 0, expected more")
    best = _least_squares(n, x, law)
    fitted = throughput(n, *best)
    drawn = _drawn_anew(n, rows, fitted, law)
    residual, total = float(((x - fitted) ** 2).sum()), float(((x - x.mean()) ** 2).sum())
    tail = (1.0 - confidence) / 2
    columns = (
        np.column_stack([drawn, [[peak_of(a, b), _highest(g, a, b)] for g, a, b in drawn]]) if drawn.size else None
    )
    values = (*best, peak_of(best[1], best[2]), _highest(*best))
    gamma, alpha, beta, peak, highest = (
        _interval(value, None if columns is None else columns[:, place], tail, len(rows))
        for place, value in enumerate(values)
    )
    return ScalingFit(
        law=law,
        gamma=gamma,
        alpha=alpha,
        beta=beta,
        peak=peak,
        peak_throughput=highest,
        r_squared=1.0 - residual / total if total > 0 else math.nan,
        aicc=_aicc(residual, n.size, FEWEST[law] - 1),
        points=n.size,
        largest=float(n.max()),
    )


def _least_squares(n: Floats, x: Floats, law: str, tolerance: float = 1e-12) -> tuple[float, float, float]:
    """From the linear form N / X = a + b (N - 1) + c N (N - 1), all positive, to the least squares of X itself."""
    from scipy.optimize import least_squares, nnls

    shape = np.column_stack([np.ones_like(n), n - 1.0, n * (n - 1.0)])[:, : 3 if law == "usl" else 2]
    weight = x**2 / n
    start, _ = nnls(shape * weight[:, None], n / x * weight)
    gamma = 1.0 / start[0] if start[0] > 0 else float((x / n).max())
    first = [gamma / _unit(x), min(1.0, gamma * start[1]), gamma * start[2] if law == "usl" else 0.0]
    scale = _unit(x)
    size = 3 if law == "usl" else 2

    def gaps(parameters: Floats) -> Floats:
        full = [*parameters, 0.0][:3]
        return (throughput(n, full[0] * scale, full[1], full[2]) - x) / scale

    def slopes(parameters: Floats) -> Floats:
        full = [*parameters, 0.0][:3]
        below = 1.0 + full[1] * (n - 1.0) + full[2] * n * (n - 1.0)
        value = full[0] * n / below
        return np.column_stack([n / below, -value * (n - 1.0) / below, -value * n * (n - 1.0) / below])[:, :size]

    upper = [np.inf, 1.0, np.inf][:size]
    begin = np.clip(first[:size], 1e-12, np.array(upper) * (1 - 1e-12))
    scales = np.maximum(begin, [1e-3, 1e-3, 1e-5][:size])
    found = least_squares(
        gaps,
        begin,
        slopes,
        bounds=([0.0] * size, upper),
        x_scale=scales,
        xtol=tolerance,
        ftol=tolerance,
        gtol=tolerance,
    )
    gamma, alpha, beta = [*map(float, found.x), 0.0][:3]
    return gamma * scale, _zero_if_tiny(alpha, 1e-9), _zero_if_tiny(beta, 1e-9 / float(n.max()))


def _drawn_anew(n: Floats, rows: Floats, fitted: Floats, law: str) -> Floats:
    """Parameters of the fits to data drawn anew; none where neither residuals nor replications leave anything
    to draw.
    """
    mean = rows.mean(axis=0)
    free = n.size - (FEWEST[law] - 1)
    residuals = (mean - fitted) / fitted * math.sqrt(n.size / free)
    if len(rows) == 1 and not np.abs(residuals).max() > 1e-12:
        return np.empty((0, 3))
    random = np.random.default_rng(_SEED)
    deviations = (rows - mean) * (math.sqrt(len(rows) / (len(rows) - 1)) if len(rows) > 1 else 0.0)
    found = []
    for _ in range(_RESAMPLES):
        luck = deviations[random.integers(0, len(rows), len(rows))].mean(axis=0)
        again = fitted * (1.0 + random.choice(residuals - residuals.mean(), n.size)) + luck
        found.append(_least_squares(n, np.maximum(again, 1e-9 * _unit(fitted)), law, 1e-7))
    return np.array(found)


def _interval(value: float, drawn: Floats | None, tail: float, rows: int) -> Interval:
    if drawn is None:
        return Interval(value, n=rows)
    ordered = np.sort(drawn)  # by rank, since a peak may be infinite
    last = len(ordered) - 1
    low, high = float(ordered[math.floor(tail * last)]), float(ordered[math.ceil((1.0 - tail) * last)])
    return Interval(value, min(low, value), max(high, value), rows)


def _highest(gamma: float, alpha: float, beta: float) -> float:
    peak = peak_of(alpha, beta)
    if math.isinf(peak):
        return gamma / alpha if alpha > 0.0 else math.inf
    return float(throughput(np.array([max(1.0, peak)]), gamma, alpha, beta)[0])


def _aicc(residual: float, points: int, parameters: int) -> float:
    """Akaike's criterion for few points; infinite where they are too few for it."""
    k = parameters + 1  # the variance too
    if points <= k + 1:
        return math.inf
    return points * math.log(max(residual, 1e-300) / points) + 2 * k + 2 * k * (k + 1) / (points - k - 1)


def _unit(x: Floats) -> float:
    return float(np.abs(x).max())


def _zero_if_tiny(value: float, tiny: float) -> float:
    return 0.0 if value < tiny else value
