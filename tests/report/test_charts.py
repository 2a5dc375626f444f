import json
import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from sim.records.columns import Columns
from sim.records.tables import EVENT
from sim.report.charts import (
    backlog_over_time,
    breaker_timeline,
    differences_with_intervals,
    draw_charts,
    latency_over_time,
    outcomes_over_time,
    two_clocks,
    utilisation_over_time,
)
from sim.report.charts.canvas import panels
from sim.report.charts.labels import label_ends
from sim.report.charts.timeline import Spans, thin, time_axis
from sim.report.theme import DARK, LIGHT
from sim.spec.scenario import Scenario
from sim.units import rates_told_per
from tests.report.conftest import documents


@pytest.fixture(scope="module")
def charts(comparison):
    return {chart.name: chart for chart in draw_charts(comparison)}


@pytest.fixture(scope="module")
def drawings(charts):
    return {name: chart.svg() for name, chart in charts.items()}


def words(svg):
    return [
        text
        for element in ElementTree.fromstring(svg).iter()
        if element.tag.endswith("text") and (text := "".join(element.itertext()).strip())
    ]


def test_a_comparison_with_everything_in_it_has_every_chart(charts):
    assert list(charts) == ["outcomes", "latency", "two-clocks", "backlog", "breakers", "utilisation", "differences"]


def test_text_stays_text_and_every_variant_is_named_on_the_drawing(drawings):
    for name in ("outcomes", "latency", "two-clocks"):
        joined = " ".join(words(drawings[name]))
        assert all(variant in joined for variant in ("sync", "sync-no-breaker", "async")), name


def test_faults_and_warm_up_are_named_on_every_chart_over_time(drawings):
    for name in ("outcomes", "latency", "backlog", "breakers", "utilisation"):
        assert {"warm-up, not counted", "payments outage 5:00–8:00"} <= set(words(drawings[name])), name


def test_every_axis_over_time_has_minutes_and_a_name(drawings):
    for name in ("outcomes", "latency", "backlog", "breakers", "utilisation"):
        assert {"5:00", "15:00", "time of the run, min:s"} <= set(words(drawings[name])), name


def test_a_gap_in_the_answers_is_named(drawings):
    assert any("answered well" in text for text in words(drawings["latency"]))


def test_the_reader_is_told_what_never_came(drawings):
    assert any(re.fullmatch(r"sync: 23\.\d% never", text) for text in words(drawings["two-clocks"]))


def test_a_chart_says_in_words_what_it_shows(charts):
    for chart in charts.values():
        assert chart.title
        assert chart.reading
        assert re.search(r"\d", chart.alt)


def test_ids_are_unique_over_all_charts(drawings):
    ids = [match for svg in drawings.values() for match in re.findall(r'\bid="([^"]+)"', svg)]
    inside = {name: re.findall(r'\bid="([^"]+)"', svg) for name, svg in drawings.items()}
    assert all(identity.startswith(f"{name}-") for name, found in inside.items() for identity in found)
    assert len(set(ids)) == len(ids)


