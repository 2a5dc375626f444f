"""A measurement and its model on one sheet: how many requests took longer than what, and the answers over time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from sim.fitting.validation import Validation
from sim.records.tables import Records
from sim.report.charts.canvas import name_panel, panels
from sim.report.charts.drawing import Chart
from sim.report.charts.labels import label_ends, log_seconds, plain_numbers
from sim.report.theme import LIGHT, Theme, rc
from sim.report.words import label_of
from sim.vocabulary import GOOD

Floats = NDArray[np.float64]

_POINTS = 400  # of a line
_BUCKETS = 60  # of the time line
_NAMES = ("measured", "simulated")


def draw_measured(validation: Validation, theme: Theme = LIGHT) -> list[Chart]:
    """The charts of a measurement of single requests; none where only a summary was measured."""
    if validation.measured is None:
        return []
    sides = (validation.measured, validation.simulated.records)
    return [_tail(validation, sides, theme), _over_time(validation, sides, theme)]


def _tail(validation: Validation, sides: Sequence[Records], theme: Theme) -> Chart:
    with mpl.rc_context(rc(theme)):
        sheet = panels(1, 3.2)
        axes = sheet.axes[0]
        ends = []
        for index, (records, name) in enumerate(zip(sides, _NAMES, strict=True)):
            times, share = _slower(_responses(records)[1])
            if times.size:
                axes.plot(times, share, color=theme.variant(index), lw=1.6, ls="-" if index == 0 else (0, (5, 1.6)))
                ends.append((float(times[-1]), float(share[-1]), name, theme.variant(index)))
        axes.set_yscale("log")
        log_seconds(axes, "x")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.10g} %"))
        for place, (time, share_left, name, colour) in enumerate(ends):
            axes.annotate(
                name,
                (time, share_left),
                (6, 8 * place),
                textcoords="offset points",
                color=colour,
                fontsize=8.5,
                annotation_clip=False,
            )
        axes.set_xlabel("response time")
        axes.set_ylabel("requests that took longer")
    reading = (
        "For each time, the share of the requests answered well that took longer. Where the lines lie on one "
        "another the model has the same tail."
    )
    return Chart("tail", "How many took longer", reading, _alt(validation), sheet.figure, theme)


def _over_time(validation: Validation, sides: Sequence[Records], theme: Theme) -> Chart:
    with mpl.rc_context(rc(theme)):
        sheet = panels(2, 1.9)
        duration = sides[0].duration
        edges = np.linspace(0.0, duration, _BUCKETS + 1)
        for axes, name in zip(sheet.axes, ("p50", "p95"), strict=True):
            q = int(name[1:]) / 100
            ends = []
            for index, records in enumerate(sides):
                values = _percentiles(*_responses(records), edges, q)
                axes.plot(
                    edges[:-1], values, color=theme.variant(index), lw=1.3, ls="-" if index == 0 else (0, (5, 1.6))
                )
                known = values[~np.isnan(values)]
                ends += [(float(known[-1]), _NAMES[index], theme.variant(index))] if known.size else []
            _time_axis(axes, duration)
            name_panel(axes, f"response {name}", theme.ink)
            label_ends(axes, ends)
        sheet.axes[-1].set_xlabel("seconds from the start of the measurement")
    reading = (
        "Percentiles of the requests that arrived in each sixtieth of the time; of the model, in its first replication."
    )
    return Chart("over-time", "Over time", reading, _alt(validation), sheet.figure, theme)


def _time_axis(axes: Axes, duration: float) -> None:
    axes.set_xlim(0, duration)
    plain_numbers(axes)
    axes.set_ylabel("s")


def _responses(records: Records) -> tuple[Floats, Floats]:
    """Arrivals and responses of the requests after the warm-up that were answered well."""
    rows = records.requests
    good = (
        np.isin(rows["outcome"], [int(outcome) for outcome in GOOD])
        & ~np.isnan(rows["end"])
        & (rows["arrival"] >= records.warmup)
    )
    return np.asarray(rows["arrival"][good]), np.asarray((rows["end"] - rows["arrival"])[good])


def _slower(responses: Floats) -> tuple[Floats, Floats]:
    """Times, and the share of requests that took longer: denser towards the tail."""
    if not responses.size:
        return np.empty(0), np.empty(0)
    ordered = np.sort(responses)
    share = np.unique(np.concatenate([np.linspace(0.01, 1, _POINTS), np.geomspace(1 / ordered.size, 1, _POINTS)]))[::-1]
    place = np.minimum(ordered.size - 1, ((1 - share) * ordered.size).astype(int))
    return np.maximum(ordered[place], 1e-9), share


def _percentiles(arrivals: Floats, responses: Floats, edges: Floats, q: float) -> Floats:
    order = np.argsort(arrivals, kind="stable")
    cuts = np.searchsorted(arrivals[order], edges)
    parts = (responses[order][low:high] for low, high in pairwise(cuts))
    return np.array([np.quantile(part, q) if part.size else np.nan for part in parts])


def _alt(validation: Validation) -> str:
    return "; ".join(f"{label_of(figure.key)}: error {figure.error * 100:+.2g} %" for figure in validation.figures[:4])
