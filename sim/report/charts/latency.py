"""How long an answer took, over the run."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from sim.experiments.replicating.results import Comparison, VariantResult
from sim.report.charts.canvas import name_panel, panels
from sim.report.charts.drawing import Chart, Line, Panel
from sim.report.charts.labels import label_ends, log_seconds
from sim.report.charts.timeline import Spans, at_time, bucket_of, column, of_variant, spans_of, thin, time_axis
from sim.report.theme import LIGHT, Theme, rc
from sim.report.words import clock, lasting, show


def latency_over_time(comparison: Comparison, theme: Theme = LIGHT) -> Chart | None:
    """p50, p95 and p99 of the response over the run, a panel per variant, with the p95 of the completion
    beside them.
    """
    shown = {
        name: variant for name, variant in comparison.variants.items() if column(variant, "response_p95") is not None
    }
    if not shown:
        return None
    spans = spans_of(comparison, theme)
    with mpl.rc_context(rc(theme)):
        sheet = panels(len(shown), 1.4, top=spans.room)
        low, high = _range(shown)
        told = []
        for index, (axes, (name, variant)) in enumerate(zip(sheet.axes, shown.items(), strict=True)):
            colour = theme.variant(list(comparison.variants).index(name))
            axes.set_ylim(low, high)
            log_seconds(axes)
            Spans([variant.scenario], theme).shade(axes)
            place = list(comparison.variants).index(name)
            told.append(Panel(axes, _percentiles(axes, variant, colour, theme, place), name))
            _silence(axes, variant, theme)
            name_panel(axes, name, colour)
            time_axis(axes, spans.duration, last=index == len(shown) - 1)
            axes.set_ylabel("time to answer")
            of_variant(axes, place)
        spans.name(sheet.axes[0])
    completing = any(column(variant, "completion_p95") is not None for variant in shown.values())
    dashed = " Dashed: the 95th percentile until all effects of the order exist." if completing else ""
    return Chart(
        "latency",
        "How long an answer took, over the run",
        "Percentiles of the response time of requests answered ok or degraded, by time of arrival, "
        f"per {lasting(bucket_of(next(iter(shown.values()))))}; logarithmic scale.{dashed}",
        "Response p95 over time. " + " ".join(_peak(name, variant) for name, variant in shown.items()),
        sheet.figure,
        theme,
        told,
        time=True,
        by_variant=True,
    )


def _percentiles(axes: Axes, variant: VariantResult, colour: str, theme: Theme, place: int) -> list[Line]:
    """Draw the lines; answers with their figures."""
    points = {
        suffix: thin(series)
        for suffix in ("p50", "p95", "p99")
        if (series := column(variant, f"response_{suffix}")) is not None
    }
    ends = []
    if "p50" in points and "p99" in points:
        times, low = points["p50"]
        axes.fill_between(times, low, points["p99"][1], color=colour, alpha=0.16, lw=0)
    for suffix, (times, values) in points.items():
        axes.plot(times, values, color=colour, lw=1.8 if suffix == "p95" else 0.8)
        ends.append((_last(values), suffix, colour))
    told = [Line(suffix, "s", *line, place) for suffix, line in points.items()]
    completion = column(variant, "completion_p95")
    if completion is not None:
        times, values = thin(completion)
        told.append(Line("completion p95", "s", times, values, place))
        axes.plot(times, values, color=theme.ink, lw=1.0, ls=(0, (4, 2)), alpha=0.8)
        ends.append((_last(values), "completion p95", theme.ink))
    label_ends(axes, ends)
    return told


def _silence(axes: Axes, variant: VariantResult, theme: Theme) -> None:
    """Words in a gap of the line: requests came, and nobody was answered well."""
    frame = variant.timeline
    if "offered" not in frame.columns:
        return
    gap = (frame["response_p95"].isna() & (frame["offered"] > 0)).to_numpy()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], gap, [False]]).astype(int)))
    times = frame.index.to_numpy(dtype=float)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        left, right = times[start], times[min(end, len(times) - 1)]
        if right - left > 0.1 * variant.scenario.duration:
            words = (
                "nobody\nanswered well" if right - left < 0.2 * variant.scenario.duration else "nobody answered well"
            )
            place, where = ((left + right) / 2, 0.3), ("data", "axes fraction")
            at_time(
                axes,
                axes.annotate(
                    words, place, xycoords=where, color=theme.fault_ink, fontsize=8.5, ha="center", va="center"
                ),
            )


def _range(variants: dict[str, VariantResult]) -> tuple[float, float]:
    wanted = ("response_p50", "response_p99", "completion_p95")
    columns = [
        series.to_numpy(dtype=float)
        for variant in variants.values()
        for name in wanted
        if (series := column(variant, name)) is not None
    ]
    values = np.concatenate(columns)
    values = values[np.isfinite(values) & (values > 0)]
    return (float(values.min()) * 0.75, float(values.max()) * 1.3) if len(values) else (1e-3, 1.0)


def _last(values: NDArray[np.float64]) -> float:
    """Where a line ends: the median of its last stretch, so that one noisy bucket does not move the label."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite[-max(3, len(values) // 30) :])) if len(finite) else math.nan


def _peak(name: str, variant: VariantResult) -> str:
    series = variant.timeline["response_p95"]
    series = series[series.index >= variant.scenario.warmup].dropna()
    if not len(series):
        return f"{name}: no requests answered well."
    time = clock(float(series.index[int(series.argmax())]))
    return f"{name}: median {show(float(series.median()), 's')}, highest {show(float(series.max()), 's')} at {time}."
