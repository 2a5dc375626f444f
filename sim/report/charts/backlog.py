"""What waits: open promises, requests in queues, messages in a group's lag; and the replicas that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes

from sim.experiments.replicating.results import Comparison, VariantResult
from sim.metrics.promises import open_promises
from sim.report.charts.canvas import label_room, name_panel, panels
from sim.report.charts.drawing import Chart, Line, Panel
from sim.report.charts.labels import label_curves, plain_numbers
from sim.report.charts.timeline import column, gauge_columns, spans_of, thin, time_axis
from sim.report.theme import LIGHT, Theme, dash, rc
from sim.report.words import clock, listed

MOST = 4  # panels of queues, and of groups
PROMISES = "open promises"

_WAITING = (
    ("lag", "lag", "published, not done with yet", "messages"),
    ("queue", "queue", "waiting for a worker, all replicas", "requests"),
    ("listen_backlog", "listen backlog", "not accepted yet", "requests"),
    ("outbox", "outbox", "written, not yet published", "rows"),
)
_REPLICAS = (
    ("replicas_paid", "replicas", "there, starting and ending ones included", "replicas"),
    ("replicas_pending", "pending", "no node has room for them", "replicas"),
    ("nodes_paid", "nodes", "there, starting and ending ones included", "nodes"),
)


@dataclass(frozen=True)
class _Row:
    """One panel: a line per variant."""

    title: str
    note: str
    unit: str
    lines: dict[str, pd.Series]

    @property
    def highest(self) -> float:
        return max(float(series.max()) for series in self.lines.values())

    @property
    def drawn(self) -> dict[str, pd.Series]:
        """The lines that can be seen beside the highest."""
        return {name: series for name, series in self.lines.items() if float(series.max()) >= 0.005 * self.highest}

    def labels(self, names: Sequence[str], theme: Theme) -> list[tuple[pd.Series, str, str]]:
        """What is written beside each line, in its colour."""
        return [(series, name, theme.variant(names.index(name))) for name, series in self.drawn.items()]


def backlog_over_time(comparison: Comparison, theme: Theme = LIGHT) -> Chart | None:
    """Open promises, lag and queues over the run, and replicas where their number changes; a panel each, a line per
    variant.
    """
    waiting, replicas = _waiting(comparison), [row for kind in _REPLICAS for row in _rows(comparison, *kind)]
    rows = [*waiting, *replicas]
    if not rows:
        return None
    room = label_room(comparison)
    spans = spans_of(comparison, theme, labels=room)
    with mpl.rc_context(rc(theme)):
        sheet = panels(len(rows), 1.05, top=spans.room, gap=0.44, labels=room)
        told = []
        for index, (axes, row) in enumerate(zip(sheet.axes, rows, strict=True)):
            spans.shade(axes)
            told.append(_draw(axes, row, list(comparison.variants), theme))
            time_axis(axes, spans.duration, last=index == len(rows) - 1)
            label_curves(axes, row.labels(list(comparison.variants), theme))
        spans.name(sheet.axes[0])
    alt = " ".join(
        f"{row.title}: {', '.join(_highest(name, series) for name, series in row.lines.items())}." for row in rows
    )
    title = " and ".join([*(["what waits"] if waiting else []), *(["how many replicas there are"] if replicas else [])])
    return Chart(
        "backlog", f"{title[0].upper()}{title[1:]}, over the run", _reading(waiting, bool(replicas)), alt,
        sheet.figure, theme, told, time=True, by_variant=True,
    )  # fmt: skip


def _draw(axes: Axes, row: _Row, names: Sequence[str], theme: Theme) -> Panel:
    drawn = row.drawn
    for name, series in drawn.items():
        place = names.index(name)
        axes.plot(*thin(series), color=theme.variant(place), ls=dash(place) if len(drawn) > 1 else "-")
    axes.set_ylim(0, row.highest * 1.08)
    plain_numbers(axes, bins=3)
    axes.set_ylabel(row.unit)
    idle = [name for name in row.lines if name not in drawn]
    name_panel(axes, row.title, theme.ink, f"{row.note}{f'; next to none in {listed(idle)}' if idle else ''}")
    lines = [Line(name, "1", *thin(series), names.index(name)) for name, series in row.lines.items()]
    return Panel(axes, lines, row.title)


def _reading(waiting: Sequence[_Row], replicas: bool) -> str:
    """How to read what is there."""
    said = []
    if waiting:
        said += [
            "A backlog that grows in a fault and drains after it is load put off; one that stays is load lost, or "
            "capacity that is missing."
        ]
    if any(row.title == PROMISES for row in waiting):
        said += [
            "Open promises: orders answered ok or degraded whose effects do not all exist yet (first replication)."
        ]
    if replicas:
        said += ["Replicas are paid for from their start to their end, whether or not they serve yet."]
    return " ".join(said)


def _waiting(comparison: Comparison) -> list[_Row]:
    promises = {
        name: series for name, variant in comparison.variants.items() if (series := _open_promises(variant)) is not None
    }
    rows = [_Row(PROMISES, "answered well, effects still missing", "orders", promises)] if promises else []
    for quantity in _WAITING:
        rows += _rows(comparison, *quantity)
    # a dozen messages beside twenty thousand is no backlog
    least = max(2.0, 0.005 * max((row.highest for row in rows), default=0.0))
    return [row for row in rows if row.highest >= least]


def _rows(comparison: Comparison, quantity: str, called: str, note: str, unit: str) -> list[_Row]:
    """The components that have most of it, each a panel."""
    found = []
    for component in gauge_columns(comparison, quantity):
        lines = {
            name: series
            for name, variant in comparison.variants.items()
            if (series := column(variant, f"{component}.{quantity}")) is not None
        }
        if lines:
            found.append(_Row(f"{component} {called}", note, unit, lines))
    found = [row for row in found if row.highest > 0]
    return sorted(found, key=lambda row: -row.highest)[:MOST]


def _open_promises(variant: VariantResult) -> pd.Series | None:
    """Orders answered well and not completed, at each bucket of the timeline."""
    times = variant.timeline.index.to_numpy(dtype=float)
    still_open = open_promises(variant.records, times)
    return pd.Series(still_open, index=times) if still_open is not None else None


def _highest(name: str, series: pd.Series) -> str:
    highest, time = float(series.max()), float(series.index[int(series.argmax())])
    return f"{name} at most {highest:,.0f} at {clock(time)}, {float(series.iloc[-1]):,.0f} at the end"
