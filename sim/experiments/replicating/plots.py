"""Charts for a notebook: `comparison.plot.latency()` shows the chart of the report, and is its matplotlib axes, to be
drawn upon or saved.

The report stands on a floor above, and is known here by the names of its charts alone: who does not plot does not
import it.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Sequence
from typing import Any

from sim.errors import UsageError

_CHARTS = "sim.report.charts"
_DPI = 110


class ChartAxes(tuple[Any, ...]):
    """The axes of a chart (`matplotlib.axes.Axes`), from above; Jupyter shows the chart, with what was drawn
    upon it.
    """

    __slots__ = ()

    @property
    def figure(self) -> Any:  # noqa: ANN401 - matplotlib is known to the report alone
        """The `matplotlib.figure.Figure` that they stand in: `figure.savefig("latency.png")`."""
        return self[0].figure

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.figure.savefig(picture, format="png", dpi=_DPI)
        return picture.getvalue()


class Plots:
    """A method for each chart of the report. Each raises a UsageError where the run has nothing to show in it."""

    def __init__(self, comparison: object) -> None:
        self._comparison = comparison

    def latency(self) -> ChartAxes:
        """How long an answer took, over the run: p50, p95 and p99 of each variant."""
        return self._drawn("latency_over_time")

    def outcomes(self) -> ChartAxes:
        """How requests ended, over the run."""
        return self._drawn("outcomes_over_time")

    def clocks(self) -> ChartAxes:
        """The share of requests that still wait after a time, for the answer and for completion."""
        return self._drawn("two_clocks")

    def backlog(self) -> ChartAxes:
        """What waits over the run: lag, outboxes, open promises."""
        return self._drawn("backlog_over_time")

    def breakers(self) -> ChartAxes:
        """When circuit breakers were open."""
        return self._drawn("breaker_timeline")

    def utilisation(self) -> ChartAxes:
        """How busy stations were, over the run."""
        return self._drawn("utilisation_over_time")

    def slowest(self) -> ChartAxes:
        """The slowest request of each variant as a waterfall; needs `record: {spans: all}` or `exemplars`."""
        return self._drawn("slowest_requests")

    def differences(self) -> ChartAxes:
        """The differences to the baseline with their intervals."""
        return self._drawn("differences_with_intervals")

    def _drawn(self, name: str) -> ChartAxes:
        return _axes_of(name, self._comparison)


class SweepPlots:
    """The charts of a sweep. Each raises a UsageError where the sweep has nothing to show in it."""

    def __init__(self, sweep: object) -> None:
        self._sweep = sweep

    def curves(self) -> ChartAxes:
        """How figures follow the settings, with their intervals and the laws that fit; of the first axis with a
        chart.
        """
        return _first_axes("scaling.sweep_charts", self._sweep)

    def sensitivity(self) -> ChartAxes:
        """Which setting matters; needs `design="sensitivity"`."""
        return _axes_of("scaling.sensitivity_bars", self._sweep)


class CapacityPlots:
    """The chart of a search for capacity."""

    def __init__(self, capacity: object) -> None:
        self._capacity = capacity

    def load(self) -> ChartAxes:
        """The highest load that each variant bears, with its interval, and what was looked at."""
        return _first_axes("scaling.capacity_charts", self._capacity)


class StabilityPlots:
    """The chart of a look at stability."""

    def __init__(self, stability: object) -> None:
        self._stability = stability

    def hysteresis(self) -> ChartAxes:
        """Goodput by load, undisturbed, long after the stressor, and while the load goes up and down."""
        return _axes_of("hysteresis.hysteresis_curve", self._stability)


class ExplanationPlots:
    """The chart of an explanation."""

    def __init__(self, explanation: object) -> None:
        self._explanation = explanation

    def composition(self) -> ChartAxes:
        """What the time of the requests at each quantile is made of, by variant."""
        return _axes_of("composition.composition", self._explanation)


def _axes_of(name: str, found: object) -> ChartAxes:
    return _axes(name, _drawing(name)(found))


def _first_axes(name: str, found: object) -> ChartAxes:
    charts: Sequence[Any] = _drawing(name)(found)
    return _axes(name, charts[0] if charts else None)


def _axes(name: str, chart: Any) -> ChartAxes:  # noqa: ANN401 - a chart of the report, or None
    if chart is None:
        raise UsageError(f"found nothing in this run for the chart '{name.rpartition('.')[2].replace('_', ' ')}'")
    return ChartAxes(chart.figure.axes)


def _drawing(name: str) -> Any:  # noqa: ANN401 - a function of the report
    """The function that draws a chart, by its place in the room of charts: `scaling.sweep_charts`."""
    room, _, function = name.rpartition(".")
    return getattr(importlib.import_module(f"{_CHARTS}.{room}" if room else _CHARTS), function)
