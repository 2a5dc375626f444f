"""The charts of a sweep and of a search for capacity: curves with their intervals and laws, what each setting matters,
how much load is borne.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from sim.experiments.searching.capacity_results import Capacity
from sim.experiments.searching.sweep_results import Sweep, unit_of_axis
from sim.report.charts.canvas import name_panel, panels
from sim.report.charts.drawing import Chart, Line, Panel
from sim.report.charts.labels import label_ends, log_seconds, plain_numbers, rate_axis, round_seconds
from sim.report.theme import LIGHT, Theme, dash, marker, rc
from sim.report.words import label_of, show, show_interval
from sim.stats.interval import Interval
from sim.stats.scaling import ScalingFit

METRICS = ("throughput", "response_p99", "availability", "cost")
MOST_LINES = 8
MOST_BARS = 4  # metrics
_SENSITIVE = ("response_p99", "throughput", "availability", "completion_p99", "cost_per_thousand", "lost_orders")


def sweep_charts(sweep: Sweep, theme: Theme = LIGHT) -> tuple[Chart, ...]:
    """All that have something to show."""
    if sweep.design == "grid":
        return tuple(
            chart
            for place, axis in enumerate(sweep.axes)
            if (chart := _curves(sweep, place, axis.name, theme)) is not None
        )
    bars = sensitivity_bars(sweep, theme)
    dots = tuple(
        chart for place, axis in enumerate(sweep.axes) if (chart := _dots(sweep, place, axis.name, theme)) is not None
    )
    return (bars, *dots) if bars is not None else dots


def _curves(sweep: Sweep, place: int, axis: str, theme: Theme) -> Chart | None:
    """A panel per metric over one axis, a line per variant and per combination of the other settings."""
    if sweep.settings[axis].nunique() < 2 or not pd.api.types.is_numeric_dtype(sweep.settings[axis]):
        return None
    lines = list(_lines(sweep, axis))[:MOST_LINES]
    wanted = _wanted(sweep)
    if not wanted or not lines:
        return None
    label, unit = sweep.axes[place].label, unit_of_axis(sweep, sweep.axes[place])
    told = []
    with mpl.rc_context(rc(theme)):
        sheet = panels(len(wanted), 1.45, labels=1.9)
        for axes, metric in zip(sheet.axes, wanted, strict=True):
            figures = _metric_curves(axes, sweep, axis, metric, lines, theme)
            _size_axis(axes, sweep.settings[axis], unit, last=axes is sheet.axes[-1], name=label)
            told.append(Panel(axes, figures, label_of(metric), label, unit))
    reading = "Means over the replications with their 95% intervals, all points under the same luck."
    if any(fit.preferred is not None for fit in sweep.fits if fit.axis == axis):
        reading += " Thin lines: the scaling law that describes the throughput best; a ring where its peak is."
    alt = " ".join(f"{line.name}, {panel.name}: {_in_words(line)}." for panel in told for line in panel.lines)
    return Chart(f"scaling-{place + 1}", f"Against {label}", reading, alt, sheet.figure, theme, told)


def _metric_curves(
    axes: Axes, sweep: Sweep, axis: str, metric: str, lines: Sequence[_Line], theme: Theme
) -> list[Line]:
    """Draw the mean and the interval of one metric, line by line; answers with what is drawn."""
    laws = {(fit.variant, fit.axis, tuple(fit.others.values())): fit.preferred for fit in sweep.fits}
    unit, ends, figures = _unit(sweep, metric), [], []
    for index, (variant, others, points, label) in enumerate(lines):
        curve = sweep.curve(variant, metric).reindex(points).dropna(subset=["value"]).sort_values(axis)
        curve = curve[np.isfinite(curve["value"])]
        if curve.empty:
            continue
        sizes, values, low, high = (curve[name].to_numpy(dtype=float) for name in (axis, "value", "low", "high"))
        colour = theme.variant(index)
        axes.fill_between(sizes, low, high, color=colour, alpha=0.18, lw=0)
        axes.plot(sizes, values, color=colour, ls=dash(index), marker=marker(index), ms=4)
        ends.append((values[-1], label, colour))
        figures.append(Line(label or variant, unit, sizes, values, sweep.variants.index(variant)))
        law = laws.get((variant, axis, others))
        if metric == "throughput" and law is not None:
            _law(axes, law, sizes, theme)
    _finish(axes, metric, unit, theme)
    label_ends(axes, ends)
    return figures


def _in_words(line: Line) -> str:
    return ", ".join(f"{show(value, line.unit)} at {size:g}" for size, value in zip(line.x, line.y, strict=True))


_Line = tuple[str, tuple[object, ...], pd.Index, str]
"""Variant, the other settings, the points, and a label."""


def _lines(sweep: Sweep, axis: str) -> Iterator[_Line]:
    """One for each variant and each combination of the other settings."""
    others = [name for name in sweep.settings.columns if name != axis]
    groups = list(sweep.settings.groupby(others, sort=False)) if others else [((), sweep.settings)]
    for variant in sweep.variants:
        for fixed, block in groups:
            values = fixed if isinstance(fixed, tuple) else (fixed,)
            texts = [
                sweep.points[int(block.index[0])].values[place]
                for place, other in enumerate(sweep.axes)
                if other.name in others
            ]
            words = [variant] if len(sweep.variants) > 1 else []
            yield variant, values, block.index, ", ".join([*words, *texts])[:28]


def _law(axes: Axes, fit: ScalingFit, sizes: np.ndarray, theme: Theme) -> None:
    far = min(
        max(float(sizes.max()), fit.peak.value * 1.1 if math.isfinite(fit.peak.value) else 0.0),
        1.6 * float(sizes.max()),
    )
    line = np.linspace(float(sizes.min()), far, 120)
    axes.plot(line, fit.at(line), color=theme.muted, lw=0.9, zorder=1)
    if math.isfinite(fit.peak.value) and fit.peak.value <= far:
        axes.plot(
            [fit.peak.value], [fit.peak_throughput.value], marker="o", ms=8, mfc="none", mec=theme.ink, mew=1.0, lw=0
        )


def _dots(sweep: Sweep, place: int, axis: str, theme: Theme) -> Chart | None:
    """Of a sampled design: every point as a dot over one axis."""
    settings = sweep.settings[axis]
    if settings.nunique() < 2 or not pd.api.types.is_numeric_dtype(settings):
        return None
    wanted = _wanted(sweep)
    if not wanted:
        return None
    label, unit = sweep.axes[place].label, unit_of_axis(sweep, sweep.axes[place])
    with mpl.rc_context(rc(theme)):
        sheet = panels(len(wanted), 1.35, labels=1.5)
        for axes, metric in zip(sheet.axes, wanted, strict=True):
            for index, variant in enumerate(sweep.variants):
                curve = sweep.curve(variant, metric)
                curve = curve[np.isfinite(curve["value"])]
                look: dict[str, Any] = {
                    "lw": 0,
                    "marker": marker(index),
                    "ms": 2.6,
                    "alpha": 0.55,
                    "color": theme.variant(index),
                }
                axes.plot(curve[axis], curve["value"], label=variant, **look)
            _finish(axes, metric, _unit(sweep, metric), theme)
            _size_axis(axes, settings, unit, last=axes is sheet.axes[-1], name=label)
        if len(sweep.variants) > 1:
            sheet.axes[0].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8.5)
    reading = (
        "Each dot is one point of the design, the mean of its replications; what spreads it at one place of "
        "this axis are the other settings."
    )
    return Chart(
        f"points-{place + 1}",
        f"All points over {label}",
        reading,
        f"{len(sweep.points)} points over {axis}.",
        sheet.figure,
        theme,
    )


def sensitivity_bars(sweep: Sweep, theme: Theme = LIGHT) -> Chart | None:
    """First-order and total Sobol indices of every setting, a panel per metric and variant."""
    table = sweep.sensitivity
    if table is None or table.empty:
        return None
    keys = [key for key in table["metric"].unique() if key in _SENSITIVE] or list(table["metric"].unique())
    keys = sorted(keys, key=lambda key: _SENSITIVE.index(key) if key in _SENSITIVE else 99)[:MOST_BARS]
    wanted = [
        (variant, metric)
        for metric in keys
        for variant in sweep.variants
        if ((table["variant"] == variant) & (table["metric"] == metric)).any()
    ]
    labels = [axis.label for axis in sweep.axes]
    alt = []
    with mpl.rc_context(rc(theme)):
        sheet = panels(len(wanted), 0.3 * len(labels) + 0.2, labels=0.4, left=2.6)
        for axes, (variant, metric) in zip(sheet.axes, wanted, strict=True):
            rows = table[(table["variant"] == variant) & (table["metric"] == metric)]
            for place, (_, row) in enumerate(rows.iterrows()):
                for offset, kind, colour in ((-0.17, "total", theme.variant(0)), (0.17, "first", theme.variant(1))):
                    value, low, high = (max(0.0, float(row[name])) for name in (kind, f"{kind}_low", f"{kind}_high"))
                    axes.barh(place + offset, value, height=0.3, color=colour, lw=0, label=kind if place == 0 else None)
                    axes.plot([low, high], [place + offset] * 2, color=theme.ink, lw=1.0)
                alt.append(
                    f"{variant}, {label_of(metric)}: {row['setting']} total {row['total']:.2f}, alone "
                    f"{row['first']:.2f}."
                )
            axes.set_yticks(range(len(labels)), labels)
            axes.set_ylim(len(labels) - 0.5, -0.5)
            axes.set_xlim(0, 1.05)
            axes.grid(True, axis="x")
            name_panel(axes, label_of(metric), theme.ink, variant if len(sweep.variants) > 1 else "")
        sheet.axes[0].legend(loc="lower right", frameon=False, fontsize=8.5)
        sheet.axes[-1].set_xlabel("share of the variance between points")
    reading = (
        "How much of what varies between the points is due to each setting: alone (first-order Sobol index), and with "
        "all it does together with "
        "others (total). Lines are 95% intervals; a setting whose total is near zero does not matter within its range."
    )
    return Chart("sensitivity", "Which setting matters", reading, " ".join(alt), sheet.figure, theme)


def capacity_charts(capacity: Capacity, theme: Theme = LIGHT) -> tuple[Chart, ...]:
    """How much each variant bears; over an axis, a curve."""
    if len(capacity.axes) == 1 and pd.api.types.is_numeric_dtype(capacity.summary[capacity.axes[0].name]):
        return (_capacity_curve(capacity, theme),)
    return (_capacity_rows(capacity, theme),)


def _capacity_rows(capacity: Capacity, theme: Theme) -> Chart:
    """A line per variant: the interval, and every load that was looked at."""
    marks = {"holds": ("o", theme.good), "open": ("D", theme.muted), "fails": ("X", theme.bad)}
    words = {"holds": "holds beyond doubt", "open": "too close to tell", "fails": "fails beyond doubt"}
    with mpl.rc_context(rc(theme)):
        sheet = panels(1, 0.46 * len(capacity.found) + 0.2, labels=2.1, left=1.9, top=0.45)
        axes = sheet.axes[0]
        for place, found in enumerate(capacity.found):
            _band(axes, place, found.rate, theme)
            for look in found.looks:
                sign, colour = marks[look.probe.sure]
                axes.plot([look.load * found.written], [place + 0.32], marker=sign, ms=3.6, color=colour, lw=0)
        for sure, (sign, colour) in marks.items():
            axes.plot([], [], marker=sign, ms=4, color=colour, lw=0, label=words[sure])
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False, fontsize=8)
        axes.set_yticks(
            range(len(capacity.found)),
            [", ".join((found.variant, *found.settings.values()))[:30] for found in capacity.found],
        )
        axes.set_ylim(len(capacity.found) - 0.5, -0.5)
        axes.set_xlim(left=0)
        rate_axis(axes, "requests of all open traffic", "x", bins=8)
    reading = (
        "The stroke is the highest load at which every expectation holds, the band its interval; below it every "
        "load that was looked at."
    )
    alt = " ".join(
        f"{found.variant}: {_borne(found.rate)}; {found.breaks_first or 'nothing'} breaks first."
        for found in capacity.found
    )
    return Chart("capacity", "How much load is borne", reading, alt, sheet.figure, theme)


def _band(axes: Axes, place: int, rate: Interval, theme: Theme) -> None:
    """The stroke of a load, the band of its interval, and both in words beside the panel."""
    low, high = (edge if math.isfinite(edge) else rate.value for edge in (rate.low, rate.high))
    axes.plot([low, high], [place, place], color=theme.variant(place), lw=7, alpha=0.35, solid_capstyle="butt")
    axes.plot([rate.value] * 2, [place - 0.3, place + 0.3], color=theme.variant(place), lw=2)
    beside: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
    axes.annotate(_borne(rate), (1, place), (6, 0), fontsize=8.5, color=theme.ink, **beside)


def _capacity_curve(capacity: Capacity, theme: Theme) -> Chart:
    name = capacity.axes[0].name
    with mpl.rc_context(rc(theme)):
        sheet = panels(1, 2.6, labels=1.5)
        axes, ends = sheet.axes[0], []
        for index, variant in enumerate(capacity.variants):
            rows = capacity.summary[capacity.summary["variant"] == variant].sort_values(name)
            sizes, rates = rows[name].to_numpy(dtype=float), rows["rate"].to_numpy(dtype=float)
            highs = np.where(np.isfinite(rows["rate_high"]), rows["rate_high"], rates)
            axes.fill_between(
                sizes,
                rows["rate_low"].fillna(rows["rate"]).to_numpy(float),
                highs,
                color=theme.variant(index),
                alpha=0.18,
                lw=0,
            )
            axes.plot(sizes, rates, color=theme.variant(index), ls=dash(index), marker=marker(index), ms=4)
            usl, amdahl, _ = capacity.fits.get(variant, (None, None, ""))
            fit = min((law for law in (amdahl, usl) if law is not None), key=lambda law: law.aicc, default=None)
            if fit is not None:
                _law(axes, fit, sizes, theme)
            ends.append((float(rates[-1]), variant, theme.variant(index)))
        rate_axis(axes, "requests")
        _size_axis(axes, capacity.summary[name], "1", last=True, name=capacity.axes[0].label)
        label_ends(axes, ends)
        name_panel(axes, "capacity", theme.ink, "highest load at which every expectation holds")
    reading = "With its interval; thin lines: the scaling law that describes it best, a ring where its peak is."
    alt = " ".join(
        f"{row['variant']} at {row[name]}: {show(row['rate'], '1/s')}." for _, row in capacity.summary.iterrows()
    )
    return Chart(
        "capacity", f"How much load is borne, against {capacity.axes[0].label}", reading, alt, sheet.figure, theme
    )


def _borne(rate: Interval) -> str:
    if rate.censored:
        return f"at least {show(rate.value, '1/s')}"
    if not math.isfinite(rate.high):
        return show(rate.value, "1/s")
    return show_interval(rate, "1/s") if rate.value > 0 else "none"


def _wanted(sweep: Sweep) -> list[str]:
    """The metrics that are drawn: those that differ from point to point."""
    return [key for key in METRICS if any(_varied(sweep, key, variant) for variant in sweep.variants)]


def _varied(sweep: Sweep, metric: str, variant: str) -> bool:
    values = sweep.curve(variant, metric)["value"]
    return bool(np.isfinite(values).any() and (values.max() > values.min() or metric in ("throughput", "response_p99")))


def _unit(sweep: Sweep, metric: str) -> str:
    found = sweep.summary.loc[sweep.summary["metric"] == metric, "unit"]
    return str(found.iloc[0]) if len(found) else "1"


def _finish(axes: Axes, metric: str, unit: str, theme: Theme) -> None:
    name_panel(axes, label_of(metric), theme.ink)
    low, high = axes.get_ylim()
    if unit == "s" and high > 20 * max(low, 1e-12) and low > 0:
        log_seconds(axes)
    elif unit == "share":
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.4g}%"))
        axes.grid(True, axis="y")
    elif unit == "1/s":
        rate_axis(axes, "")
    else:
        plain_numbers(axes)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value, unit)))


def _tick(value: float, unit: str) -> str:
    return round_seconds(value) if unit == "s" and value else f"{value:,.4g}"


def _size_axis(axes: Axes, sizes: Sequence[float] | pd.Series, unit: str, *, last: bool, name: str) -> None:
    """Ticks at the values themselves where they are few."""
    values = sorted({float(size) for size in sizes})
    spread = (
        len(values) > 3
        and values[0] > 0
        and values[-1] / values[0] >= 16
        and all(b / a > 1.5 for a, b in pairwise(values))
    )
    if spread:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    if len(values) <= 12:
        axes.xaxis.set_major_locator(FixedLocator(values))
        axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: show(value, unit) if unit != "1" else f"{value:,.6g}")
    )
    axes.tick_params(axis="x", labelbottom=last)
    if last:
        axes.set_xlabel(name)
