"""Charts of a comparison in a notebook: axes of matplotlib, and a picture of them."""

from __future__ import annotations

import pytest
from matplotlib.axes import Axes

import sim
from sim.errors import UsageError

TEXT = """
version: 1
duration: 20s
traffic: {a: {sends: b.c, arrivals: {poisson: 20/s}, timeout: 2s}}
services: {b: {workers: 2, endpoints: {c: [{work: {exponential: 40ms}}]}}}
variants: {base: {}, slow: {services: {b: {endpoints: {c: [{work: {exponential: 80ms}}]}}}}}
record: {spans: exemplars}
"""


@pytest.fixture(scope="module")
def comparison():
    return sim.compare(sim.load_text(TEXT), replications=3, jobs=1, engine="simpy")


@pytest.mark.parametrize("chart", ["latency", "outcomes", "clocks", "utilisation", "slowest", "differences"])
def test_a_chart_is_its_axes_and_a_picture(comparison, chart):
    drawn = getattr(comparison.plot, chart)()
    assert drawn
    assert all(isinstance(axes, Axes) for axes in drawn)
    assert drawn._repr_png_().startswith(b"\x89PNG")


def test_there_is_a_panel_for_each_variant_and_its_axes_can_be_drawn_upon(comparison):
    drawn = comparison.plot.latency()
    assert len(drawn) == 2
    before = drawn._repr_png_()
    drawn[0].axhline(0.1)
    assert drawn._repr_png_() != before
    assert drawn.figure is drawn[1].figure


@pytest.mark.parametrize("chart", ["breakers"])
def test_a_chart_without_anything_to_show_says_so(comparison, chart):
    with pytest.raises(UsageError, match="found nothing in this run"):
        getattr(comparison.plot, chart)()


def test_every_chart_of_the_report_has_a_method():
    from sim.experiments.replicating.plots import Plots
    from sim.report.charts import CHARTS

    methods = [name for name in vars(Plots) if not name.startswith("_")]
    assert len(methods) == len(CHARTS)
