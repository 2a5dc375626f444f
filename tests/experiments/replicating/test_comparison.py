"""A comparison: common random numbers, paired differences judged together, verdicts, one digest of everything."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from sim.errors import UsageError
from sim.experiments.replicating.comparison import compare, run
from sim.experiments.replicating.results import Comparison
from sim.spec.base import register, unregister
from sim.spec.distribution import Distribution
from tests.experiments import fakes


def faked(**options) -> Comparison:
    return compare(fakes.shop(), jobs=1, perform=fakes.quick, **{"replications": 5, **options})


def test_differences_are_paired_so_that_common_luck_cancels():
    comparison = faked()
    spread = comparison.variants["one"].metrics["response_p99"].half_width
    difference = comparison.differences["two"]["response_p99"]
    assert spread > 1e-3
    assert difference.value == pytest.approx(-0.01)
    assert difference.half_width < 1e-9
    assert difference.significant


def test_only_metrics_of_which_more_or_less_is_better_are_judged():
    found = faked().differences["two"]
    assert "offered" not in found
    assert not found["availability"].significant


def test_metrics_stand_in_the_order_of_the_catalogue():
    assert list(faked().variants["one"].metrics)[:4] == [
        "response_p99",
        "response_p99(kitchen.cook)",
        "completion_p99",
        "availability",
    ]


def test_one_infinite_replication_makes_the_mean_infinite_and_censored():
    figure = faked().variants["two"].metrics["recovery_time(outage)"]
    assert math.isinf(figure.value)
    assert figure.censored


def test_the_fingerprint_covers_every_replication_of_every_variant():
    assert faked().fingerprint == faked().fingerprint
    assert faked().fingerprint != faked(replications=4).fingerprint
    assert faked().fingerprint != faked(variants=["two", "one"]).fingerprint


def test_the_first_variant_named_is_the_baseline():
    comparison = faked(variants=["two", "one"])
    assert comparison.baseline == "two"
    assert list(comparison.differences) == ["one"]


def test_an_unknown_variant_is_told_with_the_nearest_name():
    with pytest.raises(UsageError, match="unknown variant 'tow'; did you mean 'two'"):
        faked(variants=["one", "tow"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replications": 0}, "replications: found 0"),
        ({"engine": "simpie"}, "did you mean 'simpy'"),
        ({"variants": []}, "no variant"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        faked(**options)


def test_run_takes_the_first_variant_and_can_repeat_one_replication_alone():
    whole = run(fakes.shop(), replications=3, jobs=1, perform=fakes.quick)
    alone = run(fakes.shop(), only_replication=2, jobs=1, perform=fakes.quick)
    assert list(whole.variants) == ["one"]
    assert not whole.differences
    assert alone.variants["one"].per_replication.loc[2].equals(whole.variants["one"].per_replication.loc[2])


def test_several_files_are_one_comparison_under_the_seed_of_the_first():
    other = fakes.shop(fakes.SHOP.replace("seed: 7", "seed: 8"), "bistro.yaml")
    comparison = compare([fakes.shop(), other], replications=2, jobs=1, perform=fakes.quick)
    assert list(comparison.variants) == ["kitchen:one", "kitchen:two", "bistro:one", "bistro:two"]
    assert comparison.seed == 7
    assert comparison.variants["bistro:one"].per_replication.equals(comparison.variants["kitchen:one"].per_replication)
    assert {variant.scenario.seed for variant in comparison.variants.values()} == {7}


def test_two_files_of_one_name_cannot_be_told_apart():
    with pytest.raises(UsageError, match="two files are called 'kitchen'"):
        compare([fakes.shop(), fakes.shop(file="b/kitchen.yaml")], replications=1, perform=fakes.quick)


def test_frames_hold_requests_timelines_and_figures():
    comparison = faked()
    assert set(comparison.requests["variant"]) == {"one", "two"}
    assert comparison.requests["outcome"].tolist()[:3] == ["ok", "refused", "in_flight"]
    assert comparison.timeline.loc[("two", 1.0), "offered"] == 121.0
    assert comparison.summary.loc["response_p99", ("two", "difference")] == pytest.approx(-0.01)
    assert comparison.variants["one"].summary.loc["offered", "unit"] == "1/s"
    assert isinstance(comparison.variants["one"].requests, pd.DataFrame)


def test_in_a_notebook_it_shows_itself_as_a_table_with_its_verdicts():
    shown = faked()._repr_html_()
    assert "<table" in shown
    assert "response p99" in shown
    assert "availability(kitchen.cook) &gt;= 50%" in shown


def test_printed_it_is_the_same_table_and_not_all_that_it_holds():
    comparison = faked()
    shown = str(comparison)
    assert shown.startswith(f"{comparison.study.name}: seed ")
    assert "response p99" in shown
    assert "availability(kitchen.cook) >= 50%" in shown
    assert "one" in str(comparison.variants["one"])
    assert max(len(shown), len(str(comparison.variants["one"])), len(str(comparison.study))) < 5000


def test_slips_of_the_pen_in_python_are_told_in_words():
    with pytest.raises(
        UsageError, match=r"variants: found the text 'one', expected a list of names, such as \['one'\]"
    ):
        compare(fakes.shop(), variants="one", replications=1)
    with pytest.raises(UsageError, match="replications: found '2', expected a whole number"):
        compare(fakes.shop(), replications="2")


@pytest.mark.long
def test_a_real_comparison_gives_the_same_here_and_in_processes():
    here = compare(fakes.shop(), replications=2, jobs=1)
    there = compare(fakes.shop(), replications=2, jobs=2)
    assert here.fingerprint == there.fingerprint
    assert here.variants["two"].per_replication.equals(there.variants["two"].per_replication)
    assert here.variants["two"].timeline.equals(there.variants["two"].timeline)
    assert here.differences["two"]["response_mean"].value < 0


def test_both_variants_meet_the_same_guests():
    comparison = compare(fakes.shop(), replications=1, jobs=1)
    one, two = (comparison.variants[name].records.requests for name in ("one", "two"))
    assert sorted(one["arrival"]) == sorted(two["arrival"])


def test_a_replication_alone_is_the_one_it_was_among_the_others():
    whole = run(fakes.shop(), "two", replications=3, jobs=1)
    alone = run(fakes.shop(), "two", only_replication=2, jobs=1)
    assert alone.variants["two"].per_replication.loc[2].equals(whole.variants["two"].per_replication.loc[2])


def test_a_word_registered_by_hand_keeps_the_jobs_in_this_process():
    """A notebook's own distribution is unknown to any other process."""

    @register("distribution", "mine")
    class Mine(Distribution):
        def quantile(self, u: float) -> float:
            return 0.02 + 0.01 * u

    try:
        comparison = run(fakes.shop(fakes.SHOP.replace("{exponential: 40ms}", "{mine: {}}")), replications=2, jobs=2)
        assert comparison.variants["one"].metrics["response_p50"].value >= 0.02
    finally:
        unregister("distribution", "mine")
