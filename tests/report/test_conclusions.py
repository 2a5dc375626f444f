"""Who wins, or what it depends on: from figures whose differences are plain, and from some that are not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from sim.experiments.replicating.method import Method
from sim.experiments.replicating.results import Comparison, VariantResult
from sim.records.columns import Columns
from sim.report.conclusions.comparing import conclude
from sim.report.conclusions.ranking import rank
from sim.stats.mean import mean_interval

REPLICATIONS = 10
NOISE = np.resize(
    [-0.01, 0.01, -0.005, 0.005, 0.0], REPLICATIONS
)  # of the value; the same in no two variants, see `variant`


@pytest.fixture
def made(comparison):
    """A comparison of variants with these figures: name -> metric -> mean over the replications."""

    def make(figures: dict[str, dict[str, float]], noise: float = 1.0, **method) -> Comparison:
        model = next(iter(comparison.variants.values()))
        variants = {
            name: variant(model, name, place, means, noise) for place, (name, means) in enumerate(figures.items())
        }
        return replace(comparison, variants=variants, differences={}, method=Method(**method))

    return make


def variant(model: VariantResult, name: str, place: int, means: dict[str, float], noise: float) -> VariantResult:
    columns = {key: mean * (1 + noise * np.roll(NOISE, place)) for key, mean in means.items()}
    metrics = {key: mean_interval(values) for key, values in columns.items()}
    return replace(
        model,
        name=name,
        metrics=metrics,
        figures=Columns(np.arange(REPLICATIONS), columns),
        verdicts=(),
        fingerprint=name,
    )


def test_who_is_better_in_all_that_differs_wins(made):
    told = conclude(
        made({"a": {"availability": 0.9, "response_p95": 0.5}, "b": {"availability": 0.9, "response_p95": 0.1}})
    )
    assert (
        told.sentence == "b wins: it is best in response p95, and no other variant is better in anything compared here."
    )


def test_the_winner_may_be_any_variant_and_is_compared_with_all_others(made):
    """Two variants that are both better than the baseline are held against one another, too."""
    told = conclude(made({"base": {"response_p95": 0.9}, "good": {"response_p95": 0.2}, "best": {"response_p95": 0.1}}))
    assert told.sentence.startswith("best wins: ")
    assert [line.text for line in told.points][:1] == [
        "Response p95: best 100.0 ± 0.5 ms, then good 200.0 ± 1.1 ms and base 900 ± 5 ms."
    ]


def test_where_each_is_better_in_something_it_depends_on_what_matters(made):
    told = conclude(
        made(
            {
                "calls": {"availability": 0.5, "completion_p95": 0.1},
                "events": {"availability": 0.9, "completion_p95": 60.0},
            }
        )
    )
    assert (
        told.sentence == "It depends on what matters, no variant is best in all: events for availability; "
        "calls for completion p95 (of the 50.0% it answers well)."
    )


def test_who_is_ahead_in_most_is_named_with_what_others_do_better(made):
    figures = {
        "a": {"availability": 0.5, "response_p95": 0.9, "goodput": 10.0, "completion_p95": 1.0},
        "b": {"availability": 0.9, "response_p95": 0.1, "goodput": 20.0, "completion_p95": 9.0},
        "c": {"availability": 0.4, "response_p95": 2.0, "goodput": 5.0, "completion_p95": 20.0},
    }
    told = conclude(made(figures))
    assert told.sentence == (
        "b comes out ahead, best or level with the best in availability, response p95 and goodput; but not in all: a is better in "
        "completion p95 (of the 50.0% it answers well)."
    )
    assert (
        "c is never the one to take: a is better in availability, response p95, completion p95 and goodput, and worse in nothing."
        in [line.text for line in told.points]
    )


def varied(found: Comparison, name: str, noises: dict[str, float]) -> Comparison:
    """The same where the figures of one variant vary so many times as much."""
    its = found.variants[name]
    columns = {key: its.metrics[key].value * (1 + noise * NOISE) for key, noise in noises.items()}
    metrics = {key: mean_interval(values) for key, values in columns.items()}
    other = replace(its, metrics=metrics, figures=Columns(np.arange(REPLICATIONS), columns))
    return replace(found, variants={**found.variants, name: other})


def test_who_varies_too_much_to_be_beaten_has_not_won(made):
    """`odd` has 85 % availability give or take 18 %, and costs anything: neither of the others can be told from it in
    cost, and `large`, which answers all and costs twice as much as `small`, not in availability.
    """
    figures = {
        "small": {"availability": 0.3, "cost_per_thousand": 2.0},
        "odd": {"availability": 0.85, "cost_per_thousand": 3.8},
        "large": {"availability": 1.0, "cost_per_thousand": 4.5},
    }
    found = varied(made(figures), "odd", {"availability": 30.0, "cost_per_thousand": 100.0})
    assert rank(found).unbeaten == ("odd",)
    assert conclude(found).sentence == (
        "No winner: no other variant is better than odd beyond doubt, but in 10 replications nothing tells it from "
        "large either. Run more replications."
    )


def test_a_winner_is_not_called_best_where_another_is_better_on_average(made):
    figures = {
        "a": {"availability": 0.9, "response_p95": 0.1},
        "b": {"availability": 1.0, "response_p95": 0.5},
        "c": {"availability": 0.2, "response_p95": 0.5},
    }
    found = varied(made(figures), "b", {"availability": 30.0, "response_p95": 1.0})
    assert conclude(found).sentence.startswith("a wins: it is best in response p95, and no other variant ")


def test_who_shares_the_first_place_is_said_to_be_ahead_only_of_whom_it_is(made):
    figures = {"a": {"response_p95": 0.1}, "b": {"response_p95": 0.12}, "c": {"response_p95": 0.13}}
    found = varied(made(figures), "b", {"response_p95": 50.0})
    assert conclude(found).sentence == (
        "a and b share the first place: nothing tells them apart, and c is behind one of them in something."
    )


def test_what_the_intervals_do_not_tell_apart_has_no_winner(made):
    """Differences of 0.1 % in noise of about 1 %."""
    told = conclude(made({"a": {"response_p95": 0.1}, "b": {"response_p95": 0.1001}}))
    assert told.sentence == "No winner: in 10 replications nothing that matters here tells the variants apart."


def test_two_replications_give_no_verdict_but_the_advice_to_run_more(made):
    """An interval of two is that of Student with one degree of freedom: 12.7 standard errors to either side."""
    found = made({"a": {"response_p95": 0.44, "goodput": 10.0}, "b": {"response_p95": 1.0, "goodput": 10.0}}, noise=20)
    two = {
        name: replace(
            result, figures=Columns(np.arange(2), {key: result.figures[key][:2] for key in ("response_p95", "goodput")})
        )
        for name, result in found.variants.items()
    }
    told = conclude(replace(found, variants=two, replications=2))
    assert told.sentence == (
        "No verdict: 2 replications are too few to judge response p95 and goodput. Run more replications."
    )


def test_who_shares_the_first_place_for_want_of_replications_does_so_with_that_remark(made):
    """Half the goodput is seen in two replications; hundredths of it are not, nor times of which one is twice the other."""
    found = made({name: {"response_p95": 0.44, "goodput": 10.0} for name in ("a", "b")}, noise=20)
    figures = {"a": (10.0, 10.01), "b": (10.01, 10.0), "c": (5.0, 5.01)}
    model = found.variants["a"]
    two = {
        name: replace(
            model,
            name=name,
            fingerprint=name,
            figures=Columns(
                np.arange(2), {"goodput": np.array(goodput), "response_p95": (1 + place) * np.array([0.3, 0.6 - place])}
            ),
        )
        for place, (name, goodput) in enumerate(figures.items())
    }
    told = conclude(replace(found, variants=two, replications=2)).sentence
    assert told.startswith("a and b share the first place: ")
    assert told.endswith(" 2 replications are too few to judge response p95 and goodput.")


def test_two_that_share_the_first_place_are_both_named(made):
    told = conclude(made({"a": {"response_p95": 0.1}, "b": {"response_p95": 0.1001}, "c": {"response_p95": 0.9}}))
    assert (
        told.sentence == "a and b share the first place: nothing tells them apart, and each is ahead of c in something."
    )


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("lost_orders", "Orders lost (their clients were told that all is well): 20.00 ± 0.11 in b; none in a."),
        ("double_charges", "Charges beyond the first of an order: 20.00 ± 0.11 in b; none in a."),
        ("oversold_items", "Items sold that were not there: 20.00 ± 0.11 in b; none in a."),
    ],
)
def test_what_went_wrong_with_orders_is_told_although_nothing_is_expected(made, key, words):
    told = conclude(made({"a": {key: 0.0}, "b": {key: 20.0}}))
    assert (told.points[0].text, told.points[0].mood) == (words, "bad")
    assert told.sentence.startswith("a wins: it is best in ")


def test_a_percentile_of_few_says_of_how_many(made):
    told = conclude(
        made(
            {"a": {"availability": 0.25, "response_p95": 0.1}, "b": {"availability": 1.0, "response_p95": 0.9}},
            noise=0.01,
        )
    )
    assert any("ms (of the 25.0% answered well), then b 900" in line.text for line in told.points)


def test_one_replication_gives_no_verdict(single, comparison):
    one = replace(comparison, replications=1)
    assert conclude(one).sentence.startswith("No verdict: one replication is one draw of luck")
    assert "of the requests are answered well, 95% of these within" in conclude(single).sentence


def test_variants_that_are_the_same_make_no_difference(made):
    same = made({"a": {"response_p95": 0.1}, "b": {"response_p95": 0.1}})
    same = replace(same, variants={name: replace(its, fingerprint="f") for name, its in same.variants.items()})
    assert conclude(same).sentence == "It makes no difference: in all variants every request is the same as in a."


def test_figures_that_are_exact_need_one_replication(made):
    exact = made({"a": {"response_p95": 0.2}, "b": {"response_p95": 0.1}}, noise=0.0, exact=True)
    variants = {
        name: replace(
            its, figures=Columns(np.arange(1), {key: values[:1] for key, values in its.figures.columns.items()})
        )
        for name, its in exact.variants.items()
    }
    assert conclude(replace(exact, variants=variants, replications=1)).sentence.startswith("b wins: ")


def test_who_never_recovers_is_behind_who_does(made):
    ranking = rank(made({"a": {"recovery_time(outage)": math.inf}, "b": {"recovery_time(outage)": 3.0}}))
    assert [(standing.key, standing.leaders) for standing in ranking.standings] == [("recovery_time(outage)", ("b",))]


def test_all_pairs_and_criteria_are_judged_together(made):
    """What one comparison alone calls significant (p = 0.02) is not among five (Holm: 5 p > 0.05)."""
    alone = {"a": {"response_p95": 0.1}, "b": {"response_p95": 0.1012}}
    others = {
        "availability": (0.9, 0.9009),
        "completion_p95": (1.0, 1.001),
        "goodput": (10.0, 10.01),
        "cost_per_thousand": (2.0, 2.002),
    }
    assert rank(made(alone)).standings
    among = {
        name: {**figures, **{key: pair[place] for key, pair in others.items()}}
        for place, (name, figures) in enumerate(alone.items())
    }
    assert not rank(made(among)).standings
