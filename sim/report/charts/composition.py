"""Where the time of requests went, as one stacked bar per quantile and variant."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from sim.experiments.replicating.explaining import Explained, Explanation, VariantExplanation
from sim.report.charts.canvas import is_narrow, panels, width
from sim.report.charts.drawing import Chart
from sim.report.explanation import AGAIN, LABELS, SMALL, rows_of, sentences
from sim.report.theme import LIGHT, Theme, rc
from sim.report.words import show

_FITS = 18  # letters of a name beside a narrow panel
_HEIGHT = 0.5  # inches a bar
_LETTER = 0.084  # inches that a letter in a bar takes
COLOURS = {"work": 0, "queue": 1, "wait": 2, "thread": 3, "bulkhead": 3, "cores": 4, "frozen": 4} | {
    AGAIN: 5,
    "backoff": 5,
    "replication": 6,
    "lock": 6,
}
COLOURS |= {"lag": 1, "outbox": 3, "retry topic": 5}
HATCHES = {
    "bulkhead": "////",
    "lock": "xxx",
    "frozen": "xxx",
    "backoff": "////",
    "other": "....",
    "lag": "....",
    "outbox": "xxx",
    "retry topic": "xxx",
}


def composition(explanation: Explanation, theme: Theme = LIGHT) -> Chart | None:
    """A bar per variant and quantile, from the parts of the response; None where nothing was answered."""
    bars = [
        (_label(name, variant), explained)
        for name, variant in explanation.variants.items()
        for explained in variant.quantiles.values()
    ]
    if not bars:
        return None
    kinds = [
        what
        for what in LABELS
        if any(what == row[1] and share >= SMALL for _, explained in bars for row, share in rows_of(explained).items())
    ]
    per_row = 2 if is_narrow() else 5
    names = [_fitting(name, explained.name) for name, explained in bars]
    left = 0.25 + 0.085 * max(len(line) for name in names for line in name.splitlines())
    with mpl.rc_context(rc(theme)):
        sheet = panels(1, _HEIGHT * len(bars), top=0.1 + 0.17 * -(-len(kinds) // per_row), left=left, labels=0.9)
        axes = sheet.axes[0]
        for place, (_, explained) in enumerate(bars):
            _bar(axes, place, explained, theme)
        axes.set_xlim(0, 1)
        axes.set_ylim(len(bars) - 0.5, -0.5)
        axes.set_yticks(range(len(bars)), names)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
        axes.set_xlabel("share of the time of the requests around the quantile")
        _legend(axes, kinds, per_row, theme, 0.1 - left if is_narrow() else 0.0)
    return Chart(
        "composition",
        "Where the time of requests went",
        "Every second of the requests around the median and the 99th percentile, by what it was spent on and where. "
        "To the right the quantile itself.",
        " ".join(sentence for variant in explanation.variants.values() for sentence in sentences(variant)),
        sheet.figure,
        theme,
    )


def _legend(axes: Axes, kinds: list[str], per_row: int, theme: Theme, shift: float) -> None:
    """Above the panel, moved by so many inches where it would not fit there."""
    inside = axes.get_position().width * width()
    patches = [Patch(facecolor=colour_of(theme, kind), hatch=HATCHES.get(kind), label=LABELS[kind]) for kind in kinds]
    axes.legend(
        handles=patches,
        loc="lower left",
        bbox_to_anchor=(shift / inside, 1.0),
        ncols=per_row,
        frameon=False,
        fontsize=8,
        handlelength=1.2,
        borderpad=0.1,
    )


def _label(name: str, variant: VariantExplanation) -> str:
    return f"{name} completion" if variant.clock == "completion" else name


def _fitting(name: str, quantile: str) -> str:
    """A name that leaves room for its bar: where there is little, the quantile stands below it."""
    if not is_narrow():
        return f"{name} {quantile}"
    return f"{name if len(name) <= _FITS else name[: _FITS - 1] + '…'}\n{quantile}"


def _bar(axes: Axes, place: int, explained: Explained, theme: Theme) -> None:
    begin, order = 0.0, list(LABELS)
    inside = axes.get_position().width * width()
    for (station, what), share in sorted(
        rows_of(explained).items(), key=lambda item: (order.index(item[0][1]), -item[1])
    ):
        axes.barh(
            place,
            share,
            left=begin,
            height=0.66,
            color=colour_of(theme, what),
            hatch=HATCHES.get(what),
            edgecolor=theme.paper,
            linewidth=0.6,
        )
        if share * inside > _LETTER * (len(station) + 1):
            axes.text(begin + share / 2, place, station, ha="center", va="center", fontsize=8, color=theme.paper)
        begin += share
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
    axes.annotate(
        f"{'> ' if explained.open else ''}{show(explained.value.value, 's')}", (1, place), (6, 0), fontsize=8.5, **where
    )


def colour_of(theme: Theme, what: str) -> str:
    """The colour of one of LABELS."""
    return theme.variant(COLOURS.get(what, 7))
