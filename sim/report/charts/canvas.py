"""The paper the charts are drawn on: its width, and panels below one another with a name each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.experiments.replicating.results import Comparison

WIDE = 9.0  # inches of a chart on a page or on a screen
NARROW = 4.4  # of one for a telephone, whose letters are then as large as those of its page
HEAD = 0.42  # inches above everything, for the title of a chart that stands alone; cut off where a page has its own
LEFT = 0.72  # inches to the left of the panels, for numbers and the name of the axis
LABELS = 1.35  # inches to the right of the panels, for direct labels
_LETTERS = 14.0  # of a note, in an inch

_width: ContextVar[float] = ContextVar("width", default=WIDE)


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
