"""Quantiles by rank, and what unfinished durations do to them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.stats.quantile import Durations, Ranked, at_ranks, quantile, quantiles, rank
from tests.stats.one_quantile import quantile_interval

finite = st.floats(0, 1e6)
shares = st.sampled_from([0.01, 0.07, 0.5, 0.9, 0.95, 0.99, 0.999])


def durations(finished, ages, *lines):
    return Durations(np.array(finished, dtype=float), np.array(ages, dtype=float), *lines)


def censored_quantile(finished, ages, q):
    return durations(finished, ages).quantiles((q,))[0]


def censored_mean(finished, ages, *, endless):
    return durations(finished, ages).mean(endless=endless)


def test_the_quantile_is_one_of_the_values():
    """The median of four values is the second; nothing is interpolated."""
    assert quantile([4, 1, 3, 2], 0.5) == 2
    assert quantile([4, 1, 3, 2], 0.51) == 3
    assert quantiles(range(1, 101), [0.5, 0.95, 0.99, 0.999, 1.0]) == [50, 95, 99, 100, 100]


def test_a_rank_does_not_slip_by_rounding():
    """0.07 * 100 is 7.000000000000001 in floats and still means the seventh."""
    assert rank(0.07, 100) == 7
    assert rank(0.999, 1000) == 999
    assert rank(0.5, 1) == 1


def test_no_values_give_no_quantile():
    assert math.isnan(quantile([], 0.5))
    assert math.isnan(censored_quantile([], [], 0.5).value)


@given(st.lists(finite, min_size=1, max_size=60), shares)
def test_it_is_the_smallest_value_that_covers_the_share(values, q):
    found = quantile(values, q)
    assert np.mean(np.array(values) <= found) >= q - 1e-9
    assert np.mean(np.array(values) < found) < q


def test_a_percentile_that_falls_on_an_unfinished_one_is_its_age():
    """90 orders took 1 to 90 s, ten are unfinished at the ages 101 to 110 s: p95 is the fifth of these."""
    finished, ages = range(1, 91), range(101, 111)
    assert censored_quantile(finished, ages, 0.90) == (90, False)
    assert censored_quantile(finished, ages, 0.95) == (105, True)
    assert censored_quantile(finished, ages, 0.99) == (109, True)


def test_young_unfinished_ones_stand_behind_all_finished_ones():
    """An order that began a second ago is not a fast order: the median moves up, and what it cannot settle it does not."""
    finished, ages = [10.0] * 50 + [20.0] * 40, [1.0] * 10
    assert censored_quantile(finished, ages, 0.5) == (10, False)
    assert censored_quantile(finished, ages, 0.55) == (20, False)
    assert censored_quantile(finished, ages, 0.95) == (20, True)


def test_nothing_finished_is_all_censored():
    assert censored_quantile([], [3.0, 5.0], 0.5) == (3.0, True)


@given(st.lists(finite, max_size=40), st.lists(st.tuples(finite, finite), max_size=40), shares)
def test_whatever_the_unfinished_turn_out_to_be(finished, unfinished, q):
    """A censored quantile is never above the one that all would have given; an uncensored one is never below it."""
    ages, later = [age for age, _ in unfinished], [age + more for age, more in unfinished]
    value, censored = censored_quantile(finished, ages, q)
    if finished or unfinished:
        truth = quantile([*finished, *later], q)
        assert value <= truth if censored else value >= truth


def test_a_mean_is_a_lower_bound_when_something_never_ends_or_much_is_open():
    done = [1.0] * 990
    assert censored_mean(done, [1.0] * 10, endless=False) == (1.0, False)
    assert censored_mean(done, [1.0] * 11, endless=False).censored
    assert censored_mean(done, [500.0], endless=True).censored
    assert censored_mean(done, [], endless=False) == (pytest.approx(1.0), False)
    assert math.isnan(censored_mean([], [], endless=False).value)


def test_what_is_known_by_bins_lies_evenly_in_them():
    """Four values between 1 and 3, in two cells of one bin, and one between 3 and 5."""
    values, counts, widths = np.array([2.0, 4.0, 2.0]), np.array([3, 1, 1]), np.array([2.0, 2.0, 2.0])
    assert at_ranks(values, [1, 2, 3, 4, 5], counts, widths).tolist() == [1.25, 1.75, 2.25, 2.75, 4.0]
    assert durations(values, [7.0], counts, np.array([2]), widths, np.array([1.0])).quantiles((0.5, 1.0)) == [
        (2.75, False),
        (7.25, True),
    ]


@given(
    st.lists(finite, min_size=1, max_size=60),
    st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=4), min_size=1, max_size=6),
)
def test_whatever_was_asked_before_a_rank_is_what_sorting_gives(values, questions):
    """Ranks are asked for again and again of one sample, and the values themselves stay as they were."""
    array = np.array(values)
    ranked, ordered = Ranked(array), np.sort(array)
    for question in questions:
        ranks = [min(rank, len(values)) for rank in question]
        assert ranked.at(ranks).tolist() == [ordered[rank - 1] for rank in ranks]
    assert array.tolist() == values


counted = st.lists(st.tuples(finite, st.integers(1, 9)), min_size=1, max_size=40)


@given(counted, st.lists(st.tuples(finite, st.integers(1, 9)), max_size=10), shares)
def test_a_count_is_so_many_equal_values(values, ages, q):
    """Values with counts give what the same values written out give, on both sides of what has ended."""
    (times, counts), (old, aged) = (np.array(pairs, dtype=float).reshape(-1, 2).T for pairs in (values, ages))
    counts, aged = counts.astype(int), aged.astype(int)
    assert quantile(times, q, counts) == quantile(np.repeat(times, counts), q)
    assert durations(times, old, counts, aged).quantiles((q,)) == durations(
        np.repeat(times, counts), np.repeat(old, aged)
    ).quantiles((q,))
    found = durations(times, old, counts, aged).mean(endless=False)
    written_out = censored_mean(np.repeat(times, counts), np.repeat(old, aged), endless=False)
    assert found == (pytest.approx(written_out.value), written_out.censored)
    assert quantile_interval(Ranked(times, counts), q) == quantile_interval(Ranked(np.repeat(times, counts)), q)
