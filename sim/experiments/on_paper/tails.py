"""The tail of each distribution, and the mean of what a limit leaves of it, in closed form: P(X > t) and E[min(X, t)].

E[min(X, t)] is the integral of P(X > s) for s from 0 to t. A distribution of a plug-in has neither, and is judged by
draws of its own.
"""

from __future__ import annotations

import math
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from sim.spec.distribution import (
    Constant,
    Distribution,
    Exponential,
    Gamma,
    LogNormal,
    Pareto,
    Uniform,
    Weibull,
)
from sim.spec.measured import Mixture, Recorded
from sim.spec.phases import Erlang, HyperExponential

Floats = NDArray[np.float64]
SAMPLES = 4000
_far_beyond = np.errstate(over="ignore")  # a limit of so many scales that no number holds them: infinite, tail 0


@singledispatch
def survival(distribution: Distribution, t: Floats) -> Floats:
    """P(X > t), for each t >= 0."""
    values = samples(distribution)
    return 1.0 - np.searchsorted(values, t, side="right") / values.size


@singledispatch
def limited_mean(distribution: Distribution, t: Floats) -> Floats:
    """E[min(X, t)], for each finite t >= 0."""
    return _limited(samples(distribution), t)


def in_closed_form(distribution: Distribution) -> bool:
    """Whether both are formulas, and not sums over what was measured or drawn."""
    if isinstance(distribution, Mixture):
        return all(map(in_closed_form, distribution.parts))
    return not isinstance(distribution, Recorded) and survival.dispatch(type(distribution)) is not survival.dispatch(
        Distribution
    )


def samples(distribution: Distribution) -> Floats:
    """What was measured, or draws of what only a sampler knows, the same at every check; in ascending order."""
    if isinstance(distribution, Recorded):
        return np.sort(np.asarray(distribution.data, dtype=np.float64))
    from sim.chance.keyed import stream_key
    from sim.chance.sampler import sampler

    draw = sampler(distribution, stream_key(0, 0, "check"))
    return np.sort(np.fromiter((draw(entity, 0) for entity in range(SAMPLES)), np.float64, SAMPLES))


def _limited(values: Floats, t: Floats) -> Floats:
    upto = np.concatenate([[0.0], np.cumsum(values)])
    below = np.searchsorted(values, t, side="right")
    return np.asarray((upto[below] + (values.size - below) * t) / values.size)


@survival.register
def _(distribution: Constant, t: Floats) -> Floats:
    return (distribution.value > t).astype(np.float64)


@limited_mean.register
def _(distribution: Constant, t: Floats) -> Floats:
    return np.minimum(distribution.value, t)


@survival.register
def _(distribution: Exponential, t: Floats) -> Floats:
    return _exponential_tail(distribution.mean, t)


@limited_mean.register
def _(distribution: Exponential, t: Floats) -> Floats:
    return distribution.mean * (1.0 - _exponential_tail(distribution.mean, t))


@_far_beyond
def _exponential_tail(mean: float, t: Floats) -> Floats:
    return np.exp(-t / mean) if mean > 0.0 else np.zeros_like(t)


@survival.register
def _(distribution: HyperExponential, t: Floats) -> Floats:
    return _sum(
        p * _exponential_tail(mean, t) for p, mean in zip(distribution.probabilities, distribution.means, strict=True)
    )


@limited_mean.register
def _(distribution: HyperExponential, t: Floats) -> Floats:
    return _sum(
        p * mean * (1.0 - _exponential_tail(mean, t))
        for p, mean in zip(distribution.probabilities, distribution.means, strict=True)
    )


@survival.register
def _(distribution: Mixture, t: Floats) -> Floats:
    return _sum(
        weight * survival(part, t) for weight, part in zip(distribution.weights, distribution.parts, strict=True)
    )


@limited_mean.register
def _(distribution: Mixture, t: Floats) -> Floats:
    return _sum(
        weight * limited_mean(part, t) for weight, part in zip(distribution.weights, distribution.parts, strict=True)
    )


