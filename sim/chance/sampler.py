"""Draws for the SimPy engine: a distribution and a key become one fast call of (entity, attempt), the same bits as the
table's `draw`.

The machine code of one signature is called with its parameters bound by `functools.partial`, without a Python frame of
ours: 0.1 to 0.15 us a draw. Blocks of draws made ahead were measured, and saved too little to be worth their memory.

A plug-in's distribution is drawn by inversion where it has a method `quantile(u) -> seconds`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sim.chance import transforms
from sim.chance.keyed import uniform
from sim.chance.shared import as_objects, quickest, shared
from sim.chance.table import CONSTANT, EXPONENTIAL, GAMMA, LOGNORMAL, PARETO, UNIFORM, WEIBULL, DrawTable, draw
from sim.spec.distribution import Distribution

Sampler = Callable[[int, int], float]  # (entity, attempt) -> seconds; the entity below 2**64, the attempt below 2**63


def sampler(distribution: Distribution, key: int) -> Sampler:
    """The draws of this distribution on the stream of this key."""
    if hasattr(distribution, "quantile"):
        return _inverted(distribution.quantile, key)
    table = DrawTable()
    row = table.add(distribution, "")
    rows, data = table.arrays_of(key)
    kind, p0, p1 = int(rows[row]["kind"]), float(rows[row]["p0"]), float(rows[row]["p1"])
    if kind == CONSTANT:
        return lambda _entity, _attempt: p0
    if kind in _SCALAR:
        return partial(_scalar(kind), key, p0, p1)
    return partial(draw, as_objects(rows), data.tolist(), row)


def uniform_sampler(key: int) -> Sampler:
    """Plain uniforms in (0, 1) on the stream of this key: coins and jitter."""
    return partial(_uniform(), key)


def _inverted(quantile: Callable[[float], float], key: int) -> Sampler:
    luck = uniform_sampler(key)
    return lambda entity, attempt: quantile(luck(entity, attempt))


@shared
def _exponential(key: int, p0: float, _p1: float, entity: int, attempt: int) -> float:
    return transforms.exponential(uniform(key, entity, attempt), p0)


@shared
def _lognormal(key: int, p0: float, p1: float, entity: int, attempt: int) -> float:
    return transforms.lognormal(uniform(key, entity, attempt), p0, p1)


@shared
def _between(key: int, p0: float, p1: float, entity: int, attempt: int) -> float:
    return transforms.between(uniform(key, entity, attempt), p0, p1)


@shared
def _gamma(key: int, p0: float, p1: float, entity: int, attempt: int) -> float:
    return transforms.gamma(key, entity, attempt, p0, p1)


@shared
def _pareto(key: int, p0: float, p1: float, entity: int, attempt: int) -> float:
    return transforms.pareto(uniform(key, entity, attempt), p0, p1)


@shared
def _weibull(key: int, p0: float, p1: float, entity: int, attempt: int) -> float:
    return transforms.weibull(uniform(key, entity, attempt), p0, p1)


_SCALAR: dict[int, Callable[..., float]] = {
    EXPONENTIAL: _exponential,
    LOGNORMAL: _lognormal,
    UNIFORM: _between,
    GAMMA: _gamma,
    PARETO: _pareto,
    WEIBULL: _weibull,
}


def _scalar(kind: int) -> Callable[..., float]:
    return quickest(_SCALAR[kind], "(uint64, float64, float64, uint64, int64)")


def _uniform() -> Callable[..., float]:
    return quickest(uniform, "(uint64, uint64, int64)")
