"""How busy each station was, over the run."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
from matplotlib.ticker import FixedLocator, FuncFormatter

from sim.experiments.replicating.results import Comparison
from sim.report.charts.canvas import label_room, name_panel, panels
from sim.report.charts.drawing import Chart, Line, Panel
from sim.report.charts.labels import label_curves
from sim.report.charts.timeline import spans_of, thin, time_axis
from sim.report.stations import busy_shares, size_of
from sim.report.theme import LIGHT, Theme, dash, rc
from sim.report.words import show

MOST = 6  # stations; the less busy ones stand in the table


def utilisation_over_time(comparison: Comparison, theme: Theme = LIGHT) -> Chart | None:
    """Share of workers (and of cores) that are busy, a panel per station, busiest first, a line per variant."""
    stations = _stations(comparison)
    if not stations:
        return None
    room = label_room(comparison)
    spans = spans_of(comparison, theme, labels=room)
    names, told = list(comparison.variants), []
    with mpl.rc_context(rc(theme)):
        sheet = panels(len(stations), 0.85, top=spans.room, labels=room)
        for index, (axes, (station, (note, lines))) in enumerate(zip(sheet.axes, stations.items(), strict=True)):
            spans.shade(axes)
            drawn = [Line(name, "share", *thin(series), names.index(name)) for name, series in lines.items()]
            told.append(Panel(axes, drawn, station))
            for name, line in zip(lines, drawn, strict=True):
                axes.plot(line.x, line.y, color=theme.variant(names.index(name)), ls=dash(names.index(name)))
            axes.set_ylim(0, 1.04)
            axes.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:g}%"))
            axes.grid(True, axis="y")
            axes.set_ylabel("busy")
            time_axis(axes, spans.duration, last=index == len(stations) - 1)
            label_curves(axes, [(series, name, theme.variant(names.index(name))) for name, series in lines.items()])
            name_panel(axes, station, theme.ink, note)
        spans.name(sheet.axes[0])
    return Chart(
        "utilisation",
        "How busy the stations were, over the run",
        "Share of the workers of all replicas that are held, by work or by waiting for a callee; of cores where a "
        "service has them. "
        "At 100% everything that comes has to wait.",
        " ".join(
            f"{station}: {', '.join(_in_words(name, series) for name, series in lines.items())}."
            for station, (_, lines) in stations.items()
        ),
        sheet.figure,
        theme,
        told,
        time=True,
        by_variant=True,
    )


def _stations(comparison: Comparison) -> dict[str, tuple[str, dict[str, pd.Series]]]:
    """`payments workers` -> its size in words and a line per variant; the busiest first, idle ones left out."""
    lines: dict[tuple[str, str], dict[str, pd.Series]] = {}
    for name, variant in comparison.variants.items():
        for station, share in busy_shares(variant).items():
            lines.setdefault(station, {})[name] = pd.Series(share, index=variant.over_time.index)
    peaks = {station: max(float(share.max()) for share in shares.values()) for station, shares in lines.items()}
    means = {station: max(float(share.mean()) for share in shares.values()) for station, shares in lines.items()}
    shown = sorted(
        (station for station in lines if peaks[station] >= 0.1), key=lambda station: -peaks[station] - means[station]
    )[:MOST]
    return {
        f"{component} {what}": (_sizes(comparison, component, what), lines[component, what])
        for component, what in shown
    }


def _sizes(comparison: Comparison, component: str, what: str) -> str:
    """The size in every variant, told once where it is the same."""
    sizes = dict.fromkeys(size_of(variant, component, what) for variant in comparison.variants.values())
    return " or ".join(size for size in sizes if size)


def _in_words(name: str, series: pd.Series) -> str:
    return f"{name} {show(float(series.mean()), 'share')} on average, {show(float(series.max()), 'share')} at most"
