"""M/M/1 with two preemptive classes (preemptive resume; e.g. Kleinrock, Queueing Systems II, 3.6)."""

import numpy as np
import pytest

from sim import testing

TEXT = """
version: 1
duration: 6000s
warmup: 100s
traffic:
  high: {sends: b.high, arrivals: {poisson: 3/s}}
  low: {sends: b.low, arrivals: {poisson: 4/s}}
services:
  b:
    workers: 1
    queue: {discipline: priority, classes: {high: 0, low: 1}, preemptive: true}
    endpoints: {high: [{work: {exponential: 100ms}}], low: [{work: {exponential: 100ms}}]}
"""


@pytest.mark.long
def test_the_first_class_does_not_see_the_second():
    """T1 = m / (1 - r1) = 1/7 s; T2 = m / ((1 - r1)(1 - r1 - r2)) = 1/2.1 s, of m = 0.1 s, r1 = 0.3, r2 = 0.4. Means of 30 parts of a run each."""
    run = testing.play(TEXT)
    for traffic, expected in (("high", 1 / 7), ("low", 1 / 2.1)):
        times = np.array(run.responses(traffic)[300:])
        parts = np.array([part.mean() for part in np.array_split(times[~np.isnan(times)], 30)])
        assert abs(parts.mean() - expected) < 4 * parts.std(ddof=1) / 30**0.5
        assert 4 * parts.std(ddof=1) / 30**0.5 < 0.2 * expected
