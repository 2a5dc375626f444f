"""What an adaptive limit of concurrency remembers: one flat row for all four algorithms."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.base import dtype_of

AIMD, VEGAS, GRADIENT2, ENVOY = range(4)


@dataclass(slots=True)
class ConcurrencyRow:
    """One limit. Times in nanoseconds, but for those of Envoy and of the clock, which are seconds."""

    kind: int = AIMD
    least: int = 1
    most: int = 1
    count: int = 0  # vegas: answers since the least time was measured; gradient2: of the long average
    queue: int = 0
    window_size: int = 0  # 0: every answer is heard
    samples: int = 0  # of the window
    window_inside: int = 0  # the most under way
    window_dropped: int = 0
    deferred: int = 0  # envoy: the limit before it measures; 0: it does not
    at_least: int = 0  # envoy: updates in a row at the least
    enough: int = 0  # envoy: answers that measuring takes
    estimate: float = 1.0  # the limit, not rounded
    ratio: float = 0.0  # aimd: what is left; gradient2: the tolerance; envoy: 1 and the buffer
    timeout: float = 0.0
    smoothing: float = 1.0
    no_load: float = 0.0  # vegas, envoy (microseconds): the time of an answer without load; 0: unknown
    jitter: float = 0.0  # vegas: from 0.5 to 1, 0: not drawn yet; envoy: the share
    multiplier: float = 0.0
    long: float = 0.0  # gradient2: the average
    long_sum: float = 0.0  # of the first of it
    window: float = 0.0  # s
    window_ends: float = 0.0  # s
    window_sum: float = 0.0
    threshold: float = 0.0
    percentile: float = 0.0
    interval: float = 0.0  # s; envoy: between two updates
    measures: float = 0.0  # s; envoy: between two measurements, 0: there are none
    next_update: float = math.inf  # s
    next_measure: float = math.inf  # s
    epoch: float = 0.0  # s; envoy: since when it measures


CONCURRENCY = dtype_of(ConcurrencyRow)
