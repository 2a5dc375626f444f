"""Paired differences, one and many."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sim.stats.bounds import NOT_NEGATIVE, SHARE
from sim.stats.mean import mean_interval
from sim.stats.paired import Nature, differences, holm, paired_difference

INF, NAN = math.inf, math.nan


def test_it_agrees_with_the_paired_t_test():
    generator = np.random.default_rng(7)
    baseline = generator.exponential(1.0, 12)
    variant = baseline + generator.normal(0.2, 0.3, 12)
    found, expected = paired_difference(variant, baseline), scipy.stats.ttest_rel(variant, baseline)
    assert found.p_value == pytest.approx(expected.pvalue)
    limits = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high))
    assert found.value == pytest.approx((variant - baseline).mean())


def test_common_luck_makes_a_small_difference_plain():
    """The spread over replications is 100 times the effect, and does not hide it."""
    luck = np.linspace(1.0, 100.0, 10)
    found = paired_difference(luck - 1.0 + 0.01 * np.sin(luck), luck)
    assert found.significant
    assert found.high < 0


def test_differences_that_are_all_equal_are_certain():
    found = paired_difference([3.0, 4.0], [1.0, 2.0])
    assert (found.value, found.low, found.high, found.p_value, found.significant) == (2.0, 2.0, 2.0, 0.0, True)


def test_no_difference_at_all():
    found = paired_difference([3.0, 4.0], [3.0, 4.0])
    assert (found.value, found.p_value, found.significant) == (0.0, 1.0, False)


def test_one_pair_proves_nothing():
    found = paired_difference([3.0], [1.0])
    assert (found.value, found.n, found.significant) == (2.0, 1, False)
    assert math.isnan(found.p_value)


def test_rounding_is_no_difference():
    """0.1 + 0.2 is not 0.3 in floats, in every replication alike."""
    assert paired_difference([0.1 + 0.2] * 5, [0.3] * 5).p_value == 1.0


def test_pairs_without_a_value_are_left_out():
    found = paired_difference([1.0, NAN, 3.0, 9.0], [0.0, 1.0, 2.0, NAN])
    assert (found.value, found.n) == (1.0, 2)
    assert paired_difference([NAN], [1.0]).n == 0


def test_samples_of_unequal_length_are_no_pairs():
    with pytest.raises(ValueError, match="found 2 and 1 values"):
        paired_difference([1.0, 2.0], [1.0])


def test_never_against_sometime_goes_by_the_sign_test():
    """Ten times the variant recovered and the baseline never did: p = 2 / 2^10. Three times would not do."""
    found = paired_difference([5.0] * 10, [INF] * 10, baseline_censored=True)
    assert (found.value, found.censored, found.significant) == (-INF, True, True)
    assert found.p_value == pytest.approx(2 / 1024)
    assert not paired_difference([5.0] * 3, [INF] * 3, baseline_censored=True).significant


def test_never_on_both_sides_is_no_known_difference():
    found = paired_difference([INF, INF], [INF, INF], variant_censored=True, baseline_censored=True)
    assert math.isnan(found.value)
    assert not found.significant


@pytest.mark.parametrize(
    ("shift", "variant_censored", "baseline_censored", "significant"),
    [
        (5, True, False, True),
        (-5, True, False, False),
        (-5, False, True, True),
        (5, False, True, False),
        (5, True, True, False),
    ],
)
def test_a_lower_bound_is_judged_only_where_the_truth_would_agree(
    shift, variant_censored, baseline_censored, significant
):
    """'more than 15 s' against 10 s is later; 'more than 5 s' against 10 s says nothing."""
    baseline = np.array([10.0, 10.1, 10.2, 9.9])
    found = paired_difference(
        baseline + shift, baseline, variant_censored=variant_censored, baseline_censored=baseline_censored
    )
    assert found.significant is significant
    assert found.censored


def test_holm_on_a_worked_example():
    """p = 0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02 (as R's p.adjust has it)."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_lies_between_nothing_and_bonferroni(p_values):
    corrected = holm(p_values)
    for p, q in zip(p_values, corrected, strict=True):
        assert p <= q <= min(1.0, len(p_values) * p) + 1e-12
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [corrected[i] for i in order] == sorted(corrected)


def test_many_metrics_are_judged_together():
    """Twenty metrics without a difference do not yield one by chance, as one in twenty would alone; a true one is still found."""
    generator = np.random.default_rng(3)
    baseline = {f"m{i}": generator.normal(0, 1, 10) for i in range(40)}
    variant = {name: generator.normal(0, 1, 10) for name in baseline} | {
        "m0": baseline["m0"] + 5 + generator.normal(0, 0.1, 10)
    }
    alone = [name for name in baseline if paired_difference(variant[name], baseline[name]).significant]
    together = [name for name, found in differences(variant, baseline).items() if found.significant]
    assert len(alone) > 1
    assert together == ["m0"]


def test_what_is_equal_or_the_same_does_not_count_as_a_further_hypothesis():
    """Overall and its only route are one figure, and outcomes that never occur are none: the p-value stays what it was alone."""
    baseline, variant = [1.0, 2.0, 3.0, 4.0], [1.5, 2.4, 3.6, 4.5]
    alone = paired_difference(variant, baseline).p_value
    zero = {f"never{i}": [0.0] * 4 for i in range(20)}
    found = differences({"a": variant, "a(route)": variant, **zero}, {"a": baseline, "a(route)": baseline, **zero})
    assert found["a"].p_value == found["a(route)"].p_value == alone
    assert found["never0"].p_value == 1.0


def test_metrics_of_one_side_only_are_not_compared():
    assert list(differences({"a": [1.0, 2.0], "b": [1.0, 2.0]}, {"a": [0.0, 1.5], "c": [1.0, 1.0]})) == ["a"]


def test_censored_metrics_are_named():
    found = differences({"a": [1.0, 2.0]}, {"a": [5.0, 6.1]}, variant_censored={"a"})
    assert found["a"].censored
    assert not found["a"].significant


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=2, max_size=12))
def test_exchanging_the_sides_turns_the_sign(pairs):
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    forth, back = paired_difference(a, b), paired_difference(b, a)
    assert forth.value == -back.value
    assert forth.p_value == back.p_value
    assert (forth.low, forth.high) == (-back.high, -back.low)


