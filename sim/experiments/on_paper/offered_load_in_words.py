"""What `sim check` prints: the load of every variant as a table, and the warnings, within the width of a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from sim.experiments.on_paper.places import CHANGED, HANDFUL, listed
from sim.units import show_duration, show_rate, show_share

if TYPE_CHECKING:
    from sim.experiments.on_paper.offered_load import CheckReport, ClosedBound, Finding, OfferedLoad

_NAME = 12  # columns that the name of a station has at least, however narrow the terminal is


def told(report: CheckReport, width: int | None) -> str:
    """All of it; variants with the same load are told once. `width` None: lines are as long as they are."""
    alike: dict[str, list[str]] = {}
    for name, load in report.loads.items():
        recordings = "".join(f"\n{line}" for line in _within(report.recordings.get(name, ()), width, "  "))
        alike.setdefault(_of_load(load, width) + recordings, []).append(name)
    blocks = ["\n".join([*_within([", ".join(names)], width), text]) for text, names in alike.items()]
    blocks.append("\n".join(_warnings(report, width)) if report.warnings else "no warnings")
    if report.ranges:
        blocks.append(
            "\n".join(_within([f"inputs that are ranges, here at their middle: {', '.join(report.ranges)}"], width))
        )
    if report.certain:
        blocks.append("nothing is random: one replication is enough, and its figures are exact")
    return "\n\n".join(blocks)


def _within(lines: Sequence[str], width: int | None, first: str = "", rest: str | None = None) -> Iterator[str]:
    """Lines with this before the first and the others of each."""
    rest = first if rest is None else rest
    for line in lines:
        if width is None:
            yield f"{first}{line}"
        else:
            yield from wrap(
                line,
                width,
                initial_indent=first,
                subsequent_indent=rest,
                break_on_hyphens=False,
                break_long_words=False,
            )


# ---- the load


def _of_load(load: OfferedLoad, width: int | None) -> str:
    head = ("station", "resource", "servers", "rate", "peak", "held", "load", "peak")
    rows = [
        (
            station.name,
            station.resource,
            f"{round(station.servers, 3):,}".removesuffix(".0"),
            show_rate(station.rate),
            show_rate(station.rate_peak),
            show_duration(station.demand),
            show_share(station.utilisation),
            show_share(station.utilisation_peak),
        )
        for station in load.stations
    ]
    below = [*map(_closed, load.closed), _bottleneck(load)]
    return "\n".join([*_table(_without_equal_peaks([head, *rows]), width), *_within(below, width, "  ", "    ")])


def _without_equal_peaks(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Where the load is steady its peak is not told."""
    if any((row[3], row[6]) != (row[4], row[7]) for row in rows[1:]):
        return list(rows)
    return [tuple(cell for column, cell in enumerate(row) if column not in (4, 7)) for row in rows]


def _table(rows: Sequence[tuple[str, ...]], width: int | None) -> Iterator[str]:
    """Words to the left, figures to the right; a long name goes on in the next line where there is no room for it."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    total = sum(widths) + 2 * len(widths)
    if width is not None and total > width:
        widths[0] = max(_NAME, widths[0] - (total - width))
    for row in rows:
        name, *more = wrap(row[0], widths[0], break_on_hyphens=False, break_long_words=False)
        figures = [cell.rjust(size) for cell, size in zip(row[2:], widths[2:], strict=True)]
        yield "  ".join(["", name.ljust(widths[0]), row[1].ljust(widths[1]), *figures]).rstrip()
        yield from (f"    {line}" for line in more)


def _bottleneck(load: OfferedLoad) -> str:
    station = load.bottleneck
    if station is None:
        return "no station is loaded"
    when = (
        "is never full: the rate limits hold the load back"
        if math.isinf(load.capacity)
        else f"full at {load.capacity:.3g} times this load"
    )
    return f"bottleneck: {station.name} ({station.resource}) at {show_share(station.utilisation)}; {when}"


def _closed(bound: ClosedBound) -> str:
    return (
        f"{bound.traffic}: {bound.users:,} closed users send at most {show_rate(bound.rate)}"
        f" = min(N/(Z+D) = {show_rate(bound.by_users)}, 1/Dmax = {show_rate(bound.by_bottleneck)} at "
        f"{bound.bottleneck or 'no station'})"
    )


# ---- warnings


def _warnings(report: CheckReport, width: int | None) -> Iterator[str]:
    """A handful of each kind of warning, and the number of the rest."""
    kinds: dict[str, list[Finding]] = {}
    for finding in report.warnings:
        kinds.setdefault(finding.kind, []).append(finding)
    for kind, alike in kinds.items():
        if kind == CHANGED:
            yield "of files that were written for an earlier version:"
        shown = alike if len(alike) <= HANDFUL + 1 else alike[:HANDFUL]
        for finding in shown:
            yield from _warning(finding, len(report.loads), width)
        if len(shown) < len(alike):
            others = listed([finding.place for finding in alike[len(shown) :]])
            more = f"and {len(alike) - len(shown):,} more like these, such as {others}"
            yield from _within([more], width, "    ")


def _warning(finding: Finding, of: int, width: int | None) -> Iterator[str]:
    where = f" [{', '.join(finding.variants)}]" if len(finding.variants) < of else ""
    begin = "changed" if finding.kind == CHANGED else "warning"
    yield from _within([f"{begin}: {finding.place}: {finding.finding}{where}"], width, "", "  ")
    yield from _within([finding.why], width, "    ")
