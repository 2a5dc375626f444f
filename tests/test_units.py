"""Units at the border."""

import math

import pytest

from sim import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("1.5s", 1.5),
        ("2m", 120.0),
        ("1h30m", 5400.0),
        ("9ms", 0.009),
        ("0.3ms", 0.0003),
        ("1d", 86400.0),
        ("3us", 3e-6),
        ("1e-05s", 1e-5),
        (0, 0.0),
        (" 1m 5s ", 65.0),
    ],
)
def test_durations_are_the_nearest_float_in_seconds(text, seconds):
    assert units.duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [5, 1.5, True, None, "", "5", "-5ms", "10 minutes", "5 ms x", "1.5.5s", "1e999s", "11000d", [], "1" * 10**6, "s"],
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=r"found .*, expected a duration"):
        units.duration(text)


def test_percent_is_exact():
    assert units.share("99.9%") == 0.999
    assert units.share("0.1%") == 0.001
    assert units.share(0.2) == 0.2
    assert units.ratio("150%") == 1.5


@pytest.mark.parametrize("value", [-0.1, 1.1, "101%", "20", True, None, "x%", 10**400])
def test_a_share_lies_between_0_and_1(value):
    with pytest.raises(ValueError, match="expected a share"):
        units.share(value)


def test_rates_prices_sizes_and_factors():
    assert units.rate("120/s") == 120.0
    assert units.rate("30/m") == 0.5
    assert units.rate("1/ms") == 1000.0
    assert units.price("0.36/h") == pytest.approx(0.0001)
    assert units.size("64KiB") == 65536.0
    assert units.factor("5x") == 5.0
    assert units.factor(2) == 2.0


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (units.rate, 120),
        (units.rate, "1e13/s"),
        (units.price, "1"),
        (units.size, "5 kb"),
        (units.factor, "x"),
        (units.factor, 10**400),
        (units.factor, -1),
    ],
)
def test_what_has_no_unit_or_is_absurd_is_refused(parse, value):
    with pytest.raises(ValueError, match=r"found .*, expected"):
        parse(value)


def test_what_was_found_is_shown_on_one_line():
    assert units.shown(None) == "nothing"
    assert units.shown(True) == "true"
    assert units.shown({"a": 1}) == "a map of 1"
    assert units.shown([]) == "an empty list"
    assert units.shown(10**5000) == "a huge number"
    assert len(units.shown("x" * 1000)) <= 60


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0425, "42.5ms"), (0, "0s"), (90, "90s"), (120, "2m"), (math.inf, "never"), (math.nan, "-"), (3e-9, "3ns")],
)
def test_durations_are_shown_as_engineers_write_them(seconds, text):
    assert units.show_duration(seconds) == text
