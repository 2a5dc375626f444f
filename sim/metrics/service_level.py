"""How well requests were served: availability, goodput, throughput, Apdex, error budget, shares of outcomes."""

from __future__ import annotations

import math

import numpy as np

from sim.metrics.gauges import share
from sim.metrics.keys import key_of
from sim.metrics.sample import ROUNDING, Sample
from sim.vocabulary import Outcome

APDEX_T = 0.5  # s; where a route has no latency objective, as New Relic has it


def service_level(sample: Sample, window: float, route: str = "") -> dict[str, float]:
    """The figures of one route, or of all; rates are per second of the measured window."""
    counts = {
        "goodput": int(within_objective(sample).sum()),
        "throughput": int(sample.served.sum()),
        "completed": int(sample.finished.sum()) if sample.expects.any() else math.nan,
        "offered": len(sample),
    }
    figures = {name: count / window if window > 0 else math.nan for name, count in counts.items()}
    figures |= {"availability": availability(sample), "apdex": apdex(sample), "error_budget_burn": error_budget_burn(sample)}
    return {key_of(name, route): figure for name, figure in figures.items()}


def outcome_shares(sample: Sample) -> dict[str, float]:
    """The share of each outcome in all requests; together they are 1."""
    counts = np.bincount(sample.outcome, minlength=len(Outcome))
    return {key_of("outcome_share", outcome.word): share(int(counts[outcome]), len(sample)) for outcome in Outcome}


def availability(sample: Sample) -> float:
    """Served / judged."""
    return share(int((sample.served & sample.judged).sum()), int(sample.judged.sum()))


def within_objective(sample: Sample) -> np.ndarray:
    """Ok, and no later than the route promised."""
    return sample.ended(Outcome.OK) & ~(sample.response > sample.latency_objective + ROUNDING)


def apdex(sample: Sample) -> float:
    """(satisfied + tolerating / 2) / judged; satisfied up to T, tolerating up to 4 T, and nobody is satisfied by a failure."""
    limit = np.where(np.isnan(sample.latency_objective), APDEX_T, sample.latency_objective)
    satisfied = sample.served & (sample.response <= limit + ROUNDING)
    tolerating = sample.served & ~satisfied & (sample.response <= 4 * limit + ROUNDING)
    return share(int(satisfied.sum()) + int(tolerating.sum()) / 2, int(sample.judged.sum()))


def error_budget_burn(sample: Sample) -> float:
    """Failures / allowed failures, over requests whose route has an availability objective; nan where none has."""
    promised = sample.judged & ~np.isnan(sample.availability_objective)
    failures = int((promised & ~sample.served).sum())
    allowed = float((1.0 - sample.availability_objective[promised]).sum())
    if not promised.any() or (not allowed and not failures):
        return 0.0 if promised.any() else math.nan
    return failures / allowed if allowed else math.inf
