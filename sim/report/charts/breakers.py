"""When circuit breakers were open, from the event log of the first replication."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sim.experiments.replicating.results import Comparison
from sim.report.charts.canvas import HEAD, is_narrow, panels, width
from sim.report.charts.drawing import Chart, Panel
from sim.report.charts.timeline import spans_of, time_axis
from sim.report.episodes import Spell, breaker_spells
from sim.report.theme import LIGHT, Theme, rc
from sim.report.words import count_of, lasting, show

MOST_BARS = 40  # in one row; more breakers of one pair are drawn as the share of them that is open
_RIGHT = 0.35


@dataclass(frozen=True)
class _Row:
    """The breakers between one caller and one callee in one variant; places count downwards in inches."""

    variant: str
    pair: str
    spells: dict[str, list[Spell]]
    top: float

    @property
    def height(self) -> float:
        return min(max(0.46, 0.11 * len(self.spells)), 1.0)

    @property
    def band(self) -> tuple[float, float]:
        """Top and height of what is drawn."""
        return self.top + 0.14 * self.height, 0.72 * self.height


def breaker_timeline(comparison: Comparison, theme: Theme = LIGHT) -> Chart | None:
    """A row per variant and pair of caller and callee; one thin bar per breaker while it is open, lighter while it is
    half open.
    """
    rows = _rows(comparison)
    if not rows:
        return None
    widest = 1.7 if is_narrow() else 3.6
    left = min(0.4 + 0.073 * max(len(text) for row in rows for text in (row.variant, row.pair)), widest)
    spans = spans_of(comparison, theme, left=left, labels=_RIGHT)
    total = rows[-1].top + rows[-1].height
    with mpl.rc_context(rc(theme)):
        sheet = panels(1, total, labels=_RIGHT, top=spans.room + 0.16, left=left)
        axes = sheet.axes[0]
        axes.set_ylim(total, 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        time_axis(axes, spans.duration)
        spans.shade(axes)
        spans.name(axes)
        for row in rows:
            _draw(axes, row, theme, spans.duration)
            _name(axes, row, theme.variant(list(comparison.variants).index(row.variant)), theme)
        _legend(sheet.figure, left, theme)
    return Chart(
        "breakers",
        "When circuit breakers were open",
        "One thin bar per breaker (each replica of a caller has its own). Full: open, calls are refused at once; "
        "hatched: half open, a few calls try. "
        "First replication.",
        " ".join(_in_words(row, spans.duration) for row in rows),
        sheet.figure,
        theme,
        [Panel(axes, [])],
        time=True,
        by_variant=True,
    )


def _rows(comparison: Comparison) -> list[_Row]:
    rows: list[_Row] = []
    most = 17 if is_narrow() else 44
    for name, variant in comparison.variants.items():
        for (caller, callee), spells in breaker_spells(variant.records).items():
            text = f"{caller} → {callee}"
            rows.append(
                _Row(
                    name,
                    text if len(text) <= most else text[: most - 1] + "…",
                    spells,
                    rows[-1].top + rows[-1].height if rows else 0.0,
                )
            )
    return rows


def _draw(axes: Axes, row: _Row, theme: Theme, duration: float) -> None:
    place, inside = row.band
    axes.axhspan(place, place + inside, color=theme.rule, alpha=0.5, lw=0, zorder=0.2)
    if len(row.spells) > MOST_BARS:
        _draw_share(axes, row, theme, duration)
        return
    thickness = inside / len(row.spells)
    for index, (_, intervals) in enumerate(sorted(row.spells.items())):
        for half, colour, hatch in (
            (False, theme.outcome("breaker_open"), ""),
            (True, theme.outcome("rate_limited"), "//////"),
        ):
            bars = [(start, max(end - start, duration / 900)) for start, end, is_half in intervals if is_half is half]
            axes.broken_barh(
                bars,
                (place + index * thickness, thickness * 0.82),
                facecolor=colour,
                edgecolor=theme.paper,
                hatch=hatch,
                lw=0,
                zorder=2,
            )


def _draw_share(axes: Axes, row: _Row, theme: Theme, duration: float) -> None:
    """Share of the breakers that are open, as a step line filled from below."""
    changes = sorted(
        change
        for intervals in row.spells.values()
        for start, end, half in intervals
        if not half
        for change in ((start, 1), (end, -1))
    )
    times, shares, now = [0.0], [0.0], 0
    for time, change in changes:
        now += change
        times.append(time)
        shares.append(now / len(row.spells))
    place, inside = row.band
    heights = [place + inside * (1 - share) for share in (*shares, shares[-1])]
    axes.fill_between(
        [*times, duration], place + inside, heights, step="post", color=theme.outcome("breaker_open"), lw=0, zorder=2
    )


def _name(axes: Axes, row: _Row, colour: str, theme: Theme) -> None:
    for text, offset, ink, weight in ((row.variant, 6, colour, "bold"), (row.pair, -6, theme.muted, "normal")):
        axes.annotate(
            text, (0, row.top + row.height / 2), (-7, offset), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", va="center", color=ink, fontweight=weight, fontsize=8.5,
        )  # fmt: skip


def _legend(figure: Figure, left: float, theme: Theme) -> None:
    patches = [
        Patch(facecolor=theme.outcome("breaker_open"), lw=0, label="open"),
        Patch(facecolor=theme.outcome("rate_limited"), edgecolor=theme.paper, hatch="//////", lw=0, label="half open"),
    ]
    place = (left / width(), 1 - (HEAD + 0.02) / figure.get_figheight())
    figure.legend(
        handles=patches,
        loc="upper left",
        bbox_to_anchor=place,
        ncols=2,
        frameon=False,
        fontsize=8.5,
        handlelength=1.5,
        borderpad=0,
        borderaxespad=0,
    )


def _in_words(row: _Row, duration: float) -> str:
    opened = [end - start for intervals in row.spells.values() for start, end, half in intervals if not half]
    share = show(sum(opened) / (duration * len(row.spells)), "share")
    longest = lasting(max(opened, default=0.0))
    return (
        f"{row.variant}, {row.pair}: {count_of(len(row.spells), 'breaker')}, opened {count_of(len(opened), 'time')}, "
        f"open {share} of the run, {longest} at the longest."
    )
