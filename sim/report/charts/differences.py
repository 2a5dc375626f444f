"""Every variant against the baseline: paired differences with their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, SymmetricalLogLocator

from sim.experiments.replicating.results import Comparison
from sim.report.charts.canvas import HEAD, is_narrow, width
from sim.report.charts.drawing import Chart
from sim.report.theme import LIGHT, Theme, marker, rc
from sim.report.words import better_direction, label_of, show_change
from sim.vocabulary import split_key, unit_of

Scale = Literal["ratio", "points", "counts"]

_WANTED: dict[Scale, tuple[str, ...]] = {
    "ratio": (
        *(f"{clock}_{percentile}" for clock in ("response", "completion") for percentile in ("p50", "p95", "p99")),
        "goodput",
        "completed",
        "amplification",
        "cost_per_thousand",
    ),
    "points": ("availability", "wasted_work", "utilisation_max", "outcome_share"),
    "counts": (
        "lost_orders",
        "pending_orders",
        "double_charges",
        "charged_not_reserved",
        "charged_after_failure",
        "oversold_items",
        "messages_dead_lettered",
        "redeliveries",
    ),
}
_LINE = 0.155  # inches of one variant
_GAP = 0.1  # inches between metrics


def _margins() -> tuple[float, float]:
    """Inches to the left and to the right of the panels: on a telephone the values stand in the table alone."""
    return (1.9, 0.2) if is_narrow() else (2.0, 2.15)


def _per_row() -> int:
    """Entries of a row of the legend."""
    return 2 if is_narrow() else 4


@dataclass(frozen=True)
class _Mark:
    key: str
    variant: str
    value: float  # as drawn: a ratio, percentage points, or a count
    low: float
    high: float
    finding: str
    text: str

    @property
    def significant(self) -> bool:
        return self.finding == "significant"


@dataclass(frozen=True)
class _Block:
    """The metrics that share a scale."""

    scale: Scale
    heading: str
    marks: list[_Mark]

    @property
    def keys(self) -> list[str]:
        return list(dict.fromkeys(mark.key for mark in self.marks))

    @property
    def numbers(self) -> list[float]:
        return [number for mark in self.marks for number in (mark.value, mark.low, mark.high) if math.isfinite(number)]


def differences_with_intervals(comparison: Comparison, theme: Theme = LIGHT) -> Chart | None:
    """A forest plot: ratios to the baseline, percentage points and counts each on a scale of their own; filled where
    significant.
    """
    headings: dict[Scale, str] = {
        "ratio": f"times {comparison.baseline}",
        "points": f"percentage points more or less than {comparison.baseline}",
        "counts": f"more or fewer than {comparison.baseline}, per run",
    }
    blocks = [
        _Block(scale, heading, marks) for scale, heading in headings.items() if (marks := _marks(comparison, scale))
    ]
    if not blocks:
        return None
    names = [name for name in comparison.variants if name != comparison.baseline]
    sizes = [len(block.keys) * (_LINE * len(names) + _GAP) + 0.05 for block in blocks]
    gap, top, bottom = 0.62, 0.37 + 0.18 * -(-(len(names) + 1) // _per_row()), 0.3
    left, right = _margins()
    total = HEAD + top + sum(sizes) + gap * (len(blocks) - 1) + bottom
    with mpl.rc_context(rc(theme)):
        figure = Figure(figsize=(width(), total))
        edge = total - HEAD - top
        for block, size in zip(blocks, sizes, strict=True):
            axes = figure.add_axes(
                (left / width(), (edge - size) / total, (width() - left - right) / width(), size / total)
            )
            axes.set_ylim(size, 0)
            _scale(axes, block)
            _draw(axes, block, comparison, theme)
            _name_rows(axes, block, len(names), theme)
            edge -= size + gap
        _legend(figure, names, comparison, theme)
    return Chart(
        "differences",
        f"Against {comparison.baseline}: differences and how sure they are",
        f"Paired differences to {comparison.baseline} on the same arrivals and the same luck, with their intervals. "
        "Filled: significant, all metrics judged together; hollow: the luck of the draw could explain it, or there "
        "are too few replications to tell.",
        " ".join(_in_words(mark) for block in blocks for mark in block.marks),
        figure,
        theme,
        by_variant=True,
    )


def _marks(comparison: Comparison, scale: Scale) -> list[_Mark]:
    """Marks of the metrics on this scale, a metric only where it differs in some variant."""
    wanted = _WANTED[scale]
    base = comparison.variants[comparison.baseline].metrics
    keys = [
        key for name in wanted for key in base if key == name or (name == "outcome_share" and split_key(key)[0] == name)
    ]
    return [mark for key in keys for mark in _row(comparison, key, scale)]


def _row(comparison: Comparison, key: str, scale: Scale) -> list[_Mark]:
    base = comparison.variants[comparison.baseline].metrics[key]
    least = 0.0005 if split_key(key)[0] == "outcome_share" else 0.0
    found = {name: differences[key] for name, differences in comparison.differences.items() if key in differences}
    found = {name: difference for name, difference in found.items() if math.isfinite(difference.value)}
    if all(abs(difference.value) <= least for difference in found.values()) or (
        scale == "ratio" and not (math.isfinite(base.value) and base.value > 0)
    ):
        return []
    marks = []
    for name, difference in found.items():
        numbers = (difference.value, difference.low, difference.high)
        value, low, high = (
            1 + number / base.value if scale == "ratio" else number * (100 if scale == "points" else 1)
            for number in numbers
        )
        text = show_change(difference, unit_of(key))
        text += " (cut off)" if base.censored or comparison.variants[name].metrics[key].censored else ""
        if scale != "ratio" or value > 0:
            marks.append(
                _Mark(
                    key,
                    name,
                    value,
                    low,
                    high,
                    difference.finding,
                    f"{_times(value)}   {text}" if scale == "ratio" else text,
                )
            )
    return marks


def _times(value: float) -> str:
    return f"{value:,.0f}×" if value >= 99.5 else f"{value:.3f}×" if 0.9 < value < 1.1 else f"{value:.3g}×"


def _scale(axes: Axes, block: _Block) -> None:
    axes.xaxis.set_minor_formatter(NullFormatter())
    if block.scale == "ratio":
        _ratio_scale(axes, [number for number in block.numbers if number > 0])
        return
    low, high = min(*block.numbers, 0.0), max(*block.numbers, 0.0)
    if block.scale == "counts" and max(high, -low) > 100:
        axes.set_xscale("symlog", linthresh=1.0, linscale=0.4)
        locator = SymmetricalLogLocator(base=10, linthresh=1.0)
        locator.set_params(numticks=4 if is_narrow() else 15)
        axes.xaxis.set_major_locator(locator)
        axes.set_xlim(
            *(
                math.copysign(max(abs(edge), 1.0) ** 1.08, edge) if edge else sign
                for edge, sign in ((low, -1.0), (high, 1.0))
            )
        )
    else:
        pad = 0.07 * (high - low or 1.0)
        axes.set_xlim(low - pad, high + pad)
        axes.xaxis.set_major_locator(MaxNLocator(3 if is_narrow() else 6))
    suffix = " pp" if block.scale == "points" else ""
    crowded = is_narrow() and axes.get_xscale() == "symlog"  # 1 and -1 stand beside 0 there
    axes.xaxis.set_major_formatter(
        FuncFormatter(
            lambda value, _: "" if crowded and abs(value) == 1 else f"{value:+,.6g}{suffix}" if value else "0"
        )
    )
    axes.xaxis.set_minor_formatter(NullFormatter())


def _ratio_scale(axes: Axes, numbers: list[float]) -> None:
    low, high = min(*numbers, 1 / 1.1) ** 1.05, max(*numbers, 1.1) ** 1.05
    span = high / low
    subs = (
        (1.0,)
        if span > (20 if is_narrow() else 300)
        else (1.0, 2.0, 5.0)
        if span > 3
        else (1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 6.0, 7.0, 8.0, 9.0)
    )
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(LogLocator(10, subs=subs, numticks=20))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}×"))


def _draw_mark(axes: Axes, mark: _Mark, place: float, index: int, theme: Theme) -> None:
    """A difference with its interval, and its figure beside it where there is room."""
    colour, (left, right) = theme.variant(index), axes.get_xlim()
    if math.isfinite(mark.low) and math.isfinite(mark.high):
        ends = [max(mark.low, left), min(mark.high, right)]
        axes.plot(ends, [place, place], color=colour, lw=1.6, solid_capstyle="butt", zorder=2)
    axes.plot(
        [mark.value],
        [place],
        marker=marker(index),
        ms=4.6,
        color=colour,
        mfc=colour if mark.significant else theme.paper,
        mew=1.2,
        zorder=3,
    )
    if not is_narrow():
        _beside(axes, mark.text, place, offset=8, colour=colour if mark.significant else theme.muted, size=8.0)


def _draw(axes: Axes, block: _Block, comparison: Comparison, theme: Theme) -> None:
    names = list(comparison.variants)
    step = _LINE * (len(names) - 1) + _GAP
    axes.axvline(1.0 if block.scale == "ratio" else 0.0, color=theme.ink, lw=0.9, zorder=1)
    for mark in block.marks:
        index = names.index(mark.variant)
        _draw_mark(axes, mark, block.keys.index(mark.key) * step + _GAP + _LINE * (index - 1 + 0.3), index, theme)
    axes.grid(True, axis="x")
    axes.annotate(
        block.heading,
        (0, 1),
        (72 * (0.1 - _margins()[0]) if is_narrow() else 0, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9.5,
        fontweight="bold",
        color=theme.ink,
        va="bottom",
    )


def _name_rows(axes: Axes, block: _Block, variants: int, theme: Theme) -> None:
    step = _LINE * variants + _GAP
    for index, key in enumerate(block.keys):
        place = index * step + _GAP + _LINE * (variants - 1) / 2 + 0.3 * _LINE
        better = {"lower": "◂ better", "higher": "better ▸", "": ""}[better_direction(key)]
        label = f"share {label_of(key)}" if split_key(key)[0] == "outcome_share" else label_of(key)
        _beside(axes, label, place - (0.062 if better else 0.0), offset=-8, colour=theme.ink, size=8.5)
        _beside(axes, better, place + 0.075, offset=-8, colour=theme.muted, size=7.0)
        if index:
            axes.axhline(index * step + 0.25 * _GAP, color=theme.rule, lw=0.6, zorder=0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _beside(axes: Axes, text: str, place: float, *, offset: float, colour: str, size: float) -> None:
    """Text to the right of the panel, or to the left where the offset is negative."""
    side, align = (1, "left") if offset > 0 else (0, "right")
    axes.annotate(
        text,
        (side, place),
        (offset, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha=align,
        va="center",
        fontsize=size,
        color=colour,
    )


def _legend(figure: Figure, names: list[str], comparison: Comparison, theme: Theme) -> None:
    every = list(comparison.variants)
    handles = [
        Line2D(
            [], [], color=theme.variant(every.index(name)), marker=marker(every.index(name)), ms=5, lw=1.6, label=name
        )
        for name in names
    ]
    handles.append(
        Line2D([], [], color=theme.muted, marker="o", mfc=theme.paper, ms=5, lw=0, label="hollow: not told apart")
    )
    place = ((0.1 if is_narrow() else _margins()[0]) / width(), 1 - (HEAD + 0.02) / figure.get_figheight())
    sizes = {"handlelength": 2.2, "columnspacing": 1.8, "borderpad": 0.0, "borderaxespad": 0.0}
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=place,
        ncols=min(len(handles), _per_row()),
        frameon=False,
        fontsize=8.5,
        **sizes,
    )


def _in_words(mark: _Mark) -> str:
    remark = {"significant": "", "few": " (too few replications to judge)", "open": " (not judged)"}.get(
        mark.finding, f" ({mark.finding})"
    )
    return f"{mark.variant}, {label_of(mark.key)}: {mark.text}{remark}."
