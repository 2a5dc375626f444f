"""The paper the charts are drawn on: panels, the time axis with its faults and warm-up, direct labels, and the drawing
as SVG or PNG.
"""

from __future__ import annotations

import io
import json
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from sim.experiments.replicating.results import Comparison, VariantResult
from sim.report.spacing import spread
from sim.report.theme import Theme, rc
from sim.report.words import clock, fault_name, show
from sim.spec.fault import Fault
from sim.spec.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

WIDE = 9.0  # inches of a chart on a page or on a screen
NARROW = 4.4  # of one for a telephone, whose letters are then as large as those of its page
HEAD = 0.42  # inches above everything, for the title of a chart that stands alone; cut off where a page has its own
LEFT = 0.72  # inches to the left of the panels, for numbers and the name of the axis
LABELS = 1.35  # inches to the right of the panels, for direct labels
_LETTERS = 14.0  # of a note, in an inch
POINTS = 450  # of a line: finer than the page can show

_width: ContextVar[float] = ContextVar("width", default=WIDE)
_CLASSES = {"of": "of-{}", "at": "at-time", "begins": "at-time begins"}
_CLASSED = re.compile(r'<g id="([^"]*?(of|at|begins)~(\d+)[^"]*)"')
_ID = re.compile(r'\b(id="|xlink:href="#|href="#|url\(#)([^")]+)')


def width() -> float:
    """Inches of the chart that is drawn."""
    return _width.get()


@contextmanager
def narrow() -> Iterator[None]:
    """Charts that are drawn here are as wide as a telephone."""
    token = _width.set(NARROW)
    try:
        yield
    finally:
        _width.reset(token)


def is_narrow() -> bool:
    """Whether there is little room."""
    return _width.get() < WIDE


@dataclass(frozen=True)
class Line:
    """A line of a panel in figures: what stands at each place of the horizontal axis."""

    name: str
    unit: str
    x: Sequence[float] | NDArray[np.float64]
    y: Sequence[float] | NDArray[np.float64]
    variant: int | None = None  # its place among those of the page

    def document(self) -> dict[str, object]:
        """As the page reads it; evenly spaced places are said by the first and the step."""
        x, y = np.asarray(self.x, dtype=float), [_short(value) for value in np.asarray(self.y, dtype=float)]
        steps = np.diff(x)
        even = len(x) > 2 and bool(np.allclose(steps, steps[0], rtol=1e-6, atol=0.0))
        where = (
            {"from": _short(x[0], 9), "step": _short(steps[0], 9)} if even else {"x": [_short(value, 6) for value in x]}
        )
        return {"name": self.name, "unit": self.unit, "variant": self.variant, **where, "y": y}


@dataclass(frozen=True)
class Panel:
    """One panel in figures, for those who point at it."""

    axes: Axes
    lines: Sequence[Line]
    name: str = ""
    axis: str = ""  # what stands along the horizontal axis, and its unit; where it is no time of the run
    unit: str = "s"

    def document(self) -> dict[str, object]:
        """As the page reads it."""
        ends = {"range": [_short(end, 9) for end in self.axes.get_xlim()], "log": self.axes.get_xscale() == "log"}
        return {
            "name": self.name,
            "axis": self.axis,
            "unit": self.unit,
            **ends,
            "lines": [line.document() for line in self.lines],
        }


def _short(value: float, digits: int = 4) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


@dataclass(frozen=True)
class Chart:
    """A drawing with the words that belong to it."""

    name: str  # of its file
    title: str
    reading: str  # how to read it
    alt: str  # what it shows, in figures, for those who cannot see it
    figure: Figure
    theme: Theme
    panels: Sequence[Panel] = ()
    time: bool = False  # whether the panels go over the time of the run
    by_variant: bool = False  # whether a colour of a variant is that variant

    def values(self) -> str:
        """The figures of all panels as JSON; '' where there are none."""
        panels = [its.document() for its in self.panels]
        return json.dumps({"time": self.time, "panels": panels}, separators=(",", ":")) if panels else ""

    def boxes(self, prefix: str) -> str:
        """Where the panels are in the SVG, and the groups that they are drawn in, as JSON."""
        every, (wide, high) = self.figure.axes, self.figure.get_size_inches() * 72
        found = []
        for panel in self.panels:
            box = panel.axes.get_position()
            edges = [box.x0 * wide, (1 - box.y1) * high, box.x1 * wide, (1 - box.y0) * high]
            group = panel.axes.get_gid() or f"axes_{every.index(panel.axes) + 1}"
            found.append({"box": [round(float(edge), 2) for edge in edges], "group": f"{prefix}-{group}"})
        return json.dumps(found, separators=(",", ":"))

    def svg(self, titled: bool = True, prefix: str = "") -> str:
        """As an SVG element with text as text; `titled=False` leaves the title to the page. The same bytes each time.

        Its ids begin with `prefix`, the name of the chart unless another one is given.
        """
        with _saving(self.theme):
            head = _title(self) if titled else None
            buffer = io.StringIO()
            self.figure.savefig(
                buffer,
                format="svg",
                transparent=not titled,
                metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
            )
            if head is not None:
                head.remove()
        return _clean(buffer.getvalue(), prefix or self.name, titled)

    def png(self, dpi: int = 160) -> bytes:
        """As a picture to paste into a chat."""
        with _saving(self.theme):
            head = _title(self)
            buffer = io.BytesIO()
            self.figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
            head.remove()
        return buffer.getvalue()

    def _repr_svg_(self) -> str:
        return self.svg()


