from dataclasses import replace

import pandas as pd
import pytest

from sim.records.columns import Columns
from sim.report.verdict import expectations_in_words, judge, verdict
from sim.stats.interval import Difference, Interval
from tests.report.conftest import make_comparison


@pytest.fixture
def pair(single):
    """Two variants of which the test says everything."""

    def make(before, after, difference, key="response_p95", *, never=(0, 0), replications=10):
        def variant(name, figure, count):
            sample = [float("inf")] * count + [1.0] * (replications - count)
            return replace(
                single.variants["sync"],
                name=name,
                metrics={key: figure},
                figures=Columns.of(pd.DataFrame({key: sample})),
                verdicts=(),
            )

        variants = {"old": variant("old", before, never[0]), "new": variant("new", after, never[1])}
        return replace(
            single,
            variants=variants,
            replications=replications,
            differences={"new": {key: difference} if difference else {}},
        )

    return make


def test_better_and_worse_are_said_with_both_intervals(comparison):
    _, events = judge(comparison)
    assert "response p95 23.36 ms [23.17, 23.55] against 171.3 ms [169.9, 172.7], 7.3 times less" in events.better
    assert "lost 0 against 7,166 [7,107, 7,225] orders" in events.better
    assert any(clause.startswith("recovery time (payments outage, completion) 64.1 s") for clause in events.worse)


def test_where_the_interval_does_not_allow_it_nothing_is_called_better(pair):
    (judgement,) = judge(
        pair(
            Interval(1.0, 0.8, 1.2, 10),
            Interval(0.9, 0.7, 1.1, 10),
            Difference(-0.1, -0.3, 0.1, 10, p_value=0.4, detectable=0.42),
        )
    )
    assert (judgement.better, judgement.worse, judgement.same) == ((), (), ("response p95 (420 ms would have shown)",))
    assert "no significant difference: response p95 (420 ms would have shown)" in str(judgement)


def test_overlapping_intervals_with_a_clear_difference_are_explained(pair):
    (judgement,) = judge(
        pair(
            Interval(1.0, 0.8, 1.2, 10),
            Interval(0.9, 0.7, 1.1, 10),
            Difference(-0.1, -0.11, -0.09, 10, significant=True),
        )
    )
    assert "a paired difference of -100 ± 10 ms" in judgement.better[0]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [(0.14, 170.0, "1,200 times as much"), (3.0, 0.0157, "190 times less"), (1.0, 27.4, "27 times as much")],
)
def test_ratios_are_plain_numbers_of_two_digits(pair, before, after, words):
    figures = [Interval(value, value * 0.99, value * 1.01, 10) for value in (before, after)]
    (judgement,) = judge(
        pair(*figures, Difference(after - before, after - before - 0.001, after - before + 0.001, 10, significant=True))
    )
    assert [clause.split("], ")[-1] for clause in (*judgement.better, *judgement.worse)] == [words]


def test_against_a_figure_that_was_cut_off_only_one_direction_can_be_judged(pair):
    cut, known = Interval(780.0, 770.0, 790.0, 10, censored=True), Interval(60.0, 59.0, 61.0, 10)
    less = Difference(-720.0, -730.0, -710.0, 10, significant=True)
    (shorter,) = judge(pair(cut, known, less))
    assert shorter.better == ("response p95 60.0 s [59.0, 61.0] against > 13.0 min, at least 13 times less",)
    (undecided,) = judge(pair(known, cut, less))
    assert undecided.open == ("response p95",)


@pytest.mark.parametrize(
    ("never", "replications", "expected"),
    [
        ((0, 10), 10, "worse"),
        ((10, 0), 10, "better"),
        ((0, 3), 10, "open"),
        ((0, 3), 3, "few"),
        ((4, 4), 10, "open"),
        ((10, 10), 10, "equal"),
    ],
)
def test_never_is_a_verdict_only_when_it_is_no_luck(pair, never, replications, expected):
    figures = [Interval(float("inf") if count else 1.0) for count in never]
    (judgement,) = judge(pair(*figures, None, "recovery_time(dark)", never=never, replications=replications))
    assert [part for part in ("better", "worse", "equal", "same", "few", "open") if getattr(judgement, part)] == [
        expected
    ]


def test_one_replication_is_no_verdict():
    sentences = verdict(make_comparison(("sync", "async"), 1))
    assert sentences[0].startswith("One replication gives no intervals")
    assert not any("better" in sentence for sentence in sentences)


def test_expectations_in_words(comparison, single):
    assert expectations_in_words(comparison) == (
        "1 of 5 expectations fails: async: p99(completion, POST /orders) < 60s (found 3.00 min).",
    )
    assert expectations_in_words(single) == ()


def test_names_with_braces_do_no_harm(pair):
    (judgement,) = judge(
        pair(
            Interval(9.0, 8.0, 10.0, 10),
            Interval(1.0, 0.5, 1.5, 10),
            Difference(-8.0, -9.0, -7.0, 10, significant=True),
            "recovery_time({0} {x})",
        )
    )
    assert judgement.better[0].startswith("recovery time ({0} {x}) 1.0 s")
