import math
from dataclasses import replace

import pytest

import sim
from sim.report.table import found_in, render_expectations, render_table
from sim.stats.interval import Interval
from tests.report.conftest import make_comparison


def lines(text):
    return {line.strip().split("  ")[0]: line for line in text.splitlines()}


@pytest.fixture(scope="module")
def table(comparison):
    return render_table(comparison)


def test_a_table_fits_its_width(comparison):
    for width in (80, 90, 110, 160):
        assert max(map(len, render_table(comparison, width).splitlines())) <= width


def test_a_figure_that_differs_nowhere_takes_one_line(comparison):
    """A mark alone stands behind its value; a difference has a line of its own below."""
    text = render_table(comparison, 80)
    rows = [line.split() for line in text.splitlines()]
    assert ["="] not in rows
    assert any(row and row[-1] == "=" and row[0] == "offered" for row in rows)


def test_many_variants_are_set_in_blocks_that_repeat_the_baseline(comparison):
    many = {f"variant {index}": replace(comparison.variants["async"], name=f"variant {index}") for index in range(7)}
    wide = replace(
        comparison,
        variants={"sync": comparison.variants["sync"], **many},
        differences=dict.fromkeys(many, comparison.differences["async"]),
    )
    text = render_table(wide, 100)
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("response: until") > 1
    assert all(name in text for name in many)


def test_two_variants_have_their_differences_beside_them():
    row = lines(render_table(make_comparison(("sync", "async"))))["response p95"]
    assert "171.3 ± 1.4 ms" in row
    assert "-147.9 ± 1.2 ms *" in row


def test_three_variants_have_their_differences_below(table):
    below = table.splitlines()[table.splitlines().index(lines(table)["response p95"]) + 1]
    assert below.split() == ["+1.143", "±", "0.009", "s", "*", "-147.9", "±", "1.2", "ms", "*"]


def test_censored_infinite_and_unknown_figures(table):
    found = lines(table)
    assert "> 13.0 min" in found["completion p99"]
    assert "never" in found["recovery time (completion)"]
    assert found["detection time"].split()[-1] == "-"


def test_what_never_happened_has_no_row_but_nothing_lost_is_said(table):
    assert "rate limited" not in table
    assert "none anywhere: pending orders, double charges and oversold items" in table


def test_the_busiest_station_has_a_name(table):
    assert "orders 25.0%" in lines(table)["busiest station"]


def test_a_single_run_has_neither_differences_nor_intervals(single):
    text = render_table(single)
    assert "±" not in text.replace("± half-width", "")
    assert "*" not in text
    assert "one replication: no intervals" in text


def test_nothing_counted_is_said(single):
    empty = replace(single, variants={"sync": replace(single.variants["sync"], metrics={})})
    assert render_table(empty) == "no figures: nothing was counted\n"


def test_figures_of_a_plug_in_have_a_place(single):
    variant = replace(single.variants["sync"], metrics={"cache_hits": Interval(0.5, 0.4, 0.6, 3)})
    assert "cache hits" in render_table(replace(single, variants={"sync": variant}))


def test_routes_are_shown_where_there_are_several(single):
    metrics = {
        key: Interval(value)
        for key, value in (("response_p99", 1.0), ("response_p99(GET /)", 0.5), ("response_p99(POST /)", 2.0))
    }
    text = render_table(replace(single, variants={"sync": replace(single.variants["sync"], metrics=metrics)}))
    assert "response p99 (GET /)" in text


def test_expectations_have_a_tick_or_a_cross_and_what_was_found(comparison, single):
    text = render_expectations(comparison)
    assert "✓ async: p99(response, POST /orders) < 800ms   found 48.0 ms" in text
    assert "✗ async: p99(completion, POST /orders) < 60s   found 3.00 min" in text
    assert render_expectations(single) == ""


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("availability(POST /orders) >= 99.9%", 0.9998, "found 99.980%"),
        ("lost_orders == 0", 312.0, "found 312"),
        ("recovery_time(a < b) < 60s", math.inf, "found never"),
        ("p99(response) < 1s", math.nan, "no data"),
    ],
)
def test_what_was_found_has_the_unit_of_the_expectation(text, value, shown):
    assert found_in(text, value) == shown


def test_the_summary_has_base_units_and_both_intervals(comparison):
    frame = comparison.summary
    assert frame.loc["response_p95", ("", "unit")] == "s"
    assert frame.loc["response_p95", ("sync", "value")] == pytest.approx(0.1713, rel=1e-3)
    assert bool(frame.loc["response_p95", ("async", "significant")]) is True
    assert frame.loc["completion_p99", ("sync", "censored")]
    assert ("sync", "difference") not in frame.columns


@pytest.mark.parametrize("width", [80, 90, 110])
def test_long_names_leave_the_table_within_its_width(width):
    """The baseline, one variant beside it and their labels: labels are cut where stations have long names."""
    text = """
version: 1
duration: 10s
traffic: {users: {sends: a-shop-with-a-rather-long-name.buy, arrivals: {poisson: 20/s}}}
services: {a-shop-with-a-rather-long-name: {workers: 3, endpoints: {buy: [{work: {exponential: 50ms}}]}}}
variants: {one-of-a-long-name: {}, another-of-a-long-name: {services: {a-shop-with-a-rather-long-name: {workers: 4}}}}
"""
    found = sim.compare(sim.load_text(text), replications=2, jobs=1, engine="simpy")
    assert max(map(len, render_table(found, width).splitlines())) <= width
