"""Student's t: the quantile, the tail and the shift.

The first two are written out, since scipy takes longer to import than a short run takes.
"""

from __future__ import annotations

import math
from functools import cache

_ENOUGH = 1e-15  # a factor of the fraction this close to 1 changes nothing any more
_TINY = 1e-300  # in place of a zero that would be divided by
_MANY = 40.0  # from so many half degrees on the series of the ratio of gamma functions is exact to the last digits
_STEPS = 100  # of Newton's; a handful is usual


@cache
def t_quantile(probability: float, degrees: float) -> float:
    """The value that a t variable with these degrees of freedom stays below with this probability; infinitely many make
    it a normal one.

    Twelve digits are right up to ten thousand degrees, ten up to a million.
    """
    if not 0.0 < probability < 1.0:
        return math.nan if not 0.0 <= probability <= 1.0 else math.copysign(math.inf, probability - 0.5)
    if probability < 0.5:
        return -t_quantile(1.0 - probability, degrees)
    from statistics import NormalDist

    start = NormalDist().inv_cdf(probability)
    return start if math.isinf(degrees) else _beyond(1.0 - probability, degrees, start)


def two_sided_p(t: float, degrees: float) -> float:
    """The chance of a t variable further from zero than `t`."""
    return min(1.0, 2.0 * _tail(abs(t), degrees)) if not math.isnan(t) else math.nan


def shift_of_t(value: float, degrees: float, probability: float) -> float:
    """The shift (non-centrality) with which a t variable exceeds `value` with this probability."""
    from scipy.special import nctdtrinc

    return float(nctdtrinc(degrees, 1.0 - probability, value))


def _beyond(chance: float, degrees: float, t: float) -> float:
    """The value that is exceeded with this chance, at most 0.5, by Newton's steps upwards from one below it.

    The tail falls ever more slowly, so no step goes too far; and a normal variable exceeds any value less often than a
    t variable does.
    """
    for _ in range(_STEPS):
        step = (_tail(t, degrees) - chance) / _density(t, degrees)
        t += step
        if abs(step) <= 1e-14 * abs(t):
            break
    return t


def _density(t: float, degrees: float) -> float:
    return (
        _gamma_ratio(degrees / 2)
        / math.sqrt(math.pi * degrees)
        * math.exp(-(degrees + 1) / 2 * math.log1p(t * t / degrees))
    )


def _tail(t: float, degrees: float) -> float:
    """The chance of a t variable above t >= 0: half the regularised incomplete beta function of (degrees / 2, 1/2) at
    degrees / (degrees + t^2).
    """
    if math.isinf(degrees):
        return 0.5 * math.erfc(t / math.sqrt(2.0))
    if math.isinf(t) or t == 0.0:
        return 0.0 if t else 0.5
    a, square = degrees / 2, t * t / degrees  # the argument is 1 / (1 + square)
    front = _gamma_ratio(a) * math.sqrt(square / math.pi) * math.exp(-(a + 0.5) * math.log1p(square))
    if 1.0 / (1.0 + square) < (a + 1.0) / (a + 2.5):
        return 0.5 * front / a / _fraction(a, 0.5, 1.0 / (1.0 + square))
    # the complement, whose 1 / (1/2) and the half cancel
    return 0.5 - front / _fraction(0.5, a, square / (1.0 + square))


def _gamma_ratio(a: float) -> float:
    """Gamma(a + 1/2) / Gamma(a); for a large `a` by the series of Tricomi and Erdelyi (DLMF 5.11.13), where a
    difference of logarithms loses digits.
    """
    if a < _MANY:
        return math.exp(math.lgamma(a + 0.5) - math.lgamma(a))
    powers = (1.0, -1 / 8, 1 / 128, 5 / 1024, -21 / 32768, -399 / 262144, 869 / 4194304, 39325 / 33554432)
    return math.sqrt(a) * math.fsum(factor / a**power for power, factor in enumerate(powers))


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22), from the front by Lentz's method."""
    value, upper, lower = 1.0, 1.0, 0.0
    for index in range(1, 100_000):
        part = _numerator(index, a, b, x)
        lower = 1.0 / (1.0 + part * lower or _TINY)
        upper = 1.0 + part / upper or _TINY
        value *= upper * lower
        if abs(upper * lower - 1.0) < _ENOUGH:
            break
    return value


def _numerator(index: int, a: float, b: float, x: float) -> float:
    """The numbers above the strokes of that fraction, from 1 on."""
    m = index // 2
    if index % 2:
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
