"""Distributions, parametrised by what people know; each knows its mean and squared coefficient of variation.

Fields hold what the scenario says (`mean`, `cv`, `p99` ...); properties hold what a sampler needs (`mu`, `sigma`,
`shape` ...).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from sim.errors import UsageError
from sim.spec.base import Duration, Number, Spec, register, word_of
from sim.spec.choice import Choice
from sim.spec.document import Data
from sim.units import LONGEST, show_duration


class Distribution(Spec):
    """A non-negative random duration in seconds.

    Subclasses give `mean` and `scv` (squared coefficient of variation). One of a plug-in that does not can be run, but
    nothing is known of its load on paper: whoever asks for either gets a UsageError.
    """

    @property
    def mean(self) -> float:
        """Expected value, seconds; infinite where none exists."""
        raise UsageError(f"the distribution '{word_of(self)}' gives no mean: expected a property `mean`, in seconds")

    @property
    def scv(self) -> float:
        """Variance over squared mean; 0 for a constant, 1 for an exponential; infinite where no variance exists."""
        raise UsageError(
            f"the distribution '{word_of(self)}' gives no squared coefficient of variation: expected a property `scv`"
        )


def _with_a_mean_that_can_be(given: Distribution) -> Distribution:
    """A spread can be of any size, but what most of the mean comes from must be a duration itself; where there is none
    (pareto) nothing is too large.
    """
    try:
        mean = given.mean
    except UsageError:  # one of a plug-in that is not known on paper
        return given
    if LONGEST < mean < math.inf or (math.isinf(mean) and isinstance(given, LogNormal)):
        raise ValueError(
            f"found a spread so wide that the mean is {mean:.0e} s, expected a mean of at most ten years, as of every "
            "duration"
        )
    return given


AnyDistribution = Annotated[Distribution, Choice("distribution"), AfterValidator(_with_a_mean_that_can_be)]

Positive = Annotated[Duration, Field(gt=0)]
Variation = Annotated[Number, Field(gt=0, le=1e4)]  # a coefficient of variation: standard deviation over mean


@register("distribution", "constant")
class Constant(Distribution):
    """Always the same: `5ms`, or `{constant: 5ms}`."""

    positional = "value"
    value: Duration
    """The time."""

    @property
    def mean(self) -> float:
        """The value."""
        return self.value

    @property
    def scv(self) -> float:
        """0."""
        return 0.0


@register("distribution", "exponential")
class Exponential(Distribution):
    """Memoryless, with the given mean: `{exponential: 10ms}`."""

    positional = "average"
    average: Duration = Field(alias="mean")
    """Its mean."""

    @property
    def mean(self) -> float:
        """As given."""
        return self.average

    @property
    def scv(self) -> float:
        """1."""
        return 1.0


_Z95 = NormalDist().inv_cdf(0.95)
_Z99 = NormalDist().inv_cdf(0.99)


@register("distribution", "lognormal")
class LogNormal(Distribution):
    """exp of a normal; any two of mean, cv, median, p95, p99, sigma: `{lognormal: {mean: 40ms, p99: 300ms}}`.

    Where mean and a percentile allow two solutions, the one with the smaller sigma is taken.
    """

    given_mean: Positive | None = Field(default=None, alias="mean")
    """The mean."""
    cv: Annotated[Number, Field(ge=0, le=1e4)] | None = None
    """Standard deviation over mean."""
    median: Positive | None = None
    """Half of all are shorter."""
    p95: Positive | None = None
    """95 % are shorter."""
    p99: Positive | None = None
    """99 % are shorter."""
    given_sigma: Annotated[Number, Field(ge=0, le=25)] | None = Field(default=None, alias="sigma")
    """Standard deviation of the logarithm."""

    @model_validator(mode="after")
    def _solvable(self) -> Self:
        if len(self._given()) != 2:
            raise ValueError(
                f"found {_listed(self._given())}, expected exactly two of mean, cv, median, p95, p99, sigma"
            )
        _ = self.mu, self.sigma
        return self

    @property
    def mu(self) -> float:
        """Mean of the logarithm (of seconds)."""
        sigma = self.sigma
        if self.median is not None:
            return math.log(self.median)
        if self.p99 is not None:
            return math.log(self.p99) - _Z99 * sigma
        if self.p95 is not None:
            return math.log(self.p95) - _Z95 * sigma
        if self.given_mean is None:
            raise ValueError(
                "found sigma and cv, which both tell the spread; expected one of mean, median, p95, p99 beside one of "
                "them"
            )
        return math.log(self.given_mean) - sigma * sigma / 2

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        if self.given_sigma is not None:
            return self.given_sigma
        if self.cv is not None:
            return math.sqrt(math.log1p(self.cv * self.cv))
        if self.p95 is not None and self.p99 is not None:
            return _log_ratio("p99", self.p99, "p95", self.p95) / (_Z99 - _Z95)
        percentile, z, name = (self.p99, _Z99, "p99") if self.p99 is not None else (self.p95, _Z95, "p95")
        if percentile is None:
            return math.sqrt(2 * _log_ratio("mean", self.given_mean, "median", self.median))
        if self.median is not None:
            return _log_ratio(name, percentile, "median", self.median) / z
        return _sigma_of_mean_and_percentile(self.given_mean or math.nan, percentile, z, name)

    @property
    def mean(self) -> float:
        """exp(mu + sigma^2 / 2)."""
        return self.given_mean if self.given_mean is not None else _exp(self.mu + self.sigma * self.sigma / 2)

    @property
    def scv(self) -> float:
        """exp(sigma^2) - 1."""
        return self.cv * self.cv if self.cv is not None else _exp(self.sigma * self.sigma) - 1

    def _given(self) -> list[str]:
        fields = type(self).model_fields.items()
        return [field.alias or name for name, field in fields if getattr(self, name) is not None]


def _log_ratio(above: str, larger: float | None, below: str, smaller: float | None) -> float:
    """ln(larger / smaller), which must not be negative: a percentile cannot be below the median, nor the mean."""
    if larger is None or smaller is None or larger < smaller:
        raise ValueError(
            f"found {above} {_time(larger)} below {below} {_time(smaller)}; in a lognormal it is never below"
        )
    return math.log(larger / smaller)


def _sigma_of_mean_and_percentile(mean: float, percentile: float, z: float, name: str) -> float:
    """The smaller non-negative root of sigma^2 / 2 - z sigma + ln(percentile / mean) = 0.

    A percentile below the mean has one too, with sigma above 2 z: nearly all of the mean comes from rare giants. `sim
    check` warns of it.
    """
    ratio = math.log(percentile / mean)
    root = z * z - 2 * ratio
    if root < 0:
        highest = show_duration(mean * math.exp(z * z / 2))
        raise ValueError(
            f"no lognormal has mean {_time(mean)} and {name} {_time(percentile)}: with this mean {name} is at most "
            f"{highest}"
        )
    return z - math.sqrt(root) if ratio >= 0 else z + math.sqrt(root)


@register("distribution", "uniform")
class Uniform(Distribution):
    """Anything from `low` to `high` alike: `{uniform: [5ms, 15ms]}`."""

    shorthand: ClassVar[dict[str, Any]] = {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": TypeAdapter(Duration).json_schema(),
    }
    low: Duration
    """The shortest."""
    high: Duration
    """The longest."""

    @model_validator(mode="before")
    @classmethod
    def _pair(cls, data: Data) -> Data:
        if not isinstance(data, list):
            return data
        if len(data) != 2:
            raise ValueError(f"found a list of {len(data)}, expected two durations: [low, high]")
        return {"low": data[0], "high": data[1]}

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"found low {_time(self.low)} above high {_time(self.high)}")
        return self

    @property
    def mean(self) -> float:
        """The middle."""
        return (self.low + self.high) / 2

    @property
    def scv(self) -> float:
        """Width squared / 12, over the mean squared."""
        return scv_of((self.high - self.low) ** 2 / 12, self.mean)


@register("distribution", "gamma")
class Gamma(Distribution):
    """`shape` and `scale`, or `mean` with `cv` or `shape`. Mean is shape x scale, scv is 1 / shape."""

    given_shape: Annotated[Number, Field(gt=0, le=1e9)] | None = Field(default=None, alias="shape")
    """The shape: 1 is an exponential, more is more even."""
    given_scale: Positive | None = Field(default=None, alias="scale")
    """The scale, a time."""
    given_mean: Positive | None = Field(default=None, alias="mean")
    """The mean."""
    cv: Variation | None = None
    """Standard deviation over mean."""

    @model_validator(mode="after")
    def _solvable(self) -> Self:
        expect_pair(self, ("shape", "scale"), ("mean", "cv"), ("mean", "shape"))
        return self

    @property
    def shape(self) -> float:
        """Shape k."""
        return self.given_shape if self.given_shape is not None else 1 / (self.cv or math.nan) ** 2

    @property
    def scale(self) -> float:
        """Scale, seconds."""
        return self.given_scale if self.given_scale is not None else (self.given_mean or math.nan) / self.shape

    @property
    def mean(self) -> float:
        """Shape x scale."""
        return self.given_mean if self.given_mean is not None else self.shape * self.scale

    @property
    def scv(self) -> float:
        """1 / shape."""
        return 1 / self.shape


@register("distribution", "pareto")
class Pareto(Distribution):
    """A power law above `minimum`: P(X > x) = (minimum / x)^alpha. Give `alpha` with `minimum` or with `mean`."""

    alpha: Number = Field(gt=0, le=1e6)
    """How fast the tail falls: with 2 or less there is no variance, with 1 or less no mean."""
    given_minimum: Positive | None = Field(default=None, alias="minimum")
    """The shortest."""
    given_mean: Positive | None = Field(default=None, alias="mean")
    """The mean."""

    @model_validator(mode="after")
    def _solvable(self) -> Self:
        expect_pair(self, ("alpha", "minimum"), ("alpha", "mean"))
        if self.given_mean is not None and self.alpha <= 1:
            raise ValueError(
                f"found alpha {self.alpha:g}: a pareto with alpha of 1 or less has no mean; give its minimum"
            )
        return self

    @property
    def minimum(self) -> float:
        """The smallest value, seconds."""
        return (
            self.given_minimum
            if self.given_minimum is not None
            else (self.given_mean or math.nan) * (self.alpha - 1) / self.alpha
        )

    @property
    def mean(self) -> float:
        """alpha x minimum / (alpha - 1); infinite for alpha of 1 or less."""
        if self.given_mean is not None:
            return self.given_mean
        return self.alpha * self.minimum / (self.alpha - 1) if self.alpha > 1 else math.inf

    @property
    def scv(self) -> float:
        """1 / (alpha (alpha - 2)); infinite for alpha of 2 or less."""
        return 1 / (self.alpha * (self.alpha - 2)) if self.alpha > 2 else math.inf


@register("distribution", "weibull")
class Weibull(Distribution):
    """P(X > x) = exp(-(x / scale)^shape). Give `shape` with `scale` or with `mean`."""

    shape: Number = Field(ge=0.05, le=1000)
    """Below 1 the tail is heavier than that of an exponential, above 1 lighter."""
    given_scale: Positive | None = Field(default=None, alias="scale")
    """63 % are shorter."""
    given_mean: Positive | None = Field(default=None, alias="mean")
    """The mean."""

    @model_validator(mode="after")
    def _solvable(self) -> Self:
        expect_pair(self, ("shape", "scale"), ("shape", "mean"))
        return self

    @property
    def scale(self) -> float:
        """Scale, seconds."""
        return (
            self.given_scale
            if self.given_scale is not None
            else (self.given_mean or math.nan) / math.gamma(1 + 1 / self.shape)
        )

    @property
    def mean(self) -> float:
        """scale x Gamma(1 + 1 / shape)."""
        return self.given_mean if self.given_mean is not None else self.scale * math.gamma(1 + 1 / self.shape)

    @property
    def scv(self) -> float:
        """Gamma(1 + 2 / shape) / Gamma(1 + 1 / shape)^2 - 1."""
        return math.gamma(1 + 2 / self.shape) / math.gamma(1 + 1 / self.shape) ** 2 - 1


def expect_pair(spec: Distribution, *pairs: tuple[str, ...]) -> None:
    """Refuse anything but one of the allowed sets of fields."""
    given = [field.alias or name for name, field in type(spec).model_fields.items() if getattr(spec, name) is not None]
    if not any(set(given) == set(pair) for pair in pairs):
        raise ValueError(f"found {_listed(given)}, expected {', or '.join(' and '.join(pair) for pair in pairs)}")


def _listed(names: list[str]) -> str:
    return " and ".join(names) or "none of the fields"


def scv_of(variance: float, mean: float) -> float:
    """The squared coefficient of variation of a distribution with this variance; 0 where the mean is 0."""
    return max(variance, 0.0) / (mean * mean) if mean else 0.0


def _exp(exponent: float) -> float:
    return math.exp(exponent) if exponent < 700 else math.inf


def _time(seconds: float | None) -> str:
    return show_duration(seconds if seconds is not None else math.nan)
