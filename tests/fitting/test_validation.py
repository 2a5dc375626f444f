"""A right model is not refused, a wrong one is; what was measured too little to tell is said to be open."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sim.errors import UsageError
from sim.fitting import validate
from sim.fitting.matching import partner
from sim.fitting.target import Part
from sim.fitting.validation import tolerances_of
from sim.measured import read_measured
from sim.report import write_report
from sim.report.validation import render_validation, validation_json
from sim.spec import load_text

from .loop import TWO, measured, shop, write


def held(text, files, **more):
    return validate(load_text(text), files, replications=10, **more)


@pytest.mark.long
def test_a_right_model_is_not_refused_and_one_a_tenth_slower_is(tmp_path):
    file = write(tmp_path / "a.csv", *measured(20_000, 70, [(1, 0.010)], seed=1))
    assert held(shop(), file).verdict in ("valid", "not refuted")
    slower = held(shop("{exponential: 11ms}"), file)
    assert slower.verdict == "not valid"
    assert {figure.key for figure in slower.named("outside")} >= {"response_mean", "response_p50"}
    assert all(figure.error > 0 for figure in slower.named("outside"))


@pytest.mark.long
def test_at_low_load_and_many_requests_a_right_model_is_valid_beyond_doubt(tmp_path):
    """M/M/1 at a tenth of its capacity: 60,000 responses tell their mean to half a percent, and the 99th percentile to one and a half."""
    file = write(tmp_path / "a.csv", *measured(60_000, 10, [(1, 0.010)], seed=2))
    found = held(shop(), file, tolerances={"p99": 0.05, "p95": 0.03, "p50": 0.03})
    assert found.verdict == "valid", render_validation(found)


@pytest.mark.long
def test_right_models_are_rarely_refused(tmp_path):
    """Of ten right ones at 95 %, with all figures judged together: as good as none."""
    refused = 0
    for seed in range(10):
        file = write(tmp_path / f"{seed}.csv", *measured(3_000, 60, [(1, 0.010)], seed=seed))
        refused += held(shop(), file).refuted
    assert refused <= 1


@pytest.mark.long
@pytest.mark.parametrize("tiers", [[(4, 0.010)], [(1, 0.010), (1, 0.006)]], ids=["M/M/4", "two tiers"])
def test_other_forms_of_right_models_are_not_refused_and_wrong_ones_are(tiers, tmp_path):
    file = write(tmp_path / "a.csv", *measured(20_000, 70 if len(tiers) > 1 else 300, tiers, seed=4))
    right = TWO.replace(
        "a: {workers: 1, endpoints: {x: [{work: {exponential: 5ms}",
        "a: {workers: 1, endpoints: {x: [{work: {exponential: 10ms}",
    )
    right = right.replace("5ms", "6ms") if len(tiers) > 1 else shop(workers=4)
    assert not held(right, file).refuted
    wrong = right.replace("exponential: 10ms", "exponential: 11ms")
    assert wrong != right
    assert held(wrong, file).refuted


def test_too_little_is_said_to_be_open_and_names_what_could_be_told(tmp_path):
    file = write(tmp_path / "a.csv", *measured(500, 60, [(1, 0.010)], seed=4))
    found = held(shop(), file)
    assert found.verdict == "not refuted"
    assert {figure.key for figure in found.named("open")} >= {"response_mean"}
    assert "Too little was measured to tell: response mean" in render_validation(found)
    assert not any(figure.key == "response_p99" for figure in found.figures)  # five requests beyond it tell nothing


def test_where_demands_are_replayed_each_request_is_held_against_its_own(tmp_path):
    """Lindley's recursion by hand: the same arrivals and demands give the same answers, to the rounding of the file."""
    arrival, demand = np.cumsum(np.full(200, 0.010)), np.tile([0.005, 0.018, 0.004], 67)[:200]
    end, response = 0.0, []
    for begin, work in zip(arrival, demand, strict=True):
        end = max(begin, end) + work
        response.append(end - begin)
    file = write(tmp_path / "a.csv", arrival - arrival[0], response)
    (tmp_path / "demands.csv").write_text("work\n" + "\n".join(map(str, demand)))
    text = shop("{replay: {file: demands.csv, column: work}}").replace("warmup: 5s\n", "")
    found = validate(load_text(text, "a.yaml", tmp_path), file)
    assert found.valid, render_validation(found)
    assert found.paired.count >= 199
    assert found.paired.worst < 1e-6
    assert found.paired.close == found.paired.same_outcome == 1.0


