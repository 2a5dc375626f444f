"""Charts for a notebook: `comparison.plot.latency()` shows the chart of the report, and is its matplotlib axes, to be
drawn upon or saved.

The report stands on a floor above, and is known here by the names of its charts alone: who does not plot does not
import it.
"""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

from sim.errors import UsageError

if TYPE_CHECKING:
    from sim.experiments.replicating.results import Comparison

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

    def __init__(self, comparison: Comparison) -> None:
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
        chart = getattr(importlib.import_module(_CHARTS), name)(self._comparison)
        if chart is None:
            raise UsageError(f"found nothing in this run for the chart '{name.replace('_', ' ')}'")
        return ChartAxes(chart.figure.axes)
