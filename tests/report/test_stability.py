"""A verdict on stability, its table, JSON and chart."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from sim.experiments.stability.results import LoadPoint, Stability, Step, Threshold
from sim.experiments.stability.stressor import Times
from sim.report.charts.hysteresis import hysteresis_curve
from sim.report.stability import headline, render_stability, stability_json, verdict
from sim.spec import load_text
from sim.stats.interval import Interval

STUDY = load_text(
    "version: 1\nname: storm\nduration: 9s\ntraffic: {a: {sends: b.c, arrivals: {poisson: 50/s}}}\nservices: {b: {workers: 1, endpoints: {c: [{work: 1ms}]}}}\n"
)


def point(rate: float, *, stuck: int = 0, recovering: int = 0, collapsed: bool = False) -> LoadPoint:
    recovered = 4 - stuck - recovering
    good, bad = Interval(1.0, 0.99, 1.01, 4), Interval(0.0, 0.0, 0.0, 4)
    recovery = Interval(math.inf, censored=True) if recovered < 4 else Interval(12.0, 10.0, 14.0, 4)
    return LoadPoint(
        factor=rate / 50,
        rate=rate,
        recovered=recovered,
        recovering=recovering,
        stuck=stuck,
        recovery=recovery,
        recovery_of_recovered=Interval(12.0, 10.0, 14.0, recovered) if recovered else Interval(math.nan, n=0),
        success_before=good,
        success_after=bad if stuck else good,
        p99_before=Interval(0.05),
        p99_after=Interval(math.nan) if stuck else Interval(0.06),
        success_without=bad if collapsed else good,
        goodput_after=Interval(0.0 if stuck else rate),
        goodput_without=Interval(0.0 if collapsed else rate),
        requests=Interval(3000.0),
        collapsed=collapsed,
    )


def stability(*points: LoadPoint, vulnerable=(math.nan, math.nan), collapse=(math.nan, math.nan)) -> Stability:
    curve = tuple(
        Step(rate / 50, rate, rising, Interval(goodput), Interval(goodput / rate), Interval(30.0 * rate))
        for rate, rising, goodput in ((20, True, 20), (60, True, 0), (20, False, 5))
    )
    return Stability(
        STUDY,
        "base",
        "simpy",
        1,
        4,
        "outage:b:10s",
        Times(10, 70, 80, 320),
        50.0,
        points,
        Threshold(*vulnerable),
        Threshold(*collapse),
        curve,
        30.0,
        "f" * 32,
    )


METASTABLE = stability(
    point(20),
    point(30),
    point(40, stuck=4),
    point(60, stuck=4, collapsed=True),
    vulnerable=(30.0, 40.0),
    collapse=(40.0, 60.0),
)


def test_the_loads_between_the_thresholds_are_metastable():
    assert METASTABLE.metastable == (35.0, 50.0)
    assert verdict(METASTABLE) == [
        "It comes back below 35/s (between 30/s and 40/s), and not above.",
        "Without the stressor it bears loads up to 50/s (between 40/s and 60/s).",
        "In between, from 35/s to 50/s, it is metastable: it bears the load, but not a disturbance.",
        "The scenario as it stands, 50/s, is inside.",
    ]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            stability(point(20), point(30), vulnerable=(30.0, math.nan), collapse=(30.0, math.nan)),
            "It comes back at every load that was tried, up to 30/s.",
        ),
        (
            stability(point(20, stuck=4), vulnerable=(math.nan, 20.0), collapse=(20.0, math.nan)),
            "It does not come back at any load that was tried, from 20/s on.",
        ),
        (
            stability(point(20, recovering=3), vulnerable=(20.0, math.nan)),
            "At 20/s it was still on its way back when the clock stopped.",
        ),
        (
            stability(point(20, stuck=4, collapsed=True), vulnerable=(math.nan, 20.0)),
            "It bears none of the loads that were tried, even without the stressor.",
        ),
    ],
)
def test_a_verdict_says_only_what_was_seen(found, words):
    assert words in verdict(found)
    assert found.metastable is None or found.metastable[0] < found.metastable[1]


def test_half_of_the_replications_make_a_load_vulnerable():
    assert point(20, stuck=2).vulnerable
    assert not point(20, stuck=1, recovering=3).vulnerable


def test_the_table_has_a_line_per_load():
    text = render_stability(METASTABLE)
    assert "stressor outage:b:10s, from 1:10 to 1:20, looked on for 4m" in text
    rows = [line for line in text.splitlines() if "of 4" in line]
    assert [row.split()[0] for row in rows] == ["20/s", "30/s", "40/s", "60/s"]
    assert rows[2].endswith("does not come back")
    assert rows[3].endswith("collapsed without it")
    assert headline(METASTABLE, 2.0).startswith("storm: 4 replications, seed 1")


def test_what_never_was_is_null_in_the_json():
    document = json.loads(stability_json(METASTABLE))
    assert document["metastable"] == [35.0, 50.0]
    assert document["points"][2]["recovery"] == {"value": None, "low": None, "high": None, "censored": True}
    assert [step["rising"] for step in document["hysteresis"]["steps"]] == [True, True, False]


def test_the_curve_is_drawn_alike_each_time():
    chart = hysteresis_curve(METASTABLE)
    assert chart.svg() == hysteresis_curve(METASTABLE).svg()
    assert "metastable" in chart.svg()
    assert "load up, then down" in chart.svg()
    assert "load up, then down" not in hysteresis_curve(replace(METASTABLE, curve=())).svg()
    assert chart.alt == " ".join(verdict(METASTABLE))


def test_a_notebook_gets_tables():
    assert METASTABLE.table["vulnerable"].tolist() == [False, False, True, True]
    assert METASTABLE.hysteresis["goodput"].tolist() == [20, 0, 5]
    assert "<table" in METASTABLE._repr_html_()
