"""What lies along the time of a run: its axis, warm-up and faults, what moves with it, and columns of the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter
from numpy.typing import NDArray

from sim.experiments.replicating.results import Comparison, VariantResult
from sim.report.charts.canvas import LABELS, LEFT, is_narrow, width
from sim.report.theme import Theme
from sim.report.words import clock, fault_name
from sim.spec.fault import Fault
from sim.spec.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

POINTS = 450  # of a line: finer than the page can show


def time_axis(axes: Axes, duration: float, last: bool = True) -> None:
    """The run from 0 to its end, ticks at whole minutes or hours, named only on the lowest panel."""
    axes.set_xlim(0, duration)
    axes.xaxis.set_major_locator(FixedLocator(list(time_ticks(duration))))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: clock(value, fine=duration < 10)))
    axes.tick_params(axis="x", labelbottom=last)
    if last:
        axes.set_xlabel("time of the run, min:s" if duration < 7200 else "time of the run, h:min:s")


def time_ticks(duration: float) -> NDArray[np.float64]:
    """About eight to fifteen ticks at times a clock would show, half as many where there is little room."""
    most = 6 if is_narrow() else 15
    for step in (
        0.1,
        0.2,
        0.5,
        1,
        2,
        5,
        10,
        15,
        30,
        60,
        120,
        300,
        600,
        900,
        1800,
        3600,
        7200,
        14400,
        21600,
        43200,
        86400,
    ):
        if duration / step <= most:
            return np.arange(0, duration + step / 1e6, step)
    return np.linspace(0, duration, 11)


def at_time(axes: Axes, words: Text, begins: bool = False) -> None:
    """Words that stand at a time of the run, and go with it when a part of the run is looked at; by where they begin,
    or by their middle.
    """
    words.set_gid(f"{'begins' if begins else 'at'}~{_serial(axes)}")


def of_variant(axes: Axes, index: int) -> None:
    """A panel that is of one variant alone."""
    axes.set_gid(f"of~{index + 1}~{_serial(axes)}")


def _serial(axes: Axes) -> str:
    """A number that no other part of the figure has, and that is the same each time: the place of the panel, and how
    much is in it by now.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    return f"{figure.axes.index(axes)}~{len(axes.get_children())}"


class Spans:
    """The warm-up and the faults of some scenarios: shaded on every panel, named above the first, on as many lines as
    keep the names apart.
    """

    def __init__(
        self, scenarios: Sequence[Scenario], theme: Theme, *, left: float = LEFT, labels: float = LABELS
    ) -> None:
        self.theme = theme
        self.duration, self.warmup = scenarios[0].duration, scenarios[0].warmup
        self._letter = self.duration / ((width() - left - labels) * 72 / 4.7)  # seconds under one letter
        faults = {
            (fault_name(fault), *_times(fault.at, _shown(fault, self.duration), self.duration)): None
            for scenario in scenarios
            for fault in scenario.faults
        }
        self._faults = sorted((fault for fault in faults if fault[1] < self.duration), key=lambda fault: fault[1:])
        self._names = self._placed()

    @property
    def room(self) -> float:
        """Inches to leave above the first panel, which has a name of its own."""
        return 0.3 + 0.14 * (1 + max((line for *_, line in self._names), default=-1))

    def shade(self, axes: Axes) -> None:
        """Grey for the warm-up, warm for each fault."""
        if self.warmup > 0:
            axes.axvspan(0, self.warmup, color=self.theme.shade, lw=0, zorder=0)
        for _, start, end in self._faults:
            axes.axvspan(start, end, color=self.theme.fault, lw=0, zorder=0)
            for edge in (start, end):
                if edge < self.duration:
                    axes.axvline(edge, color=self.theme.fault_ink, lw=0.6, alpha=0.55, zorder=0.5)

    def name(self, axes: Axes) -> None:
        """The names, above the panel."""
        for text, place, colour, line in self._names:
            named = axes.annotate(
                text,
                (place, 1),
                (0, 17 + 10 * line),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                color=colour,
                fontsize=7.8,
                va="bottom",
            )
            at_time(axes, named, begins=True)

    def _placed(self) -> list[tuple[str, float, str, int]]:
        """Text, time, colour and line of each name.

        More faults than three lines can name are left to the story, which names them all.
        """
        free = [0.0, 0.0, 0.0]
        placed = []
        entries = [("warm-up, not counted", 0.0, self.theme.muted)] if self.warmup > 0 else []
        entries += [
            (f"{name} {clock(start)}–{clock(end)}", start, self.theme.fault_ink) for name, start, end in self._faults
        ]
        for full, start, colour in entries:
            text = full if len(full) <= 60 else full[:59] + "…"
            place = max(0.0, min(start, self.duration - len(text) * self._letter))
            line = next((index for index, end in enumerate(free) if end <= place), None)
            if line is not None:
                free[line] = place + (len(text) + 2) * self._letter
                placed.append((text, place, colour, line))
        return placed


def spans_of(comparison: Comparison, theme: Theme, *, left: float = LEFT, labels: float = LABELS) -> Spans:
    """The spans of all variants together."""
    return Spans([variant.scenario for variant in comparison.variants.values()], theme, left=left, labels=labels)


def _shown(fault: Fault, duration: float) -> float | None:
    """How long it is drawn as lasting: what is over at once is a stroke."""
    return duration / 200 if fault.momentary else fault.lasts


def _times(at: float, lasts: float | None, duration: float) -> tuple[float, float]:
    return at, duration if lasts is None else min(duration, at + lasts)


def thin(series: pd.Series, points: int = POINTS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times and values of a column of a timeline, neighbouring buckets averaged until at most `points` are left.

    Gaps stay gaps.
    """
    points = points // 2 if is_narrow() else points
    times, values = series.index.to_numpy(dtype=float), series.to_numpy(dtype=float)
    width = -(-len(values) // points)
    if width <= 1:
        return times, values
    joined = series.astype(float).groupby(np.arange(len(values)) // width).mean()
    return times[::width], np.asarray(joined, dtype=np.float64)


def bucket_of(variant: VariantResult) -> float:
    """Seconds between the points of a thinned line."""
    times = thin(variant.timeline.iloc[:, 0])[0]
    return float(times[1] - times[0]) if len(times) > 1 else variant.scenario.duration


def column(variant: VariantResult, name: str) -> pd.Series | None:
    """A column of the timeline that holds at least one number; None otherwise."""
    if name not in variant.timeline.columns:
        return None
    series = variant.timeline[name]
    return series if bool(series.notna().any()) else None


def gauge_columns(comparison: Comparison, quantity: str) -> list[str]:
    """Components with this gauge in any variant, in the order of their first appearance."""
    found: dict[str, None] = {}
    for variant in comparison.variants.values():
        for name in variant.timeline.columns:
            component, dot, what = str(name).rpartition(".")
            if dot and what == quantity:
                found[component] = None
    return list(found)
