"""The two clocks side by side: how long until the answer, and how long until the order is truly done."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from sim.experiments.replicating.results import Comparison, VariantResult
from sim.records.counted import Counted, Mask, answers, orders
from sim.report.charts.canvas import is_narrow, name_panel, panels
from sim.report.charts.drawing import Chart, Line, Panel
from sim.report.charts.labels import label_ends, log_seconds
from sim.report.theme import LIGHT, Theme, dash, rc
from sim.report.words import show
from sim.stats.quantile import at_ranks, quantile, size_of

_FITS = 14  # letters beside a narrow panel, with what follows them
_CLOCKS = (
    ("answered well", "response: ok or degraded, since the intended arrival"),
    ("all effects done", "completion: every effect of the order exists, since the intended arrival"),
)


def two_clocks(comparison: Comparison, theme: Theme = LIGHT) -> Chart | None:
    """Share of requests still waiting after a time, for the answer and for the completion: where a line goes flat, the
    rest never came.
    """
    clocks = {name: _waits(variant) for name, variant in comparison.variants.items()}
    shown = [which for which in (0, 1) if any(len(pair[which]) for pair in clocks.values())]
    finite = [
        ended for pair in clocks.values() for wait in pair if len(ended := wait.where(wait.ended & (wait.times > 0)))
    ]
    if not finite:
        return None
    floor = min(max(10.0 ** math.floor(-math.log10(max(len(wait) for wait in finite))), 1e-4), 1e-2)
    told = []
    with mpl.rc_context(rc(theme)):
        room = 0.75 + 0.075 * max(len(name) + 7 for name in clocks)
        sheet = panels(len(shown), 1.85, labels=min(room, 2.1) if is_narrow() else room, top=0.26)
        for axes, which in zip(sheet.axes, shown, strict=True):
            axes.set_xlim(*_room_for(finite))
            log_seconds(axes, "x")
            _share_axis(axes, floor)
            lines = _draw(axes, {name: pair[which] for name, pair in clocks.items()}, theme)
            told.append(Panel(axes, lines, f"{_CLOCKS[which][0]}, still waiting after"))
            name_panel(axes, _CLOCKS[which][0], theme.ink, _CLOCKS[which][1])
            axes.tick_params(axis="x", labelbottom=axes is sheet.axes[-1])
        sheet.axes[-1].set_xlabel("time since arrival, logarithmic")
    return Chart(
        "two-clocks",
        "Two clocks: the answer, and the order truly done" if len(shown) > 1 else "How many still wait, and how long",
        "Share of the counted requests that still wait this long after their arrival; both scales are logarithmic, so "
        "that 10%, 1% and 0.1% get the same room. "
        f"Where a line turns flat, that share was {_what_never_came(shown)}. First replication.",
        " ".join(_in_words(name, pair) for name, pair in clocks.items()),
        sheet.figure,
        theme,
        told,
        by_variant=True,
    )


def _room_for(waits: Sequence[_Waits]) -> tuple[float, float]:
    """Seconds between which nearly all of them ended."""
    return min(wait.quantile(0.002) for wait in waits) * 0.8, max(float(wait.times.max()) for wait in waits) * 1.15


def _what_never_came(shown: Sequence[int]) -> str:
    """What became of who is left at the end of a line."""
    if len(shown) > 1:
        return "never answered well (above) or not completed within the run (below)"
    return ("never answered well", "not completed")[shown[0]]


def _draw(axes: Axes, clocks: Mapping[str, _Waits], theme: Theme) -> list[Line]:
    """The curve of every variant that has one on this clock, over the axes as they are."""
    floor, right = axes.get_ylim()[0], axes.get_xlim()[1]
    ends, lines = [], []
    for index, (name, wait) in enumerate(clocks.items()):
        if len(wait):
            times, shares = _survival(wait, floor, right)
            axes.plot(times, shares, color=theme.variant(index), ls=dash(index), lw=1.8)
            lines.append(Line(name, "share", times, shares, index))
            ends.append((shares[-1], f"{_fitting(name)}: {_never(wait)}", theme.variant(index)))
    label_ends(axes, ends)
    return lines


@dataclass(frozen=True)
class _Waits(Counted):
    """How long each waited; infinite where the end never came."""

    times: NDArray[np.float64]

    def __len__(self) -> int:
        return size_of(self.times, self.count)

    @cached_property
    def ended(self) -> Mask:
        """Those whose end came."""
        return np.isfinite(self.times)

    @property
    def never(self) -> float:
        """The share of those whose end never came."""
        return self.total(~self.ended) / len(self)

    def quantile(self, q: float) -> float:
        """By rank."""
        return quantile(self.times, q, self.count)


def _waits(variant: VariantResult) -> tuple[_Waits, _Waits]:
    """Waits of the counted requests on both clocks; the second is empty where nothing is expected."""
    records = variant.records
    requests, expecting = answers(records).since(records.warmup), orders(records).since(records.warmup)
    response = np.where(requests.good & requests.answered, requests.response, np.inf)
    return _Waits(requests.count, response), _Waits(
        expecting.count, np.where(expecting.finished, expecting.completion, np.inf)
    )


def _survival(wait: _Waits, floor: float, right: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share that waits longer than each time, at no more points than can be seen."""
    never, n = wait.never, len(wait)
    shares = np.concatenate([np.linspace(0.0, 0.98, 120), 1 - np.geomspace(floor, 1.0, 240)])
    ranks = np.unique(np.minimum((np.clip(shares, 0, 1) * n).astype(int), n - 1)) + 1
    times = at_ranks(wait.times, ranks.tolist(), wait.count)
    ended = np.isfinite(times)
    left = np.maximum(1 - ranks[ended] / n, never)
    return np.append(times[ended], right), np.append(left, never if never > 0 else floor / 10)


def _share_axis(axes: Axes, floor: float) -> None:
    axes.set_yscale("log")
    axes.set_ylim(floor, 1.0)
    axes.set_ylabel("share still waiting")
    axes.yaxis.set_major_locator(LogLocator(10, numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:g}%"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(True, axis="y", which="major")


def _fitting(name: str) -> str:
    """A name that fits beside a narrow panel; its colour and its dashes say whose it is."""
    return f"{name[: _FITS - 1]}…" if is_narrow() and len(name) > _FITS else name


def _never(wait: _Waits) -> str:
    return "all" if wait.never == 0 else f"{show(wait.never, 'share')} never"


def _in_words(name: str, pair: tuple[_Waits, _Waits]) -> str:
    words = []
    for wait, what in zip(pair, ("answered well", "completed"), strict=True):
        if len(wait):
            finite = wait.where(wait.ended)
            median = f", half of these within {show(finite.quantile(0.5), 's')}" if len(finite) else ""
            words.append(f"{show(len(finite) / len(wait), 'share')} {what}{median}")
    return f"{name}: {'; '.join(words)}."
