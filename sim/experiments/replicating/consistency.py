"""Whether what is read of a finished run agrees with itself: figures with their records, and all else with the figures.

What can be made again is made again and compared, to the rounding of floats; of replications whose records were not
kept it is only seen that they can be.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields
from itertools import pairwise

import numpy as np

from sim.experiments.replicating.comparison import (
    Figures,
    differences_between,
    digest_of,
    interval_of_one,
    intervals_of,
    resamples_of,
)
from sim.experiments.replicating.method import INTERVALS
from sim.experiments.replicating.results import Comparison, VariantResult
from sim.experiments.replicating.scenario_outline import refuse_others
from sim.experiments.replicating.verdicts import judge
from sim.experiments.running.decoding import LARGEST, DamagedError, named
from sim.metrics import measure
from sim.metrics.keys import metric_keys
from sim.metrics.measurement import Measurement
from sim.metrics.timeline import column_names
from sim.metrics.within import within_run
from sim.records.buckets import bucket_edges, default_bucket
from sim.records.checking import ROUNDING
from sim.stats.interval import Interval
from sim.vocabulary import limits_of, unit_of

RELATIVE, ABSOLUTE = 1e-6, 1e-9  # what other libraries may round otherwise


def refuse_disagreement(comparison: Comparison, largest: float) -> None:
    """Raise DamagedError for a comparison that cannot be what an experiment gave, or takes more than `largest` bytes of
    memory to look into.
    """
    _refuse_other_method(comparison)
    for name, result in comparison.variants.items():
        _expect(result.records.seed == comparison.seed, f"{name}: seed", f"{comparison.seed}")
        refuse_others(result.records, result.scenario, largest)
        measured = measure(result.records, result.scenario)
        _refuse_other_figures(result, comparison, measured.values)
        _refuse_other_intervals(result, comparison, measured)
        _refuse_other_verdicts(result)
        _refuse_other_timeline(result)
    most = max(len(result.figures) for result in comparison.variants.values())
    _expect(comparison.replications == most, "replications", f"{most}")
    _refuse_other_differences(comparison)
    _refuse_other_fingerprints(comparison)
    if (earlier := comparison.earlier) is not None:
        named((earlier.source, *earlier.against.values()), "earlier")
        _expect(set(earlier.against) == set(earlier.differences) == set(comparison.variants), "earlier", "the variants")


def _refuse_other_method(comparison: Comparison) -> None:
    method, results = comparison.method, comparison.variants.values()
    _expect(0 < method.confidence < 1 and method.interval in INTERVALS, "method", "a confidence and an interval")
    _expect(method.alike in (0, comparison.replications), "method.alike", f"0 or {comparison.replications}")
    if comparison.replications == 1 and not method.exact:
        expected = interval_of_one(metrics for result in results for metrics in result.metrics.values())
        _expect(method.interval == expected, "method.interval", expected)


def _refuse_other_figures(result: VariantResult, comparison: Comparison, measured: Mapping[str, float]) -> None:
    figures, name = result.figures, result.name
    _expect(set(figures.columns) == metric_keys(result.scenario), f"{name}: figures", "every metric of its scenario")
    numbers = figures.index.tolist()
    _expect(
        figures.index_name == "replication" and 0 < len(numbers) <= comparison.replications,
        f"{name}: figures",
        "a row for each replication",
    )
    _expect(
        numbers[0] == result.records.replication and all(b == a + 1 for a, b in pairwise(numbers)),
        f"{name}: figures",
        "replications in their order",
    )
    _expect(len(result.engines) == len(numbers), f"{name}: engines", "one for each replication")
    for key, column in figures.columns.items():
        low, high = limits_of(key)
        known = column[~np.isnan(column)]
        fits = (known >= low - ABSOLUTE) & (known <= high + ABSOLUTE) & ((known <= LARGEST) | np.isinf(known))
        _expect(bool(fits.all()), f"{name}: {key}", f"from {low:g} to {high:g}")
        _expect(_close(float(column[0]), measured[key]), f"{name}: {key}", f"{measured[key]:g}, as its records have it")


def _refuse_other_intervals(result: VariantResult, comparison: Comparison, measured: Measurement) -> None:
    figures, method = result.figures, comparison.method
    _expect(set(result.metrics) == set(figures.columns), f"{result.name}: metrics", "those of its figures")
    for key, figure in result.metrics.items():
        can_be = unit_of(key) == "s" or bool(np.isinf(figures[key]).any())
        _expect(can_be or not figure.censored, f"{result.name}: {key}: censored", "a lower bound of times alone")
        _expect(
            figure.censored or key not in measured.censored,
            f"{result.name}: {key}: censored",
            "a lower bound, as its records have it",
        )
    expected = intervals_of(
        Figures(figures, _censored(result)),
        method.confidence,
        resamples_of(method.interval, comparison.seed),
        method.exact,
    )
    if len(figures) == 1 and not method.exact:
        expected |= within_run(result.records, result.scenario, measured, method.confidence)
    for key, interval in expected.items():
        _refuse_other_interval(result.metrics[key], interval, f"{result.name}: {key}")


def _refuse_other_verdicts(result: VariantResult) -> None:
    expected = judge(result.scenario, result.figures, result.metrics)
    same = [(verdict.text, verdict.passed, verdict.reason) for verdict in expected]
    _expect(
        same == [(verdict.text, verdict.passed, verdict.reason) for verdict in result.verdicts],
        f"{result.name}: verdicts",
        "those of its figures",
    )
    for found, verdict in zip(result.verdicts, expected, strict=True):
        _expect(_close(found.value, verdict.value), f"{result.name}: {found.text}", f"{verdict.value:g}")


def _refuse_other_timeline(result: VariantResult) -> None:
    line, records = result.over_time, result.records
    edges = bucket_edges(records.duration, default_bucket(records.duration, result.scenario.record.interval))
    _expect(
        np.array_equal(line.index, edges[:-1]) and line.index_name == "time",
        f"{result.name}: over_time",
        "the buckets of its scenario",
    )
    _expect(
        list(line.columns) == column_names(records.series), f"{result.name}: over_time", "the columns of its scenario"
    )
    for name, column in line.columns.items():
        _expect(
            not ((column > LARGEST) | (column < ROUNDING)).any(),
            f"{result.name}: over_time {name}",
            "numbers of 0 or more",
        )


def _refuse_other_differences(comparison: Comparison) -> None:
    figures = {name: Figures(result.figures, _censored(result)) for name, result in comparison.variants.items()}
    method, found = comparison.method, comparison.differences
    expected = differences_between(
        figures, comparison.variants, method.confidence, resamples_of(method.interval, comparison.seed), method.exact
    )
    _expect(
        {name: list(its) for name, its in found.items()} == {name: list(its) for name, its in expected.items()},
        "differences",
        "those of the figures",
    )
    for name, its in expected.items():
        for key, difference in its.items():
            _refuse_other_interval(found[name][key], difference, f"difference of {name}: {key}")


def _censored(result: VariantResult) -> frozenset[str]:
    return frozenset(key for key, figure in result.metrics.items() if figure.censored)


def _refuse_other_fingerprints(comparison: Comparison) -> None:
    """That of a single replication is known from its records; that of all, from those of the variants."""
    for name, result in comparison.variants.items():
        _expect(re.fullmatch("[0-9a-f]{32}", result.fingerprint) is not None, f"{name}: fingerprint", "32 digits")
        if len(result.figures) == 1:
            _expect(
                result.fingerprint == digest_of([result.records.fingerprint()]),
                f"{name}: fingerprint",
                "that of its records",
            )
    parts = [part for name, result in comparison.variants.items() for part in (name, result.fingerprint)]
    _expect(comparison.fingerprint == digest_of(parts), "fingerprint", "that of the variants")


def _refuse_other_interval(found: Interval, expected: Interval, what: str) -> None:
    for field in fields(expected):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        same = _close(one, other) if isinstance(other, float) else one == other
        _expect(same, f"{what}: {field.name}", f"{other}")


def _close(one: float, other: float) -> bool:
    both_nan = math.isnan(one) and math.isnan(other)
    return one == other or both_nan or math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _expect(holds: bool, what: str, expected: str) -> None:
    if not holds:
        raise DamagedError(f"{what}: found something else, expected {expected}")
