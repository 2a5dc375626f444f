"""A measurement beside a scenario or beside a run, and variants beside each other, by one name."""

from __future__ import annotations

import math

import pytest

import sim
from sim.errors import UsageError

from .loop import measured, shop, write


@pytest.fixture
def file(tmp_path):
    """M/M/1 at 50/s with a mean of 10 ms: a mean response of 20 ms."""
    return write(tmp_path / "a.csv", *measured(8_000, 50, [(1, 0.010)], seed=1))


def run_of(text, rate=50):
    text = text.replace("{poisson: 1/s}", f"{{poisson: {rate}/s}}").replace("duration: 100s", "duration: 160s")
    return sim.run(sim.load_text(text), replications=4, jobs=1)


def test_beside_a_scenario_it_is_what_validate_says(file):
    one = sim.compare(sim.read_measured(file), sim.load_text(shop()), 4, jobs=1)
    other = sim.validate(sim.load_text(shop()), file, replications=4, jobs=1)
    assert [(figure.key, figure.error, figure.finding) for figure in one.figures] == [
        (figure.key, figure.error, figure.finding) for figure in other.figures
    ]


def test_beside_a_run_each_has_its_own_load_and_a_right_model_is_not_refused(file):
    found = sim.compare(sim.read_measured(file), run_of(shop()))
    assert not found.refuted
    assert "nothing is replayed: the run has the load of its scenario, the measurement its own" in found.said
    mean = next(figure for figure in found.figures if figure.key == "response_mean")
    assert mean.measured.low < mean.measured.value < mean.measured.high
    assert mean.measured.value == pytest.approx(0.020, rel=0.2)
    assert mean.error == pytest.approx(mean.simulated.value / mean.measured.value - 1)


def test_a_run_of_another_model_is_refused(file):
    found = sim.compare(sim.read_measured(file), run_of(shop("{exponential: 14ms}")))
    assert found.verdict == "not valid"
    assert {figure.key for figure in found.named("outside")} >= {"response_mean"}


def test_a_short_measurement_tells_less_than_a_run_of_the_same_length(file):
    """A quarter of it varies twice as much: sqrt(4 + 1/4) against sqrt(1 + 1/4), by the rule for means of a stretch."""
    run = run_of(shop())
    whole = sim.compare(sim.read_measured(file), run)
    part = sim.compare(sim.read_measured(file), run, part=sim.fitting.target.Part(begin=0, until=40))
    widths = [
        next(figure.joint for figure in found.figures if figure.key == "response_mean") for found in (part, whole)
    ]
    # warm-up of 5 s in both: 155 s against 35 s and against all of it
    assert widths[0] / widths[1] == pytest.approx(math.sqrt((155 / 35 + 0.25) / (155 / 155 + 0.25)), rel=0.05)


def test_figures_are_a_frame_and_charts_are_drawn(file):
    found = sim.compare(sim.read_measured(file), sim.load_text(shop()), 3, jobs=1)
    frame = found.summary
    assert list(frame.columns) == [
        *("measured", "measured_low", "measured_high", "simulated", "simulated_low", "simulated_high"),
        *("error", "error_low", "error_high", "tolerance", "finding"),
    ]
    row = frame.loc["response_mean"]
    assert row["error_low"] < row["error"] < row["error_high"]
    assert len(found.plot.tail()) == 1
    assert len(found.plot.over_time()) == 2
    assert found.verdict in found._repr_html_()


def test_a_summary_of_requests_has_no_chart_of_its_tail(tmp_path):
    (tmp_path / "a.csv").write_text("percentile,latency_ms\n50,14\n95,60\n99,92\n")
    found = sim.compare(sim.read_measured(str(tmp_path / "a.csv")), run_of(shop()))
    assert {figure.key for figure in found.figures} == {"response_p50", "response_p95", "response_p99"}
    with pytest.raises(UsageError, match="found a summary of requests only"):
        found.plot.tail()


def test_variants_are_compared_as_before():
    text = shop() + "variants:\n  one: {}\n  two: {services: {shop: {workers: 2}}}\n"
    found = sim.compare(sim.load_text(text), ["one", "two"], 2, jobs=1)
    assert list(found.variants) == ["one", "two"]
    assert "response_mean" in found.differences["two"]


def test_what_does_not_go_together_is_told(file):
    measurement = sim.read_measured(file)
    with pytest.raises(UsageError, match="found a measurement alone"):
        sim.compare(measurement)
    with pytest.raises(UsageError, match="measurements and scenarios in one list"):
        sim.compare([measurement, sim.load_text(shop())])
    with pytest.raises(UsageError, match="what was run already has its own; leave them out"):
        sim.compare(measurement, run_of(shop()), 3)
    with pytest.raises(UsageError, match="unknown name 'p999'"):
        sim.compare(measurement, run_of(shop()), tolerances={"p999": 0.1})
