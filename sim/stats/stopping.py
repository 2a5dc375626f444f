"""When enough replications have been run: a relative precision is reached, or how many more it should take."""

from __future__ import annotations

import math
from dataclasses import replace

from sim.stats.interval import Interval

MANY = 20  # replications, of which the spread is known well enough
MARGIN = 1.5  # by which fewer must be better than asked


def precise(interval: Interval, relative: float) -> bool:
    """Whether the half width is small enough that the relative error of the mean is at most `relative` (Law and
    Kelton's g / (1 + g)).

    An interval of one replication never is; an infinite or missing figure is as precise as it will become. A mean of
    zero is precise only when nothing varies.
    """
    if not math.isfinite(interval.value):
        return True
    return interval.n > 1 and interval.half_width <= abs(interval.value) * relative / (1 + relative)


def enough(interval: Interval, relative: float) -> bool:
    """Whether to stop here: `precise`, and by a margin where there are few replications.

    Few values may be alike by luck, and a rule that stops at the first chance is the fool of it: stopped at ten, 95 %
    intervals cover 92.
    """
    margin = MARGIN if interval.n < MANY else 1.0
    half = interval.half_width * margin
    return precise(replace(interval, low=interval.value - half, high=interval.value + half), relative)


def replications_needed(interval: Interval, relative: float) -> int:
    """How many replications should reach the precision if the values go on to vary as they did; at least those there
    are.
    """
    target = abs(interval.value) * relative / (1 + relative)
    if precise(interval, relative) or not target > 0 or math.isnan(interval.half_width):
        return interval.n
    return max(interval.n + 1, math.ceil(interval.n * (interval.half_width / target) ** 2))
