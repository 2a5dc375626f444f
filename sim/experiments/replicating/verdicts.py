"""Judges the expectations of a scenario against what its replications gave.

No data fails, and so does a lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sim.errors import did_you_mean
from sim.experiments.replicating.method import in_words
from sim.experiments.replicating.metric_kinds import noise_of
from sim.experiments.replicating.results import Verdict, undecided
from sim.records.columns import Columns
from sim.spec.expectation import Expectation, expectations
from sim.spec.scenario import Scenario
from sim.stats.interval import Interval

_LOWER_BOUND = "the value is only a lower bound: some had not finished when the clock stopped"


def judge(scenario: Scenario, figures: Columns, metrics: Mapping[str, Interval]) -> tuple[Verdict, ...]:
    """One verdict per expectation, on the mean over replications."""
    return tuple(_verdict(scenario, expectation, figures, metrics) for expectation in expectations(scenario))


def _verdict(
    scenario: Scenario, expectation: Expectation, figures: Columns, metrics: Mapping[str, Interval]
) -> Verdict:
    key = expectation.metric_key
    if (bounds := undecided(metrics, key)) is not None:
        return _by_bounds(scenario, expectation, bounds)
    if key not in metrics:
        return Verdict(
            expectation.text, math.nan, False, f"no data: this run has no metric '{key}'{did_you_mean(key, metrics)}"
        )
    figure, replications = metrics[key], len(figures)
    missing = int(np.isnan(figures[key]).sum())
    if missing:
        return Verdict(
            expectation.text,
            figure.value,
            False,
            "no data" if missing == replications else f"no data in {missing} of {replications} replications",
        )
    if figure.censored:
        return Verdict(expectation.text, figure.value, False, "never" if math.isinf(figure.value) else _LOWER_BOUND)
    return Verdict(
        expectation.text,
        figure.value,
        expectation.holds(figure.value, noise_of(key, figure.value, expectation.threshold, scenario)),
    )


def _by_bounds(scenario: Scenario, expectation: Expectation, bounds: tuple[float, float]) -> Verdict:
    """What requests in flight at the end leave open is judged only where it is the same however they end."""
    key = expectation.metric_key
    passes = [expectation.holds(bound, noise_of(key, bound, expectation.threshold, scenario)) for bound in bounds]
    told = (
        f"between {' and '.join(in_words(bound, key) for bound in bounds)}, however the requests end that were in "
        "flight at the end"
    )
    if passes[0] == passes[1] and expectation.operator != "!=":  # which may hold at both ends, and not between them
        return Verdict(expectation.text, math.nan, passes[0], told)
    return Verdict(
        expectation.text, math.nan, False, f"undecided: {told}; a longer run, or a timeout of the clients, would tell"
    )
