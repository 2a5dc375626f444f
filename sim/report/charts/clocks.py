"""The two clocks side by side: how long until the answer, and how long until the order is truly done."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from sim.experiments.results import Comparison, VariantResult
from sim.report.charts.canvas import Chart, label_ends, log_seconds, name_panel, panels
from sim.report.theme import LIGHT, Theme, dash, rc
from sim.report.words import show
from sim.vocabulary import GOOD

Waits = NDArray[np.float64]

_CLOCKS = (
    ("answered well", "response: ok or degraded, since the intended arrival"),
    ("all effects done", "completion: every effect of the order exists, since the intended arrival"),
)


def two_clocks(comparison: Comparison, theme: Theme = LIGHT) -> Chart | None:
    """Share of requests still waiting after a time, for the answer and for the completion: where a line goes flat, the rest never came."""
    clocks = {name: _waits(variant) for name, variant in comparison.variants.items()}
    shown = [which for which in (0, 1) if any(len(pair[which]) for pair in clocks.values())]
    finite = [ended for pair in clocks.values() for wait in pair if len(ended := wait[np.isfinite(wait) & (wait > 0)])]
    if not finite:
        return None
    left, right = min(float(np.quantile(wait, 0.002)) for wait in finite) * 0.8, max(float(wait.max()) for wait in finite) * 1.15
    floor = min(max(10.0 ** math.floor(-math.log10(max(len(wait) for wait in finite))), 1e-4), 1e-2)
    with mpl.rc_context(rc(theme)):
        sheet = panels(len(shown), 1.85, labels=0.75 + 0.075 * max(len(name) + 7 for name in clocks), top=0.26)
        for axes, which in zip(sheet.axes, shown, strict=True):
            axes.set_xlim(left, right)
            log_seconds(axes, "x")
            _share_axis(axes, floor)
            ends = []
            for index, (name, pair) in enumerate(clocks.items()):
                if len(pair[which]):
                    times, shares = _survival(pair[which], floor, right)
                    axes.plot(times, shares, color=theme.variant(index), ls=dash(index), lw=1.8)
                    ends.append((shares[-1], f"{name}: {_never(pair[which])}", theme.variant(index)))
            label_ends(axes, ends)
            name_panel(axes, _CLOCKS[which][0], theme.ink, _CLOCKS[which][1])
            axes.set_ylabel("share still waiting")
            axes.tick_params(axis="x", labelbottom=axes is sheet.axes[-1])
        sheet.axes[-1].set_xlabel("time since arrival, logarithmic")
    never = "never answered well (above) or not completed within the run (below)" if len(shown) > 1 else ("never answered well", "not completed")[shown[0]]
    return Chart(
        "two-clocks",
        "Two clocks: the answer, and the order truly done" if len(shown) > 1 else "How many still wait, and how long",
        "Share of the counted requests that still wait this long after their arrival; both scales are logarithmic, so that 10%, 1% and 0.1% get the same room. "
        f"Where a line turns flat, that share was {never}. First replication.",
        " ".join(_in_words(name, pair) for name, pair in clocks.items()),
        sheet.figure,
        theme,
    )


def _waits(variant: VariantResult) -> tuple[Waits, Waits]:
    """Waits of the counted requests on both clocks, infinite where the end never came; the second is empty where nothing is expected."""
    rows = variant.records.requests
    rows = rows[rows["arrival"] >= variant.records.warmup]
    good = np.isin(rows["outcome"], [int(outcome) for outcome in GOOD])
    response = np.where(good, rows["end"] - rows["arrival"], np.inf)
    expecting = rows[rows["expects"]]
    completion = expecting["completion"] - expecting["arrival"]
    return np.where(np.isnan(response), np.inf, response), np.where(np.isnan(completion), np.inf, completion)


def _survival(wait: Waits, floor: float, right: float) -> tuple[Waits, Waits]:
    """The share that waits longer than each time, at no more points than can be seen."""
    ordered = np.sort(wait)
    never = float(np.mean(~np.isfinite(ordered)))
    shares = np.concatenate([np.linspace(0.0, 0.98, 120), 1 - np.geomspace(floor, 1.0, 240)])
    position = np.unique(np.minimum((np.clip(shares, 0, 1) * len(ordered)).astype(int), len(ordered) - 1))
    position = position[np.isfinite(ordered[position])]
    left = np.maximum(1 - (position + 1) / len(ordered), never)
    return np.append(ordered[position], right), np.append(left, never if never > 0 else floor / 10)


def _share_axis(axes: Axes, floor: float) -> None:
    axes.set_yscale("log")
    axes.set_ylim(floor, 1.0)
    axes.yaxis.set_major_locator(LogLocator(10, numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:g}%"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(True, axis="y", which="major")


def _never(wait: Waits) -> str:
    never = float(np.mean(~np.isfinite(wait)))
    return "all" if never == 0 else f"{show(never, 'share')} never"


def _in_words(name: str, pair: tuple[Waits, Waits]) -> str:
    words = []
    for wait, what in zip(pair, ("answered well", "completed"), strict=True):
        if len(wait):
            finite = wait[np.isfinite(wait)]
            median = f", half of these within {show(float(np.median(finite)), 's')}" if len(finite) else ""
            words.append(f"{show(len(finite) / len(wait), 'share')} {what}{median}")
    return f"{name}: {'; '.join(words)}."
