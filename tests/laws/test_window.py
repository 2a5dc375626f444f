"""What is counted in a window: laws of operational analysis that hold in every run to the last request, whatever the window."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import load_text, measure, simulate
from sim.metrics.gauges import Gauges

STATION = """\
version: 1
duration: {duration}s
warmup: {warmup}s
seed: {seed}
record: {{interval: {interval}ms}}
traffic: {{u: {{sends: s.go, arrivals: {arrivals}}}}}
services: {{s: {{workers: {workers}, queue: {{capacity: {capacity}}}, endpoints: {{go: [{{work: {work}}}]}}}}}}
"""

stations = st.fixed_dictionaries(
    {
        "duration": st.integers(20, 60),
        "warmup": st.integers(0, 15),
        "seed": st.integers(1, 99),
        "interval": st.sampled_from([250, 700, 1000]),
        "arrivals": st.sampled_from(
            ["{poisson: 3/s}", "{poisson: 40/s}", "{deterministic: 7/s}", "{closed: {users: 30, think: 100ms}}"]
        ),
        "workers": st.integers(1, 12),
        "capacity": st.sampled_from(["unlimited", 5, 40]),
        "work": st.sampled_from(["200ms", "1s", "{exponential: 300ms}", "{uniform: [10ms, 2s]}"]),
    }
)


def run(text):
    scenario = load_text(text).variants["base"]
    records = simulate(scenario)
    return scenario, records, measure(records, scenario).values


@settings(max_examples=40, deadline=None)
@given(stations)
def test_utilisation_is_throughput_times_service(drawn):
    """U = X S. Each worker has at most one service cut at the beginning of the window, and one at its end."""
    drawn |= {"work": "200ms"}
    _, records, values = run(STATION.format(**drawn))
    window = records.duration - records.warmup
    busy = Gauges(records).mean("s", "busy")
    assert abs(values["throughput"] * 0.2 - busy) * window <= 0.2 * drawn["workers"] + 1e-6


@settings(max_examples=40, deadline=None)
@given(stations)
def test_littles_law_holds_to_the_second(drawn):
    """L T = what those who leave in the window were there in all, less their time before it, and the time of those who are still there."""
    _, records, values = run(STATION.format(**drawn))
    warmup, duration = records.warmup, records.duration
    rows = records.requests[np.isnan(records.requests["end"]) | (records.requests["end"] >= warmup - 1e-9 * duration)]
    left = rows[rows["end"] < duration - 1e-9 * duration]
    there = rows[~(rows["end"] < duration - 1e-9 * duration)]
    shares = sum(values[f"outcome_share({word})"] for word in ("ok", "shed", "in_flight") if values["requests"])
    assert shares == (pytest.approx(1) if values["requests"] else 0)
    served = int((left["outcome"] == 0).sum())
    assert values["throughput"] * (duration - warmup) == pytest.approx(served)
    seconds = (left["end"] - left["arrival"]).sum() - np.maximum(warmup - left["arrival"], 0).sum()
    seconds += (duration - np.maximum(there["arrival"], warmup)).sum()
    inside = Gauges(records).mean("s", "busy") + Gauges(records).mean("s", "queue")
    assert inside * (duration - warmup) == pytest.approx(seconds, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(stations)
def test_the_books_of_a_window_balance(drawn):
    """Inside at the beginning + offered = what left, served or shed, + inside at the end: counted by arrival and by departure."""
    _, records, values = run(STATION.format(**drawn))
    warmup, duration = records.warmup, records.duration
    lines = warmup - 1e-9 * duration, duration - 1e-9 * duration
    end, arrival = np.nan_to_num(records.requests["end"], nan=math.inf), records.requests["arrival"]
    inside = [
        int(((arrival < moment) & (end >= line)).sum()) for moment, line in zip((warmup, duration), lines, strict=True)
    ]
    refused = int(((end >= lines[0]) & (end < lines[1]) & (records.requests["outcome"] != 0)).sum())
    left = round(values["throughput"] * (duration - warmup)) + refused
    assert inside[0] + values["requests"] == left + inside[1]


@pytest.mark.parametrize(("warmup", "rate"), [("30s", 10.0), ("29s", 10.0), ("0s", 590 / 60)])
@pytest.mark.parametrize("keep", ["rows", "summary"])
def test_ten_workers_of_a_second_do_ten_a_second_however_long_the_queue(warmup, rate, keep):
    """Twice the load. They are busy from the first ten arrivals on, which come within half a second; the first answers come in the second second."""
    text = """
        version: 1
        duration: 60s
        traffic: {u: {sends: s.go, arrivals: {deterministic: 20/s}}}
        services: {s: {workers: 10, endpoints: {go: [{work: 1s}]}}}
    """
    scenario = load_text(text, sets=[f"warmup={warmup}", f"record={keep}"]).variants["base"]
    values = measure(simulate(scenario), scenario).values
    assert values["throughput"] == values["goodput"] == values["throughput(s.go)"] == pytest.approx(rate, rel=1e-12)
    assert math.isnan(values["availability"])
    assert (values["offered"], values["availability_most"]) == (pytest.approx(20, abs=0.02), 1)


@pytest.mark.parametrize("users", [20, 100, 800])
@pytest.mark.parametrize("work", ["100ms", "1s"])
def test_a_full_station_is_a_plateau(users, work):
    """Ten workers, all of them always busy, whatever the number of users."""
    text = f"""
        version: 1
        duration: 40s
        warmup: 10s
        traffic: {{u: {{sends: s.go, arrivals: {{closed: {{users: {users}, think: 0s}}}}}}}}
        services: {{s: {{workers: 10, endpoints: {{go: [{{work: {work}}}]}}}}}}
    """
    scenario = load_text(text).variants["base"]
    assert measure(simulate(scenario), scenario).values["throughput"] == {"100ms": 100, "1s": 10}[work]


def test_the_first_arrival_comes_one_gap_after_the_start_and_none_at_the_end():
    """One an hour in 24 hours, [0, end): at 1 h, 2 h, ... 23 h. Served in an hour, the last leaves at the very end, which is no part of the run."""
    text = """
        version: 1
        duration: 24h
        traffic: {users: {sends: s.go, arrivals: {deterministic: 1/h}}}
        services: {s: {workers: 1, endpoints: {go: [{work: 1h}]}}}
    """
    scenario, records, values = run(text)
    assert records.requests["arrival"].tolist() == [3600.0 * hour for hour in range(1, 24)]
    assert (values["requests"], values["throughput"] * scenario.duration) == (23, pytest.approx(22))
    assert values["response_p999"] == 3600.0
