"""Batch means of one run: an interval where the parts are independent, none where they are not."""

import math

import numpy as np
import pytest

from sim.stats.batches import BATCHES, PIECES, batch_interval, batched, effective_size, independent, lag_one

from .known import coverage, responses


def autoregressive(correlation: float, n: int = PIECES, seed: int = 1) -> np.ndarray:
    generator = np.random.default_rng(seed)
    values = np.zeros(n)
    for place in range(1, n):
        values[place] = correlation * values[place - 1] + generator.normal()
    return values


def test_lag_one_of_what_is_known():
    assert lag_one([1.0, -1.0] * 30) == pytest.approx(-59 / 60)
    assert lag_one([5.0] * 60) == 0.0
    assert lag_one(autoregressive(0.8, 20_000)) == pytest.approx(0.8, abs=0.02)


def test_parts_that_hang_together_give_no_interval():
    assert independent(autoregressive(0.0))
    assert not independent(autoregressive(0.9))
    found = batch_interval(3.0, autoregressive(0.9))
    assert found.value == 3.0
    assert math.isnan(found.low)


def test_a_part_without_a_value_and_too_few_parts_give_none():
    assert math.isnan(batch_interval(1.0, [1.0, math.nan] * 30).low)
    assert not independent([1.0, 2.0] * 9)
    assert math.isnan(batch_interval(math.nan, np.zeros(PIECES)).low)


def test_parts_that_are_all_equal_are_certain():
    found = batch_interval(1.0, np.ones(PIECES))
    assert (found.low, found.high) == (1.0, 1.0)


def test_the_interval_is_that_of_ten_batches():
    pieces = autoregressive(0.0)
    means = pieces.reshape(BATCHES, -1).mean(axis=1)
    found = batch_interval(float(pieces.mean()), pieces)
    assert found.half_width == pytest.approx(2.262157 * means.std(ddof=1) / math.sqrt(10), rel=1e-5)
    assert batched(np.arange(63.0))[0] == np.arange(3.0, 9.0).mean()


def test_a_run_that_is_too_short_mostly_gets_no_interval_instead_of_a_wrong_one():
    """1,000 customers at a load of 0.9: thirty batches, unchecked, would cover a third of the time what they promise to cover nearly always."""
    runs = responses(1, 400, 1000, load=0.9)
    intervals = [batch_interval(float(run[:960].mean()), run[:960].reshape(PIECES, -1).mean(axis=1)) for run in runs]
    given = [interval for interval in intervals if not math.isnan(interval.low)]
    assert len(given) < 0.05 * len(runs)
    wrong = len(given) * (1 - coverage(given, 10.0)) if given else 0
    assert wrong < 0.05 * len(runs)


def test_independent_values_are_worth_nearly_themselves_and_related_ones_less():
    generator = np.random.default_rng(1)
    values = generator.random((200, PIECES, 100)) <= 0.9
    sizes = [effective_size(run.mean(axis=1), 0.9, 6000) for run in values]
    known = [size for size in sizes if not math.isnan(size)]
    price = (1.959964 / 2.262157) ** 2
    assert np.median(known) == pytest.approx(6000 * price, rel=0.1)
    assert max(known) <= 6000
    tenfold = [effective_size(np.repeat(run[:, :10], 10, axis=1).mean(axis=1), 0.9, 6000) for run in values]
    assert np.nanmedian(tenfold) == pytest.approx(600 * price, rel=0.2)


def test_a_share_of_all_or_nothing_says_nothing():
    assert math.isnan(effective_size(np.ones(PIECES), 1.0, 100))
    assert effective_size(np.full(PIECES, 0.5), 0.5, 100) == 100
