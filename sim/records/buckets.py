"""How finely a run is looked at over time: in buckets of equal length, as many as a chart can show, and where the lines
are by which departures count.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

BUCKETS = 300
NOISE = 1e-9  # of the duration: the last digits of a moment that many steps of time have been added up to


def default_bucket(duration: float, interval: float) -> float:
    """The interval of the time series, or the multiple of it that gives at most 300 buckets. Seconds."""
    return interval * max(1, math.ceil(duration / BUCKETS / interval - 1e-9))


def bucket_edges(duration: float, bucket: float) -> NDArray[np.float64]:
    """0, bucket, 2 x bucket, ..., duration; the last bucket may be shorter."""
    return np.append(np.arange(max(1, math.ceil(duration / bucket - 1e-9))) * bucket, duration)


def departure_lines(edges: NDArray[np.float64], duration: float) -> NDArray[np.float64]:
    """The lines that tell departures before an edge from those at it: so little before the edges that rounding moves
    nobody over one.

    A worker of 100 ms is done at 10 s after a hundred steps whose sum is 9.999999999999998. Who leaves at an edge is
    counted behind it, on both ends of a window, so that as many whole steps fit into it as its length says.
    """
    return np.asarray(edges, dtype=np.float64) - NOISE * duration
