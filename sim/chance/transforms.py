"""From a uniform to a duration, one function per distribution, the only place where it is done.

A greater uniform gives a longer time wherever one uniform is enough, so that two scenarios with different distributions
stay paired. Where one is not enough (gamma, hyperexponential) the further ones are keyed by the bits of the first.

Both engines call these functions and no others, as plain Python or as machine code, which take log, exp and powers from
the same library of the platform: log, exp, sqrt, + - * / and powers with a float exponent only; no fastmath, no integer
powers, no numpy functions, whose last bits depend on where they run.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from sim.chance.keyed import RUNNING_MASK, Word, bits, uniform, unit
from sim.chance.shared import shared


class Floats(Protocol):
    """Numbers by place: an array, a list, or a table of the compiled engine."""

    def __getitem__(self, place: int, /) -> float: ...
    def __setitem__(self, place: int, number: float, /) -> None: ...


RUNNING = np.uint64(RUNNING_MASK)
NEVER = 1e300  # seconds


def _raised(base: float, power: float) -> float:
    return float(base**power)


@shared(machine=_raised)
def raised(base: float, power: float) -> float:
    """A power of a positive number; infinite where it is too large, as machine code has it."""
    try:
        return float(base**power)
    except OverflowError:
        return math.inf


@shared
def exponential(u: float, mean: float) -> float:
    """By inversion; 1 - u is exact."""
    return -math.log(1.0 - u) * mean


@shared
def between(u: float, low: float, high: float) -> float:
    """Uniform between two bounds."""
    return low + (high - low) * u


@shared
def lognormal(u: float, mu: float, sigma: float) -> float:
    """exp of a normal with mean mu and standard deviation sigma."""
    return math.exp(mu + sigma * normal_quantile(u))


@shared
def pareto(u: float, minimum: float, power: float) -> float:
    """By inversion; power is -1 / alpha. Never infinite, so that sums of times stay numbers."""
    return float(min(minimum * raised(1.0 - u, power), NEVER))


@shared
def weibull(u: float, scale: float, power: float) -> float:
    """By inversion; power is 1 / shape."""
    return float(scale * (-math.log(1.0 - u)) ** power)


@shared
def gamma(key: Word, entity: Word, attempt: Word, shape: float, scale: float) -> float:
    """Marsaglia and Tsang (2000), exact; a shape below 1 is lifted by one and brought back by a power of a uniform."""
    first = bits(key, entity, attempt)
    lift = 1.0
    if shape < 1.0:
        lift = uniform(first, 0, 0) ** (1.0 / shape)
        shape = shape + 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    u = unit(first)
    trial = 1
    while True:
        x = normal_quantile(u)
        v = 1.0 + c * x
        v = v * v * v
        if v > 0.0 and math.log(uniform(first, trial, 1)) < 0.5 * x * x + d - d * v + d * math.log(v):
            return d * v * lift * scale
        trial += 1
        u = uniform(first, trial, 0)


@shared
# called by position
def hyperexponential(key: Word, entity: Word, attempt: Word, data: Floats, offset: int, size: int) -> float:
    """One of several exponentials: `size` cumulative probabilities, then `size` means."""
    first = bits(key, entity, attempt)
    return exponential(uniform(first, 0, 0), data[offset + size + chosen(unit(first), data, offset, size)])


@shared
def empirical(u: float, data: Floats, offset: int, size: int) -> float:
    """Inverse of the empirical distribution of sorted data: each value with the same probability."""
    return float(data[offset + min(int(u * size), size - 1)])


@shared
def replayed(entity: Word, data: Floats, offset: int, size: int) -> float:
    """The k-th entity of a source takes the k-th value, all its attempts the same; past the end it begins again."""
    number: Word = np.int64(np.uint64(entity) & RUNNING)
    return float(data[offset + number % size])


@shared
def chosen(u: float, data: Floats, offset: int, size: int) -> int:
    """Which of `size` parts, by their cumulative probabilities; the last of them is 1."""
    index = 0
    while index < size - 1 and u >= data[offset + index]:
        index += 1
    return index


@shared
def normal_quantile(u: float) -> float:
    """Wichura's AS 241 (PPND16): relative error about 1e-16."""
    q = u - 0.5
    if -0.425 <= q <= 0.425:
        r = 0.180625 - q * q
        top = ((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r + 6.7265770927008700853e4) * r
                    + 4.5921953931549871457e4) * r + 1.3731693765509461125e4) * r + 1.9715909503065514427e3) * r
                    + 1.3314166789178437745e2) * r + 3.3871328727963666080e0  # fmt: skip
        low = ((((((5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r + 3.9307895800092710610e4) * r
                    + 2.1213794301586595867e4) * r + 5.3941960214247511077e3) * r + 6.8718700749205790830e2) * r
                    + 4.2313330701600911252e1) * r + 1.0  # fmt: skip
        return q * top / low
    r = math.sqrt(-math.log(u if q < 0.0 else 1.0 - u))
    if r <= 5.0:
        r = r - 1.6
        top = ((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r
                    + 1.27045825245236838258e0) * r + 3.64784832476320460504e0) * r + 5.76949722146069140550e0) * r
                    + 4.63033784615654529590e0) * r + 1.42343711074968357734e0  # fmt: skip
        low = ((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r
                    + 1.48103976427480074590e-1) * r + 6.89767334985100004550e-1) * r + 1.67638483018380384940e0) * r
                    + 2.05319162663775882187e0) * r + 1.0  # fmt: skip
    else:
        r = r - 5.0
        top = ((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r
                    + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r + 1.78482653991729133580e0) * r
                    + 5.46378491116411436990e0) * r + 6.65790464350110377720e0  # fmt: skip
        low = ((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r
                    + 7.86869131145613259100e-4) * r + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r
                    + 5.99832206555887937690e-1) * r + 1.0  # fmt: skip
    x = top / low
    return -x if q < 0.0 else x