@dataclass(frozen=True)
class Panels:
    """A figure with panels below one another, in reading order."""

    figure: Figure
    axes: tuple[Axes, ...]


def panels(
    count: int, height: float, *, gap: float = 0.42, labels: float = LABELS, top: float = 0.3, left: float = LEFT
) -> Panels:
    """`count` panels, each `height` inches high, on a sheet of the common width."""
    return panels_of([height] * count, gap=gap, labels=labels, top=top, left=left)


def panels_of(
    heights: Sequence[float], *, gap: float = 0.42, labels: float = LABELS, top: float = 0.3, left: float = LEFT
) -> Panels:
    """Panels of these heights in inches, on a sheet of the common width."""
    bottom = 0.52
    total = HEAD + top + sum(heights) + (len(heights) - 1) * gap + bottom
    figure = Figure(figsize=(width(), total))
    inside = width() - left - labels
    below = (total - HEAD - top - sum(heights[: row + 1]) - row * gap for row in range(len(heights)))
    boxes = (
        (left / width(), low / total, inside / width(), height / total)
        for low, height in zip(below, heights, strict=True)
    )
    return Panels(figure, tuple(figure.add_axes(box) for box in boxes))


def label_room(comparison: Comparison) -> float:
    """Inches to the right of the panels for the names of the variants, the longest of them whole."""
    return min(max(LABELS, 0.15 + 0.075 * max(map(len, comparison.variants))), (0.35 if is_narrow() else 0.5) * width())


def name_panel(axes: Axes, text: str, colour: str, note: str = "") -> None:
    """The name of a panel above its upper left corner, with a quieter note behind it."""
    label = axes.annotate(
        text,
        (0, 1),
        (0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        va="bottom",
        color=colour,
        fontweight="bold",
        fontsize=9.5,
    )
    if note and len(text) + len(note) < _LETTERS * (width() - LEFT):
        muted = axes.xaxis.label.get_color()
        axes.annotate(
            note, (1, 0), (7, 0.6), xycoords=label, textcoords="offset points", va="bottom", color=muted, fontsize=8.5
        )


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


def _shown(fault: Fault, duration: float) -> float | None:
    """How long it is drawn as lasting: what is over at once is a stroke."""
    return duration / 200 if fault.momentary else fault.lasts


def _times(at: float, lasts: float | None, duration: float) -> tuple[float, float]:
    return at, duration if lasts is None else min(duration, at + lasts)


def spans_of(comparison: Comparison, theme: Theme, *, left: float = LEFT, labels: float = LABELS) -> Spans:
    """The spans of all variants together."""
    return Spans([variant.scenario for variant in comparison.variants.values()], theme, left=left, labels=labels)


def time_axis(axes: Axes, duration: float, last: bool = True) -> None:
    """The run from 0 to its end, ticks at whole minutes or hours, named only on the lowest panel."""
    axes.set_xlim(0, duration)
    axes.xaxis.set_major_locator(FixedLocator(list(time_ticks(duration))))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: clock(value, fine=duration < 10)))
    axes.tick_params(axis="x", labelbottom=last)
    if last:
        axes.set_xlabel("time of the run, min:s" if duration < 7200 else "time of the run, h:min:s")


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


def _fraction(axes: Axes, value: float) -> float:
    """Height of a value in the panel, between 0 and 1."""
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        low, high, value = math.log(low), math.log(high), math.log(max(value, low))
    return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.5


def _points_high(axes: Axes) -> float:
    figure = axes.get_figure(root=True)
    return float(axes.get_position().height * figure.get_figheight() * 72) if figure is not None else 72.0


@contextmanager
def _saving(theme: Theme) -> Iterator[None]:
    """The theme's settings, without warnings of letters that the font of the pictures lacks: text in an SVG is set by
    its reader.
    """
    with mpl.rc_context(rc(theme)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        yield


def _title(chart: Chart) -> Text:
    place = (0.16 / width(), 1 - 0.13 / chart.figure.get_figheight())
    return chart.figure.text(*place, chart.title, fontsize=12, fontweight="bold", va="top", color=chart.theme.ink)


def _clean(svg: str, name: str, titled: bool) -> str:
    """Only the element itself, ids made unique by the name of the chart, no fixed size, the head cut off where
    untitled.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    # the page has its own
    svg = re.sub(r"<style type=\"text/css\">.*?</style>", "", svg, flags=re.DOTALL) if not titled else svg
    svg = _ID.sub(lambda match: f"{match[1]}{name}-{match[2]}", svg)
    svg = _CLASSED.sub(lambda match: f'<g class="{_CLASSES[match[2]].format(match[3])}" id="{match[1]}"', svg)
    svg = re.sub(r"font: ((?:[a-z0-9]+ )*)([0-9.]+px) [^;\"]*", r"font: \1\2 'DejaVu Sans', Verdana, sans-serif", svg)
    if not titled:
        match = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', svg)
        assert match is not None
        svg = svg.replace(match[0], f'viewBox="0 {HEAD * 72:g} {match[1]} {float(match[2]) - HEAD * 72:g}"', 1)
        svg = re.sub(r'(<svg [^>]*?) ?width="[0-9.]+pt"', r"\1", svg, count=1)
        svg = re.sub(r'(<svg [^>]*?) ?height="[0-9.]+pt"', r"\1", svg, count=1)
    return re.sub(r"\n\s*", "\n", svg).strip() + "\n"
