"""Charts of a measurement and a model for a notebook: `validation.plot.tail()` is the chart of the report.

The report stands on a floor above, and is known here by name alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from sim.errors import UsageError
from sim.experiments.replicating.plots import ChartAxes

if TYPE_CHECKING:
    from sim.fitting.validation import Validation

_CHARTS = "sim.report.charts.measured"


class MeasuredPlots:
    """A method for each chart. Each raises a UsageError where only a summary was measured."""

    def __init__(self, validation: Validation) -> None:
        self._validation = validation

    def tail(self) -> ChartAxes:
        """For each time the share of requests that took longer, measured and simulated."""
        return self._drawn("tail")

    def over_time(self) -> ChartAxes:
        """p50 and p95 over the measurement, and over the first replication."""
        return self._drawn("over-time")

    def _drawn(self, name: str) -> ChartAxes:
        charts = importlib.import_module(_CHARTS).draw_measured(self._validation)
        found = next((chart for chart in charts if chart.name == name), None)
        if found is None:
            raise UsageError(f"found a summary of requests only, of which there is no chart '{name}'")
        return ChartAxes(found.figure.axes)
