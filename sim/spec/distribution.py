"""Distributions, parametrised by what people know; each knows its mean and squared coefficient of variation."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, model_validator

from sim.spec.base import Choice, Duration, Share, Spec, register


class Distribution(Spec):
    """A non-negative random duration in seconds. Subclasses give `mean` and `scv` (squared coefficient of variation)."""

    @property
    def mean(self) -> float:
        """Expected value, seconds; infinite where none exists."""
        raise NotImplementedError(f"{type(self).__name__} must give its mean")

    @property
    def scv(self) -> float:
        """Variance over squared mean; 0 for a constant, 1 for an exponential."""
        raise NotImplementedError(f"{type(self).__name__} must give its squared coefficient of variation")


AnyDistribution = Annotated[Distribution, Choice("distribution")]
