"""The values at which a model shows the measured figures, with their intervals: the method of simulated moments.

The figures m of the measurement are one draw; s(x) is their mean over the replications of the model at the parameters
x, on common random numbers, so that it is as smooth in x as the model. x minimises (m - s(x))' W (m - s(x)); W is the
inverse of the covariance of m as the model shows it from replication to replication, shrunk towards its diagonal
(Ledoit and Wolf 2004), for replications are few. With J the slopes of s at the minimum and A = (J' W J)^-1 J' W the
estimate varies as A m does: its covariance is that of A s over the replications, times 1 + 1/n for s itself is a mean
of n (McFadden 1989; Gourieroux, Monfort and Renault 1993). Where the model cannot show the figures, the intervals are
wider by the root of the misfit over its degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.stats.student import t_quantile

Floats = NDArray[np.float64]
Figures = Callable[[Sequence[float], bool], Floats]
"""(replications, moments) at a point; True: of replications that the search has not seen."""

_STEP = 0.04  # by which slopes are taken: 4 % of a value, or of the range of one that is searched by steps
_ROUNDS = 3  # of weights
_MOST_TRIES = 40  # points of one search
_SETTLED = 1e-3  # of the range of a parameter: nearer another round of weights moves nothing
_FARTHEST = 100.0  # of a logarithm: limits beyond say that nothing is known
_HIDDEN = 1e-3  # of the steepest direction: flatter ones are noise
_UNKNOWN = 1e4  # variance of what is hidden: a hundred times the range of a parameter
_MISSING = 3.0  # in the place of a logarithm that a run does not have: a factor of twenty
_LEAST_DEVIATION = 2e-4  # of a figure: that of the rounding of files, and of a model in which nothing is random


@dataclass(frozen=True)
class Axis:
    """How a parameter is searched: u between 0 and 1 stands for low to high, by factors or by steps."""

    low: float
    high: float
    logarithmic: bool

    def value(self, u: float) -> float:
        """The value that u stands for."""
        if self.logarithmic:
            return self.low * math.exp(min(max(u * math.log(self.high / self.low), -_FARTHEST), _FARTHEST))
        return float(self.low + (self.high - self.low) * u)

    def place(self, value: float) -> float:
        """The u of a value."""
        inside = min(max(value, self.low), self.high)
        if self.logarithmic:
            return math.log(inside / self.low) / math.log(self.high / self.low)
        return (inside - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Estimate:
    """Where the search ended, and how sure that is."""

    values: Floats  # (parameters,)
    low: Floats
    high: Floats
    covariance: Floats  # of u
    misfit: float  # chi squared per degree of freedom; 1 is chance
    chi2: float
    deviance: float  # minus twice the log likelihood: what models with other counts are compared by
    root: Floats  # (moments, moments) R'R are the weights
    residuals: Floats  # (moments,) simulated less measured
    deviations: Floats  # (moments,) of a single run


def estimate(
    measured: Floats, figures: Figures, axes: Sequence[Axis], start: Sequence[float], confidence: float = 0.95
) -> Estimate:
    """The values that fit best, from a start. Raises nothing: what the data cannot tell has a wide interval."""
    from scipy.optimize import least_squares

    at = np.array([axis.place(value) for axis, value in zip(axes, start, strict=True)])

    def simulated(u: Floats, fresh: bool = False) -> Floats:
        point = [axis.value(float(part)) for axis, part in zip(axes, u, strict=True)]
        return _filled(figures(point, fresh), measured)

    root = _root_of_weights(simulated(at))
    for _ in range(_ROUNDS if axes else 0):
        distance, slopes = _Weighted(measured, simulated, axes, root).both
        bounds, tries = (0.0, 1.0), _MOST_TRIES
        inside = np.clip(at, 1e-6, 1 - 1e-6)
        found = least_squares(distance, inside, jac=slopes, bounds=bounds, xtol=1e-4, ftol=1e-6, max_nfev=tries)
        moved = float(np.max(np.abs(found.x - at)))
        at, root = found.x, _root_of_weights(simulated(found.x))
        if moved < _SETTLED:
            break
    return _told(measured, simulated, axes, at, root, confidence)


class Simulated(Protocol):
    """(replications, moments) at a point of the search."""

    def __call__(self, u: Floats, fresh: bool = False) -> Floats:
        """Those of replications that the search has not seen, where `fresh`."""


@dataclass(frozen=True)
class _Weighted:
    """The weighted distance from the measured figures, and its slopes."""

    measured: Floats
    simulated: Simulated
    axes: Sequence[Axis]
    root: Floats

    @property
    def both(self) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
        """As an optimiser asks for them."""
        return self._distance, self._slopes

    def _distance(self, u: Floats) -> Floats:
        return np.asarray(self.root @ (self.simulated(u).mean(axis=0) - self.measured))

    def _slopes(self, u: Floats) -> Floats:
        return np.asarray(self.root @ _slopes(self.simulated, u, self.axes))


def _told(
    measured: Floats,
    simulated: Simulated,
    axes: Sequence[Axis],
    at: Floats,
    root: Floats,
    confidence: float,
) -> Estimate:
    runs = simulated(at)
    n = runs.shape[0]
    residuals = runs.mean(axis=0) - measured
    chi2 = chi2_of(measured, runs, root)
    deviance = chi2 - 2 * float(np.linalg.slogdet(root)[1])  # an overloaded model shows anything, and pays for it here
    freedom = max(1, measured.size - len(axes))
    misfit = chi2 / freedom
    wide = math.sqrt(max(1.0, misfit))
    covariance = np.zeros((len(axes), len(axes)))
    if axes:
        slopes = root @ _slopes(simulated, at, axes)
        projection = np.linalg.pinv(slopes, rcond=1e-8) @ root
        others = simulated(at, fresh=True)  # weights that were made of some runs make those vary less than others do
        covariance = np.atleast_2d(np.cov(others @ projection.T, rowvar=False)) * (1 + 1 / n)
        blind = np.linalg.norm(slopes, axis=0) < 1e-6  # nothing measured answers to these
        covariance += _unseen(slopes)
        covariance[blind, blind] = np.inf
    half = t_quantile(0.5 + confidence / 2, n - 1) * np.sqrt(np.diag(covariance)) * wide if axes else np.empty(0)
    values, low, high = (
        np.array([axis.value(float(np.clip(u, -1e3, 1e3))) for axis, u in zip(axes, place, strict=True)])
        for place in (at, at - half, at + half)
    )
    deviations = np.maximum(runs.std(axis=0, ddof=1), _LEAST_DEVIATION)
    return Estimate(values, low, high, covariance * wide**2, misfit, chi2, deviance, root, residuals, deviations)


def _unseen(slopes: Floats) -> Floats:
    """The covariance of directions in which no figure moves: one of two times whose sum alone shows, say."""
    _, sizes, directions = np.linalg.svd(slopes, full_matrices=False)
    hidden = directions[sizes < _HIDDEN * max(float(sizes.max(initial=0.0)), 1e-12)]
    return np.asarray(_UNKNOWN * hidden.T @ hidden)


def chi2_of(measured: Floats, runs: Floats, root: Floats) -> float:
    """The weighted distance of the mean of some runs from the measured figures."""
    residuals = _filled(runs, measured).mean(axis=0) - measured
    return float(np.sum((root @ residuals) ** 2)) / (1 + 1 / len(runs))


def _slopes(simulated: Simulated, at: Floats, axes: Sequence[Axis]) -> Floats:
    """(moments, parameters) by central differences, one-sided at a bound."""
    columns = []
    for index, axis in enumerate(axes):
        step = _STEP / math.log(axis.high / axis.low) if axis.logarithmic else _STEP
        ends = [at.copy(), at.copy()]
        ends[0][index] = max(0.0, at[index] - step)
        ends[1][index] = min(1.0, at[index] + step)
        low, high = (simulated(end).mean(axis=0) for end in ends)
        columns.append((high - low) / (ends[1][index] - ends[0][index]))
    return np.array(columns).T


def _root_of_weights(runs: Floats) -> Floats:
    """R with R'R = W: the inverse of the covariance of a single run, shrunk towards its diagonal."""
    n, size = runs.shape
    covariance = np.atleast_2d(np.cov(runs, rowvar=False))
    deviations = np.sqrt(np.maximum(np.diag(covariance), _LEAST_DEVIATION**2))
    correlation = covariance / np.outer(deviations, deviations)
    np.fill_diagonal(correlation, 1.0)
    shrink = min(0.9, 0.1 + size / n / 4)
    shrunk = (1 - shrink) * correlation + shrink * np.eye(size)
    return np.asarray(np.linalg.inv(np.linalg.cholesky(shrunk)) / deviations)


def _filled(runs: Floats, measured: Floats) -> Floats:
    """Figures that a run lacks are far from the measured ones."""
    return np.where(np.isnan(runs), measured + _MISSING, runs)
