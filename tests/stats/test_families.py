"""Families come back from samples of themselves, with the mean of the sample; what is none of them is told apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.stats.families import closest, quantile_pieces

DRAW = np.random.default_rng(1)
SIZE = 20_000
SAMPLES = {
    "exponential": DRAW.exponential(0.01, SIZE),
    "lognormal": DRAW.lognormal(math.log(0.02), 0.8, SIZE),
    "gamma": DRAW.gamma(3.0, 0.004, SIZE),
    "weibull": 0.03 * DRAW.weibull(3.5, SIZE),
    "hyperexponential": np.where(DRAW.random(SIZE) < 0.9, DRAW.exponential(0.005, SIZE), DRAW.exponential(0.045, SIZE)),
}


@pytest.mark.parametrize("family", SAMPLES)
def test_a_family_is_recognised_in_its_own_sample(family):
    """Twenty thousand values: the distance to the right family is about 1 / root of that, and no parameter is far."""
    fitted = closest(SAMPLES[family])
    assert fitted.family == family
    assert fitted.is_close
    assert fitted.distance < 0.02
    assert fitted.parameters["mean"] == pytest.approx(SAMPLES[family].mean())
    shapes = {"lognormal": ("sigma", 0.8), "gamma": ("shape", 3.0), "weibull": ("shape", 3.5)}
    if family in shapes:
        name, value = shapes[family]
        assert fitted.parameters[name] == pytest.approx(value, rel=0.04)


def test_two_humps_are_no_family_and_pieces_keep_their_mean_and_quantiles():
    humps = np.concatenate([DRAW.normal(0.010, 0.0005, 9000), DRAW.normal(0.100, 0.005, 1000)])
    assert not closest(humps).is_close
    pieces = quantile_pieces(humps)
    assert sum(weight for weight, _, _ in pieces) == pytest.approx(1.0)
    assert sum(weight * (low + high) / 2 for weight, low, high in pieces) == pytest.approx(humps.mean(), rel=1e-3)
    values = np.concatenate([DRAW.uniform(low, high, round(weight * 10**6)) for weight, low, high in pieces])
    for share in (0.1, 0.25, 0.5, 0.75, 0.89, 0.95, 0.99):
        assert np.quantile(values, share) == pytest.approx(np.quantile(humps, share), rel=0.03), share


def test_values_that_are_all_one_are_a_constant():
    assert closest(np.full(100, 0.005)).family == "constant"


@pytest.mark.parametrize(
    "sample", [np.array([0.001] * 7), np.zeros(100), np.array([0.0] * 50 + [0.01] * 50)], ids=["few", "zeros", "half"]
)
def test_too_few_values_or_too_many_zeros_are_no_family(sample):
    assert closest(sample) is None


@pytest.mark.parametrize("size", [1, 2, 9, 10, 11, 100, 101])
def test_pieces_are_no_more_than_the_values_and_have_their_mean(size):
    values = DRAW.exponential(1.0, size)
    pieces = quantile_pieces(values)
    assert len(pieces) <= size
    assert all(low <= high for _, low, high in pieces)
    assert sum(weight for weight, _, _ in pieces) == pytest.approx(1.0)
