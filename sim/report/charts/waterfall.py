"""The slowest request of each variant as a waterfall: one bar per attempt, and what it was about.

Where spans are kept.
"""

from __future__ import annotations

import math
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.experiments.replicating.results import Comparison
from sim.metrics.waterfall import CALLEE, Bar, Piece, Waterfall, slowest, waterfall
from sim.report.charts.canvas import HEAD, name_panel, panels_of, width
from sim.report.charts.composition import HATCHES, colour_of
from sim.report.charts.drawing import Chart
from sim.report.explanation import LABELS
from sim.report.theme import LIGHT, Theme, rc
from sim.report.words import clock, count_of, listed, show

MOST_BARS = 40  # of one request; what comes after these is counted
_HEIGHT = 0.2  # inches a bar
_LETTER = 0.066  # inches a letter of a name takes
_RIGHT = 0.95
_AFTERWARDS = 1.5  # of the response: how far what goes on after the answer is drawn
_LEAST = 0.002  # of the panel: how wide a piece is drawn
_TOLD = 12  # bars in the words for those who cannot see them
_THICK = {"network": 0.22, CALLEE: 0.22}  # of the row, where another is 0.74
_LABELS = {**LABELS, CALLEE: "waits for what it called"}


def slowest_requests(comparison: Comparison, theme: Theme = LIGHT) -> Chart | None:
    """A panel per variant of which spans were kept; None where they were of none."""
    found = {
        name: waterfall(variant.records, request)
        for name, variant in comparison.variants.items()
        if (request := slowest(variant.records)) is not None
    }
    if not found:
        return None
    kinds = [
        what
        for what in _LABELS
        if any(piece.what == what for way in found.values() for bar in way.bars[:MOST_BARS] for piece in bar.pieces)
    ]
    left = min(0.3 + _LETTER * max(len(_name(bar)) for way in found.values() for bar in way.bars[:MOST_BARS]), 3.2)
    with mpl.rc_context(rc(theme)):
        rows = -(-len(kinds) // 5)
        heights = [max(0.35, _HEIGHT * min(len(way.bars), MOST_BARS)) for way in found.values()]
        sheet = panels_of(heights, gap=0.78, top=0.36 + 0.17 * rows, left=left, labels=_RIGHT)
        for axes, (name, way) in zip(sheet.axes, found.items(), strict=True):
            _draw(axes, way, theme)
            name_panel(axes, name, theme.variant(list(comparison.variants).index(name)), _headline(way))
        sheet.axes[-1].set_xlabel("time since its arrival, ms")
        _legend(sheet.figure, kinds, theme)
    return Chart(
        "waterfall",
        "The slowest request, attempt by attempt",
        "Of each variant the request that waited longest for its answer: one bar per attempt, below the one that made "
        "it; thin where it travels or waits "
        "for what it called. The dashed line is the answer to the client; paler is what an attempt did when nobody "
        "wanted it any more. First replication.",
        " ".join(_in_words(name, way) for name, way in found.items()),
        sheet.figure,
        theme,
    )


def _draw(axes: Axes, way: Waterfall, theme: Theme) -> None:
    shown = way.bars[:MOST_BARS]
    last = max(way.response, min(max((bar.end for bar in shown), default=0.0), _AFTERWARDS * way.response))
    limit = last * 1e3 * 1.01 or 1.0
    for place, bar in enumerate(shown):
        for piece in bar.pieces:
            _piece(axes, place, piece, bar.given_up, limit, theme)
        _end(axes, place, bar, limit, theme)
    axes.axvline(way.response * 1e3, color=theme.ink, lw=0.9, ls=(0, (4, 2)), zorder=3)
    axes.set_xlim(0, limit)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_yticks(range(len(shown)), [_name(bar) for bar in shown], fontsize=8)
    for label in axes.get_yticklabels():
        label.set_horizontalalignment("left")
    axes.tick_params(axis="y", length=0, pad=(axes.get_position().x0 * width() - 0.16) * 72)
    axes.xaxis.set_major_locator(MaxNLocator(8, min_n_ticks=2))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)


def _piece(axes: Axes, place: int, piece: Piece, given_up: float, limit: float, theme: Theme) -> None:
    """One piece of a bar, wide enough to be seen; what comes after its caller has given up is paler."""
    what, begin, end = piece
    height = _THICK.get(what, 0.74)
    if what != CALLEE:
        end = max(end, begin + _LEAST * limit / 1e3)
    turn = min(max(given_up, begin), end) if not math.isnan(given_up) else end
    style: dict[str, Any] = {
        "height": height,
        "facecolor": _colour(theme, what),
        "hatch": HATCHES.get(what),
        "edgecolor": theme.paper,
        "linewidth": 0.0,
    }
    full = 0.5 if what == CALLEE else 1.0
    for since, until, alpha in ((begin, turn, full), (turn, end, 0.4 * full)):
        if until > since:
            axes.barh(
                place,
                (until - since) * 1e3,
                left=since * 1e3,
                alpha=alpha,
                zorder=1.5 if what == CALLEE else 2,
                **style,
            )


