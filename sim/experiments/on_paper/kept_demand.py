"""What it changes on paper that a request brings the same to every attempt (`per: request`): the heavy ones time out,
and come again.

Given what all kept times are, attempts do not depend on one another, and the flow is that of constants. So it is
followed for some requests and averaged: a quadrature over the quantiles of the kept times on a Kronecker lattice, large
values taken oftener than they come and weighted down for it, the weights then fitted so that the mean of each kept time
is exact. It is no simulation: the same nodes at every check.

One value of a step stands for all places from which a request reaches it, which in a run have draws of their own. Where
several do, and a timeout lies between them, figures may be off: of 114 systems made at random three were by more than
luck and 12 %, one of them by a factor of two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.experiments.on_paper.flow import Flow
from sim.experiments.on_paper.profile import Key
from sim.experiments.on_paper.times import coarse, law_of
from sim.spec.actions import TakesTime
from sim.spec.distribution import Distribution
from sim.spec.scenario import Scenario
from sim.spec.walk import visits

NODES = 192
FEWEST = 12
# that are followed for all nodes together: a system of more than 64 steps, each as often as it is reached, has fewer of
# them
STEPS = 64 * NODES
K = TypeVar("K")

Floats = NDArray[np.float64]


def corrections(flow: Flow, held: Callable[[Flow], Mapping[K, tuple[float, float]]]) -> dict[K, tuple[float, float]]:
    """Station -> by which its rate and the time held in all are to be multiplied; nothing where no attempt repeats what
    a request keeps.

    `held` answers with the rate of each station and the seconds per second for which its servers are held.
    """
    kept = _kept_times(flow.scenario) if flow.repeats_heavy else {}
    if not kept:
        return {}
    values, weights = _nodes(list(kept.values()), max(FEWEST, min(NODES, STEPS // max(1, flow.followed))))
    with coarse():
        return _averaged(flow.scenario, held, kept, values, weights)


def _averaged(
    scenario: Scenario,
    held: Callable[[Flow], Mapping[K, tuple[float, float]]],
    kept: Iterable[Key],
    values: Floats,
    weights: Floats,
) -> dict[K, tuple[float, float]]:
    """The mean over all nodes, against the flow in which every attempt draws anew."""
    rates: dict[K, list[float]] = {}
    for node, weight in zip(values, weights, strict=True):
        its = held(Flow(scenario, {key: float(value) for key, value in zip(kept, node, strict=True)}))
        for station, (rate, seconds) in its.items():
            total = rates.setdefault(station, [0.0, 0.0])
            total[0] = _with(total[0], weight, rate)
            total[1] = _with(total[1], weight, seconds)
    plain = held(Flow(scenario))
    return {
        station: (_ratio(rate, plain[station][0]), _ratio(seconds, plain[station][1]))
        for station, (rate, seconds) in rates.items()
        if station in plain
    }


def _with(total: float, weight: float, value: float) -> float:
    """A sum with one more. Weights fitted to means may be negative; what is endless at one node is so in the mean."""
    return math.inf if math.isinf(value) else total + weight * value


def _ratio(one: float, other: float) -> float:
    """What is without end on either side (a mean of Pareto's, a circle) stays as it is."""
    return max(0.0, float(one / other)) if 0.0 < other < math.inf and math.isfinite(one) else 1.0


def _kept_times(scenario: Scenario) -> dict[Key, Distribution]:
    """The random times that belong to the request."""
    found = {
        (id(visit.step), number): action.time
        for visit in visits(scenario)
        for number, action in enumerate(visit.step.actions or ())
        if isinstance(action, TakesTime) and action.kept
    }
    return {key: time for key, time in found.items() if 0.0 < time.mean < np.inf and time.scv > 0.0}


def _nodes(distributions: list[Distribution], number: int) -> tuple[Floats, Floats]:
    """So many nodes, one row each, and their weights, which add up to 1."""
    count = len(distributions)
    growth = 2.0
    # the root of g^(count + 1) = g + 1: its powers make the lattice (Roberts' generalised golden ratio)
    for _ in range(50):
        growth = (1.0 + growth) ** (1.0 / (count + 1))
    places = np.mod(0.5 + np.outer(np.arange(number), growth ** -np.arange(1.0, count + 1.0)), 1.0)
    values, weights = np.empty((number, count)), np.ones(number)
    large = min(0.5, 1.0 / count)
    for index, distribution in enumerate(distributions):
        law = law_of(distribution)
        oftener = law.mass * (1.0 - large + large * law.at / law.mean)
        found = np.minimum(np.searchsorted(np.cumsum(oftener), places[:, index]), law.at.size - 1)
        values[:, index] = law.at[found]
        weights *= law.mass[found] / oftener[found]
    return values, _fitted(
        weights / weights.sum(), values, np.array([distribution.mean for distribution in distributions])
    )


def _fitted(weights: Floats, values: Floats, means: Floats) -> Floats:
    """The weights nearest to these under which every column has its mean."""
    away = np.column_stack([np.ones(weights.size), values / means])
    wanted = np.ones(means.size + 1)
    change, *_ = np.linalg.lstsq(away.T @ (weights[:, None] * away), wanted - away.T @ weights, rcond=None)
    return np.asarray(weights * (1.0 + away @ change))
