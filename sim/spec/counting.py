"""How many times something is done: a number, or one that is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from itertools import count
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from sim.spec.base import Between, Number, Spec

MOST_TIMES = 100_000  # within one run of a step
NEVER_MORE = 1e-12  # a chance that is none
_Times = Annotated[int, Between(0, MOST_TIMES)]
_Mean = Annotated[Number, Field(le=1000)]


class HowMany(Spec):
    """A number of times: `3`, `{uniform: [1, 5]}`, `{geometric: 3}`, `{poisson: 2}`."""

    positional: ClassVar[str] = "exactly"
    exactly: _Times | None = None
    """So many times."""
    uniform: tuple[_Times, _Times] | None = None
    """Any whole number from the first to the second, both included, each as likely."""
    geometric: _Mean | None = Field(default=None, ge=1)
    """Once, and after each time once more with the same chance: the mean, at least 1."""
    poisson: _Mean | None = Field(default=None, gt=0)
    """As many as independent occasions happen to be: the mean; it may be 0 times."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        said = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(said) != 1:
            found = f"{' and '.join(said)} together" if said else "nothing"
            raise ValueError(f"found {found}, expected a number, or one of uniform, geometric, poisson")
        if self.uniform is not None and self.uniform[0] > self.uniform[1]:
            raise ValueError(
                f"found uniform from {self.uniform[0]} to {self.uniform[1]}, expected the smaller number first"
            )
        return self

    @property
    def mean(self) -> float:
        """How many on average."""
        if self.uniform is not None:
            return sum(self.uniform) / 2.0
        return float(self.exactly if self.exactly is not None else self.geometric or self.poisson or 0.0)

    @cached_property
    def tails(self) -> tuple[float, ...]:
        """The chances that it is at least 1, at least 2, ... times; none of them is 0."""
        if self.exactly is not None:
            return (1.0,) * self.exactly
        if self.uniform is not None:
            low, high = self.uniform
            return tuple(min(1.0, (high - number + 1) / (high - low + 1)) for number in range(1, high + 1))
        return tuple(_until_never(self._poisson_tails() if self.poisson is not None else self._geometric_tails()))

    def _geometric_tails(self) -> Iterator[float]:
        again = 1.0 - 1.0 / (self.geometric or 1.0)
        return (again ** (number - 1) for number in count(1))

    def _poisson_tails(self) -> Iterator[float]:
        mean = self.poisson or 0.0
        most = math.ceil(mean + 12.0 * math.sqrt(mean) + 30.0)
        chances = [math.exp(number * math.log(mean) - mean - math.lgamma(number + 1)) for number in range(most)]
        return (math.fsum(chances[number:]) for number in range(1, most))


def _until_never(tails: Iterator[float]) -> Iterator[float]:
    for tail in tails:
        if tail < NEVER_MORE:
            return
        yield min(1.0, tail)
