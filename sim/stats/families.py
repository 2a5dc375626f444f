"""Which family of distributions a sample of durations looks like: one candidate of each, fitted, and how far it is
from the sample.

Every candidate has the mean of the sample, since load is rate times mean; its shape comes from the logarithms,
which a few giants hardly move: lognormal: the standard deviation of the logarithms (maximum likelihood). Weibull:
pi / (sqrt(6) x that deviation) (Menon, 1963). Gamma: the closed approximation of the maximum of likelihood by
ln(mean) - mean(ln) (Minka, "Estimating a Gamma distribution", 2002). Hyperexponential: two branches of balanced
means with the coefficient of variation of the sample, where that is above 1. The distance is that of Kolmogorov and
Smirnov: the largest difference between the two distribution functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sim.stats.pieces import mean_and_deviation

Array = npt.NDArray[np.float64]
ENOUGH = 8  # values from which a family is told from another
CLOSE = 0.05  # a distance that is small enough whatever the size of the sample
CRITICAL = 1.2  # over the root of the size of the sample: what chance does now and then
# over that root: how far an exponential, with its one parameter, may be, and may be behind another
SIMPLE, ASIDE = (
    0.8,
    0.2,
)
TAIL = 0.15  # how far the 95th and 99th percentile of a family may be from those of the sample
CONSTANT = 0.01  # coefficient of variation below which all values are one
LONGEST_SAMPLE = 20_000  # values by which the distance is measured; of longer samples evenly spaced ranks


@dataclass(frozen=True)
class Fitted:
    """A family with its parameters and its errors against the sample: distance, and relative error of the 95th and
    99th percentile.
    """

    family: str
    parameters: dict[str, float]  # `mean` in the unit of the sample, the others without unit
    distance: float
    p95: float
    p99: float
    size: int

    @property
    def is_close(self) -> bool:
        """Whether it may stand for the sample."""
        luck = CRITICAL / math.sqrt(self.size)
        far = max(TAIL, 2.5 * luck)  # percentiles of a small sample say little
        return self.distance <= max(CLOSE, luck) and abs(self.p95) <= far and abs(self.p99) <= 1.5 * far


def closest(sample: Array) -> Fitted | None:
    """The family nearest to the sample, whose values are not negative; None where it has too few values or is
    mostly zeros.
    """
    values = np.sort(np.asarray(sample, np.float64))
    mean = float(values.mean()) if values.size else 0.0
    if values.size < ENOUGH or mean <= 0.0:
        return None
    deviation = mean_and_deviation(values)[1]
    if deviation <= CONSTANT * mean:
        return Fitted("constant", {"mean": mean}, 0.0, 0.0, 0.0, values.size)
    positive = values[np.searchsorted(values, 0.0, "right") :]
    if positive.size < 0.9 * values.size:
        return None
    found = [_judged(values, name, parameters, cdf) for name, parameters, cdf in _candidates(positive, mean, deviation)]
    nearest, simplest = min(found, key=lambda fitted: fitted.distance), found[0]
    luck = 1.0 / math.sqrt(values.size)
    is_as_good = simplest.distance <= min(SIMPLE * luck, nearest.distance + ASIDE * luck)
    return simplest if is_as_good else nearest


def _candidates(
    positive: Array, mean: float, deviation: float
) -> Iterator[tuple[str, dict[str, float], Callable[[Array], Array]]]:
    from scipy import special

    of_logs, spread = mean_and_deviation(positive, np.log)
    gap = math.log(float(positive.mean())) - of_logs
    yield "exponential", {"mean": mean}, lambda x: -np.expm1(-x / mean)
    if 1e-6 < spread < 20.0:
        middle = math.log(mean) - spread * spread / 2.0
        yield (
            "lognormal",
            {"mean": mean, "sigma": spread},
            lambda x: np.asarray(special.ndtr((np.log(np.maximum(x, 1e-300)) - middle) / spread), np.float64),
        )
        shape = math.pi / (math.sqrt(6.0) * spread)
        if 0.1 <= shape <= 100.0:
            scale = mean / math.gamma(1.0 + 1.0 / shape)
            yield "weibull", {"mean": mean, "shape": shape}, lambda x: -np.expm1(-((x / scale) ** shape))
    if gap > 1e-9:
        order = (3.0 - gap + math.sqrt((gap - 3.0) ** 2 + 24.0 * gap)) / (12.0 * gap)
        yield "gamma", {"mean": mean, "shape": order}, lambda x: np.asarray(special.gammainc(order, x * order / mean))
    variation = deviation / mean
    if 1.05 < variation < 30.0:
        square = variation * variation
        first = (1.0 + math.sqrt((square - 1.0) / (square + 1.0))) / 2.0
        rates = 2.0 * first / mean, 2.0 * (1.0 - first) / mean
        yield (
            "hyperexponential",
            {"mean": mean, "cv": variation},
            lambda x: 1.0 - first * np.exp(-rates[0] * x) - (1.0 - first) * np.exp(-rates[1] * x),
        )


def _judged(values: Array, name: str, parameters: dict[str, float], cdf: Callable[[Array], Array]) -> Fitted:
    ranks = np.arange(values.size)
    if values.size > LONGEST_SAMPLE:
        ranks = np.linspace(0, values.size - 1, LONGEST_SAMPLE).astype(np.int64)
    model = cdf(values[ranks])
    distance = float(np.maximum(np.abs(model - ranks / values.size), np.abs(model - (ranks + 1) / values.size)).max())
    errors = [
        _quantile(cdf, share, float(values[-1])) / max(_of_sorted(values, share), 1e-300) - 1.0
        for share in (0.95, 0.99)
    ]
    return Fitted(name, parameters, distance, errors[0], errors[1], values.size)


def _of_sorted(values: Array, share: float) -> float:
    """A quantile, linear between two neighbours; numpy's own takes a copy."""
    place = share * (values.size - 1)
    below = values[int(place)]
    return float(below + (values[min(int(place) + 1, values.size - 1)] - below) * (place - int(place)))


def _quantile(cdf: Callable[[Array], Array], share: float, start: float) -> float:
    """Where the distribution function reaches this share, by halving."""
    low, high = 0.0, max(start, 1e-300)
    for _ in range(200):
        if float(cdf(np.array([high]))[0]) >= share:
            break
        low, high = high, high * 2.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if float(cdf(np.array([middle]))[0]) >= share:
            high = middle
        else:
            low = middle
    return high


def quantile_pieces(
    sample: Array, shares: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
) -> list[tuple[float, float, float]]:
    """The sample as even pieces (weight, low, high), one between each two of its quantiles, as many as it has
    values for.

    Each piece has the mean of the values there: of its two ends one is a quantile, and the other is drawn in until
    the mean is right.
    """
    values = np.sort(np.asarray(sample, np.float64))
    inner = [share for share in shares if share * values.size >= 1.0 and (1.0 - share) * values.size >= 1.0]
    shares = (0.0, *inner, 1.0)
    marks = [round(share * values.size) for share in shares]
    pieces: list[tuple[float, float, float]] = []
    for place, (first, last) in enumerate(pairwise(marks)):
        if last > first:
            part = values[first:last]
            low, high, mean = float(part[0]), float(part[-1]), float(part.mean())
            even = (low, 2.0 * mean - low) if mean <= (low + high) / 2.0 else (2.0 * mean - high, high)
            pieces.append((shares[place + 1] - shares[place], max(even[0], 0.0), max(even)))
    return pieces
