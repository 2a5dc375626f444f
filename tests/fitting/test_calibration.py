"""What is fitted is what the data was made with, within its interval; what the data cannot tell is not fitted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sim.errors import UsageError
from sim.fitting import fit
from sim.fitting.parameters import exact, parameter_of, scaled, written
from sim.report.calibration import fit_json, render_fit
from sim.spec import load_text

from .loop import TWO, measured, shop, write


def values(found):
    return {one.parameter.name: one for one in found.fitted}


@pytest.mark.long
def test_the_work_of_a_station_is_found_within_its_interval(tmp_path):
    """M/M/1, half busy: 4,000 services of 10 ms tell their mean to 1.6 %, one standard error."""
    file = write(tmp_path / "a.csv", *measured(4_000, 50, [(1, 0.010)], seed=1))
    found = fit(load_text(shop("{exponential: 3ms}")), file, ["shop.get.work"])
    one = values(found)["shop.get.work"]
    assert one.low <= 0.010 <= one.high
    assert one.high / one.low < 1.2
    assert found.shows
    assert one.value == pytest.approx(0.010, rel=0.08)


@pytest.mark.long
def test_a_range_is_fitted_from_its_middle_on_and_other_ranges_stay(tmp_path):
    file = write(tmp_path / "a.csv", *measured(2_000, 50, [(1, 0.010)], seed=1))
    text = shop("{exponential: {between: [2ms, 30ms]}}")
    study = load_text(text + "  other: {workers: {between: [1, 3]}, endpoints: {x: [{work: 7ms}]}}\n")
    found = fit(study, file, ["shop.get.work"], replications=6, engine="simpy")
    one = values(found)["shop.get.work"]
    assert one.low <= 0.010 <= one.high
    assert "workers: {between: [1, 3]}" in found.text
    assert "between: [2ms, 30ms]" not in found.text


@pytest.mark.long
def test_intervals_hold_what_they_promise(tmp_path):
    """Of 20 independent measurements some 19 of the 95 % intervals hold the value: fewer than 16 is a chance of one in 400."""
    held = 0
    for seed in range(20):
        file = write(tmp_path / f"{seed}.csv", *measured(2_000, 60, [(1, 0.010)], seed=100 + seed))
        one = values(fit(load_text(shop("{exponential: 3ms}")), file, ["shop.get.work"], replications=12))[
            "shop.get.work"
        ]
        held += one.low <= 0.010 <= one.high
    assert held >= 16


@pytest.mark.long
def test_workers_are_found_where_they_are_busy(tmp_path):
    """How full it happened to be says little; but who found three others waited for nobody, and who found four did."""
    file = write(tmp_path / "a.csv", *measured(12_000, 340, [(4, 0.010)], seed=2))
    found = fit(
        load_text(shop("{exponential: 5ms}", workers=8)), file, ["shop.get.work", "shop.workers=1..16"], replications=10
    )
    assert values(found)["shop.workers"].value == 4
    assert values(found)["shop.workers"].low >= 4 >= values(found)["shop.workers"].high
    assert values(found)["shop.get.work"].low <= 0.010 <= values(found)["shop.get.work"].high
    assert "workers: 4  # threads; fitted to 12,000 requests: 4" in found.text


@pytest.mark.long
def test_workers_that_are_never_all_busy_are_not_fitted(tmp_path):
    """0.2 are busy on average: of 4,000 requests some 70 find two others, and would wait if two workers were all; five
    find three.
    """
    file = write(tmp_path / "a.csv", *measured(4_000, 20, [(4, 0.010)], seed=3))
    found = fit(
        load_text(shop("{exponential: 5ms}", workers=8)), file, ["shop.get.work", "shop.workers=2..16"], replications=10
    )
    assert [one.parameter.name for one in found.untold] == ["shop.workers"]
    assert "anything from 3 on would show the same" in render_fit(found)
    assert "workers: 8  # threads\n" in found.text
    assert values(found)["shop.get.work"].low <= 0.010 <= values(found)["shop.get.work"].high


@pytest.mark.long
def test_two_tiers_are_told_apart_by_their_queues(tmp_path):
    file = write(tmp_path / "a.csv", *measured(12_000, 75, [(1, 0.010), (1, 0.006)], seed=4))
    found = fit(load_text(TWO), file, ["a.x.work", "b.x.work"], replications=12)
    its = values(found)
    ends = sorted(((its[name].low, its[name].high) for name in its), reverse=True)
    assert ends[0][0] <= 0.010 <= ends[0][1]
    assert ends[-1][0] <= 0.006 <= ends[-1][1]
    assert found.exchangeable in ((), (("a.x.work", "b.x.work"),))


@pytest.mark.long
def test_two_times_in_a_row_of_which_only_the_sum_shows_are_not_both_fitted(tmp_path):
    """Constants of 4 and 6 ms at next to no load: every answer takes 10 ms, whichever of the two is the longer."""
    rng = np.random.default_rng(5)
    arrival = np.cumsum(rng.uniform(0.05, 0.15, 1_500))
    file = write(tmp_path / "a.csv", arrival, 0.010 + rng.exponential(0.0001, 1_500))
    text = TWO.replace("{work: {exponential: 5ms}}", "{work: 3ms}, {work: {exponential: 0.1ms}}", 1).replace(
        "{work: {exponential: 5ms}}", "{work: 3ms}"
    )
    found = fit(load_text(text), file, ["a.x.work", "b.x.work"], replications=8)
    assert [one.parameter.name for one in found.untold] in (["a.x.work"], ["b.x.work"])
    assert "only together with" in found.untold[0].why
    assert found.fitted[0].value == pytest.approx(0.007, rel=0.01)  # 10 ms less the 3 ms that stand there


@pytest.mark.long
def test_what_no_figure_answers_to_is_not_fitted(tmp_path):
    file = write(tmp_path / "a.csv", *measured(1_000, 20, [(1, 0.010)], seed=6))
    text = shop("{exponential: 3ms}") + "  other: {workers: 1, endpoints: {x: [{work: 7ms}]}}\n"
    found = fit(load_text(text), file, ["shop.get.work", "other.x.work"], replications=8)
    assert [(one.parameter.name, one.why) for one in found.untold] == [
        ("other.x.work", "nothing that was measured answers to it")
    ]
    assert "7ms" in found.text


@pytest.mark.long
def test_a_model_that_cannot_show_it_says_so(tmp_path):
    """Measured: 1 ms for most, a second for one in fifty. No exponential has both."""
    rng = np.random.default_rng(7)
    file = write(
        tmp_path / "a.csv", np.cumsum(rng.exponential(1.0, 2_000)), np.where(rng.random(2_000) < 0.02, 0.9, 0.001)
    )
    found = fit(load_text(shop("{exponential: 3ms}")), file, ["shop.get.work"], replications=8)
    assert not found.shows
    assert "does not show what was measured whatever its values" in render_fit(found)


@pytest.mark.long
def test_a_stand_in_is_free_by_default_with_its_spread_and_the_file_stays_the_authors(tmp_path):
    """Lognormal of mean 20 ms and cv 0.5, unloaded. The file comes back with other values in two lines, and nothing else changed."""
    rng = np.random.default_rng(8)
    sigma = np.sqrt(np.log1p(0.25))
    response = rng.lognormal(np.log(0.020) - sigma**2 / 2, sigma, 3_000)
    file = write(tmp_path / "a.csv", np.cumsum(rng.exponential(1.0, 3_000)), response)
    text = shop("5ms  # TO BE SUPPLIED: the time that a request takes here", workers=50)
    study = load_text(text)
    found = fit(study, file, replications=8)
    its = values(found)
    assert its["shop.get.work"].value == pytest.approx(0.020, rel=0.03)
    assert its["shop.get.work.cv"].value == pytest.approx(0.5, rel=0.15)
    before, after = text.splitlines(), found.text.splitlines()
    assert [line for line, old in zip(after, before, strict=True) if line != old] == [after[9]]
    assert after[9].startswith("        - work: {lognormal: {mean: ")
    assert "TO BE SUPPLIED" not in found.text
    assert "# fitted to 3,000 requests: " in after[9]
    assert fit(load_text(found.text), file, ["shop.get.work"], replications=8).shows


def test_nothing_free_and_wrong_paths_are_told(tmp_path):
    file = write(tmp_path / "a.csv", *measured(500, 20, [(1, 0.010)], seed=9))
    with pytest.raises(UsageError, match="nothing is free: no time is marked TO BE SUPPLIED"):
        fit(load_text(shop()), file)
    with pytest.raises(UsageError, match=r"no such value; did you mean 'shop.get.work'"):
        fit(load_text(shop()), file, ["shop.get.wrk"])
    with pytest.raises(UsageError, match="the smaller first"):
        fit(load_text(shop()), file, ["shop.get.work=1s..1ms"])
    with pytest.raises(UsageError, match="is free already"):
        fit(load_text(shop()), file, ["shop.get.work", "services.shop.endpoints.get.0.work"])


@pytest.mark.long
def test_values_given_from_outside_are_handed_back_as_settings(tmp_path):
    file = write(tmp_path / "a.csv", *measured(800, 20, [(1, 0.010)], seed=9))
    study = load_text(shop(), sets=["services.shop.endpoints.get.0.work={exponential: 4ms}"])
    found = fit(study, file, ["shop.get.work"], replications=8)
    assert found.text is None
    assert found.sets[0].startswith("services.shop.endpoints.get.0.work={exponential: ")
    assert json.loads(fit_json(found))["sets"] == list(found.sets)


# ---- parameters


def test_a_time_is_scaled_in_its_own_form():
    assert scaled({"lognormal": {"mean": "10ms", "p99": "40ms"}}, 1.5) == {"lognormal": {"mean": "15ms", "p99": "60ms"}}
    assert scaled({"gamma": {"mean": "1s", "cv": 0.5}}, 0.5) == {"gamma": {"mean": "500ms", "cv": 0.5}}
    assert scaled({"uniform": ["1ms", "3ms"]}, 2) == {"uniform": ["2ms", "6ms"]}
    assert exact(0.0123456789) == "12.3457ms"


def test_a_parameter_is_the_mean_of_what_stands_there_and_its_spread_a_second_one():
    document = {
        "services": {"a": {"workers": 3, "endpoints": {"x": [{"call": "b.y"}, {"work": {"uniform": ["1ms", "3ms"]}}]}}}
    }
    work, spread, workers = (
        parameter_of(name, document, 0.1) for name in ("a.x.work", "a.x.work.cv", "a.workers=1..9")
    )
    assert (work.kind, work.now) == ("time", pytest.approx(0.002))
    assert (spread.kind, spread.now) == ("spread", pytest.approx(3**-0.5 / 2))
    assert (workers.kind, workers.low, workers.high) == ("count", 1, 9)
    path = ("services", "a", "endpoints", "x", 1, "work")
    assert written(document, [work, spread, workers], [0.004, 0.7, 5]) == {
        path: {"lognormal": {"mean": "4ms", "cv": 0.7}},
        ("services", "a", "workers"): 5,
    }
