"""How requests ended, over the run."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from sim.experiments.replicating.results import Comparison, VariantResult, undecided
from sim.report.charts.canvas import HEAD, LEFT, is_narrow, name_panel, panels, width
from sim.report.charts.drawing import Chart, Line, Panel
from sim.report.charts.labels import rate_axis
from sim.report.charts.timeline import Spans, at_time, column, of_variant, spans_of, thin, time_axis
from sim.report.theme import HATCHES, LIGHT, OUTCOMES, Theme, rc
from sim.report.words import show, show_between, show_interval
from sim.vocabulary import Outcome

_RIGHT = 0.35


def _per_row() -> int:
    """Outcomes in a row of the legend."""
    return 3 if is_narrow() else 7


def outcomes_over_time(comparison: Comparison, theme: Theme = LIGHT) -> Chart | None:
    """Rates of requests by outcome, stacked: the good at the bottom and calm, each failure in its own colour and
    hatch.
    """
    shown = {name: words for name, variant in comparison.variants.items() if (words := _present(variant))}
    if not shown:
        return None
    spans = spans_of(comparison, theme, labels=_RIGHT)
    every = [word for word in OUTCOMES if any(word in words for words in shown.values())]
    with mpl.rc_context(rc(theme)):
        sheet = panels(len(shown), 1.25, top=0.22 * -(-len(every) // _per_row()) + spans.room + 0.1, labels=_RIGHT)
        highest, told = 0.0, []
        for index, (axes, (name, words)) in enumerate(zip(sheet.axes, shown.items(), strict=True)):
            variant = comparison.variants[name]
            Spans([variant.scenario], theme, labels=_RIGHT).shade(axes)
            highest = max(highest, _stack(axes, variant, words, theme))
            name_panel(axes, name, theme.variant(list(comparison.variants).index(name)), _summary(variant))
            time_axis(axes, spans.duration, last=index == len(shown) - 1)
            place = list(comparison.variants).index(name)
            of_variant(axes, place)
            lines = [
                Line(word.replace("_", " "), "1/s", *thin(variant.timeline[word].fillna(0.0), points=300), place)
                for word in words
            ]
            told.append(Panel(axes, lines, name))
        for axes in sheet.axes:
            axes.set_ylim(0, highest * 1.06)
            rate_axis(axes, "requests", bins=3)
        spans.name(sheet.axes[0])
        _legend(sheet.figure, every, theme)
    return Chart(
        "outcomes",
        "How requests ended, over the run",
        "Rates of logical requests by the time of their answer and by how they ended. A degraded answer came from a "
        "fallback.",
        "Outcomes. "
        + " ".join(f"{name}: {_in_figures(comparison.variants[name], words)}." for name, words in shown.items()),
        sheet.figure,
        theme,
        told,
        time=True,
        by_variant=True,
    )


def _present(variant: VariantResult) -> list[str]:
    """The outcomes that occur; who was in flight at the end had none at any time."""
    return [
        word
        for word in OUTCOMES
        if word != Outcome.IN_FLIGHT.word and (series := column(variant, word)) is not None and float(series.max()) > 0
    ]


def _stack(axes: Axes, variant: VariantResult, words: list[str], theme: Theme) -> float:
    """Draw the bands; answers with the height of the stack."""
    below: NDArray[np.float64] = np.zeros(0)
    for word in words:
        times, values = thin(variant.timeline[word].fillna(0.0), points=300)
        times, values = np.append(times, variant.scenario.duration), np.append(values, values[-1])
        floor = below if len(below) else np.zeros(len(values))
        top = floor + values
        shown = values > 0  # an outcome that is rare leaves no line where it is absent
        shown[1:] |= values[:-1] > 0
        band = axes.fill_between(
            times,
            floor,
            top,
            where=shown.tolist(),
            step="post",
            lw=0,
            facecolor=theme.outcome(word),
            edgecolor=theme.paper,
        )
        band.set_hatch(HATCHES.get(word, ""))
        below = top
    _label_bands(axes, variant, words, theme)
    return float(below.max())


def _label_bands(axes: Axes, variant: VariantResult, words: list[str], theme: Theme) -> None:
    """The name of an outcome on its own band, where the band is thick enough for long enough."""
    frame = variant.timeline[words].fillna(0.0)
    total = float(frame.sum(axis=1).max())
    ceiling = frame.cumsum(axis=1)
    for word in words:
        start, length = _longest((frame[word] > 0.17 * total).to_numpy())
        if length < max(8 * len(word), 60) / 900 * len(frame):
            continue
        middle = start + length // 2
        near = slice(max(start, middle - length // 4), middle + length // 4 + 1)
        height = float((ceiling[word] - frame[word] / 2).iloc[near].mean())
        text = axes.text(
            float(frame.index[middle]),
            height,
            word.replace("_", " "),
            ha="center",
            va="center",
            fontsize=8.5,
            color=theme.ink,
        )
        at_time(axes, text)
        if word in HATCHES:
            text.set_path_effects([withStroke(linewidth=3, foreground=theme.paper)])


def _longest(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """Start and length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    runs = [(int(start), int(end - start)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return max(runs, key=lambda run: run[1], default=(0, 0))


def _legend(figure: Figure, words: list[str], theme: Theme) -> None:
    patches = [
        Patch(
            facecolor=theme.outcome(word),
            edgecolor=theme.paper,
            hatch=HATCHES.get(word, "") * 2,
            lw=0,
            label=word.replace("_", " "),
        )
        for word in words
    ]
    place = (LEFT / width(), 1 - (HEAD + 0.02) / figure.get_figheight())
    sizes = {"handlelength": 1.5, "handleheight": 1.0, "columnspacing": 1.5, "borderpad": 0.0, "borderaxespad": 0.0}
    figure.legend(
        handles=patches,
        loc="upper left",
        bbox_to_anchor=place,
        ncols=min(len(words), _per_row()),
        frameon=False,
        fontsize=8.5,
        **sizes,
    )


def _summary(variant: VariantResult) -> str:
    availability, bounds = variant.metrics.get("availability"), undecided(variant.metrics, "availability")
    if bounds is not None:
        return f"availability {show_between(bounds, 'share')}"
    return f"availability {show_interval(availability, 'share')}" if availability else ""


def _in_figures(variant: VariantResult, words: list[str]) -> str:
    shares = [(word, variant.metrics.get(f"outcome_share({word})")) for word in words]
    known = [
        f"{word.replace('_', ' ')} {show(share.value, 'share')}"
        for word, share in shares
        if share is not None and share.value > 0
    ]
    return ", ".join(known) or ", ".join(word.replace("_", " ") for word in words)
