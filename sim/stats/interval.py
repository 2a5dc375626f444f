"""A figure and how sure we are of it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A mean over replications with its confidence limits; nan limits where one replication gives none.

    `censored` says that the value is only a lower bound (an unfinished completion, a fault never recovered from).
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    n: int = 1  # replications that had a value
    censored: bool = False

    @property
    def half_width(self) -> float:
        """Half the length of the interval; nan where there is none."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Difference(Interval):
    """A paired difference (variant - baseline) on common random numbers, judged together with its siblings."""

    p_value: float = math.nan  # two-sided, corrected for the number of comparisons (Holm)
    significant: bool = False
