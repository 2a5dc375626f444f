"""Kubernetes' VerticalPodAutoscaler: the figures that its own source names, and hand arithmetic."""

import math

import pytest

from sim.policies import vertical
from sim.policies.vertical import DAY, Bounds, Percentiles, Usage


def seen(*samples, half_life=DAY, every=60.0, request=1.0):
    usage = Usage(half_life)
    for number, cores in enumerate(samples):
        usage.add(number * every, cores, request)
    return usage


def test_buckets_begin_with_10_millicores_and_each_is_5_percent_wider():
    """0, 0.01, 0.01 + 0.0105, 0.0205 + 0.011025 ...: the sum of a geometric series."""
    assert [vertical.begin_of(bucket) for bucket in range(4)] == pytest.approx([0.0, 0.01, 0.0205, 0.031525])
    assert [vertical.bucket_of(cores) for cores in (0.0, 0.0099, 0.0101, 0.02, 0.021, 5000.0)] == [
        0,
        0,
        1,
        1,
        2,
        vertical.BUCKETS - 1,
    ]


def test_a_percentile_is_the_end_of_its_bucket():
    """Nine samples in the first bucket, one in the second: p90 is reached in the first one, p95 in the second."""
    usage = seen(*[0.005] * 9, 0.015, half_life=1e12)
    assert usage.percentile(0.89) == pytest.approx(0.01)
    assert usage.percentile(0.95) == pytest.approx(0.0205)
    assert Usage(DAY).percentile(0.9) == 0.0


def test_after_a_half_life_a_sample_weighs_half_as_much():
    """1 of then against 2 of now: two thirds of the weight are new, so a third of it is reached in the old bucket."""
    usage = seen(0.005, 0.015, every=DAY)
    assert usage.percentile(0.33) == pytest.approx(0.01)
    assert usage.percentile(0.34) == pytest.approx(0.0205)


def test_what_asked_for_more_weighs_more():
    """So that a replica that was given more is believed sooner."""
    usage = Usage(DAY)
    usage.add(0.0, 0.005, 1.0)
    usage.add(0.0, 0.015, 3.0)
    assert usage.percentile(0.25) == pytest.approx(0.01)
    assert usage.percentile(0.26) == pytest.approx(0.0205)


def test_weights_are_written_down_before_they_overflow():
    """2^3000 is no number: a sample of long ago counts nothing beside one of now."""
    usage = seen(0.005, 0.015, half_life=1.0, every=3000.0)
    assert math.isfinite(usage.total)
    assert usage.percentile(0.01) == pytest.approx(0.0205)


@pytest.mark.parametrize(("minutes", "factor"), [(5, 0.6), (30, 0.9), (60, 0.95)])
def test_the_lower_bound_is_low_where_little_is_known(minutes, factor):
    """The factors in the comments of recommender.go."""
    usage = seen(*[0.5] * (minutes + 1))
    its = vertical.recommend(usage, Percentiles(lower=0.9), Bounds())
    assert its.lower / its.target == pytest.approx(factor, abs=0.01)


@pytest.mark.parametrize(("hours", "factor"), [(12, 3.0), (24, 2.0), (7 * 24, 1.14)])
def test_the_upper_bound_is_high_where_little_is_known(hours, factor):
    usage = seen(*[0.5] * (hours * 60 + 1))
    its = vertical.recommend(usage, Percentiles(upper=0.9), Bounds())
    assert its.upper / its.target == pytest.approx(factor, abs=0.01)


def test_without_any_sample_there_is_no_recommendation_and_with_one_no_range():
    assert vertical.recommend(Usage(DAY), Percentiles(), Bounds()) is None
    its = vertical.recommend(seen(0.5), Percentiles(), Bounds())
    assert (its.lower, its.upper) == (0.025, math.inf)


def test_the_target_is_the_90th_percentile_and_15_percent_in_whole_thousandths():
    """0.1 cores are in the bucket that ends at 0.01 (1.05^9 - 1) / 0.05 = 0.11027: 110m and 16m (of 16.5)."""
    its = vertical.recommend(seen(0.1), Percentiles(), Bounds())
    assert its.target == pytest.approx(0.126)
    assert vertical.recommend(seen(0.1), Percentiles(), Bounds(0.2, 1.0)).target == 0.2
    assert vertical.recommend(seen(0.001), Percentiles(), Bounds()).target == 0.025
    assert vertical.recommend(seen(4.0), Percentiles(), Bounds(0.025, 1.0)).target == 1.0


def test_within_the_range_only_what_is_old_and_would_change_much():
    its = vertical.Recommendation(target=0.5, lower=0.2, upper=2.0)
    half_a_day = 12 * 3600.0
    small, large, outside = (vertical.wish(request, its) for request in (0.52, 0.4, 0.1))
    assert [vertical.may_update(wish, half_a_day, 0.1, half_a_day) for wish in (small, large, outside)] == [
        False,
        True,
        True,
    ]
    assert [vertical.may_update(wish, half_a_day - 1.0, 0.1, half_a_day) for wish in (small, large, outside)] == [
        False,
        False,
        True,
    ]
    assert large.change == pytest.approx(0.25)
    assert (small.grows, large.grows) == (False, True)


def test_so_many_at_once_that_half_of_them_may_be_missing():
    """Of 5 two; none where two are missing already; of one alone that one, where it is the only one wanted."""
    assert [vertical.may_disturb(5, 5, done, 2) for done in range(4)] == [True, True, False, False]
    assert [vertical.may_disturb(5, 3, done, 2) for done in range(2)] == [False, False]
    assert [vertical.may_disturb(1, 1, done, 0) for done in range(2)] == [True, False]
