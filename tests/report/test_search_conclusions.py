"""What explanations, looks at stability, searches and sweeps come to in words."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from sim.experiments.searching.axes import parse_axis
from sim.experiments.searching.capacity_results import Capacity, Found
from sim.experiments.searching.cheapest import Cheapest, Choice
from sim.experiments.searching.points import Point
from sim.experiments.searching.sweep import sweep
from sim.experiments.searching.sweep_results import Sweep
from sim.report.charts.drawing import Line
from sim.report.conclusions.searching import conclude_search
from sim.report.conclusions.stability import conclude_stability
from sim.spec import load_text
from sim.stats.interval import Interval
from tests.experiments import fakes
from tests.experiments.searching.test_sweep import queue
from tests.report.test_stability import METASTABLE, point, stability

STUDY = load_text(
    "version: 1\nname: storm\nduration: 9s\ntraffic: {a: {sends: b.c, arrivals: {poisson: 50/s}}}\nservices: {b: {workers: 1, endpoints: {c: [{work: 1ms}]}}}\n"
)


def found(
    variant: str,
    low: float,
    value: float,
    high: float,
    *,
    breaks: str = "p99(response) < 1s",
    settings=None,
    censored: bool = False,
) -> Found:
    return Found(variant, settings or {}, Interval(value / 10, low / 10, high / 10, 5, censored), 10.0, breaks, (), ())


def capacity(*every: Found, axes=()) -> Capacity:
    return Capacity(STUDY, "simpy", 1, 5, 0.02, axes, every, "f" * 32)


def test_who_bears_most_is_named_where_the_intervals_lie_apart():
    told = conclude_search(capacity(found("one", 18, 20, 22), found("two", 38, 40, 42)))
    assert told.sentence == "two bears most, 40 ± 2/s: 2 times as much as one, the next."
    assert [line.text for line in told.points] == [
        "two bears 40 ± 2/s, 4 times the load as written; beyond it p99(response) < 1s breaks first.",
        "one bears 20 ± 2/s, 2 times the load as written; beyond it p99(response) < 1s breaks first.",
    ]


def test_who_cannot_be_told_apart_bears_about_the_same():
    told = conclude_search(capacity(found("one", 18, 20, 22), found("two", 19, 21, 23), found("three", 4, 5, 6)))
    assert told.sentence == "two and one bear about the same, 21 ± 2/s: their intervals overlap."


def test_one_that_bears_nothing_and_one_that_never_breaks():
    assert conclude_search(capacity(found("one", math.nan, 0, math.nan))).sentence.startswith(
        "one bears no load at which every expectation holds; p99"
    )
    never = conclude_search(capacity(found("one", 50, 50, math.inf, breaks="", censored=True))).sentence
    assert (
        never
        == "one bears at least 50.0/s, at least 5 times the load as written; nothing broke at the highest load that was tried."
    )


def test_capacity_over_settings_is_told_by_its_ends():
    axes = (parse_axis("services.b.workers=1,2"),)
    points = [
        found("base", 9, 10, 11, settings={"services.b.workers": "1"}),
        found("base", 19, 20, 21, settings={"services.b.workers": "2"}),
    ]
    assert conclude_search(capacity(*points, axes=axes)).sentence == (
        "base bears from 10.0 ± 1.0/s at services.b.workers=1 to 20.0 ± 1.0/s at services.b.workers=2."
    )


def test_the_cheapest_settings_are_the_answer():
    choice = Choice("base", 2.0, {"services.b.workers": "7"}, 7.0, (), ({"services.b.workers": "6"},))
    told = conclude_search(Cheapest(STUDY, "simpy", 1, 5, "2x", (), False, (choice,), "f" * 32))
    assert told.sentence.startswith("base: services.b.workers=7 holds at 2x the load, at 7 in all")
    assert "services.b.workers=6; more replications would tell" in told.points[0].text


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("100ms", "Every expectation holds from till.replicas=2 on."),
        ("1us", "The expectations hold together at no point."),
        ("100s", "Every expectation holds at all 3 points."),
    ],
)
def test_a_sweep_says_from_where_on_its_expectations_hold(limit, words):
    """M/M/1 of 100/s at 80/s: p99 = ln(100) / 20 = 230 ms; two of them at 40/s each: 77 ms."""
    study = queue(**{"poisson: 40/s": "poisson: 80/s", "< 100ms": f"< {limit}"})
    answer = sweep(study, ["services.till.replicas=1,2,4"], replications=4, jobs=1, perform=fakes.simple_queue)
    assert conclude_search(answer).sentence == words


def test_whether_it_comes_back_is_said_of_the_load_of_the_scenario():
    assert (
        conclude_stability(METASTABLE).sentence
        == "No, not at the load of the scenario, 50/s: after outage:b:10s base comes back only below 35/s."
    )
    well = stability(point(20), point(60), point(90, stuck=4), vulnerable=(60.0, 90.0))
    assert (
        conclude_stability(well).sentence
        == "Yes, at the load of the scenario, 50/s: after outage:b:10s base comes back below 75/s, and not above."
    )
    edge = stability(point(40), point(60, stuck=4), vulnerable=(40.0, 60.0))
    assert conclude_stability(edge).sentence.startswith("On the edge: the load of the scenario, 50/s,")
    assert conclude_stability(stability(point(20), vulnerable=(20.0, math.nan))).sentence.startswith(
        "Yes: after outage:b:10s base comes back at every load"
    )
    assert conclude_stability(stability(point(20, stuck=4), vulnerable=(math.nan, 20.0))).sentence.startswith(
        "No: after outage:b:10s base comes back at no load"
    )


def test_evenly_spaced_figures_are_said_by_first_and_step_and_gaps_are_null():
    line = Line("p95", "s", [0.0, 2.0, 4.0], [0.123456, math.nan, 3.0], 1).document()
    assert line == {"name": "p95", "unit": "s", "variant": 1, "from": 0.0, "step": 2.0, "y": [0.1235, None, 3.0]}
    assert Line("a", "1", [1.0, 2.0, 4.0], np.ones(3)).document()["x"] == [1.0, 2.0, 4.0]


def test_an_axis_is_written_as_it_was_read():
    for text in (
        "services.b.workers=1,2,4",
        "load=0.5..2",
        "services.b.workers=1..16",
        "policies.p.timeout=10ms..1000ms:log",
    ):
        axis = parse_axis(text)
        assert parse_axis(axis.text) == axis


def swept(curves, values=(1, 2, 4), replications=4):
    """A sweep of load in which each variant has these response_p99 at its points, give or take 1 ms."""
    study = load_text(
        "version: 1\nname: storm\nduration: 9s\ntraffic: {a: {sends: b.c, arrivals: {poisson: 50/s}}}\n"
        "services: {b: {workers: 1, endpoints: {c: [{work: 1ms}]}}}\n"
        f"variants: {{{', '.join(f'{name}: {{}}' for name in curves)}}}\n"
    )
    points = tuple(Point(number, (value,)) for number, value in enumerate(values))
    rows = {
        (name, point.number, place): (ms + (place - 1.5) / 2) / 1000
        for name, its in curves.items()
        for point, ms in zip(points, its, strict=True)
        for place in range(replications)
    }
    index = pd.MultiIndex.from_tuples(list(rows), names=["variant", "point", "replication"])
    runs = pd.DataFrame({"response_p99": list(rows.values())}, index=index)
    axis = parse_axis(f"load={','.join(map(str, values))}")
    return Sweep(
        study, "simpy", 1, replications, "grid", (axis,), points, tuple(curves), runs, frozenset(), {}, "f" * 32
    )


@pytest.mark.parametrize(
    ("curves", "words"),
    [
        ({"a": [10, 20, 90], "b": [30, 40, 50], "c": [60, 70, 80]}, "a up to load=2, b from load=4 on."),
        ({"a": [10, 20, 30], "b": [30, 40, 50], "c": [60, 70, 80]}, "a at all 3 points, 10.0 ms to 30.0 ms."),
        ({"a": [10, 20, 30], "b": [10, 20, 30], "c": [60, 70, 80]}, "a and b at all 3 points, 10.0 ms to 30.0 ms."),
        (
            {"a": [10, 20, 30], "b": [10, 10, 10], "c": [10, 40, 20]},
            "nobody stands out up to load=1, b from load=2 on.",
        ),
        (
            {"a": [10, 90, 90], "b": [30, 40, 90], "c": [60, 70, 20]},
            "a up to load=1, b at load=2, c from load=4 on.",
        ),
    ],
)
def test_of_several_variants_a_sweep_says_who_is_best_where(curves, words):
    assert conclude_search(swept(curves)).sentence == f"Lowest response p99: {words}"


def test_of_most_variants_those_are_named_that_are_behind():
    curves = {"a": [10, 10, 10], "b": [10, 10, 10], "c": [10, 10, 10], "d": [10, 10, 40]}
    told = conclude_search(swept(curves)).sentence
    assert told == "Lowest response p99: nobody stands out up to load=2, all but d from load=4 on."


def test_who_cannot_be_told_apart_anywhere_is_said_to_be_alike():
    told = conclude_search(swept({"a": [10, 20, 30], "b": [10, 20, 30], "c": [10, 20, 30]})).sentence
    assert told == "A, b and c cannot be told apart in response p99 or throughput."


def test_where_the_best_changes_often_points_are_counted():
    curves = {"a": [10, 90, 10, 90, 10], "b": [90, 10, 90, 10, 90], "c": [60] * 5}
    told = conclude_search(swept(curves, values=(1, 2, 4, 8, 16))).sentence
    assert told == "Lowest response p99: a at 3, b at 2 of 5 points."