def test_outcomes_are_compared_in_points(tmp_path):
    arrival, response = measured(5_000, 10, [(1, 0.001)], seed=5)
    lines = [
        f"{a:.6f},{r:.6f},{'error' if index % 10 == 0 else 'ok'}"
        for index, (a, r) in enumerate(zip(arrival, response, strict=True))
    ]
    (tmp_path / "a.csv").write_text("\n".join(["arrival,duration,outcome", *lines]))
    found = held(shop("{exponential: 1ms}"), str(tmp_path / "a.csv"))
    ours = {figure.key: figure for figure in found.figures}
    assert ours["outcome_share(error)"].measured.value == pytest.approx(0.1, abs=0.002)
    assert ours["outcome_share(error)"].error == pytest.approx(-0.1, abs=0.002)
    assert ours["outcome_share(error)"].finding == "outside"


@pytest.mark.long
def test_a_part_may_be_left_out_and_a_summary_is_held_against_its_rate(tmp_path):
    file = write(tmp_path / "a.csv", *measured(6_000, 20, [(1, 0.010)], seed=6))
    found = held(shop(), file, part=Part(begin=100, until=200))
    assert 1_800 < found.requests < 2_200
    (tmp_path / "stats.csv").write_text(
        "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,Max Response Time,"
        "Average Content Size,Requests/s,Failures/s,50%,95%,99%,100%\n,Aggregated,6000,0,8,12.5,0,99,10,20.0,0,8.66,37.4,57.6,99\n"
    )
    summary = held(shop(), str(tmp_path / "stats.csv"))  # M/M/1 at rho 0.2: the response is exponential of mean 12.5 ms
    assert not summary.refuted, render_validation(summary)
    assert any("measured rate, 20/s" in line for line in summary.said)
    assert held(shop("{exponential: 12ms}"), str(tmp_path / "stats.csv")).refuted


def test_closed_users_are_simulated_for_they_wait_for_their_answers(tmp_path):
    file = write(tmp_path / "a.csv", *measured(2_000, 20, [(1, 0.010)], seed=6))
    text = shop().replace("{poisson: 1/s}", "{closed: {users: 1, think: {exponential: 40ms}}}")
    found = held(text, file)
    assert any("closed users are simulated" in line for line in found.said)


@pytest.mark.long
def test_what_is_said_is_said_on_every_way(tmp_path):
    file = write(tmp_path / "a.csv", *measured(2_000, 20, [(1, 0.010)], seed=7))
    found = held(shop(), read_measured(file))
    document = json.loads(validation_json(found))
    assert document["verdict"] == found.verdict
    assert document["figures"]["response_mean"]["measured"]["value"] == found.figures[0].measured.value
    write_report(found, tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    assert "took longer" in page
    assert "threads" in page  # the scenario
    assert found.verdict in page


# ---- names


@pytest.mark.parametrize(
    ("name", "targets", "expected"),
    [
        ("POST /orders", ["POST /orders", "GET /orders"], "POST /orders"),
        ("get /orders", ["POST /orders", "GET /orders"], "GET /orders"),
        ("GET /orders/{id}", ["GET /orders/{order}", "GET /orders"], "GET /orders/{order}"),
        ("/orders", ["POST /orders", "GET /cart"], "POST /orders"),
        ("create", ["orders.create", "cart.read"], "orders.create"),
        ("/orders", ["POST /orders", "GET /orders"], None),
        ("pay", ["orders.create"], None),
    ],
)
def test_a_measured_route_finds_its_partner(name, targets, expected):
    assert partner(name, targets) == expected


def test_routes_without_a_partner_are_told_and_may_be_said(tmp_path):
    arrival, response = measured(600, 20, [(1, 0.010)], seed=8)
    file = write(tmp_path / "a.csv", arrival, response, "browse")
    text = (
        shop().replace("sends: shop.get", "sends: {shop.get: 50%, shop.put: 50%}")
        + "        - work: 1ms\n      put: [{work: 1ms}]\n"
    )
    with pytest.raises(UsageError, match=r"found the routes 'browse', expected shop.get, shop.put; say which is which"):
        held(text, file)
    found = held(text, file, part=Part(routes={"browse": "shop.put"}))
    assert "measured 'browse' is shop.put" in found.said
    with pytest.raises(UsageError, match="no route 'brows'; did you mean 'browse'"):
        held(text, file, part=Part(routes={"brows": "shop.put"}))


def test_tolerances_are_named():
    assert tolerances_of(["p99=5%", "mean=1%"]) == {"p99": 0.05, "mean": 0.01}
    with pytest.raises(UsageError, match="unknown name 'p98'; did you mean"):
        tolerances_of(["p98=5%"])
    with pytest.raises(UsageError, match="expected NAME=SHARE"):
        tolerances_of(["p99"])
