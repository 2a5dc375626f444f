"""MSER-5: where the warm-up ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.stats.warmup import mean_series, mser5

from .known import mean_response, responses


def noise(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(10.0, 1.0, n)


def test_a_series_that_is_settled_from_the_start_loses_little():
    assert mser5(noise(1000)).deleted <= 100
    assert mser5(np.full(100, 3.0)) == (0, False)


def test_a_beginning_that_is_unlike_the_rest_is_cut_off():
    """It climbs for 200 values; what is cut is whole batches of five."""
    series = noise(1000) + np.concatenate([np.linspace(-30.0, 0.0, 200), np.zeros(800)])
    deleted, too_short = mser5(series)
    assert 150 <= deleted <= 230
    assert deleted % 5 == 0
    assert not too_short


def test_a_series_that_still_climbs_at_its_half_is_too_short():
    assert mser5(noise(1000) + np.linspace(0.0, 100.0, 1000)) == (500, True)


def test_fewer_than_ten_batches_tell_nothing():
    assert mser5(noise(49)) == (20, True)
    assert not mser5(noise(50)).too_short
    assert mser5([]) == (0, True)
    assert mser5([np.nan] * 100) == (0, True)


def test_a_missing_value_takes_the_one_before_it():
    series = np.repeat([20.0, 10.0], [30, 170])
    holes = series.copy()
    holes[[0, 1, 50, 199]] = np.nan
    assert mser5(holes) == mser5(series) == (30, False)


@pytest.mark.long
@given(st.lists(st.floats(-1e6, 1e6), min_size=50, max_size=120))
def test_it_is_the_least_squared_error_of_what_remains(values):
    batches = np.array(values[: len(values) // 5 * 5]).reshape(-1, 5).mean(axis=1)
    m = batches.size
    errors = [((batches[d:] - batches[d:].mean()) ** 2).sum() / (m - d) ** 2 for d in range(m // 2 + 1)]
    found = mser5(values).deleted // 5
    assert errors[found] <= min(errors) + 1e-6 * max(np.ptp(batches) ** 2, 1e-9)


def test_the_mean_over_replications_is_over_those_that_have_a_value():
    found = mean_series([[1.0, np.nan, np.nan], [3.0, 4.0, np.nan]])
    assert found[:2].tolist() == [2.0, 4.0]
    assert np.isnan(found[2])


def test_the_bias_of_a_queue_that_began_full_is_gone():
    """Two hundred customers are there at the start: they trouble the first 400 of 5,000, and without a cut every mean is far too high."""
    steady = responses(1, 200 * 5, 5000).reshape(200, 5, 5000)
    series = (steady + np.maximum(200.0 - 0.5 * np.arange(5000), 0.0)).mean(axis=1).reshape(200, 1000, 5)
    cuts = [mser5(run.mean(axis=1)).deleted for run in series]
    rest = [run[cut:].mean() for run, cut in zip(series, cuts, strict=True)]
    assert series.mean() > 4 * mean_response()
    assert abs(np.mean(rest) - mean_response()) < 0.02 * mean_response()
    assert np.median(cuts) < 150
