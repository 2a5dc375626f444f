"""Intervals from a single run, and the series by which it is seen to settle."""

import math

import numpy as np
import pytest

from sim import load_text, measure, simulate
from sim.metrics.settling import POINTS, RESPONSE, settling_series
from sim.metrics.within import AVERAGES, within_run
from sim.vocabulary import METRICS

from .building import records, request

STATION = """\
version: 1
duration: 400s
warmup: 10s
seed: 4
traffic: {clients: {sends: station.serve, arrivals: {poisson: 50/s}}}
services: {station: {workers: 1, endpoints: {serve: [{work: {exponential: 10ms}}]}}}
"""


def ran(text: str = STATION, *sets: str):
    scenario = next(iter(load_text(text, sets=sets).variants.values()))
    run = simulate(scenario)
    whole = measure(run, scenario)
    return whole, within_run(run, scenario, whole)


@pytest.fixture(scope="module")
def long_run():
    return ran()


def test_means_rates_shares_and_percentiles_have_intervals(long_run):
    """M/M/1 at a load of a half: mean 20 ms, percentiles of an exponential, half of the time busy."""
    whole, found = long_run
    truth = {
        "response_mean": 0.020,
        "response_p50": 0.020 * math.log(2),
        "response_p99": 0.020 * math.log(100),
        "offered": 50.0,
    }
    for key, value in {**truth, "utilisation(station)": 0.5, "queue_mean(station)": 0.5}.items():
        assert found[key].value == whole.values[key]
        assert found[key].low < value < found[key].high
        assert found[key].half_width < 0.25 * value


def test_a_route_has_the_interval_of_all_where_it_is_the_only_one(long_run):
    found = long_run[1]
    assert found["response_p99(station.serve)"] == found["response_p99"]
    assert found["response_mean(station.serve)"] == found["response_mean"]


def test_what_never_varies_is_certain(long_run):
    assert long_run[1]["wasted_work"].half_width == 0.0


def test_counts_of_the_whole_run_and_largest_values_have_none(long_run):
    assert not {"lost_orders", "utilisation_max", "recovery_time", "lag_max", "cost"} & {
        key.partition("(")[0] for key in long_run[1]
    }
    assert METRICS.keys() >= AVERAGES


def test_a_run_that_hangs_together_has_no_interval_of_what_hangs_together():
    """Twenty seconds at a load of 0.95 are one busy period; how many came is known well enough."""
    _, found = ran(STATION, "duration=30s", "traffic.clients.arrivals.poisson=95/s")
    assert "response_mean" not in found
    assert "response_p99" not in found
    assert "offered" in found


@pytest.mark.parametrize(
    "unsteady",
    [
        "faults=[{at: 20s, for: 5s, outage: station}]",
        "traffic.clients.arrivals={profile: [{from: 1/s, to: 9/s, for: 30s}]}",
    ],
)
def test_an_unsteady_run_has_none(unsteady):
    assert ran(STATION, "duration=40s", unsteady)[1] == {}


def test_few_requests_have_none():
    _, found = ran(STATION, "duration=30s", "traffic.clients.arrivals.poisson=1/s")
    assert "response_mean" not in found
    assert "response_p50" not in found


def test_the_series_goes_by_the_answers():
    """1,000 s in thousandths: two answered in the first second after 0.2 and 0.4 s, one in the last; nobody is counted who was not answered."""
    run = records([request(0.1, 0.2), request(0.2, 0.4), request(990.0, 9.5), request(5.0, math.nan)], duration=1000.0)
    series = settling_series(run).frame()
    assert len(series) == POINTS
    assert series[RESPONSE].iloc[0] == pytest.approx(0.3)
    assert series[RESPONSE].iloc[999] == pytest.approx(9.5)
    assert np.isnan(series[RESPONSE].iloc[1:999]).all()
    assert series.index[999] == pytest.approx(999.0)
