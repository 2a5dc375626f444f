"""When to stop replicating."""

import math

import numpy as np

from sim.stats.interval import Interval
from sim.stats.mean import mean_interval
from sim.stats.stopping import enough, precise, replications_needed


def test_five_per_cent_of_the_truth_is_a_little_less_of_the_mean():
    """The half width must be at most 0.05 / 1.05 of the mean."""
    assert precise(Interval(1.05, 1.0, 1.10, 10), 0.0500001)
    assert not precise(Interval(1.0, 0.95, 1.05, 10), 0.05)


def test_one_replication_is_never_precise_and_never_gets_better_is_enough():
    assert not precise(mean_interval([1.0]), 0.05)
    assert precise(mean_interval([math.inf, 1.0]), 0.05)
    assert precise(mean_interval([0.0, 0.0]), 0.05)
    assert not precise(mean_interval([-1.0, 1.0]), 0.05)


def test_as_many_as_needed():
    """Half the width takes four times the replications."""
    values = np.tile([6.0, 14.0], 1000)
    first = mean_interval(values[:40])
    needed = replications_needed(first, 0.05)
    assert needed == math.ceil(40 * (first.half_width / (10 * 0.05 / 1.05)) ** 2)
    assert precise(mean_interval(values[: needed + 4]), 0.05)
    assert not precise(mean_interval(values[: needed - 40]), 0.05)
    assert replications_needed(mean_interval([2.0, 2.0]), 0.05) == 2


def test_few_replications_must_be_better_than_asked():
    """Ten that just reach the precision may do so by luck; a half better, or twenty, will do."""
    assert not enough(Interval(1.05, 1.0, 1.10, 10), 0.0500001)
    assert enough(Interval(1.05, 1.05 - 0.05 / 1.5, 1.05 + 0.05 / 1.5, 10), 0.0500001)
    assert enough(Interval(1.05, 1.0, 1.10, 20), 0.0500001)
    assert enough(mean_interval([math.inf, 1.0]), 0.05)
