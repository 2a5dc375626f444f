"""Goodput against load: as it should be, as it is long after a disturbance, and on the way up and down the staircase of
loads.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

from sim.experiments.stability.results import Stability, Step
from sim.report.charts.canvas import panels
from sim.report.charts.drawing import Chart, Line, Panel
from sim.report.charts.labels import label_ends, rate_axis
from sim.report.stability import verdict
from sim.report.theme import LIGHT, Theme, rc

_ABOVE: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}


def hysteresis_curve(stability: Stability, theme: Theme = LIGHT) -> Chart:
    """Goodput without the stressor and long after it at every load, the staircase up and down, and the metastable loads
    shaded.
    """
    points, colours = stability.points, (theme.variant(0), theme.variant(1), theme.muted)
    rates = [point.rate for point in points]
    without, after = (
        [point.goodput_without.value for point in points],
        [point.goodput_after.value for point in points],
    )
    with mpl.rc_context(rc(theme)):
        sheet = panels(1, 3.0, top=0.3, labels=1.6)
        axes = sheet.axes[0]
        if stability.metastable is not None:
            axes.axvspan(*stability.metastable, color=theme.fault, lw=0, zorder=0)
            axes.annotate(
                "metastable", (stability.metastable[0], 1), (3, 3), color=theme.fault_ink, fontsize=8, **_ABOVE
            )
        axes.plot([0, max(rates)], [0, max(rates)], color=theme.rule, lw=0.8, zorder=0.5)
        axes.plot(rates, without, color=colours[0], marker="o", ms=4)
        axes.plot(rates, after, color=colours[1], marker="s", ms=4, ls=(0, (5, 1.6)))
        labels = [(without[-1], "undisturbed", colours[0]), (after[-1], "long after the stressor", colours[1])]
        labels += [(stability.curve[-1].goodput.value, "load up, then down", colours[2])] if stability.curve else []
        _staircase(axes, stability.curve, colours[2])
        axes.axvline(stability.rate, color=theme.ink, lw=0.7, ls=(0, (1, 2)))
        axes.annotate("the scenario", (stability.rate, 0), (3, 3), color=theme.ink, fontsize=7.5, **_ABOVE)
        axes.set_xlim(0, max(*rates, stability.rate) * 1.02)
        rate_axis(axes, "goodput")
        rate_axis(axes, "offered load, requests", "x", bins=8)
        label_ends(axes, labels)
    drawn = [Line("undisturbed", "1/s", rates, without), Line("long after the stressor", "1/s", rates, after)]
    return Chart(
        "hysteresis",
        f"Does it come back? {stability.variant} under {stability.stressor}",
        "Goodput against load: undisturbed, and long after the stressor is off; where the second lies below the "
        "first, the system did not come back. "
        f"Grey, with arrows: one run whose load goes up and then down, {stability.dwell:g} s on each step; what it "
        "left behind above, it carries down.",
        " ".join(verdict(stability)),
        sheet.figure,
        theme,
        [Panel(axes, drawn, "goodput", "at", "1/s")],
    )


def _staircase(axes: Axes, steps: Sequence[Step], colour: str) -> None:
    """One run whose load goes up, and then down again."""
    top = sum(step.rising for step in steps)
    for part, style in ((steps[:top], "-"), (steps[max(0, top - 1) :], (0, (1.4, 1.2)))):
        axes.plot([step.rate for step in part], [step.goodput.value for step in part], color=colour, lw=1.1, ls=style)
        for one, other in pairwise(part):
            _arrow(axes, (one.rate, one.goodput.value), (other.rate, other.goodput.value), colour)


def _arrow(axes: Axes, begin: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    """A head half-way along a line."""
    (x, y), (to_x, to_y) = begin, end
    middle, ahead = ((x + share * (to_x - x), y + share * (to_y - y)) for share in (0.5, 0.56))
    axes.annotate("", ahead, middle, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 0.8})
