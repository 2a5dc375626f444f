"""Which of many lines a value lies between, for many values at once: what `searchsorted` says, at a fraction of its
cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

STEPS_PER_LINE = 16  # of the grid on a time axis: so few values fall into a step with a line in it
MOST_STEPS = 1 << 22
Side = Literal["left", "right"]

MANTISSA = 45  # low bits of a double that do not count: 128 steps for every power of two


class Lines:
    """Ascending lines, and a coarser scale of steps on which most values have their place without a search.

    A scale gives each value the number of its step, never a lower one for a higher value. So all values of a step lie
    between the same two lines, but for a step with a line inside: there one has to look.
    """

    def __init__(self, lines: Floats, side: Side, scale: Callable[[Floats], Places], steps: int):
        first = np.nextafter(lines, np.inf) if side == "left" else lines  # the least value above each line
        self._first, self._scale = first, scale
        its = scale(first)
        inside = scale(np.nextafter(first, -np.inf)) == its
        self._place = np.searchsorted(its, np.arange(steps), side="right").astype(np.int32)
        self._look = np.zeros(steps, dtype=bool)
        self._look[its[inside]] = True

    def place(self, values: Floats) -> Places:
        """How many lines lie below each value, or with the side `right` also at it: `searchsorted`. nan stands above
        all.
        """
        step = self._scale(values)
        place = self._place[step].astype(np.int64)
        unsure = np.flatnonzero(self._look[step])
        place[unsure] = self._first.searchsorted(values[unsure], side="right")
        return place


def ascending(values: Floats) -> bool:
    """Whether no value is below the one before it; nan stands above all."""
    if (values[1:] < values[:-1]).any():
        return False
    unknown = np.isnan(values)
    return bool(unknown[values.size - np.count_nonzero(unknown) :].all())


def on_axis(lines: Floats, side: Side) -> Lines:
    """Lines on an axis from 0 on, on a scale of equal steps."""
    end = float(lines[-1])
    steps = min(MOST_STEPS, STEPS_PER_LINE * lines.size) + 2
    per_unit = (steps - 2) / end

    def scale(values: Floats) -> Places:
        known = np.fmin(values, end) * per_unit  # of nan and of what lies beyond: the end
        return np.where(values <= end, np.maximum(known, 0.0).astype(np.int64), steps - 1)

    return Lines(lines, side, scale, steps)


def on_ladder(lines: Floats) -> Lines:
    """Lines at 0 and above on a scale of 128 steps for every power of two, which are the leading bits of a double.

    The side is left: (line, line].
    """

    def leading(values: Floats) -> Places:
        # less one bit, so that a step ends with a line rather than begins with it
        return (values.view(np.int64) - 1) >> MANTISSA

    least, most = (int(step) for step in leading(lines[[1, -1]]))
    steps = most - least + 4

    def scale(values: Floats) -> Places:
        return np.clip(leading(values) - (least - 1), 0, steps - 1)

    return Lines(lines, "left", scale, steps)