SHARES, TIMES = Nature(SHARE), Nature(NOT_NEGATIVE)


def test_two_replications_are_too_few_whatever_they_say():
    """77 % against 100 %, twice: beside other figures that is no proof, and no equality either."""
    noise = {f"m{i}": [float(i), i + 1.5] for i in range(30)}
    found = differences(
        {"share": [0.7666, 0.7686], **noise},
        {"share": [1.0, 1.0], **{name: [0.0, 0.0] for name in noise}},
        natures={"share": SHARES},
    )["share"]
    assert (found.significant, found.few, found.finding) == (False, True, "few")
    assert found.detectable > 0


def test_where_not_even_the_largest_difference_would_have_shown_nothing_is_judged():
    """Two of five replications lost an order and the baseline none: a difference of all there is would not have shown. Of ten with hundreds it would."""
    few = differences({"lost": [0.0, 2.0, 0.0, 1.0, 0.0]}, {"lost": [0.0] * 5}, natures={"lost": TIMES})["lost"]
    assert few.finding == "few"
    luck = np.random.default_rng(1).normal(0.0, 5.0, 10)
    many = differences({"lost": 300.0 + luck}, {"lost": np.full(10, 300.0)}, natures={"lost": TIMES})["lost"]
    assert many.finding == "not significant"
    assert 0 < many.detectable < 300


def test_equal_is_said_only_of_what_is_equal_in_every_replication():
    assert paired_difference([1.0, 2.0], [1.0, 2.0]).finding == "equal"
    assert paired_difference([1.0, 3.0, 2.0], [2.0, 2.0, 2.0]).finding == "not significant"  # by chance the mean is 0


@pytest.mark.parametrize(
    ("variant", "baseline", "nature"),
    [
        (0.005, 0.005 + 3e-12, Nature(NOT_NEGATIVE, clock=64 * 1200.0)),  # read off a clock at twenty minutes
        (2.0, 2.0 * (1 + 2e-10), Nature(NOT_NEGATIVE, additions=2_000_000)),  # the sum of two million
        (1e-17, 0.0, SHARES),  # what is left of 1 - 1
    ],
)
def test_what_is_below_the_rounding_of_its_making_is_equal(variant, baseline, nature):
    found = paired_difference([variant] * 3, [baseline] * 3, nature=nature)
    assert (found.value, found.low, found.high, found.significant, found.finding) == (0.0, 0.0, 0.0, False, "equal")


def test_a_difference_of_one_request_is_never_rounding():
    """One of thirty million, the largest number for which the bound of the worst case is taken."""
    n = 30_000_000
    found = paired_difference([1.0 - 1.0 / n] * 3, [1.0] * 3, nature=Nature(SHARE, additions=n))
    assert found.significant
    assert paired_difference([7.0] * 3, [8.0] * 3, nature=Nature(NOT_NEGATIVE, additions=n)).significant


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)), min_size=2, max_size=8))
def test_a_difference_of_shares_is_within_what_both_sides_allow(pairs):
    variant, baseline = [x for x, _ in pairs], [y for _, y in pairs]
    found = paired_difference(variant, baseline, nature=SHARES)
    before, after = mean_interval(baseline, bounds=SHARE), mean_interval(variant, bounds=SHARE)
    assert -1.0 <= found.low <= found.value <= found.high <= 1.0
    assert found.high <= max(found.value, 1.0 - before.low) + 1e-12
    assert found.low >= min(found.value, after.low - 1.0) - 1e-12


def test_nothing_is_lost_below_nothing():
    """Four and none lost: Student's limits are 2 -+ 25. The baseline lost none in either, so the variant cannot have lost fewer."""
    found = paired_difference([4.0, 0.0], [0.0, 0.0], nature=TIMES)
    assert found.low == 0.0
    assert not found.significant


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=3, max_size=8))
def test_bounds_change_no_verdict(pairs):
    variant, baseline = [x / 1000 for x, _ in pairs], [y / 1000 for _, y in pairs]
    cut, plain = (
        paired_difference(variant, baseline, nature=SHARES),
        paired_difference(variant, baseline, nature=Nature(additions=SHARES.additions)),
    )
    if cut.finding != "equal":
        assert (cut.p_value, cut.significant) == (plain.p_value, plain.significant)
        assert (cut.low > 0 or cut.high < 0) == (plain.low > 0 or plain.high < 0)


def test_where_nothing_is_random_one_pair_is_proof():
    found = paired_difference([3.0], [1.0], exact=True)
    assert (found.value, found.low, found.high, found.significant, found.few) == (2.0, 2.0, 2.0, True, False)
    assert paired_difference([0.1 + 0.2], [0.3], exact=True).finding == "equal"
