"""Which figures stand in the result table, in which groups and in what order; how they are set as text or HTML is the
table's business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.experiments.replicating.results import Comparison, VariantResult, undecided
from sim.report.stations import busiest
from sim.report.words import (
    better_direction,
    fault_name,
    label_of,
    show,
    show_between,
    show_difference,
    show_interval,
    show_spread,
    would_have_shown,
)
from sim.stats.interval import Difference, Interval
from sim.vocabulary import BOUNDED, METRICS, Outcome, bound_keys, split_key, unit_of

_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("how many", ("requests", "dropped_iterations", "orders", "messages")),
    (
        "response: until the client has its answer",
        tuple(f"response_{part}" for part in ("mean", "p50", "p90", "p95", "p99", "p999")),
    ),
    (
        "completion: until all effects of the order exist",
        tuple(f"completion_{part}" for part in ("mean", "p50", "p90", "p95", "p99", "p999")),
    ),
    (
        "availability and goodput",
        ("availability", "error_budget_burn", "apdex", "offered", "throughput", "goodput", "completed"),
    ),
    ("how requests ended", ("outcome_share",)),
    ("work", ("amplification", "wasted_work", "redeliveries", "messages_dead_lettered")),
    ("what is read", ("stale_reads",)),
    ("faults", ("detection_time", "recovery_time", "drain_time")),
    (
        "orders and money",
        (
            "lost_orders",
            "pending_orders",
            "double_charges",
            "charged_not_reserved",
            "not_reserved_mean",
            "charged_after_failure",
            "oversold_items",
        ),
    ),
    ("load and cost", ("utilisation_max", "utilisation", "queue_mean", "lag_max", "cost", "cost_per_thousand")),
)
_HIDDEN = {
    "response_all_mean",
    "response_all_p50",
    "response_all_p90",
    "response_all_p95",
    "response_all_p99",
    "response_all_p999",
}
_HIDDEN |= {bound for name in BOUNDED for bound in bound_keys(name)}  # they stand in the cell of what they bound
_NAMED_WHEN_ZERO = "orders and money"  # that nothing was lost is news


@dataclass(frozen=True)
class Cell:
    """One figure as text, and what became of it against the baseline: '' where nothing can be said."""

    value: str
    difference: str = ""
    # 'better', 'worse' or 'other' where significant; else 'equal', 'same', 'few' (replications) or 'open'
    judgement: str = ""
    shown: str = ""  # which difference would have been seen, where none is
    spread: str = ""  # of single runs

    @property
    def mark(self) -> str:
        """`*` for a significant difference, `?` where there are too few replications to judge one."""
        return "*" if self.judgement in ("better", "worse", "other") else "?" if self.judgement == "few" else ""


@dataclass(frozen=True)
class Row:
    """One metric over all variants."""

    key: str
    label: str
    meaning: str
    cells: Mapping[str, Cell]  # by variant


@dataclass(frozen=True)
class Group:
    """Rows that belong together, and what was zero everywhere."""

    title: str
    rows: tuple[Row, ...]
    absent: tuple[str, ...] = field(default=())


def groups_of(comparison: Comparison) -> tuple[Group, ...]:
    """The table: groups with rows, without those that are zero or unknown in every variant."""
    keys = list(dict.fromkeys(key for variant in comparison.variants.values() for key in variant.metrics))
    known = {name for _, names in _GROUPS for name in names}
    others = tuple(
        dict.fromkeys(name for key in keys if (name := split_key(key)[0]) not in known and name not in _HIDDEN)
    )
    found = (_group(comparison, title, names, keys) for title, names in (*_GROUPS, ("others", others)))
    return tuple(group for group in found if group.rows or group.absent)


def _group(comparison: Comparison, title: str, names: tuple[str, ...], keys: list[str]) -> Group:
    rows, absent = [], []
    for name in names:
        for key in _sorted(name, [key for key in keys if split_key(key)[0] == name], keys):
            figures = [variant.metrics.get(key) for variant in comparison.variants.values()]
            if any(_says_something(key, figure) for figure in figures) or any(
                undecided(variant.metrics, key) for variant in comparison.variants.values()
            ):
                rows.append(_row(comparison, key))
            elif title == _NAMED_WHEN_ZERO and any(figure is not None and figure.value == 0 for figure in figures):
                absent.append(label_of(key))
    fault = only_fault(comparison)
    return Group(f"after {fault}" if title == "faults" and fault else title, tuple(rows), tuple(absent))


def _sorted(name: str, found: list[str], keys: list[str]) -> list[str]:
    """Keys of one metric in reading order; a single label beside the plain name says nothing new."""
    if name == "outcome_share":
        order = {outcome.word: outcome.value for outcome in Outcome}
        return sorted(found, key=lambda key: order.get(split_key(key)[1], 99))
    metric = METRICS.get(name)
    labelled = [key for key in found if key != name]
    if name in found and metric is not None and "route" in metric.labels:
        routes = {
            split_key(key)[1]
            for key in keys
            if (other := METRICS.get(split_key(key)[0])) is not None and "route" in other.labels
        } - {""}
        if len(routes) <= 1:
            return [name]
        return [name, *labelled] if name in ("response_p99", "completion_p99", "availability", "goodput") else [name]
    return found


def _says_something(key: str, figure: Interval | None) -> bool:
    if figure is None or math.isnan(figure.value):
        return False
    if split_key(key)[0] == "queue_mean":
        return figure.value >= 0.005
    return figure.value != 0 or figure.censored or bool(figure.high > 0)


def _row(comparison: Comparison, key: str) -> Row:
    metric = METRICS.get(split_key(key)[0])
    cells = {name: _cell(comparison, variant, key) for name, variant in comparison.variants.items()}
    return Row(key, label_of(_without_only_fault(comparison, key)), metric.meaning if metric else "", cells)


def _without_only_fault(comparison: Comparison, key: str) -> str:
    """The key without the name of the fault where there is only one: the group is named after it."""
    name, label = split_key(key)
    fault = only_fault(comparison)
    if not fault or not label.startswith(fault):
        return key
    rest = label[len(fault) :].strip(", ")
    return f"{name}({rest})" if rest else name


def only_fault(comparison: Comparison) -> str:
    """Name of the fault, where the scenarios have one and the same; '' otherwise."""
    names = {fault_name(fault) for variant in comparison.variants.values() for fault in variant.scenario.faults}
    return next(iter(names)) if len(names) == 1 else ""


def _cell(comparison: Comparison, variant: VariantResult, key: str) -> Cell:
    figure = variant.metrics.get(key)
    if (bounds := undecided(variant.metrics, key)) is not None:
        return Cell(show_between(bounds, unit_of(key)))
    if figure is None or math.isnan(figure.value):
        return Cell("-")
    unit = unit_of(key)
    text, spread = show_interval(figure, unit), show_spread(figure, unit)
    if key == "utilisation_max" and (station := busiest(variant)):
        text = f"{station} {show(figure.value, 'share')}"
    difference = comparison.differences.get(variant.name, {}).get(key)
    if difference is None or math.isnan(difference.value):
        return Cell(text, spread=spread)
    judgement = _judged(key, difference) if comparison.judged else ""
    return Cell(text, show_difference(difference, unit), judgement, would_have_shown(difference, unit), spread)


def _judged(key: str, difference: Difference) -> str:
    if not difference.significant:
        return {"not significant": "same"}.get(difference.finding, difference.finding)
    better = better_direction(key)
    if not better:
        return "other"
    return "better" if (difference.value < 0) == (better == "lower") else "worse"