def test_references_inside_a_chart_lead_somewhere(drawings):
    for svg in drawings.values():
        targets = set(re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', svg))
        assert targets <= set(re.findall(r'\bid="([^"]+)"', svg))


def test_the_same_comparison_gives_the_same_bytes(comparison, drawings):
    again = outcomes_over_time(comparison)
    assert again is not None
    assert again.svg() == drawings["outcomes"]
    assert again.png(40) == again.png(40)


def test_drawings_carry_no_date_and_fit_a_report(drawings):
    assert sum(map(len, drawings.values())) < 1_200_000
    assert not any(re.search(r"<metadata|<!DOCTYPE|20\d\d-\d\d-\d\d", svg) for svg in drawings.values())


def test_a_dark_chart_uses_dark_colours(comparison):
    chart = outcomes_over_time(comparison, DARK)
    assert chart is not None
    svg = chart.svg()
    assert DARK.paper in svg
    assert LIGHT.variants[0] not in svg


def test_one_variant_has_no_differences_and_charts_without_data_are_left_out(single):
    assert differences_with_intervals(single) is None
    silent = replace(
        single.variants["sync"], records=replace(single.variants["sync"].records, events=np.zeros(0, EVENT))
    )
    without = replace(single, variants={"sync": silent})
    assert breaker_timeline(without) is None
    bare = replace(silent, over_time=Columns(silent.over_time.index))
    bare = replace(bare, records=replace(bare.records, requests=bare.records.requests[:0]))
    assert draw_charts(replace(single, variants={"sync": bare})) == ()


def test_requests_that_expect_no_effect_have_only_one_clock(single):
    rows = single.variants["sync"].records.requests.copy()
    rows["expects"] = False
    variant = replace(single.variants["sync"], records=replace(single.variants["sync"].records, requests=rows))
    chart = two_clocks(replace(single, variants={"sync": variant}))
    assert chart is not None
    assert len(chart.figure.axes) == 1


def test_utilisation_never_exceeds_what_there_is(comparison):
    chart = utilisation_over_time(comparison)
    assert chart is not None
    for axes in chart.figure.axes:
        assert max(max(line.get_ydata()) for line in axes.lines if len(line.get_ydata()) > 2) <= 1.0


def test_hollow_marks_are_what_could_be_luck(comparison):
    chart = differences_with_intervals(comparison)
    assert chart is not None
    fills = {
        line.get_markerfacecolor()
        for axes in chart.figure.axes
        for line in axes.lines
        if line.get_marker() not in ("None", None, "")
    }
    assert {LIGHT.paper, LIGHT.variants[1], LIGHT.variants[2]} <= fills


def test_thousands_of_breakers_are_drawn_as_a_share(single):
    rows = [(300.0 + index * 0.01, 2, 0, 1, 0.0) for index in range(60)]
    records = single.variants["sync"].records
    names = (*records.names, *(f"many[{index}]" for index in range(60)), "callee")
    events = np.array(
        [(time, kind, len(records.names) + index, len(names) - 1, 0.0) for index, (time, kind, *_) in enumerate(rows)],
        EVENT,
    )
    events["kind"] = 2
    variant = replace(single.variants["sync"], records=replace(records, names=names, events=events))
    chart = breaker_timeline(replace(single, variants={"sync": variant}))
    assert chart is not None
    assert "60 breakers" in chart.alt


def test_many_faults_are_named_on_at_most_three_lines():
    document = documents()["sync"]
    document["faults"] = [
        {"name": f"fault number {index} with a long name", "at": f"{300 + index}s", "for": "10s", "outage": "payments"}
        for index in range(20)
    ]
    spans = Spans([Scenario.model_validate(document)], LIGHT)
    assert spans.room < 0.8


def test_rates_are_told_in_the_unit_of_the_scenario(comparison):
    """On the axis in round numbers, and under the pointer: what is 2/s is 120/m."""
    with rates_told_per("m"):
        chart = outcomes_over_time(comparison)
        chart.svg()
        told = chart.values()
    axes = chart.panels[0].axes
    assert axes.get_ylabel() == "requests, 1/m"
    ticks = {
        round(tick, 6): label.get_text() for tick, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    }
    assert all(label == f"{tick * 60:,.10g}" for tick, label in ticks.items())
    assert all(float(label.replace(",", "")) % 10 == 0 for label in ticks.values())
    line, panel = chart.panels[0].lines[0], json.loads(told)["panels"][0]
    assert panel["lines"][0]["unit"] == "1/m"
    assert max(panel["lines"][0]["y"]) == pytest.approx(60 * max(line.y), rel=1e-3)


def test_thinning_keeps_gaps_and_averages_the_rest():
    series = pd.Series([1.0, 3.0, np.nan, np.nan, 5.0, np.nan], index=[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    times, values = thin(series, points=3)
    assert times.tolist() == [0.0, 2.0, 4.0]
    np.testing.assert_array_equal(values, [2.0, np.nan, 5.0])


def test_tables_need_no_matplotlib_and_charts_no_pyplot():
    code = (
        "import sys, sim.report.table, sim.report.words; assert 'matplotlib' not in sys.modules;"
        "import sim.report.charts; assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_longest_name_of_a_variant_has_room_beside_the_panels(comparison):
    name = "async-with-many-more-consumers"
    variants = {(name if old == "async" else old): variant for old, variant in comparison.variants.items()}
    renamed = replace(comparison, variants=variants)
    for chart in (backlog_over_time(renamed), utilisation_over_time(renamed)):
        canvas = FigureCanvasAgg(chart.figure)
        canvas.draw()
        texts = [text for axes in chart.figure.axes for text in axes.texts if text.get_text() == name]
        assert texts
        edge = chart.figure.get_figwidth() * chart.figure.dpi
        assert max(text.get_window_extent(canvas.get_renderer()).x1 for text in texts) <= edge


@pytest.mark.long
def test_no_label_stands_among_the_numbers_of_the_axis():
    sheet = panels(1, 1.4)
    (axes,) = sheet.axes
    axes.set_ylim(0, 1)
    time_axis(axes, 900)
    label_ends(axes, [(0.0, "p50", "k"), (0.01, "p95", "k"), (0.02, "p99", "k")])
    canvas = FigureCanvasAgg(sheet.figure)
    canvas.draw()
    numbers = max(label.get_window_extent(canvas.get_renderer()).y1 for label in axes.get_xticklabels())
    assert min(label.get_window_extent(canvas.get_renderer()).y0 for label in axes.texts) >= numbers


def test_a_system_without_orders_to_complete_is_not_told_of_a_second_clock(comparison):
    def without(variant):
        requests = variant.records.requests.copy()
        requests["expects"], requests["completion"] = False, np.nan
        timeline = variant.timeline.drop(
            columns=[name for name in variant.timeline.columns if name.startswith("completion")]
        )
        return replace(variant, over_time=Columns.of(timeline), records=replace(variant.records, requests=requests))

    plain = replace(comparison, variants={name: without(variant) for name, variant in comparison.variants.items()})
    assert "effects" in latency_over_time(comparison).reading
    assert "effects" not in latency_over_time(plain).reading
    assert "Open promises" in backlog_over_time(comparison).reading
    assert "Open promises" not in backlog_over_time(plain).reading
    assert "(below)" in two_clocks(comparison).reading
    assert (two_clocks(plain).title, "(below)" in two_clocks(plain).reading) == (
        "How many still wait, and how long",
        False,
    )


def test_a_handful_of_replicas_is_seen_beside_a_backlog_of_thousands(comparison):
    """A thousand times as many messages wait as there are replicas; they are no backlog, and are not held against it."""

    def with_replicas(variant):
        timeline = variant.timeline.copy()
        timeline["payments.replicas_paid"] = np.where(timeline.index < 400, 2.0, 6.0)
        return replace(variant, over_time=Columns.of(timeline))

    grown = replace(comparison, variants={name: with_replicas(its) for name, its in comparison.variants.items()})
    before, after = backlog_over_time(comparison), backlog_over_time(grown)
    assert max(panel.axes.get_ylim()[1] for panel in before.panels) > 5000
    assert [panel.name for panel in after.panels] == [*(panel.name for panel in before.panels), "payments replicas"]
    assert (before.title, after.title) == (
        "What waits, over the run",
        "What waits and how many replicas there are, over the run",
    )
    assert "payments replicas: " in after.alt
