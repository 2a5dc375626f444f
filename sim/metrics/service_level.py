"""How well requests were served: availability, goodput, throughput, Apdex, error budget, shares of outcomes.

Shares are of the requests that arrived in the window, and say what those in flight at the end can make of them at least and at most; rates are of the
answers that left in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sim.metrics.departures import Left
from sim.metrics.gauges import share
from sim.metrics.keys import key_of
from sim.metrics.sample import Judged, Sample, thin
from sim.records.counted import Mask
from sim.spec.promises import ROUNDING, TOLERATED
from sim.stats.quantile import sum_of
from sim.vocabulary import Outcome


def service_level(sample: Sample, shares: Mapping[str, Bounded], left: Left, window: float, route: str = "") -> dict[str, float]:
    """The figures of one route, or of all; rates are per second of the measured window, and but for `offered` of what left in it."""
    counts = {
        "goodput": int(left.in_time[0]),
        "throughput": int(left.served[0]),
        "completed": int(left.completed[0]) if left.expected else math.nan,
        "offered": sample.answers.size,
    }
    figures = {name: count / window if window > 0 else math.nan for name, count in counts.items()}
    figures |= {"requests": float(sample.answers.size), "orders": float(sample.orders.size)}
    for name, bounded in shares.items():
        figures |= {name: bounded.value, f"{name}_least": bounded.least, f"{name}_most": bounded.most}
    return {key_of(name, route): figure for name, figure in figures.items()}


def outcome_shares(sample: Sample) -> dict[str, float]:
    """The share of each outcome in all requests; together they are 1."""
    answers = sample.answers
    counts = answers.bins(answers.outcome, len(Outcome))
    return {key_of("outcome_share", outcome.word): share(int(counts[outcome]), answers.size) for outcome in Outcome}


class Bounded(NamedTuple):
    """A figure of the requests whose end is known, and what it can be at least and at most with those that were in flight at the end."""

    value: float
    least: float
    most: float


def bounded_shares(answers: Judged) -> dict[str, Bounded]:
    """The figures that requests in flight at the end leave open."""
    return {"availability": availability(answers), "apdex": apdex(answers), "error_budget_burn": error_budget_burn(answers)}


def availability(answers: Judged) -> Bounded:
    """Served / authorized."""
    return _bounded(answers.total(answers.served), answers.total(answers.authorized), answers.total(answers.in_flight))


def apdex(answers: Judged) -> Bounded:
    """(satisfied + tolerating / 2) / authorized; satisfied up to T, tolerating up to 4 T, and nobody is satisfied by a failure.

    Who is in flight and has waited for 4 T will not be satisfied any more, whatever his answer.
    """
    limit = thin(answers.satisfying)
    satisfied = answers.served & (answers.response <= limit + ROUNDING)
    tolerating = answers.served & ~satisfied & (answers.response <= TOLERATED * limit + ROUNDING)
    hopeful = answers.in_flight & (answers.age < TOLERATED * limit + ROUNDING)
    return _bounded(answers.total(satisfied) + answers.total(tolerating) / 2, answers.total(answers.authorized), answers.total(hopeful))


def error_budget_burn(answers: Judged) -> Bounded:
    """Failures / allowed failures, over requests whose route has an availability objective; nan where none has."""
    promised = answers.authorized & ~np.isnan(thin(answers.availability_objective))
    if not promised.any():
        return Bounded(math.nan, math.nan, math.nan)
    failures, undecided = answers.total(promised & ~answers.in_flight & ~answers.served), answers.total(promised & answers.in_flight)
    known, every = (_allowed(answers, mask) for mask in (promised & ~answers.in_flight, promised))
    return Bounded(_burn(failures, known), _burn(failures, every), _burn(failures + undecided, every))


def _bounded(good: float, whole: int, undecided: int) -> Bounded:
    """Good / whole where nobody knows of some whether they are good."""
    return Bounded(share(good, whole - undecided), share(good, whole), share(good + undecided, whole))


def _allowed(answers: Judged, mask: Mask) -> float:
    """How many failures the objectives of these allow."""
    return sum_of(1.0 - answers.availability_objective[mask], answers.counts(mask))


def _burn(failures: int, allowed: float) -> float:
    if allowed:
        return failures / allowed
    return math.inf if failures else 0.0
