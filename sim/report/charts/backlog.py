"""What waits: open promises, requests in queues, messages in a group's lag; and the replicas that came of it."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl
import pandas as pd

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

_QUANTITIES = (
    ("lag", "published, not done with yet", "messages"),
    ("queue", "waiting for a worker, all replicas", "requests"),
    ("listen_backlog", "came while it was frozen", "requests"),
    ("outbox", "written, not yet published", "rows"),
    ("replicas_paid", "there, starting and ending ones included", "replicas"),
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


def backlog_over_time(comparison: Comparison, theme: Theme = LIGHT) -> Chart | None:
    """Open promises, lag and queues over the run; a panel each, a line per variant."""
    rows = _rows(comparison)
    if not rows:
        return None
    room = label_room(comparison)
    spans = spans_of(comparison, theme, labels=room)
    names, told = list(comparison.variants), []
    with mpl.rc_context(rc(theme)):
        sheet = panels(len(rows), 1.05, top=spans.room, gap=0.44, labels=room)
        for index, (axes, row) in enumerate(zip(sheet.axes, rows, strict=True)):
            spans.shade(axes)
            idle = [name for name, series in row.lines.items() if float(series.max()) < 0.005 * row.highest]
            drawn = {name: series for name, series in row.lines.items() if name not in idle}
            for name, series in drawn.items():
                times, values = thin(series)
                axes.plot(
                    times,
                    values,
                    color=theme.variant(names.index(name)),
                    ls=dash(names.index(name)) if len(drawn) > 1 else "-",
                )
            told.append(
                Panel(
                    axes,
                    [Line(name, "1", *thin(series), names.index(name)) for name, series in row.lines.items()],
                    row.title,
                )
            )
            axes.set_ylim(0, row.highest * 1.08)
            plain_numbers(axes, bins=3)
            time_axis(axes, spans.duration, last=index == len(rows) - 1)
            axes.set_ylabel(row.unit)
            label_curves(axes, [(series, name, theme.variant(names.index(name))) for name, series in drawn.items()])
            name_panel(axes, row.title, theme.ink, f"{row.note}{f'; next to none in {listed(idle)}' if idle else ''}")
        spans.name(sheet.axes[0])
    said = " Open promises: orders answered ok or degraded whose effects do not all exist yet (first replication)."
    promised = said if any(row.title == PROMISES for row in rows) else ""
    return Chart(
        "backlog",
        "What waits, over the run",
        "A backlog that grows in a fault and drains after it is load put off; one that stays is load lost, or "
        f"capacity that is missing.{promised}",
        " ".join(
            f"{row.title}: {', '.join(_highest(name, series) for name, series in row.lines.items())}." for row in rows
        ),
        sheet.figure,
        theme,
        told,
        time=True,
        by_variant=True,
    )


def _rows(comparison: Comparison) -> list[_Row]:
    promises = {
        name: series for name, variant in comparison.variants.items() if (series := _open_promises(variant)) is not None
    }
    rows = [_Row(PROMISES, "answered well, effects still missing", "orders", promises)] if promises else []
    for quantity, note, unit in _QUANTITIES:
        found = []
        for component in gauge_columns(comparison, quantity):
            lines = {
                name: series
                for name, variant in comparison.variants.items()
                if (series := column(variant, f"{component}.{quantity}")) is not None
            }
            if lines:
                found.append(_Row(f"{component} {quantity}", note, unit, lines))
        found.sort(key=lambda row: -row.highest)
        rows.extend(found[:MOST])
    # a dozen messages beside twenty thousand is no backlog
    least = max(2.0, 0.005 * max((row.highest for row in rows), default=0.0))
    return [row for row in rows if row.highest >= least]


def _open_promises(variant: VariantResult) -> pd.Series | None:
    """Orders answered well and not completed, at each bucket of the timeline."""
    times = variant.timeline.index.to_numpy(dtype=float)
    still_open = open_promises(variant.records, times)
    return pd.Series(still_open, index=times) if still_open is not None else None


def _highest(name: str, series: pd.Series) -> str:
    highest, time = float(series.max()), float(series.index[int(series.argmax())])
    return f"{name} at most {highest:,.0f} at {clock(time)}, {float(series.iloc[-1]):,.0f} at the end"
