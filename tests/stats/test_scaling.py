"""Scaling laws: known parameters come back, with limits that hold them, and what cannot be fitted is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.stats.scaling import fit_scaling, peak_of, throughput

SIZES = np.array([1.0, 2, 4, 8, 16, 24, 32, 48])


def test_exact_points_give_the_parameters_back():
    fit = fit_scaling(SIZES, throughput(SIZES, 100.0, 0.03, 0.0005))
    assert fit.gamma.value == pytest.approx(100.0)
    assert fit.alpha.value == pytest.approx(0.03)
    assert fit.beta.value == pytest.approx(0.0005)
    assert fit.peak.value == pytest.approx(math.sqrt(0.97 / 0.0005))
    assert fit.peak_throughput.value == pytest.approx(
        float(throughput(np.array([fit.peak.value]), 100.0, 0.03, 0.0005)[0])
    )
    assert fit.r_squared == pytest.approx(1.0)
    assert not fit.extrapolated
    assert math.isnan(fit.alpha.low)  # one exact row leaves nothing to draw anew


def test_noisy_points_have_limits_that_hold_the_truth():
    noise = np.random.default_rng(1).standard_normal((5, SIZES.size))
    fit = fit_scaling(SIZES, throughput(SIZES, 100.0, 0.03, 0.0005) * (1 + 0.02 * noise))
    truth = {"gamma": 100.0, "alpha": 0.03, "beta": 0.0005, "peak": peak_of(0.03, 0.0005)}
    for name, value in truth.items():
        assert getattr(fit, name).low < value < getattr(fit, name).high, name


def test_amdahl_is_preferred_where_nothing_comes_down_and_its_limit_is_gamma_by_alpha():
    noise = np.random.default_rng(2).standard_normal((5, SIZES.size))
    rows = throughput(SIZES, 50.0, 0.1, 0.0) * (1 + 0.01 * noise)
    amdahl, usl = fit_scaling(SIZES, rows, "amdahl"), fit_scaling(SIZES, rows)
    assert amdahl.aicc < usl.aicc
    assert amdahl.peak.value == math.inf
    assert amdahl.peak_throughput.low < 500.0 < amdahl.peak_throughput.high


def test_too_few_sizes_and_nothing_done_are_refused():
    with pytest.raises(ValueError, match="found 3 sizes, expected at least 4"):
        fit_scaling([1, 2, 4], [10, 18, 30])
    with pytest.raises(ValueError, match="throughput of 0"):
        fit_scaling([1, 2, 4, 8], [0, 18, 30, 40])
