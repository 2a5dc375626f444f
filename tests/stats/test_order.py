"""Quantile intervals within a sample, by rank."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sim.stats.order import _binomial
from sim.stats.quantile import Ranked
from tests.stats.one_quantile import quantile_interval


def test_the_ranks_of_the_books():
    """Of 1,000 values the 99th percentile lies between about the 983rd and the 998th."""
    found = quantile_interval(Ranked(range(1, 1001)), 0.99)
    assert (found.value, found.low, found.high) == (990, 983, 997)


def test_the_median_of_ten():
    """Between the second and the ninth with 97.9 %; the third and the eighth would be 89 %."""
    found = quantile_interval(Ranked(range(1, 11)), 0.5)
    assert (found.low, found.high) == (2, 9)


def test_a_sample_does_not_know_what_lies_beyond_it():
    assert math.isnan(quantile_interval(Ranked(range(1, 1001)), 0.999).high)
    assert quantile_interval(Ranked(range(1, 10_001)), 0.999).high <= 10_000
    assert math.isnan(quantile_interval(Ranked([1.0, 2.0]), 0.5).low)
    assert math.isnan(quantile_interval(Ranked([]), 0.5).value)


def test_an_endless_duration_is_no_limit():
    found = quantile_interval(Ranked([*range(1, 100), *[math.inf] * 10]), 0.9)
    assert math.isnan(found.high)
    assert found.value == 99


@given(st.integers(20, 400), st.sampled_from([0.1, 0.5, 0.9, 0.95]), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_ranks_cover_and_narrower_ones_would_not(n, q, confidence):
    found = quantile_interval(Ranked(range(1, n + 1)), q, confidence)
    if math.isnan(found.low):
        return
    law, tail = scipy.stats.binom(n, q), (1 - confidence) / 2
    below, above = law.cdf(found.low - 1), law.sf(found.high - 1)
    assert max(below, above) <= tail + 1e-9
    assert law.cdf(found.low) > tail - 1e-9
    assert law.sf(found.high - 2) > tail - 1e-9


@pytest.mark.parametrize("n", [1, 7, 100, 100_000, 10_000_000])
@pytest.mark.parametrize("q", [1e-6, 0.1, 0.5, 0.99, 0.9999])
def test_the_binomial_law_agrees_with_scipy_stats(n, q):
    """Not with scipy.special.bdtr, which is wrong in the third digit for ten million."""
    counts, below = _binomial(n, q)
    assert below == pytest.approx(scipy.stats.binom(n, q).cdf(counts), abs=1e-9)


def test_values_that_hang_together_tell_less():
    values = np.arange(1, 10_001)
    alone, together = quantile_interval(Ranked(values), 0.9), quantile_interval(Ranked(values), 0.9, effective=100.0)
    assert alone.low > together.low
    assert (together.low, together.high) == (8400, 9501)
    assert quantile_interval(Ranked(values), 0.9, effective=1e9) == alone
    assert math.isnan(quantile_interval(Ranked(values), 0.9, effective=math.nan).low)
