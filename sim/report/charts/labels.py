"""Words and numbers in a panel: direct labels that keep apart, and axes of times and plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from sim.report.charts.canvas import is_narrow
from sim.report.charts.timeline import at_time
from sim.report.spacing import spread
from sim.report.words import show
from sim.units import told_per

if TYPE_CHECKING:
    import pandas as pd


def label_ends(axes: Axes, entries: Sequence[tuple[float, str, str]], size: float = 8.5) -> None:
    """Direct labels to the right of the panel: (y in data, text, colour), moved apart where they would overlap."""
    ordered = sorted((_fraction(axes, value), text, colour) for value, text, colour in entries if math.isfinite(value))
    height = _points_high(axes)
    # not among the numbers below
    places = spread([wanted for wanted, _, _ in ordered], [size * 1.22 / height] * len(ordered), -0.02, 1.1)
    for (wanted, text, colour), place in zip(ordered, places, strict=True):
        axes.annotate(
            text, (1, wanted), (5, (place - wanted) * height), xycoords="axes fraction", textcoords="offset points",
            color=colour, fontsize=size, va="center", annotation_clip=False,
        )  # fmt: skip


def label_curves(axes: Axes, lines: Sequence[tuple[pd.Series, str, str]], size: float = 8.5) -> None:
    """Direct labels of (series, text, colour): at the end of a line that ends high, else where it comes down from its
    height.
    """
    top, duration = axes.get_ylim()[1], axes.get_xlim()[1]
    ends, peaks = [], []
    for series, text, colour in lines:
        last = float(series.iloc[-max(1, len(series) // 50) :].median())
        highest = float(series.max())
        if len(lines) == 1 or last > 0.15 * top or last > 0.4 * highest or not highest > 0.05 * top:
            ends.append((last, text, colour))
            continue
        slope = 0.65 * highest  # on the way down, clear of other lines that stay up
        peaks.append((_fraction(axes, slope), float(series.index[series >= slope][-1]), text, colour))
    label_ends(axes, ends, size)
    height = _points_high(axes)
    peaks.sort()
    places = spread([wanted for wanted, *_ in peaks], [size * 1.25 / height] * len(peaks), 0.0, 1.0)
    for (_, time, text, colour), place in zip(peaks, places, strict=True):
        late = time > 0.82 * duration
        label = axes.annotate(
            text, (time, place), (-6 if late else 7, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
            color=colour, fontsize=size, va="center", ha="right" if late else "left",
        )  # fmt: skip
        at_time(axes, label)
        # readable where it crosses a line
        label.set_path_effects([withStroke(linewidth=2.5, foreground=mpl.rcParams["figure.facecolor"])])


def log_seconds(axes: Axes, which: str = "y") -> None:
    """A logarithmic axis of times with labels such as `10 ms`."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    (axes.set_yscale if which == "y" else axes.set_xscale)("log")
    low, high = axes.get_ylim() if which == "y" else axes.get_xlim()
    wide = math.log10(high / low) > 2.2
    few = 4 if is_narrow() and which == "x" else 30  # labels of decades beside one another need room
    axis.set_major_locator(LogLocator(10, subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=few))
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: round_seconds(value)))
    axes.grid(True, axis="y" if which == "y" else "x", which="major")


def round_seconds(value: float) -> str:
    """Tick text of a time: `200 ms`, `1 s`, `100 s`."""
    for size, suffix in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")):
        if value >= size * 0.9999:
            return f"{value / size:,.4g} {suffix}"
    return show(value, "s")


def plain_numbers(axes: Axes, bins: int = 4) -> None:
    """A linear axis from zero with few, readable numbers."""
    axes.set_ylim(bottom=0, top=max(axes.get_ylim()[1], 1e-9))
    axes.yaxis.set_major_locator(MaxNLocator(bins, integer=axes.get_ylim()[1] > 3, min_n_ticks=2))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.grid(True, axis="y")


class _RateLocator(MaxNLocator):
    """Ticks at round numbers of the unit that rates are told in, over values per second."""

    def __init__(self, length: float, bins: int) -> None:
        """`length`: seconds of the unit."""
        super().__init__(bins, min_n_ticks=2)
        self._length = length

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        return [tick / self._length for tick in super().tick_values(vmin * self._length, vmax * self._length)]


def rate_axis(axes: Axes, what: str, which: Literal["x", "y"] = "y", bins: int = 4) -> None:
    """An axis from zero of values per second, told per the unit in which the scenario writes its rates: `what, 1/m`."""
    length, unit = told_per()
    axis = axes.yaxis if which == "y" else axes.xaxis
    if which == "y":
        axes.set_ylim(bottom=0, top=max(axes.get_ylim()[1], 1e-9))
    axis.set_major_locator(_RateLocator(length, bins))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * length:,.10g}"))
    axis.set_label_text(f"{what}, 1/{unit}" if what else f"1/{unit}")
    axes.grid(True, axis=which)


def _fraction(axes: Axes, value: float) -> float:
    """Height of a value in the panel, between 0 and 1."""
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        low, high, value = math.log(low), math.log(high), math.log(max(value, low))
    return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.5


def _points_high(axes: Axes) -> float:
    figure = axes.get_figure(root=True)
    return float(axes.get_position().height * figure.get_figheight() * 72) if figure is not None else 72.0
