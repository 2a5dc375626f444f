"""The studentised bootstrap."""

import numpy as np
import pytest

from sim.chance.resampling import RESAMPLES, Resampling
from sim.stats.bootstrap import bootstrap
from sim.stats.mean import mean_interval
from sim.stats.paired import differences, paired_difference

from .known import coverage

RESAMPLING = Resampling(7)


def test_every_resample_has_as_many_values_as_there_are():
    counts = RESAMPLING(8)
    assert counts.shape == (RESAMPLES, 8)
    assert (counts.sum(axis=1) == 8).all()
    assert counts.mean(axis=0) == pytest.approx(np.ones(8), abs=0.03)


def test_the_luck_is_that_of_the_seed_and_of_nothing_else():
    assert (Resampling(7)(12) == RESAMPLING(12)).all()
    assert (Resampling(8)(12) != RESAMPLING(12)).any()


def test_of_normal_values_it_says_what_student_says():
    values = np.random.default_rng(1).normal(5.0, 1.0, 200)
    by_luck, by_table = mean_interval(values, resamples=RESAMPLING), mean_interval(values)
    assert by_luck.low == pytest.approx(by_table.low, abs=0.02)
    assert by_luck.high == pytest.approx(by_table.high, abs=0.02)


def test_a_skewed_mean_has_a_lopsided_interval():
    found = mean_interval([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.7, 2.0, 3.0, 9.0], resamples=RESAMPLING)
    assert found.high - found.value > 1.5 * (found.value - found.low)


def test_of_skewed_values_it_covers_more_often_than_student():
    values = np.random.default_rng(5).lognormal(0.0, 1.0, (400, 10))
    truth = float(np.exp(0.5))
    by_luck = coverage((mean_interval(run, resamples=RESAMPLING) for run in values), truth)
    assert by_luck > coverage(map(mean_interval, values), truth) + 0.03


def test_where_it_cannot_tell_student_does():
    few, alike = [1.0, 2.0, 4.0, 7.0], [0.0] * 9 + [3.0]
    assert mean_interval(few, resamples=RESAMPLING) == mean_interval(few)
    assert mean_interval(alike, resamples=RESAMPLING) == mean_interval(alike)
    assert bootstrap(np.ones(9), RESAMPLING) is None


def test_a_clear_difference_has_a_small_p_and_none_a_large_one():
    generator = np.random.default_rng(2)
    luck = generator.normal(0.0, 1.0, 10)
    clear = paired_difference(luck + 1.0 + generator.normal(0.0, 0.1, 10), luck, resamples=RESAMPLING)
    assert clear.significant
    assert clear.p_value == pytest.approx(2 / (RESAMPLES + 1))
    assert not paired_difference(luck + generator.normal(0.0, 0.1, 10), luck, resamples=RESAMPLING).significant


def test_p_and_interval_agree():
    generator = np.random.default_rng(3)
    for gaps in generator.normal(0.6, 1.0, (200, 10)):
        found = paired_difference(gaps, np.zeros(10), resamples=RESAMPLING)
        if abs(found.p_value - 0.05) > 0.005:
            assert (found.p_value < 0.05) == (not found.low <= 0.0 <= found.high)


def test_a_true_difference_is_found_among_two_hundred_metrics():
    """As many resamples as are drawn leave room for Holm's correction."""
    generator = np.random.default_rng(4)
    baseline = {f"m{i}": generator.normal(0, 1, 10) for i in range(200)}
    variant = {name: generator.normal(0, 1, 10) for name in baseline} | {
        "m0": baseline["m0"] + 5 + generator.normal(0, 0.1, 10)
    }
    assert [
        name for name, found in differences(variant, baseline, resamples=RESAMPLING).items() if found.significant
    ] == ["m0"]
