"""How well requests were served: availability, goodput, throughput, Apdex, error budget, shares of outcomes.

Shares are of the requests that arrived in a span of time, and say what those in flight at its end can make of them at
least and at most; rates are of the answers that left in it. Every figure has a value for each span.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sim.metrics.departures import Left
from sim.metrics.gauges import ratio
from sim.metrics.keys import key_of
from sim.metrics.sample import Parts, thin
from sim.records.counted import Counts, Floats, Mask
from sim.spec.promises import ROUNDING, TOLERATED
from sim.vocabulary import PASSED, Outcome


def service_level(parts: Parts, shares: Mapping[str, Bounded], left: Left, route: str = "") -> dict[str, Floats]:
    """The figures of one route, or of all; rates are per second, and but for `offered` of what left."""
    requests, orders = parts.by_outcome.sum(axis=1), parts.ordered
    counts = {
        "goodput": left.in_time,
        "throughput": left.served,
        "completed": left.completed if left.expected else np.full(requests.size, math.nan),
        "offered": requests,
    }
    figures = {name: ratio(count, parts.widths) for name, count in counts.items()}
    figures |= {"requests": requests.astype(np.float64), "orders": orders.astype(np.float64)}
    for name, bounded in shares.items():
        figures |= {name: bounded.value, f"{name}_least": bounded.least, f"{name}_most": bounded.most}
    return {key_of(name, route): figure for name, figure in figures.items()}


def outcome_shares(parts: Parts) -> dict[str, Floats]:
    """The share of each outcome in all requests; together they are 1."""
    counts = parts.by_outcome
    return {key_of("outcome_share", outcome.word): ratio(counts[:, outcome], counts.sum(axis=1)) for outcome in Outcome}


class Bounded(NamedTuple):
    """A figure of the requests whose end is known, and what it can be at least and at most with those that were in
    flight at the end.
    """

    value: Floats
    least: Floats
    most: Floats


def bounded_shares(parts: Parts) -> dict[str, Bounded]:
    """The figures that requests in flight at the end leave open."""
    return {"availability": availability(parts), "apdex": apdex(parts), "error_budget_burn": error_budget_burn(parts)}


def availability(parts: Parts) -> Bounded:
    """Served / authorized."""
    counts = parts.by_outcome
    return _bounded(counts[:, list(PASSED)].sum(axis=1), _authorized(counts), counts[:, Outcome.IN_FLIGHT])


def apdex(parts: Parts) -> Bounded:
    """(satisfied + tolerating / 2) / authorized; satisfied up to T, tolerating up to 4 T, and nobody is satisfied by a
    failure.

    Who is in flight and has waited for 4 T will not be satisfied any more, whatever his answer.
    """
    answers = parts.sample.answers
    limit = thin(answers.satisfying)
    satisfied = answers.served & (answers.response <= limit + ROUNDING)
    tolerating = answers.served & ~satisfied & (answers.response <= TOLERATED * limit + ROUNDING)
    hopeful = np.zeros(answers.arrival.size, dtype=bool)
    in_flight = np.flatnonzero(answers.in_flight)  # mostly few
    flying = answers.at(in_flight)
    hopeful[in_flight] = flying.age < TOLERATED * flying.satisfying + ROUNDING
    good = parts.total(satisfied) + parts.total(tolerating) / 2
    return _bounded(good, _authorized(parts.by_outcome), parts.total(hopeful))


def error_budget_burn(parts: Parts) -> Bounded:
    """Failures / allowed failures, over requests whose route has an availability objective; nan where none has."""
    answers = parts.sample.answers
    promised = answers.authorized & ~np.isnan(thin(answers.availability_objective))
    if not promised.any():
        nothing = np.full(len(parts.answers), math.nan)
        return Bounded(nothing, nothing, nothing)
    decided = promised & ~answers.in_flight
    failures, undecided = parts.total(decided & ~answers.served), parts.total(promised & answers.in_flight)
    known, every = (_allowed(parts, mask) for mask in (decided, promised))
    return Bounded(_burn(failures, known), _burn(failures, every), _burn(failures + undecided, every))


def _authorized(by_outcome: Counts) -> Counts:
    return np.asarray(by_outcome.sum(axis=1) - by_outcome[:, Outcome.UNAUTHORIZED])


def _bounded(good: Counts | Floats, whole: Counts, undecided: Counts) -> Bounded:
    """Good / whole where nobody knows of some whether they are good."""
    return Bounded(ratio(good, whole - undecided), ratio(good, whole), ratio(good + undecided, whole))


def _allowed(parts: Parts, mask: Mask) -> Floats:
    """How many failures the objectives of these allow."""
    answers = parts.sample.answers
    allowed = 1.0 - answers.availability_objective
    return np.array([answers.sum_of(allowed, mask, span) for span in parts.answers])


def _burn(failures: Counts, allowed: Floats) -> Floats:
    endless = np.where(failures > 0, math.inf, 0.0)
    return np.where(allowed != 0, ratio(failures, allowed), endless)
