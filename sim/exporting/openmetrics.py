"""The timeline as OpenMetrics text, with the time of every point (prometheus/OpenMetrics, specification 1.0), for
backfilling a Prometheus:

    promtool tsdb create-blocks-from openmetrics FILE DIR

A point stands at the end of its bucket and is of the time before it, as a scrape is. All are gauges: rates per second,
percentiles of those who arrived in the bucket by `quantile`, time series by component; the averages are those of
`metrics.timeline`. What is not known (nan) has no point. Series of single consumers are left out, as in charts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sim.experiments.replicating.results import VariantResult
from sim.exporting.subject import Subject
from sim.metrics.timeline import PERCENTILES
from sim.records.columns import Columns
from sim.records.tables import Series
from sim.vocabulary import Outcome

PREFIX = "sim_"
RATES = {
    "offered": ("offered_requests_per_second", "Requests that arrived"),
    "throughput": ("served_requests_per_second", "Requests answered ok, degraded or refused"),
    "goodput": ("good_requests_per_second", "Requests answered ok within the objective of their route"),
    "completed": ("completed_orders_per_second", "Orders whose last effect came to exist"),
}
ENDED = "ended_requests_per_second"
CLOCKS = {"response": "Until the answer", "completion": "Until all effects of the order exist"}
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Labels = tuple[tuple[str, str], ...]


@dataclass
class _Family:
    unit: str
    meaning: str
    points: dict[Labels, list[str]] = field(default_factory=dict)  # labels -> value and time, forward in time


def write(subject: Subject) -> str:
    """The timelines of the variants that are exported."""
    families: dict[str, _Family] = {}
    for result in subject.results:
        _add(families, result, subject)
    lines = [line for name, family in families.items() for line in _lines(name, family)]
    return "\n".join([*lines, "# EOF"]) + "\n"


def gauge_name(series: Series) -> str:
    """`payments.busy` -> `sim_busy`, `payments.attempts`, which counts, -> `sim_attempts_per_second`."""
    word = re.sub(r"[^a-zA-Z0-9_]", "_", series.quantity)
    return f"{PREFIX}{word}{'_per_second' if series.kind == 'total' else ''}"


def _lines(name: str, family: _Family) -> Iterator[str]:
    yield f"# TYPE {name} gauge"
    if family.unit:
        yield f"# UNIT {name} {family.unit}"
    yield f"# HELP {name} {family.meaning}"
    for labels, points in family.points.items():
        shown = ",".join(f'{key}="{value.translate(_ESCAPES)}"' for key, value in labels)
        yield from (f"{name}{{{shown}}} {point}" for point in points)


def _add(families: dict[str, _Family], result: VariantResult, subject: Subject) -> None:
    ends = [*result.over_time.index[1:].tolist(), result.records.duration]
    moments = [_moment(subject.nanoseconds(float(end))) for end in ends]
    known = (("scenario", subject.name), ("variant", result.name))

    def add(name: str, unit: str, meaning: str, column: str, more: Mapping[str, str]) -> None:
        """One metric: a point for each bucket in which it is known."""
        points = list(_points(result.over_time, column, moments))
        if points:
            families.setdefault(name, _Family(unit, meaning)).points.setdefault((*known, *more.items()), points)

    for column, (word, meaning) in RATES.items():
        add(f"{PREFIX}{word}", "", meaning, column, {})
    for outcome in Outcome:
        more = {"outcome": outcome.word}
        add(f"{PREFIX}{ENDED}", "", "Requests by how they ended", outcome.word, more)
    for clock, meaning in CLOCKS.items():
        for statistic, share in PERCENTILES.items():
            more = {"quantile": f"{share:g}"}
            add(f"{PREFIX}{clock}_seconds", "seconds", meaning, f"{clock}_{statistic}", more)
    for series in result.records.series:
        meaning = f"{series.quantity} of components, {'per second' if series.kind == 'total' else series.kind}"
        add(gauge_name(series), "", meaning.translate(_ESCAPES), series.name, {"component": series.component})


def _points(table: Columns, column: str, moments: list[str]) -> Iterator[str]:
    """Value and time of each bucket in which the column is known."""
    if column in table.columns:
        for value, moment in zip(table[column].tolist(), moments, strict=True):
            if math.isfinite(value):
                yield f"{value!r} {moment}"


def _moment(nanoseconds: int) -> str:
    """Seconds since 1970, exactly: a float has no room for the nanoseconds of a date."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{seconds}.{rest:09d}".rstrip("0").rstrip(".")
