"""The charts of a comparison, in the order in which a reader needs them. A chart without data is left out."""

from __future__ import annotations

from collections.abc import Callable

from sim.experiments.replicating.results import Comparison
from sim.report.charts.backlog import backlog_over_time
from sim.report.charts.breakers import breaker_timeline
from sim.report.charts.canvas import narrow
from sim.report.charts.clocks import two_clocks
from sim.report.charts.differences import differences_with_intervals
from sim.report.charts.drawing import Chart
from sim.report.charts.latency import latency_over_time
from sim.report.charts.outcomes import outcomes_over_time
from sim.report.charts.utilisation import utilisation_over_time
from sim.report.charts.waterfall import slowest_requests
from sim.report.theme import LIGHT, Theme

CHARTS: tuple[Callable[[Comparison, Theme], Chart | None], ...] = (
    outcomes_over_time,
    latency_over_time,
    two_clocks,
    backlog_over_time,
    breaker_timeline,
    utilisation_over_time,
    slowest_requests,
    differences_with_intervals,
)


NARROW: tuple[Callable[[Comparison, Theme], Chart | None], ...] = (
    outcomes_over_time,
    latency_over_time,
    two_clocks,
    backlog_over_time,
    breaker_timeline,
    utilisation_over_time,
    differences_with_intervals,
)
"""Those that can be read on a telephone, drawn for its width; the others are moved sideways there."""


def draw_charts(comparison: Comparison, theme: Theme = LIGHT) -> tuple[Chart, ...]:
    """All charts that have something to show."""
    drawn = (draw(comparison, theme) for draw in CHARTS)
    return tuple(chart for chart in drawn if chart is not None)


def draw_narrow(comparison: Comparison, theme: Theme = LIGHT) -> dict[str, Chart]:
    """The same for a narrow screen, by name, where they can be that narrow."""
    with narrow():
        drawn = [draw(comparison, theme) for draw in NARROW]
    return {chart.name: chart for chart in drawn if chart is not None}


__all__ = [
    "CHARTS",
    "Chart",
    "backlog_over_time",
    "breaker_timeline",
    "differences_with_intervals",
    "draw_charts",
    "draw_narrow",
    "latency_over_time",
    "outcomes_over_time",
    "slowest_requests",
    "two_clocks",
    "utilisation_over_time",
]
