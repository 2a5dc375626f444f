"""How well requests were served: availability, goodput, throughput, Apdex, error budget, shares of outcomes."""

from __future__ import annotations

import math

import numpy as np

from sim.metrics.gauges import share
from sim.metrics.keys import key_of
from sim.metrics.sample import Judged, Sample
from sim.records.counted import Mask
from sim.spec.promises import APDEX_T, ROUNDING, TOLERATED
from sim.stats.quantile import sum_of
from sim.vocabulary import Outcome


def service_level(sample: Sample, window: float, route: str = "") -> dict[str, float]:
    """The figures of one route, or of all; rates are per second of the measured window."""
    answers, orders = sample.answers, sample.orders
    counts = {
        "goodput": answers.total(within_objective(answers)),
        "throughput": answers.total(answers.served),
        "completed": orders.total(orders.finished) if orders.size else math.nan,
        "offered": answers.size,
    }
    figures = {name: count / window if window > 0 else math.nan for name, count in counts.items()}
    figures |= {"availability": availability(answers), "apdex": apdex(answers), "error_budget_burn": error_budget_burn(answers)}
    return {key_of(name, route): figure for name, figure in figures.items()}


def outcome_shares(sample: Sample) -> dict[str, float]:
    """The share of each outcome in all requests; together they are 1."""
    answers = sample.answers
    counts = answers.bins(answers.outcome, len(Outcome))
    return {key_of("outcome_share", outcome.word): share(int(counts[outcome]), answers.size) for outcome in Outcome}


def availability(answers: Judged) -> float:
    """Served / judged."""
    return share(answers.total(answers.served & answers.judged), answers.total(answers.judged))


def within_objective(answers: Judged) -> Mask:
    """Ok, and no later than the route promised."""
    return answers.ended(Outcome.OK) & ~(answers.response > answers.latency_objective + ROUNDING)


def apdex(answers: Judged) -> float:
    """(satisfied + tolerating / 2) / judged; satisfied up to T, tolerating up to 4 T, and nobody is satisfied by a failure."""
    limit = np.where(np.isnan(answers.latency_objective), APDEX_T, answers.latency_objective)
    satisfied = answers.served & (answers.response <= limit + ROUNDING)
    tolerating = answers.served & ~satisfied & (answers.response <= TOLERATED * limit + ROUNDING)
    return share(answers.total(satisfied) + answers.total(tolerating) / 2, answers.total(answers.judged))


def error_budget_burn(answers: Judged) -> float:
    """Failures / allowed failures, over requests whose route has an availability objective; nan where none has."""
    promised = answers.judged & ~np.isnan(answers.availability_objective)
    failures = answers.total(promised & ~answers.served)
    allowed = sum_of(1.0 - answers.availability_objective[promised], answers.counts(promised))
    if not promised.any() or (not allowed and not failures):
        return 0.0 if promised.any() else math.nan
    return failures / allowed if allowed else math.inf