@survival.register
@_far_beyond
def _(distribution: Uniform, t: Floats) -> Floats:
    low, high = distribution.low, distribution.high
    return np.clip((high - t) / (high - low), 0.0, 1.0) if high > low else (high > t).astype(np.float64)


@limited_mean.register
@_far_beyond
def _(distribution: Uniform, t: Floats) -> Floats:
    low, high = distribution.low, distribution.high
    inside = np.clip(t, low, high)
    return (
        np.minimum(t, low) + ((high - low) ** 2 - (high - inside) ** 2) / (2.0 * (high - low))
        if high > low
        else np.minimum(t, low)
    )


@survival.register
def _(distribution: LogNormal, t: Floats) -> Floats:
    return _normal_tail(_standardised(distribution, t))


@limited_mean.register
def _(distribution: LogNormal, t: Floats) -> Floats:
    z = _standardised(distribution, t)
    return distribution.mean * (1.0 - _normal_tail(z - distribution.sigma)) + t * _normal_tail(z)


def _standardised(distribution: LogNormal, t: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        away = np.log(t) - distribution.mu
    sigma = distribution.sigma
    return away / sigma if sigma > 0.0 else np.where(away >= -1e-12, math.inf, -math.inf)


def _normal_tail(z: Floats) -> Floats:
    return np.array([0.5 * math.erfc(value / math.sqrt(2.0)) for value in np.ravel(z)]).reshape(np.shape(z))


@survival.register
@_far_beyond
def _(distribution: Pareto, t: Floats) -> Floats:
    return np.asarray((distribution.minimum / np.maximum(t, distribution.minimum)) ** distribution.alpha)


@limited_mean.register
@_far_beyond
def _(distribution: Pareto, t: Floats) -> Floats:
    low, alpha = distribution.minimum, distribution.alpha
    ratio = np.maximum(t, low) / low
    beyond = np.log(ratio) if alpha == 1.0 else (1.0 - ratio ** (1.0 - alpha)) / (alpha - 1.0)
    return np.minimum(t, low) + low * beyond


@survival.register
@_far_beyond
def _(distribution: Weibull, t: Floats) -> Floats:
    return np.asarray(np.exp(-((t / distribution.scale) ** distribution.shape)))


@limited_mean.register
@_far_beyond
def _(distribution: Weibull, t: Floats) -> Floats:
    return distribution.mean * _gamma_share(1.0 / distribution.shape, (t / distribution.scale) ** distribution.shape)


@survival.register(Gamma)
@survival.register(Erlang)
@_far_beyond
def _(distribution: Gamma | Erlang, t: Floats) -> Floats:
    shape, scale = _shape_and_scale(distribution)
    return 1.0 - _gamma_share(shape, t / scale) if scale > 0.0 else np.zeros_like(t)


@limited_mean.register(Gamma)
@limited_mean.register(Erlang)
@_far_beyond
def _(distribution: Gamma | Erlang, t: Floats) -> Floats:
    shape, scale = _shape_and_scale(distribution)
    if scale == 0.0:
        return np.zeros_like(t)
    return distribution.mean * _gamma_share(shape + 1.0, t / scale) + t * (1.0 - _gamma_share(shape, t / scale))


def _shape_and_scale(distribution: Gamma | Erlang) -> tuple[float, float]:
    if isinstance(distribution, Gamma):
        return distribution.shape, distribution.scale
    return float(distribution.phases), distribution.mean / distribution.phases


def _gamma_share(shape: float, x: Floats) -> Floats:
    from scipy.special import gammainc

    return np.asarray(gammainc(shape, x))


@survival.register
def _(distribution: Recorded, t: Floats) -> Floats:
    values = samples(distribution)
    return 1.0 - np.searchsorted(values, t, side="right") / values.size


@limited_mean.register
def _(distribution: Recorded, t: Floats) -> Floats:
    return _limited(samples(distribution), t)


def _sum(parts: object) -> Floats:
    return np.asarray(sum(parts))  # type: ignore[call-overload]  # an iterable of arrays