def _end(axes: Axes, place: int, bar: Bar, limit: float, theme: Theme) -> None:
    """What became of an attempt that did not end well, behind its bar."""
    gone = not math.isnan(bar.given_up)
    if gone and bar.given_up * 1e3 < limit:
        axes.plot(
            [bar.given_up * 1e3] * 2,
            [place - 0.4, place + 0.4],
            color=theme.bad,
            lw=1.4,
            zorder=3,
            solid_capstyle="butt",
        )
    words = [
        *(["given up"] if gone else []),
        *([bar.outcome.replace("_", " ")] if bar.outcome not in ("", "ok") and not gone else []),
    ]
    if bar.end * 1e3 > limit:
        words.append("…")
    if words:
        where: dict[str, Any] = {
            "xytext": (4, 0),
            "textcoords": "offset points",
            "va": "center",
            "annotation_clip": False,
        }
        axes.annotate(
            " ".join(words),
            (min(bar.end * 1e3, limit), place),
            fontsize=7.5,
            color=theme.bad if gone else theme.muted,
            **where,
        )


def _legend(figure: Figure, kinds: list[str], theme: Theme) -> None:
    patches = [
        Patch(
            facecolor=_colour(theme, kind),
            hatch=HATCHES.get(kind),
            edgecolor=theme.paper,
            lw=0,
            alpha=0.5 if kind == CALLEE else None,
            label=_LABELS[kind],
        )
        for kind in kinds
    ]
    place = (0.16 / width(), 1 - (HEAD + 0.02) / figure.get_figheight())
    figure.legend(
        handles=patches,
        loc="upper left",
        bbox_to_anchor=place,
        ncols=5,
        frameon=False,
        fontsize=8,
        handlelength=1.2,
        borderpad=0,
        borderaxespad=0,
    )


def _colour(theme: Theme, what: str) -> str:
    return theme.muted if what == CALLEE else colour_of(theme, what)


def _name(bar: Bar) -> str:
    """`    payments.charge, try 2`, indented by who made it."""
    again = f", try {bar.number}" if bar.number > 1 else ""
    name = bar.name if len(bar.name) <= 34 else bar.name[:33] + "…"
    return "\u00a0\u00a0\u00a0" * min(bar.depth, 6) + name + again  # a page would fold plain spaces into one


def _headline(way: Waterfall) -> str:
    """`POST /orders, ok after 4.27 s; arrived at 5:12`"""
    hidden = len(way.bars) - MOST_BARS
    more = f"; {count_of(hidden, 'more attempt')} not shown" if hidden > 0 else ""
    return (
        f"{way.route}, {way.outcome.replace('_', ' ')} after {show(way.response, 's')}; arrived at "
        f"{clock(way.arrival, fine=True)}{more}"
    )


def _in_words(name: str, way: Waterfall) -> str:
    told = [_bar_in_words(bar) for bar in way.bars[:_TOLD]]
    more = len(way.bars) - len(told)
    if more > 0:
        told.append(count_of(more, "more attempt"))
    again = sum(bar.number > 1 for bar in way.bars)
    return (
        f"{name}: {_headline(way)}, in {count_of(len(way.bars), 'attempt')}, {again or 'none'} of them made again. "
        f"{listed(told)}."
    )


def _bar_in_words(bar: Bar) -> str:
    longest = {what: _seconds(bar, what) for what in dict.fromkeys(piece.what for piece in bar.pieces)}
    most = max(longest, key=lambda what: longest[what])
    gone = f", given up at {bar.given_up * 1e3:,.0f} ms" if not math.isnan(bar.given_up) else ""
    mostly = f", {_LABELS[most]} for {longest[most] * 1e3:,.0f} ms" if longest[most] > 0 else ""
    return f"{_name(bar).strip()} from {bar.begin * 1e3:,.0f} to {bar.end * 1e3:,.0f} ms{mostly}{gone}"


def _seconds(bar: Bar, what: str) -> float:
    """How long an attempt was about something, branches that were about it at once counted once."""
    total, reached = 0.0, -math.inf
    for _, begin, end in sorted(piece for piece in bar.pieces if piece.what == what):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total
