"""How finely a run is looked at over time: in buckets of equal length, as many as a chart can show."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

BUCKETS = 300


def default_bucket(duration: float, interval: float) -> float:
    """The interval of the time series, or the multiple of it that gives at most 300 buckets. Seconds."""
    return interval * max(1, math.ceil(duration / BUCKETS / interval - 1e-9))


def bucket_edges(duration: float, bucket: float) -> NDArray[np.float64]:
    """0, bucket, 2 x bucket, ..., duration; the last bucket may be shorter."""
    return np.append(np.arange(max(1, math.ceil(duration / bucket - 1e-9))) * bucket, duration)
