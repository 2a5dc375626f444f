"""`--over PATH=VALUES`: lists, ranges with units, intervals; and designs over them."""

from __future__ import annotations

import pytest

from sim.errors import UsageError
from sim.experiments.searching.axes import axes_of, number_of, parse_axis
from sim.experiments.searching.designs import base_points, points_of
from sim.experiments.searching.sensitivity import indices


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=2,4,8", ("2", "4", "8")),
        ("a=50/s..200/s:50/s", ("50/s", "100/s", "150/s", "200/s")),
        ("a=1..64:x4", ("1", "4", "16", "64")),
        ("a=1,2,4..12:4", ("1", "2", "4", "8", "12")),
        ("a=500ms..2s:500ms", ("0.5s", "1s", "1.5s", "2s")),
        ("a=0.1..0.4:0.1", ("0.1", "0.2", "0.3", "0.4")),
        ("a=10%..50%:20%", ("10%", "30%", "50%")),
        (
            "a={poisson: 5/s},{mmpp: {rates: [1/s, 9/s], stays: [1s, 1s]}}",
            ("{poisson: 5/s}", "{mmpp: {rates: [1/s, 9/s], stays: [1s, 1s]}}"),
        ),
        ("a=fifo,lifo", ("fifo", "lifo")),
    ],
)
def test_values_are_listed_as_a_scenario_would_write_them(text, values):
    assert parse_axis(text).listed() == values


def test_an_interval_of_whole_numbers_is_all_of_them_and_each_has_the_same_room():
    axis = parse_axis("a+b=2..5")
    assert axis.listed() == ("2", "3", "4", "5")
    assert [axis.at(share) for share in (0.0, 0.249, 0.25, 0.999)] == ["2", "2", "3", "5"]
    assert axis.settings("3") == ("a=3", "b=3")
    assert parse_axis("a=1..100:log").at(0.5) == "10"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a", "expected PATH=VALUES"),
        ("a=1,,2", "empty value"),
        ("a=5..2", "the smaller bound first"),
        ("a=1s..2", "the same unit on both sides"),
        ("a=1..x", "expected numbers with a unit"),
        ("a=1..5:2s", "expected one in the unit of the range"),
        ("a=1..5:x1", "expected a factor above 1"),
        ("a=0..5:log", "cannot begin at 0"),
    ],
)
def test_what_makes_no_sense_is_told(text, words):
    with pytest.raises(UsageError, match=words):
        parse_axis(text)


def test_a_grid_needs_steps_and_a_path_may_vary_once():
    with pytest.raises(UsageError, match="a grid needs steps"):
        points_of(axes_of(["a=0.1..0.5"]), "grid", None, 1)
    with pytest.raises(UsageError, match="varied twice"):
        axes_of(["a=1,2", "b+a=1,2"])


def test_numbers_are_in_base_units():
    assert [number_of(text) for text in ("4", "250ms", "30/m", "20%", "2x")] == [4.0, 0.25, 0.5, 0.2, 2.0]
    assert number_of("fifo") != number_of("fifo")


def test_a_latin_hypercube_has_every_stratum_once_and_is_the_same_for_the_same_seed():
    axes = axes_of(["a=0.0..1.0", "b=0.0..1.0"])
    points = points_of(axes, "lhs", 10, 7)
    for place in (0, 1):
        assert sorted(int(float(values[place]) * 10) for values in points) == list(range(10))
    assert points == points_of(axes, "lhs", 10, 7) != points_of(axes, "lhs", 10, 8)
    assert len(set(points_of(axes, "sobol", 13, 7))) == 13


def test_sobol_indices_of_the_ishigami_function():
    """f = sin a + 7 sin^2 b + 0.1 c^4 sin a: first 0.314, 0.442, 0; total 0.558, 0.442, 0.244 (Ishigami and Homma 1990)."""
    import numpy as np

    pytest.importorskip("SALib")
    axes = axes_of(["a=0.0..1.0", "b=0.0..1.0", "c=0.0..1.0"])
    points = np.array([[float(value) for value in values] for values in points_of(axes, "sensitivity", 5 * 1024, 1)])
    assert len(points) == 5 * base_points(3, 5 * 1024) == 5 * 1024
    a, b, c = (np.pi * (2 * points - 1)).T
    rows = indices(["a", "b", "c"], np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a))
    for row, first, total in zip(rows, (0.3139, 0.4424, 0.0), (0.5576, 0.4424, 0.2437), strict=True):
        assert row["first_low"] < first < row["first_high"]
        assert row["total"] == pytest.approx(total, abs=0.02)


def test_too_few_points_for_indices_are_refused():
    with pytest.raises(UsageError, match="expected at least 32 for Sobol indices of 2 settings"):
        points_of(axes_of(["a=0.0..1.0", "b=0.0..1.0"]), "sensitivity", 31, 1)
