"""A system whose answers are known: M/M/1 by Lindley's recursion, many experiments side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np


def responses(seed: int, experiments: int, customers: int, load: float = 0.5) -> np.ndarray:
    """Response times of successive customers in the steady state, one row per experiment; the mean service time is 1."""
    found = np.empty((customers, experiments))
    for place, response in _successive(seed, experiments, customers, load):
        found[place] = response
    return np.ascontiguousarray(found.T)


def mean_responses(seed: int, experiments: int, customers: int, load: float = 0.5) -> np.ndarray:
    """The mean of each row of `responses`, which are not kept."""
    total = np.zeros(experiments)
    for _, response in _successive(seed, experiments, customers, load):
        total += response
    return total / customers


def _successive(seed: int, experiments: int, customers: int, load: float) -> Iterator[tuple[int, np.ndarray]]:
    """The first hundred customers, who find the queue shorter than it will be, are not counted."""
    generator = np.random.default_rng(seed)
    wait = np.zeros(experiments)
    for place in range(-100, customers):
        response = wait + generator.exponential(1.0, experiments)
        if place >= 0:
            yield place, response
        wait = np.maximum(response - generator.exponential(1.0 / load, experiments), 0.0)


def mean_response(load: float = 0.5) -> float:
    return 1.0 / (1.0 - load)


def response_quantile(q: float, load: float = 0.5) -> float:
    """The response of M/M/1 is exponential."""
    return -math.log(1.0 - q) * mean_response(load)


def coverage(intervals, truth: float) -> float:
    """The share of intervals that hold the truth."""
    return float(np.mean([interval.low <= truth <= interval.high for interval in intervals]))
