"""Distributions that are made of exponentials: several one after the other, or one of several by chance."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from sim.spec.base import Between, Duration, Number, Share, Spec, register
from sim.spec.distribution import Distribution, Positive, expect_pair, scv_of


@register("distribution", "erlang")
class Erlang(Distribution):
    """The sum of `phases` equal exponentials; `mean` is that of the whole: `{erlang: {phases: 4, mean: 20ms}}`."""

    phases: Annotated[int, Between(1, 10_000)]
    """How many exponentials are added up."""
    average: Duration = Field(alias="mean")
    """The mean of the whole."""

    @property
    def mean(self) -> float:
        """As given."""
        return self.average

    @property
    def scv(self) -> float:
        """1 / phases."""
        return 1 / self.phases


class Branch(Spec):
    """One exponential of a hyperexponential, and how often it is taken."""

    probability: Share
    """How often it is this one."""
    average: Duration = Field(alias="mean")
    """The mean of this one."""


@register("distribution", "hyperexponential")
class HyperExponential(Distribution):
    """One of several exponentials by chance: a list of `{probability, mean}`, or `mean` and `cv` above 1 (two branches,
    balanced means).
    """

    positional = "branches"
    branches: tuple[Branch, ...] | None = Field(default=None, min_length=1)
    """The exponentials, and how often each is taken."""
    given_mean: Positive | None = Field(default=None, alias="mean")
    """The mean of two balanced branches."""
    cv: Annotated[Number, Field(gt=1, le=1e4)] | None = None
    """Standard deviation over mean, above 1."""

    @model_validator(mode="after")
    def _solvable(self) -> Self:
        expect_pair(self, ("branches",), ("mean", "cv"))
        total = sum(branch.probability for branch in self.branches or ())
        if self.branches is not None and not math.isclose(total, 1, abs_tol=1e-9):
            raise ValueError(f"the probabilities sum to {total:.6g}, expected 1")
        return self

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Of the branches; they sum to 1."""
        if self.branches is not None:
            return tuple(branch.probability for branch in self.branches)
        square = (self.cv or math.nan) ** 2
        first = (1 + math.sqrt((square - 1) / (square + 1))) / 2
        return (first, 1 - first)

    @property
    def means(self) -> tuple[float, ...]:
        """Of the branches, seconds. Balanced: each branch contributes half of the mean."""
        if self.branches is not None:
            return tuple(branch.average for branch in self.branches)
        return tuple((self.given_mean or math.nan) / (2 * probability) for probability in self.probabilities)

    @property
    def mean(self) -> float:
        """Sum of probability x mean."""
        return math.fsum(p * m for p, m in zip(self.probabilities, self.means, strict=True))

    @property
    def scv(self) -> float:
        """2 sum(p m^2) / mean^2 - 1."""
        second = 2 * math.fsum(p * m * m for p, m in zip(self.probabilities, self.means, strict=True))
        return scv_of(second - self.mean**2, self.mean)
