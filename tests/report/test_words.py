import math

import pytest

from sim.report.words import (
    better_direction,
    clock,
    count_of,
    label_of,
    lasting,
    listed,
    show,
    show_bounds,
    show_change,
    show_difference,
    show_interval,
)
from sim.stats.interval import Difference, Interval
from sim.vocabulary import split_key


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0612, "s", "61.2 ms"),
        (1.5, "s", "1.50 s"),
        (90.0, "s", "90.0 s"),
        (780.0, "s", "13.0 min"),
        (10000.0, "s", "2.78 h"),
        (0.0, "s", "0 s"),
        (0.9998, "share", "99.980%"),
        (0.99995, "share", "99.9950%"),
        (1.0, "share", "100%"),
        (1.0 - 1e-12, "share", "100%"),
        (0.0, "share", "0%"),
        (120.0, "1/s", "120/s"),
        (12345.0, "1", "12,345"),
        (3.0, "1", "3"),
        (math.inf, "s", "never"),
        (math.nan, "s", "-"),
    ],
)
def test_a_value_is_shown_in_the_unit_that_reads_best(value, unit, text):
    assert show(value, unit) == text


@pytest.mark.parametrize(
    ("interval", "unit", "text"),
    [
        (Interval(0.0612, 0.0608, 0.0616, 10), "s", "61.2 ± 0.4 ms"),
        (Interval(0.9998, 0.9997, 0.9999, 10), "share", "99.980 ± 0.010%"),
        (Interval(7166.0, 7107.0, 7225.0, 10), "1", "7,166 ± 59"),
        (Interval(3.0, 1.0, 9.0, 10), "1", "3 [1, 9]"),
        (Interval(780.0, 700.0, 860.0, 10, censored=True), "s", "> 13.0 min"),
        (Interval(math.inf), "s", "never"),
        (Interval(math.nan, n=0), "s", "-"),
        (Interval(0.5), "s", "500 ms"),
        (Interval(6.0, 6.0, 6.0, 10), "s", "6.00 s"),
        (Interval(0.0, -0.5, 0.5, 10), "1", "0.0 ± 0.5"),
        (Interval(0.5, 0.131, 0.869, 10), "s", "500 ± 369 ms"),
        (Interval(0.267, -0.83, 1.364, 2), "s", "0.3 ± 1.1 s"),  # an interval of thousands of ms is one of seconds
        (Interval(0.5, -5.853, 6.853, 2), "s", "0.5 ± 6.4 s"),
    ],
)
def test_an_interval_has_as_many_digits_as_it_is_sure_of(interval, unit, text):
    assert show_interval(interval, unit) == text


def test_sentences_have_intervals_in_brackets():
    assert show_bounds(Interval(0.99984, 0.99975, 0.99993, 10), "share") == "99.984% [99.975, 99.993]"
    assert show_bounds(Interval(0.99984, n=1), "share") == "99.984%"


@pytest.mark.parametrize(
    ("difference", "unit", "text"),
    [
        (Difference(0.000787, -0.003951, 0.005525, 2), "s", "+0.8 ± 4.7 ms"),
        (Difference(0.0123, 0.0118, 0.0128, 10), "s", "+12.3 ± 0.5 ms"),
        (Difference(-0.169, -0.173, -0.165, 10), "share", "-16.9 ± 0.4 pp"),
        (Difference(0.0, 0.0, 0.0, 10), "1", "="),
        (Difference(312.0), "1", "+312"),
        (Difference(3.0, -1.0, 9.0, 10), "1", "+3 [-1, +9]"),
        (Difference(math.inf), "s", "to never"),
        (Difference(-math.inf), "s", "from never"),
        (Difference(math.nan), "s", "-"),
    ],
)
def test_a_difference_has_a_sign_and_shares_differ_by_percentage_points(difference, unit, text):
    assert show_difference(difference, unit) == text


def test_a_change_is_a_difference_without_its_interval():
    assert show_change(Difference(0.0123, 0.0118, 0.0128, 10), "s") == "+12.3 ms"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (301.3, "5:01"), (3723, "1:02:03"), (59.7, "1:00")])
def test_the_clock_of_a_run(seconds, text):
    assert clock(seconds) == text


def test_the_clock_has_tenths_where_they_matter():
    assert (clock(301.3, fine=True), clock(300.0, fine=True), clock(359.96, fine=True)) == ("5:01.3", "5:00", "6:00")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0981, "98.1 ms"),
        (1.05, "1.05 s"),
        (47.2, "47 s"),
        (180, "3 min"),
        (335, "5 min 35 s"),
        (900, "15 min"),
        (750, "12.5 min"),
        (4800, "1 h 20 min"),
        (7200, "2 h"),
        (math.inf, "for ever"),
    ],
)
def test_spans_of_time_in_sentences(seconds, text):
    assert lasting(seconds) == text


def test_keys_and_their_labels():
    assert split_key("recovery_time(payments (EU) outage, completion)") == (
        "recovery_time",
        "payments (EU) outage, completion",
    )
    assert label_of("response_p999(POST /orders)") == "response p99.9 (POST /orders)"
    assert label_of("outcome_share(bulkhead_full)") == "bulkhead full"
    assert (
        better_direction("outcome_share(ok)"),
        better_direction("outcome_share(timeout)"),
        better_direction("outcome_share(refused)"),
    ) == (
        "higher",
        "lower",
        "",
    )


def test_counting_and_listing():
    assert (count_of(1, "breaker"), count_of(12300, "message")) == ("1 breaker", "12,300 messages")
    assert (listed([]), listed(["a"]), listed(["a", "b", "c"])) == ("", "a", "a, b and c")
