"""Limits that stay within what a figure can be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chance.resampling import Resampling
from sim.stats.batches import batch_interval
from sim.stats.bounds import NOT_NEGATIVE, SHARE, UNBOUNDED, Bounds, clipped, within
from sim.stats.mean import mean_interval


def test_a_worked_example_of_wilson():
    """8 of 10 at z = 1.96: Wilson's interval is [0.490, 0.943] (Brown, Cai and DasGupta 2001). Student's half-width takes the place of z sqrt(pq / n)."""
    assert within(0.8, 1.959964 * np.sqrt(0.8 * 0.2 / 10), SHARE) == pytest.approx((0.490162, 0.943318), abs=1e-6)


def test_a_worked_example_of_a_count():
    """16 events at z = 1.96: (16 - m)^2 = z^2 m, so m = 16 + z^2 / 2 -+ z sqrt(16 + z^2 / 4) = 17.9207 -+ 8.0717."""
    assert within(16.0, 1.959964 * 4.0, NOT_NEGATIVE) == pytest.approx((9.8490, 25.9924), abs=1e-4)


def test_well_inside_it_is_students():
    """A share of one half, and a time with an error of 3 %: what is shifted is a fiftieth of the half-width."""
    assert within(0.5, 0.02, SHARE) == pytest.approx((0.48, 0.52), abs=5e-5)
    low, high = within(1.0, 0.03, NOT_NEGATIVE)
    assert ((high + low) / 2 - 1.0) / 0.03 < 0.02


@given(st.floats(0.0, 1.0), st.floats(0.0, 100.0))
def test_a_share_stays_a_share_and_its_limits_hold_it(value, half):
    low, high = within(value, half, SHARE)
    assert 0.0 <= low <= value <= high <= 1.0 or value in (0.0, 1.0)


@given(st.floats(1e-6, 1e6), st.floats(0.0, 1e6))
def test_a_time_is_never_negative(value, half):
    low, high = within(value, half, NOT_NEGATIVE)
    assert 0.0 <= low <= value * (1 + 1e-12)
    assert high >= value * (1 - 1e-12)


@given(st.floats(0.001, 0.999), st.floats(0.001, 2.0))
def test_a_share_and_the_rest_mirror_each_other(value, half):
    low, high = within(value, half, SHARE)
    assert within(1.0 - value, half, SHARE) == pytest.approx((1.0 - high, 1.0 - low), abs=1e-9)


def test_equal_values_have_no_width_at_a_bound_either():
    for value in (0.0, 1.0, 0.3):
        found = mean_interval([value] * 4, bounds=SHARE)
        assert found.low == found.value == found.high


def test_what_does_not_keep_to_its_bounds_has_students_limits():
    assert within(1.2, 0.1, SHARE) == pytest.approx((1.1, 1.3))
    assert within(-1.0, 0.5, UNBOUNDED) == (-1.5, -0.5)


def test_bootstrap_limits_are_cut():
    values = [0.0, 0.0, 0.0, 0.9, 1.0, 1.0, 1.0, 1.0]
    found = mean_interval(values, 0.99, resamples=Resampling(7), bounds=SHARE)
    assert 0.0 <= found.low < found.value < found.high <= 1.0
    assert clipped(-0.2, 1.3, SHARE) == (0.0, 1.0)


def test_batches_of_a_share_stay_a_share():
    pieces = np.ones(60)
    pieces[::7] = 0.9
    found = batch_interval(float(pieces.mean()), pieces, 0.9999, SHARE)
    assert found.low < found.value < found.high <= 1.0


def test_bounds_need_not_be_those_of_a_share():
    low, high = within(90.0, 30.0, Bounds(0.0, 100.0))
    assert (low / 100, high / 100) == pytest.approx(within(0.9, 0.3, SHARE))


def test_the_spread_of_single_runs_stands_beside_the_interval():
    """1, 2, 3, 10: sample deviation sqrt(50 / 3)."""
    found = mean_interval([1.0, 2.0, 3.0, 10.0, np.nan])
    assert (found.least, found.most, found.n) == (1.0, 10.0, 4)
    assert found.deviation == pytest.approx((50 / 3) ** 0.5)
