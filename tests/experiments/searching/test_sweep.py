"""Sweeps: every variant at every point, tidy figures, laws where they can be fitted, failures that are told and not fatal."""

from __future__ import annotations

import functools
import json
import re

import pandas as pd
import pytest

from sim.errors import RunError, UsageError
from sim.experiments.running.journal import Journal
from sim.experiments.searching.capacity import find_capacity
from sim.experiments.searching.documents import as_json, files_of
from sim.experiments.searching.sweep import TOLERATED, raise_failures, sweep
from sim.report import write_report
from sim.report.scaling import render_answer
from tests.experiments import fakes

QUEUE = """\
# How much does one cashier bear?
version: 1
name: shop
duration: 10s
seed: 3
traffic: {guests: {sends: till.pay, arrivals: {poisson: 40/s}}}
services: {till: {workers: 1, cost: 1/h, endpoints: {pay: [{work: {exponential: 10ms}}]}}}
expect: [p99(response) < 100ms]
"""


def queue(**changes: str):
    text = QUEUE
    for old, new in changes.items():
        text = text.replace(old, new)
    return fakes.shop(text, "shop.yaml")


@pytest.mark.long
def test_every_point_has_every_metric_with_its_interval_and_its_settings(tmp_path):
    found = sweep(
        queue(), ["services.till.workers=1,2", "load=0.5..1.5:0.5"], replications=4, jobs=1, perform=fakes.simple_queue
    )
    assert len(found.points) == 6
    assert found.settings.loc[4].to_dict() == {"services.till.workers": 2, "load": 1.0}
    curve = found.curve("base", "offered")
    assert curve["value"].tolist() == [20.0, 40.0, 60.0] * 2
    p99 = found.summary[
        (found.summary["metric"] == "response_p99")
        & (found.summary["load"] == 1.5)
        & (found.summary["services.till.workers"] == 1)
    ].iloc[0]
    assert p99["low"] < p99["value"] < p99["high"]
    assert p99["unit"] == "s"
    assert [verdict.passed for verdicts in found.verdicts.values() for verdict in verdicts] == [
        True,
        True,
        False,
        True,
        True,
        True,
    ]
    frame = pd.read_parquet(pd.io.common.BytesIO(files_of(found)["sweep.parquet"]))
    pd.testing.assert_frame_equal(frame, found.summary, check_dtype=False)
    document = json.loads(as_json(found))
    assert document["kind"] == "sweep"
    assert document["points"][2]["settings"] == {"services.till.workers": "1", "load": "1.5"}
    page = write_report(found, tmp_path / "report").read_text()
    assert "Against till.workers" in page
    assert {"results.json", "sweep.parquet", "runs.parquet", "table.txt"} <= {
        path.name for path in (tmp_path / "report").iterdir()
    }


def test_a_figure_that_the_end_of_the_run_cut_off_is_a_lower_bound_in_every_table():
    found = sweep(fakes.shop(), ["services.kitchen.workers=1,2"], replications=2, jobs=1, perform=fakes.quick)
    assert found.curve("one", "completion_p99")["censored"].all()
    assert not found.curve("one", "availability")["censored"].any()
    assert found.curve("two", "recovery_time(outage)")["censored"].all()
    document = json.loads(as_json(found))
    assert document["points"][0]["variants"]["one"]["metrics"]["completion_p99"] == {
        "value": 9.0,
        "low": 9.0,
        "high": 9.0,
        "unit": "s",
        "of": "arrivals",
        "censored": True,
    }


@pytest.mark.long
def test_the_same_sweep_gives_the_same_bytes_anywhere(tmp_path):
    calls = []
    for jobs in (1, 2):
        with Journal(tmp_path / str(jobs)) as journal:
            varied = ["services.kitchen.workers=1,2"]
            calls.append(sweep(fakes.shop(), varied, replications=2, jobs=jobs, journal=journal))
    assert as_json(calls[0]) == as_json(calls[1])
    assert calls[0].fingerprint == calls[1].fingerprint


def test_the_law_is_fitted_where_the_system_was_asked_for_more_than_it_does():
    workers = "services.till.workers=1,2,3,4,6,8"
    (fit,) = sweep(queue(), [workers, "load=30"], replications=3, jobs=1, perform=fakes.simple_queue).fits
    assert fit.usl is not None
    assert fit.usl.alpha.value == pytest.approx(0.0, abs=0.01)
    assert fit.usl.gamma.low < 100.0 < fit.usl.gamma.high * 1.02
    lazy = sweep(queue(), [workers], replications=3, jobs=1, perform=fakes.simple_queue)
    (idle,) = lazy.fits
    assert idle.usl is None
    assert "more load would show" in idle.note
    assert (
        "no scaling law can be fitted: there are too few points but for those at which the system did all it was asked for"
        in render_answer(lazy)
    )


def test_of_closed_users_those_under_way_at_either_end_of_the_window_change_nothing():
    """Twenty users at a till that serves 100/s: of the 200 who come in two seconds 20 wait at the end, and as many were there before."""
    always = {"{poisson: 40/s}": "{closed: {users: 20, think: 0s}}", "exponential: 10ms": "constant: 10ms"}
    found = sweep(
        queue(**always, **{"duration: 10s": "duration: 3s\nwarmup: 1s"}),
        ["services.till.workers=1..3"],
        replications=2,
        jobs=1,
    )
    counted = found.curve("base", "throughput")["value"]
    assert counted[0] == pytest.approx(100.0, rel=1e-9)
    (fit,) = found.fits
    assert fit.amdahl.gamma.value == pytest.approx(100.0, rel=0.01)
    assert fit.amdahl.alpha.value == pytest.approx(0.0, abs=0.01)
    (fit,) = sweep(
        queue(**always, **{"duration: 10s": "duration: 2s"}), ["services.till.workers=1..3"], replications=2, jobs=1
    ).fits
    assert fit.amdahl.gamma.value == pytest.approx(100.0, rel=0.01)
    assert fit.amdahl.alpha.value == pytest.approx(0.0, abs=0.01)


