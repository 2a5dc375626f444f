"""Which variant of a sweep is best where, and where that changes: what one reads at a glance of several curves."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import pandas as pd

from sim.experiments.searching.sweep_results import Sweep
from sim.report.words import better_direction, count_of, label_of, listed, show
from sim.vocabulary import unit_of

TELLING = ("response_p99", "throughput")  # where a sweep expects nothing of itself
_MOST = 3  # spans of one axis that are told one by one


@dataclass(frozen=True)
class Leader:
    """Who is best at one point: nobody, where the interval of another reaches into that of the best."""

    number: int
    variants: frozenset[str]  # the best and those that cannot be told from it; all: nobody stands out


class _Figure(NamedTuple):
    """What a variant has at a point, turned so that less is better."""

    value: float
    low: float
    high: float

    def is_below(self, other: _Figure) -> bool:
        """Whether the intervals lie apart; where there are none, of one replication, whether the values differ."""
        if math.isnan(self.high) or math.isnan(other.low):
            return self.value < other.value
        return self.high < other.low


def who_is_best(sweep: Sweep) -> str:
    """One part for each figure in which variants can be told apart."""
    told = [text for key in TELLING if (text := _best_in(sweep, key))]
    return "; ".join(told) or f"{listed(list(sweep.variants))} cannot be told apart in response p99 or throughput"


def _best_in(sweep: Sweep, key: str) -> str:
    leaders = list(_leaders(sweep, key))
    alone = [leader for leader in leaders if len(leader.variants) < len(sweep.variants)]
    if not alone:
        return ""
    lower = better_direction(key) == "lower"
    what = f"{'lowest' if lower else 'highest'} {label_of(key)}"
    if len({leader.variants for leader in leaders}) == 1:
        return f"{what}: {_names(leaders[0].variants, sweep)} {_everywhere(sweep, key, leaders[0].variants, lower)}"
    spans = _spans(sweep, leaders)
    if spans is not None:
        return f"{what}: {', '.join(spans)}"
    counts = Counter(leader.variants for leader in leaders)
    said = [f"{_names(variants, sweep)} at {count}" for variants, count in counts.most_common()]
    return f"{what}: {', '.join(said)} of {count_of(len(leaders), 'point')}"


def _leaders(sweep: Sweep, key: str) -> Iterator[Leader]:
    """Of each point at which all variants have a figure."""
    sign = 1.0 if better_direction(key) == "lower" else -1.0
    columns = ["value", "low", "high"]
    curves = {
        variant: {
            int(number): _Figure(sign * value, *sorted((sign * low, sign * high)))
            for number, value, low, high in sweep.curve(variant, key)[columns].itertuples()
        }
        for variant in sweep.variants
    }
    for point in sweep.points:
        here = {name: curve[point.number] for name, curve in curves.items() if point.number in curve}
        if len(here) < len(curves) or any(math.isnan(figure.value) for figure in here.values()):
            continue
        best = min(here, key=lambda name: here[name].value)
        level = [name for name in here if name != best and not here[best].is_below(here[name])]
        yield Leader(point.number, frozenset((best, *level)))


def _names(leading: frozenset[str], sweep: Sweep) -> str:
    others = [name for name in sweep.variants if name not in leading]
    if not others:
        return "nobody stands out"
    if 2 * len(others) < len(leading):
        return f"all but {listed(others)}"
    return listed([name for name in sweep.variants if name in leading])


def _everywhere(sweep: Sweep, key: str, leading: frozenset[str], lower: bool) -> str:
    """From where to where the figure goes, of the first of those who lead."""
    variant = next(name for name in sweep.variants if name in leading)
    values = sweep.curve(variant, key)["value"].dropna()
    ends = sorted((float(values.min()), float(values.max())), reverse=not lower)
    return f"at all {count_of(len(values), 'point')}, {show(ends[0], unit_of(key))} to {show(ends[1], unit_of(key))}"


def _spans(sweep: Sweep, leaders: Sequence[Leader]) -> list[str] | None:
    """Along the only axis, where it is of numbers and few spans say all: who is best up to where."""
    if len(sweep.axes) != 1 or not pd.api.types.is_numeric_dtype(sweep.settings.iloc[:, 0]):
        return None
    spans = [list(span) for _, span in groupby(leaders, key=lambda leader: leader.variants)]
    if len(spans) > _MOST:
        return None
    axis = sweep.axes[0].label
    values = {point.number: point.values[0] for point in sweep.points}
    said = []
    for place, span in enumerate(spans):
        first, last = values[span[0].number], values[span[-1].number]
        where = f"up to {axis}={last}" if place == 0 else f"from {axis}={first} on"
        if 0 < place < len(spans) - 1:
            where = f"from {axis}={first} to {last}" if first != last else f"at {axis}={first}"
        said.append(f"{_names(span[0].variants, sweep)} {where}")
    return said
