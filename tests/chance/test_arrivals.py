"""Arrival times: how many, how even, in order, within the run, and paired when the load changes."""

import math
from itertools import islice

import numpy as np
import pytest
from chance_shapes import EVERYTHING, RAMP_AND_SPIKE, profile
from scipy import stats

from sim.chance import shared
from sim.chance.arrivals import ArrivalTable, arrival_times, fill_arrivals
from sim.chance.keyed import stream_key
from sim.chance.rates import RateCurve
from sim.chance.shared import machine_code
from sim.errors import UsageError
from sim.spec import arrivals as spec

KEY = stream_key(1, 0, "shoppers")
BURSTS = spec.MarkovModulated(rates=("10/s", "100/s"), stays=("2s", "1s"))
SERIES = spec.Replay(file="x", counts="count", every="10s", data=(100, 0, 300, 40.5))
STAMPS = spec.Replay(file="x", timestamps="at", data=(0.0, 0.25, 0.5, 0.5, 3.0, 10.0))
KINDS = {
    "poisson": spec.Poisson(rate="50/s"),
    "deterministic": spec.Deterministic(rate="50/s"),
    "ramp and spike": RAMP_AND_SPIKE,
    "everything": EVERYTHING,
    "mmpp": BURSTS,
    "rate series": SERIES,
    "timestamps": STAMPS,
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def times(arrivals, duration, key=KEY):
    return np.array(list(arrival_times(arrivals, key, duration)))


@every_kind
@pytest.mark.parametrize("duration", [0.0, 0.5, 123.4, 500.0])
def test_arrivals_are_in_order_and_within_the_run(kind, duration):
    made = times(KINDS[kind], duration)
    assert (np.diff(made) >= 0).all()
    assert (made >= 0).all()
    assert (made < duration).all()
    assert all(type(time) is float for time in islice(arrival_times(KINDS[kind], KEY, duration), 3))


@pytest.mark.long
@every_kind
def test_arrivals_do_not_depend_on_how_they_are_asked_for(kind, monkeypatch):
    """As Python or machine code, in chunks of any size, alone or among other sources; and a longer run begins with the shorter one."""
    whole, fill = times(KINDS[kind], 400.0).tolist(), machine_code(fill_arrivals)
    with monkeypatch.context() as patch:
        patch.setattr(shared, "_worth_it", True)
        assert times(KINDS[kind], 400.0).tolist() == whole
    table = ArrivalTable()
    table.add(spec.Poisson(rate="1/s"), "others")
    table.add(EVERYTHING, "more")
    table.add(STAMPS, "recorded")
    source = table.add(KINDS[kind], "shoppers")
    state = table.arrays(1, 0, 400.0)
    pieced = []
    for size in [1, 2, 3, 1000, 7] * 20_000:
        out = np.empty(size)
        count = fill(*state, source, out, out.size)
        pieced += out[:count].tolist()
        if count < size:
            break
    assert pieced == whole
    assert fill(*state, source, np.empty(5), 5) == 0
    assert times(KINDS[kind], 200.0).tolist() == [time for time in whole if time < 200]


def test_poisson_gaps_are_exponential_and_independent():
    gaps = np.diff(times(spec.Poisson(rate="100/s"), 1000.0))
    assert stats.kstest(gaps, stats.expon(scale=0.01).cdf).pvalue > 1e-3
    assert abs(stats.spearmanr(gaps[:-1], gaps[1:]).statistic) < 4 / math.sqrt(gaps.size)


def dispersion(made, duration, window):
    counts = np.histogram(made, np.arange(0, duration + window / 2, window))[0]
    return counts.var() / counts.mean(), counts.size


def test_poisson_counts_have_an_index_of_dispersion_of_1():
    index, windows = dispersion(times(spec.Poisson(rate="100/s"), 4000.0), 4000.0, 1.0)
    assert abs(index - 1) < 4 * math.sqrt(2 / windows)


@pytest.mark.long
def test_bursts_have_the_mean_and_the_index_of_dispersion_of_the_formula():
    """semantics.md 11.3, with the exact value for a window of finite length."""
    duration, window = 80_000.0, 20.0
    (slow, fast), (leave_slow, leave_fast) = BURSTS.rates, (1 / stay for stay in BURSTS.stays)
    pace = leave_slow + leave_fast
    weight = slow * leave_fast + fast * leave_slow
    limit = 2 * leave_slow * leave_fast * (slow - fast) ** 2 / (pace**2 * weight)
    expected = 1 + limit * (1 - (1 - math.exp(-pace * window)) / (pace * window))
    made = times(BURSTS, duration)
    index, windows = dispersion(made, duration, window)
    assert abs(index / expected - 1) < 4 * math.sqrt(2 / windows) * 1.2
    assert abs(made.size / duration - weight / pace) < 4 * math.sqrt(weight / pace * (1 + limit) / duration)


def test_bursts_keep_their_stays_when_the_load_changes():
    """Stays are drawn on a stream of their own: at ten times the rate the same bursts come at the same time."""
    quiet, loud = (
        spec.MarkovModulated(rates=("0/s", "100/s"), stays=("5s", "5s")),
        spec.MarkovModulated(rates=("0/s", "1000/s"), stays=("5s", "5s")),
    )
    seconds = np.arange(0, 501)
    silent = [np.histogram(times(bursts, 500.0), seconds)[0] == 0 for bursts in (quiet, loud)]
    assert (silent[0] == silent[1]).mean() > 0.97
    assert 0.2 < silent[1].mean() < 0.8


def test_counts_of_a_ramp_a_plateau_and_a_spike():
    """Golden case T18b: within 3 sigma."""
    counts = np.histogram(times(RAMP_AND_SPIKE, 180.0), [0, 60, 120, 125, 180])[0]
    for count, expected in zip(counts, (3300, 6000, 2500, 5500), strict=True):
        assert abs(count - expected) < 3 * math.sqrt(expected)


def test_counts_of_a_wave_are_poisson():
    """The case qt_nhpp of queueing-tool: rate .5 + 4 sin^2(pi t / 12) is a wave of mean 2.5 and amplitude 80 %."""
    wave = profile({"diurnal": {"mean": "2.5/s", "amplitude": 0.8, "period": "12s", "phase": "3s"}})
    runs = 2000
    counts = np.array(
        [np.histogram(times(wave, 12.0, stream_key(1, run, "shoppers")), [3, 8, 12])[0] for run in range(runs)]
    )
    for observed, expected in zip(counts.T, (19.627692, 6.69202663), strict=True):
        assert abs(observed.mean() - expected) < 4 * math.sqrt(expected / runs)
        assert abs(observed.var() / expected - 1) < 4 * math.sqrt((2 + 1 / expected) / runs)
    assert abs(np.corrcoef(counts.T)[0, 1]) < 4 / math.sqrt(runs)


def unit_points(count):
    """The points of rate one that all random sources of KEY share."""
    return np.array(list(islice(arrival_times(spec.Poisson(rate="1/s"), KEY, math.inf), count)))


@pytest.mark.parametrize("scale", ["1x", "2x", "0.3x"])
def test_every_arrival_stands_where_the_cumulative_rate_reaches_its_point(scale):
    """So arrivals stay paired: at twice the load the same luck arrives where the mass is half."""
    scaled = EVERYTHING.model_copy(update={"times": float(scale[:-1])})
    curve = RateCurve(scaled)
    made = times(scaled, 500.0)
    assert np.array([curve.mass(time) for time in made]) == pytest.approx(unit_points(made.size), abs=1e-7)


def test_twice_the_rate_halves_every_time():
    once, twice = times(profile({"rate": "50/s"}), 100.0), times(profile({"rate": "50/s"}, times="2x"), 50.0)
    assert twice == pytest.approx(once / 2, rel=1e-14)
    assert times(spec.Poisson(rate="50/s"), 100.0).tolist() == once.tolist()


def test_a_piece_is_searched_to_the_last_digits():
    """Hard places: a wave that touches zero, a decay to nothing, a start in the far future."""
    for shape in (
        profile({"for": "100000s", "rate": "0/s"}, {"diurnal": {"mean": "3/s", "amplitude": 1, "period": "10s"}}),
        profile({"flash_crowd": {"base": "0/s", "peak": "1000/s", "rise": "1s", "decay": "20s"}}),
        profile({"flash_crowd": {"base": "100/s", "peak": "0/s", "rise": "10s", "decay": "5s"}}),
    ):
        curve, made = RateCurve(shape), np.array(list(islice(arrival_times(shape, KEY, 101_000.0), 5_000)))
        assert np.array([curve.mass(time) for time in made]) == pytest.approx(unit_points(made.size), abs=1e-5)


def test_a_crowd_that_decays_to_nothing_ends():
    crowd = profile({"flash_crowd": {"base": "0/s", "peak": "1000/s", "rise": "1s", "decay": "20s"}})
    made = times(crowd, math.inf)
    assert abs(made.size - 20_500) < 4 * math.sqrt(20_500)


def test_deterministic_arrivals_begin_one_gap_after_the_start():
    assert times(spec.Deterministic(rate="4/s"), 1.1).tolist() == [0.25, 0.5, 0.75, 1.0]
    assert times(spec.Deterministic(rate="4/s"), 1.0).tolist() == [0.25, 0.5, 0.75]
    assert times(spec.Deterministic(rate="10/s"), 1e4)[-1] == 99_999 / 10


def test_recorded_timestamps_come_as_they_were_in_order_and_faster():
    assert times(STAMPS, 100.0).tolist() == [0.0, 0.25, 0.5, 0.5, 3.0, 10.0]
    assert times(STAMPS, 10.0).tolist() == [0.0, 0.25, 0.5, 0.5, 3.0]
    assert times(STAMPS.model_copy(update={"speed": 2.0}), 100.0).tolist() == [0.0, 0.125, 0.25, 0.25, 1.5, 5.0]
    assert times(STAMPS.model_copy(update={"data": spec.Rows(values=(3.0, 1.0))}), 100.0).tolist() == [1.0, 3.0]


def test_a_recorded_rate_series_gives_its_counts():
    made = times(SERIES.model_copy(update={"times": 10.0}), 1000.0)
    counts = np.histogram(made, [0, 10, 20, 30, 40])[0]
    assert counts[1] == 0
    assert counts.sum() == made.size
    for count, expected in zip(counts, (1000, 0, 3000, 405), strict=True):
        assert abs(count - expected) <= 4 * math.sqrt(expected)


@pytest.mark.parametrize(
    "silent",
    [
        spec.Poisson(rate="0/s"),
        spec.Deterministic(rate="0/s"),
        profile({"rate": "0/s"}),
        profile({"for": "5s", "rate": "0/s"}, {"for": "5s", "from": "0/s", "to": "0/s"}),
        profile({"rate": "5/s"}, times="0x"),
        profile({"diurnal": {"mean": "5/s", "amplitude": 1}}, times="0x"),
        profile({"flash_crowd": {"base": "0/s", "peak": "0/s"}}),
        spec.MarkovModulated(rates=("0/s", "0/s"), stays=("1s", "1s")),
        spec.Replay(file="x", rates="n", every="1s", data=(0, 0)),
        spec.Replay(file="x", timestamps="at", data=()),
    ],
)
def test_what_has_no_rate_never_arrives(silent):
    assert times(silent, 1000.0).size == 0


def test_memory_is_bounded_by_a_chunk():
    endless = arrival_times(spec.Poisson(rate="1000000/s"), KEY, math.inf)
    assert next(endless) < next(endless)


class Doorbell(spec.Arrivals):
    def arrival_times(self, uniform, duration):
        return (k + uniform(k, 0) for k in range(int(duration)))


def test_a_plug_ins_arrivals_are_its_own():
    made = times(Doorbell(), 10.0)
    assert [int(time) for time in made] == list(range(10))


def test_a_recording_that_was_not_read_is_an_error():
    with pytest.raises(UsageError, match="has not been read"):
        times(spec.Replay(file="x.csv", timestamps="at"), 10.0)
