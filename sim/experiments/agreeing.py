"""Whether what is read of a finished run agrees with itself: figures with the records they were measured of, and all that is made of figures with them.

What can be made again is made again and compared, to the rounding of floats; of replications whose records were not kept, and of intervals that are
drawn by lot or within one run, it is only seen that they can be.
"""

from __future__ import annotations

import math
import re
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np

from sim.experiments.comparison import Figures, differences_between, digest_of
from sim.experiments.method import INTERVALS
from sim.experiments.nature import bounds_of
from sim.experiments.outline import refuse_others
from sim.experiments.results import Comparison, VariantResult, unit_of
from sim.experiments.strict import LARGEST, DamagedError, named
from sim.experiments.verdicts import judge
from sim.metrics import measure
from sim.metrics.keys import metric_keys
from sim.metrics.timeline import column_names
from sim.records.buckets import bucket_edges, default_bucket
from sim.records.checking import ROUNDING
from sim.stats.interval import Interval
from sim.stats.mean import mean_interval
from sim.vocabulary import limits_of

RELATIVE, ABSOLUTE = 1e-6, 1e-9  # what other libraries may round otherwise


def refuse_disagreement(comparison: Comparison) -> None:
    """Raise DamagedError for a comparison that cannot be what an experiment gave."""
    method = comparison.method
    _expect(0 < method.confidence < 1 and method.interval in INTERVALS, "method", "a confidence and an interval")
    for name, result in comparison.variants.items():
        _expect(result.records.seed == comparison.seed, f"{name}: seed", f"{comparison.seed}")
        refuse_others(result.records, result.scenario)
        _refuse_other_figures(result, comparison)
        _refuse_other_intervals(result, comparison)
        _refuse_other_timeline(result)
    most = max(len(result.figures) for result in comparison.variants.values())
    _expect(comparison.replications == most, "replications", f"{most}")
    _refuse_other_differences(comparison)
    _refuse_other_fingerprints(comparison)
    if (earlier := comparison.earlier) is not None:
        named((earlier.source, *earlier.against.values()), "earlier")
        _expect(set(earlier.against) == set(earlier.differences) == set(comparison.variants), "earlier", "the variants")


def _refuse_other_figures(result: VariantResult, comparison: Comparison) -> None:
    figures, name = result.figures, result.name
    _expect(set(figures.columns) == metric_keys(result.scenario), f"{name}: figures", "every metric of its scenario")
    numbers = figures.index.tolist()
    _expect(figures.index_name == "replication" and 0 < len(numbers) <= comparison.replications, f"{name}: figures", "a row for each replication")
    _expect(numbers[0] == result.records.replication and all(b == a + 1 for a, b in pairwise(numbers)), f"{name}: figures", "replications in their order")
    _expect(len(result.engines) == len(numbers), f"{name}: engines", "one for each replication")
    measured = measure(result.records, result.scenario).values
    for key, column in figures.columns.items():
        low, high = limits_of(key)
        known = column[~np.isnan(column)]
        fits = (known >= low - ABSOLUTE) & (known <= high + ABSOLUTE) & ((known <= LARGEST) | np.isinf(known))
        _expect(bool(fits.all()), f"{name}: {key}", f"from {low:g} to {high:g}")
        _expect(_close(float(column[0]), measured[key]), f"{name}: {key}", f"{measured[key]:g}, as its records have it")


def _refuse_other_intervals(result: VariantResult, comparison: Comparison) -> None:
    figures, method = result.figures, comparison.method
    _expect(set(result.metrics) == set(figures.columns), f"{result.name}: metrics", "those of its figures")
    alone = len(figures) == 1 and not method.exact
    for key, found in result.metrics.items():
        can_be = unit_of(key) == "s" or bool(np.isinf(figures[key]).any())
        _expect(can_be or not found.censored, f"{result.name}: {key}: censored", "a lower bound of times alone")
        expected = mean_interval(figures[key], method.confidence, censored=found.censored, bounds=bounds_of(key), exact=method.exact)
        if alone or method.interval == "bootstrap":
            _expect(not found.low > found.high, f"{result.name}: {key}", "limits in their order")
            expected = replace(expected, **{name: getattr(found, name) for name in ("low", "high", "n", "deviation", "least", "most")})
        _refuse_other_interval(found, expected, f"{result.name}: {key}")
    verdicts = judge(result.scenario, figures, result.metrics)
    same = [(verdict.text, verdict.passed, verdict.reason) for verdict in verdicts]
    _expect(same == [(verdict.text, verdict.passed, verdict.reason) for verdict in result.verdicts], f"{result.name}: verdicts", "those of its figures")
    for found_one, expected_one in zip(result.verdicts, verdicts, strict=True):
        _expect(_close(found_one.value, expected_one.value), f"{result.name}: {found_one.text}", f"{expected_one.value:g}")


def _refuse_other_timeline(result: VariantResult) -> None:
    line, records = result.over_time, result.records
    edges = bucket_edges(records.duration, default_bucket(records.duration, result.scenario.record.interval))
    _expect(np.array_equal(line.index, edges[:-1]) and line.index_name == "time", f"{result.name}: over_time", "the buckets of its scenario")
    _expect(list(line.columns) == column_names(records.series), f"{result.name}: over_time", "the columns of its scenario")
    for name, column in line.columns.items():
        _expect(not ((column > LARGEST) | (column < ROUNDING)).any(), f"{result.name}: over_time {name}", "numbers of 0 or more")


def _refuse_other_differences(comparison: Comparison) -> None:
    figures = {name: Figures(result.figures, _censored(result)) for name, result in comparison.variants.items()}
    method, by_lot = comparison.method, comparison.method.interval == "bootstrap"
    expected = differences_between(figures, comparison.variants, method.confidence, None, method.exact)
    found = comparison.differences
    _expect({name: list(its) for name, its in found.items()} == {name: list(its) for name, its in expected.items()}, "differences", "those of the figures")
    for name, its in expected.items():
        for key, difference in its.items():
            if not by_lot:
                _refuse_other_interval(found[name][key], difference, f"difference of {name}: {key}")
            _expect(_close(found[name][key].value, difference.value), f"difference of {name}: {key}", f"{difference.value:g}")


def _censored(result: VariantResult) -> frozenset[str]:
    return frozenset(key for key, figure in result.metrics.items() if figure.censored)


def _refuse_other_fingerprints(comparison: Comparison) -> None:
    """That of a single replication is known from its records; that of all, from those of the variants."""
    for name, result in comparison.variants.items():
        _expect(re.fullmatch("[0-9a-f]{32}", result.fingerprint) is not None, f"{name}: fingerprint", "32 digits")
        if len(result.figures) == 1:
            _expect(result.fingerprint == digest_of([result.records.fingerprint()]), f"{name}: fingerprint", "that of its records")
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
