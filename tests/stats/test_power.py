"""What could have been seen."""

import math

import numpy as np
import pytest

from sim.stats.paired import differences, paired_difference
from sim.stats.power import detectable_difference


def test_a_worked_example():
    """Ten pairs at 5 %: an effect of 0.9960 standard deviations has a power of 0.8 (G*Power, statsmodels' TTestPower)."""
    assert detectable_difference(1.0, 10, 0.05) == pytest.approx(0.9960, abs=1e-4)
    assert detectable_difference(2.0, 10, 0.05) == pytest.approx(1.9920, abs=2e-4)


@pytest.mark.parametrize(("n", "alpha"), [(2, 0.05), (5, 0.05), (10, 0.05), (10, 0.05 / 40), (30, 0.01)])
def test_a_true_difference_of_that_size_is_found_in_eighty_of_a_hundred(n, alpha):
    """Simulated: 20,000 experiments of n pairs whose differences are normal with deviation 3."""
    true = detectable_difference(3.0, n, alpha)
    gaps = np.random.default_rng(n).normal(true, 3.0, (20_000, n))
    confidence = 1.0 - alpha
    found = [paired_difference(row, np.zeros(n), confidence).significant for row in gaps[:4000]]
    assert 0.78 <= np.mean(found) <= 0.82


def test_more_pairs_see_more_and_more_metrics_less():
    assert (
        detectable_difference(1.0, 20, 0.05)
        < detectable_difference(1.0, 10, 0.05)
        < detectable_difference(1.0, 10, 0.001)
    )


def test_of_one_pair_nothing_is_known():
    assert math.isnan(detectable_difference(1.0, 1, 0.05))
    assert math.isnan(detectable_difference(math.nan, 5, 0.05))
    assert detectable_difference(0.0, 5, 0.05) == 0.0


def test_what_could_have_been_seen_is_at_the_level_that_holm_left():
    """Three hypotheses, one of them rejected: each of the others would have been at 5 % / 2."""
    luck = np.random.default_rng(5).normal(0.0, 1.0, (3, 12))
    found = differences({"a": luck[0] + 50.0, "b": luck[1], "c": luck[2]}, dict.fromkeys("abc", np.zeros(12)))
    assert [found[name].significant for name in "abc"] == [True, False, False]
    assert math.isnan(found["a"].detectable)
    for name, its in (("b", luck[1]), ("c", luck[2])):
        assert found[name].detectable == pytest.approx(detectable_difference(float(its.std(ddof=1)), 12, 0.025))


def test_the_metric_that_could_just_be_seen_would_have_been_significant():
    """Whatever the others are: shifted until its own p-value is the level, a metric is significant, and a little less and it is not."""
    generator = np.random.default_rng(9)
    luck = {f"m{i}": generator.normal(0.0, 1.0, 8) for i in range(6)} | {"clear": generator.normal(30.0, 1.0, 8)}
    zero = dict.fromkeys(luck, np.zeros(8))
    its = luck["m3"] - luck["m3"].mean()
    critical = 3.6358 * 1.0  # t of 7 degrees at 5 % / 6, two-sided
    just = critical * its.std(ddof=1) / math.sqrt(8)
    assert differences({**luck, "m3": its + 1.01 * just}, zero)["m3"].significant
    assert not differences({**luck, "m3": its + 0.99 * just}, zero)["m3"].significant
