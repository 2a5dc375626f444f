"""Rates over time: their shapes, their averages, their peaks."""

import math
from itertools import pairwise

import numpy as np
import pytest
from chance_shapes import EVERYTHING, RAMP_AND_SPIKE, profile
from scipy.integrate import quad

from sim.chance.rates import RateCurve, mean_rate, peak_rate
from sim.errors import UsageError
from sim.spec import arrivals as spec


def rate_at(arrivals, time):
    return RateCurve(arrivals).rate(time)


def test_counts_of_a_ramp_a_plateau_and_a_spike_are_the_integral():
    """Golden case T18b."""
    curve = RateCurve(RAMP_AND_SPIKE)
    counts = [curve.mass(end) - curve.mass(start) for start, end in ((0, 60), (60, 120), (120, 125), (125, 180))]
    assert counts == pytest.approx([3300, 6000, 2500, 5500])
    assert curve.peak(180) == 500
    assert curve.peak(100) == 100
    assert curve.mean(0, 180) == pytest.approx(17300 / 180)


@pytest.mark.parametrize("times", ["1x", "3x", "0x"])
def test_the_mean_rate_is_the_integral_of_the_rate(times):
    curve = RateCurve(EVERYTHING.model_copy(update={"times": float(times[:-1])}))
    bends = [0, 50, 150, 180, 350, 360, 400, 420, 500]
    for start, end in pairwise(bends):
        integral, _ = quad(curve.rate, start + 1e-9, end - 1e-9, limit=200)
        assert curve.mean(start, end) * (end - start) == pytest.approx(integral, rel=1e-6, abs=1e-6)
    grid = np.linspace(0, 500, 20_001)
    assert curve.peak(500) == pytest.approx(max(curve.rate(t) for t in grid), rel=1e-3, abs=1e-12)


def test_a_profile_goes_on_with_its_final_rate():
    assert rate_at(profile({"for": "10s", "from": "0/s", "to": "8/s"}), 1000) == pytest.approx(8)
    assert rate_at(
        profile({"for": "15s", "diurnal": {"mean": "10/s", "amplitude": 0.5, "period": "60s"}}), 1000
    ) == pytest.approx(15)
    assert rate_at(profile({"diurnal": {"mean": "10/s", "amplitude": 0.5, "period": "60s"}}), 75) == pytest.approx(15)
    assert rate_at(profile({"for": "60s", "flash_crowd": {"base": "1/s", "peak": "9/s"}}), 1000) == pytest.approx(9)


def test_a_wave_counts_its_time_from_the_start_of_its_segment():
    wave = {"diurnal": {"mean": "10/s", "amplitude": 0.5, "period": "60s"}}
    assert rate_at(profile({"for": "17s", "rate": "1/s"}, wave), 17 + 15) == pytest.approx(15)


def test_a_flash_crowd_rises_in_a_line_and_falls_exponentially():
    crowd = profile({"flash_crowd": {"base": "10/s", "peak": "110/s", "rise": "60s", "decay": "100s"}})
    assert rate_at(crowd, 30) == pytest.approx(60)
    assert rate_at(crowd, 160) == pytest.approx(10 + 100 / math.e)
    assert peak_rate(crowd, 1000) == pytest.approx(110)
    assert peak_rate(crowd, 30) == pytest.approx(60)


def test_steady_sources_have_their_rate():
    for steady in (spec.Poisson(rate="5/s"), spec.Deterministic(rate="5/s")):
        assert rate_at(steady, 3) == mean_rate(steady, 1, 7) == peak_rate(steady, 10) == 5
        assert mean_rate(steady, 4, 4) == 5


def test_a_modulated_source_starts_in_its_first_state_and_forgets_it():
    bursts = spec.MarkovModulated(rates=("10/s", "100/s"), stays=("20s", "10s"))
    assert rate_at(bursts, 0) == pytest.approx(10)
    assert rate_at(bursts, 1e6) == pytest.approx(40)
    assert peak_rate(bursts, 10) == 100
    integral, _ = quad(lambda t: rate_at(bursts, t), 0, 30)
    assert mean_rate(bursts, 0, 30) * 30 == pytest.approx(integral)


def test_a_recorded_rate_series_is_scaled_by_times_and_squeezed_by_speed():
    def series(**more):
        return spec.Replay(file="x", counts="count", every="10s", data=(100, 0, 300), **more)

    assert [rate_at(series(), t) for t in (5, 15, 25, 35)] == [10, 0, 30, 0]
    assert [rate_at(series(times="2x"), t) for t in (5, 15, 25)] == [20, 0, 60]
    assert [rate_at(series(speed="2x"), t) for t in (2, 7, 12, 16)] == [20, 0, 60, 0]
    assert mean_rate(series(speed="2x"), 0, 15) * 15 == pytest.approx(400)
    assert peak_rate(series(), 20) == 10
    assert peak_rate(series(times="0x"), 100) == 0


def test_recorded_rates_hold_and_recorded_counts_are_spread_over_their_interval():
    rows = spec.Rows(values=(100, 120, 60), lengths=(60, 30, 60), after=10)
    rates, counts = spec.Replay(file="x", rates="n", data=rows), spec.Replay(file="x", counts="n", data=rows)
    assert [rate_at(rates, t) for t in (5, 15, 75, 105, 161)] == [0, 100, 120, 60, 0]
    assert mean_rate(rates, 10, 160) * 150 == pytest.approx(100 * 60 + 120 * 30 + 60 * 60)
    assert [rate_at(counts, t) for t in (5, 75, 105)] == [0, 120 / 30, 1]
    assert mean_rate(counts, 0, 200) * 200 == pytest.approx(280)
    assert rates.end == counts.end == 160


def test_recorded_timestamps_are_counted():
    stamps = spec.Replay(file="x", timestamps="at", data=(0, 0.25, 0.5, 3.0, 10.0), speed="2x")
    assert mean_rate(stamps, 0, 1) == 3
    assert peak_rate(stamps, 100) == 3
    assert rate_at(stamps, 1.7) == 1
    assert rate_at(stamps, 4) == 0


def test_what_has_no_rate_of_its_own_says_so():
    with pytest.raises(UsageError, match="closed"):
        mean_rate(spec.Closed(users=5, think="1s"), 0, 10)
    with pytest.raises(UsageError, match="has not been read"):
        mean_rate(spec.Replay(file="x.csv", rates="n", every="1s"), 0, 10)