def test_a_station_that_is_full_is_a_plateau_whatever_the_number_of_users():
    """A till of 100/s with 5 to 80 users in three seconds: no retrograde scaling, though up to a quarter of them wait at the end."""
    plateau = {
        "{poisson: 40/s}": "{closed: {users: 20, think: 0s}}",
        "exponential: 10ms": "constant: 10ms",
        "duration: 10s": "duration: 4s\nwarmup: 1s",
    }
    found = sweep(queue(**plateau), ["traffic.guests.arrivals.closed.users=5,20,40,80"], replications=2, jobs=1)
    assert found.curve("base", "throughput")["value"].to_numpy() == pytest.approx([100.0] * 4, rel=1e-9)
    (fit,) = found.fits
    assert fit.preferred is fit.amdahl or fit.usl.beta.value == pytest.approx(0.0, abs=1e-6)
    told = render_answer(found)
    assert re.search(r"73\.\d% to 100%", told)  # the availability of 80 users: 80 of 300 wait at the end
    assert "nan" not in told


def test_a_warm_up_that_was_found_is_told():
    settling = queue(**{"seed: 3": "seed: 3\nwarmup: auto"})
    assert "found by MSER-5 on the mean response of 2 replications" in render_answer(
        sweep(settling, ["load=1,2"], replications=2, jobs=1)
    )


def test_sensitivity_finds_the_setting_that_matters():
    pytest.importorskip("SALib")
    over = ["load=0.5..2.0", "services.till.workers=1..2", "services.till.queue.capacity=10..20"]
    found = sweep(queue(), over, replications=2, jobs=1, design="sensitivity", points=160, perform=fakes.simple_queue)
    assert len(found.points) == 160
    table = found.sensitivity[found.sensitivity["metric"] == "throughput"].set_index("setting")
    assert table.loc["load", "total"] > 0.8
    assert table.loc["services.till.queue.capacity", "total"] == pytest.approx(0.0, abs=0.01)
    told = render_answer(found)
    assert re.search(r"^throughput: load matters most, with \d+.*% of the variance in total$", told, re.MULTILINE)
    few = sweep(queue(), over[:2], replications=2, jobs=1, design="sensitivity", points=32, perform=fakes.simple_queue)
    assert "throughput: load and till.workers cannot be told apart; more points would" in render_answer(few)
    assert "Which setting matters" in [
        chart.title for chart in __import__("sim.report.charts.scaling", fromlist=["x"]).sweep_charts(found)
    ]


def broken(job, tick):
    if "services.till.workers=2" in job.sets and job.replication == 1:
        raise ArithmeticError("cursed")
    return fakes.simple_queue(job, tick)


def always_broken(job, tick):
    raise ArithmeticError("cursed")


def test_a_failed_run_is_told_with_its_seed_and_command_and_the_others_go_on():
    found = sweep(queue(), ["services.till.workers=1,2,3"], replications=2, jobs=1, perform=broken)
    assert len(found.runs) == 5
    (failure,) = found.failures
    assert (failure.point, failure.replication, failure.seed) == (1, 1, 3)
    assert (
        failure.command
        == "sim run shop.yaml --variant base --seed 3 --only-replication 1 --set services.till.workers=2"
    )
    with pytest.raises(RunError, match=r"1 of 6 runs failed.*\n.*cursed\nrepeat it alone with: sim run shop.yaml"):
        raise_failures(found)
    assert "cursed" in render_answer(found)


def test_many_failures_end_the_sweep():
    with pytest.raises(RunError, match=f"{TOLERATED + 1} runs have failed, so the rest is not tried"):
        sweep(queue(), ["services.till.workers=1..30"], replications=2, jobs=1, perform=always_broken)


def test_a_failed_sweep_tries_only_what_failed_again(tmp_path):
    run: list[tuple[str, ...]] = []

    @functools.wraps(broken)
    def mended(job, tick):
        run.append(job.sets)
        return fakes.simple_queue(job, tick)

    with Journal(tmp_path) as journal:
        sweep(queue(), ["services.till.workers=1,2,3"], replications=2, jobs=1, perform=broken, journal=journal)
    with Journal(tmp_path) as journal:
        assert not sweep(
            queue(), ["services.till.workers=1,2,3"], replications=2, jobs=1, perform=mended, journal=journal
        ).failures
    assert run == [("services.till.workers=2",)]


@pytest.mark.parametrize(
    ("over", "words"),
    [
        (["services.tll.workers=1,2"], "did you mean 'till'"),
        (["services.till.workers=1,none"], "expected a whole number"),
        (["load=0,1"], "expected a factor above 0"),
        (["load+services.till.workers=1,2"], "cannot be joined"),
        ([], "nothing to vary"),
    ],
)
def test_a_wrong_point_is_refused_before_anything_runs(over, words):
    def never(job, tick):
        raise AssertionError

    with pytest.raises(UsageError, match=words):
        sweep(queue(), over, jobs=1, perform=never)


def test_closed_users_have_no_load_to_scale():
    closed = queue(**{"{poisson: 40/s}": "{closed: {users: 5, think: 1s}}"})
    with pytest.raises(UsageError, match="all traffic is of closed users"):
        sweep(closed, ["load=1,2"], jobs=1, perform=fakes.simple_queue)
    with pytest.raises(UsageError, match="all traffic is of closed users"):
        find_capacity(closed, jobs=1, perform=fakes.simple_queue)
