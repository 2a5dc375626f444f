"""A figure and how sure we are of it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A mean over replications with its confidence limits; nan limits where one replication gives none.

    `censored` says that the value is only a lower bound (an unfinished completion, a fault never recovered from). The
    limits are of the mean; a single run lies between `least` and `most`, with the standard `deviation`: nan where fewer
    than two runs had a finite value.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    n: int = 1  # replications that had a value
    censored: bool = False
    deviation: float = math.nan  # of single runs, with n - 1
    least: float = math.nan
    most: float = math.nan

    @property
    def half_width(self) -> float:
        """Half the length of the interval; nan where there is none."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Difference(Interval):
    """A paired difference (variant - baseline) on common random numbers, judged together with its siblings."""

    p_value: float = math.nan  # two-sided, corrected for the number of comparisons (Holm)
    significant: bool = False
    # the smallest true difference that would have been significant with a probability of 80 %
    detectable: float = math.nan
    few: bool = False  # so few replications that none of a size that can be would have been

    @property
    def equal(self) -> bool:
        """Whether both sides were the same in every replication, but for the rounding of floats."""
        return self.value == 0 and self.p_value == 1.0 and (self.n == 1 or self.deviation == 0)

    @property
    def finding(self) -> str:
        """What can be said: significant, equal, few (replications to judge), not significant, or open: nothing was
        tested.
        """
        if self.significant:
            return "significant"
        if self.equal:
            return "equal"
        if math.isnan(self.p_value):
            return "few" if self.n < 2 and not self.censored and not math.isnan(self.value) else "open"
        return "few" if self.few else "not significant"
