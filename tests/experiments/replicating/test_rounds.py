"""Replications by a rule: until precise, until the best is plain, cut where the run has settled."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest

from sim import cli
from sim.errors import ScenarioError, UsageError
from sim.experiments.replicating.comparison import compare, run
from sim.experiments.replicating.earlier_run import against_earlier
from sim.experiments.replicating.method import Method
from sim.experiments.running.decoding import decoded
from sim.experiments.running.jobs import Job, JobResult, Tick
from sim.metrics.settling import POINTS, RESPONSE
from sim.records.columns import Columns
from sim.report.pages.comparison import render_comparison
from sim.report.table import render_table
from sim.spec import load_text
from tests.experiments import fakes
from tests.experiments.fakes import save

QUEUE = """\
version: 1
name: queue
duration: 20s
warmup: auto
seed: 7
traffic: {guests: {sends: kitchen.cook, arrivals: {poisson: 20/s}}}
services: {kitchen: {workers: 1, endpoints: {cook: [{work: {exponential: 20ms}}]}}}
"""


def lucky(job: Job, tick: Tick) -> JobResult:
    """Responses of 1 s, of `two` and `three` 0.05 s less, with a spread of 0.1 s that all share, and one of 0.01 s (`three` 0.06 s) of their own."""
    result = fakes.quick(job, tick)
    shared = np.random.default_rng([job.seed, job.replication]).normal(0, 0.1)
    own = np.random.default_rng([job.seed, job.replication, *job.variant.encode()]).normal(
        0, 0.06 if job.variant == "three" else 0.01
    )
    result.metrics["response_p99"] = (1.0 if job.variant == "one" else 0.95) + shared + own
    result.metrics["response_mean"] = 5.0
    result.metrics["lost_orders"] = float(job.replication % 2) - 0.5
    return result


def settling(job: Job, tick: Tick) -> JobResult:
    """In the pilot `one` climbs for a tenth of the run, `two` for a fifth."""
    result = lucky(job, tick)
    if json.loads(job.document)["warmup"] != "auto":
        return result
    climb = {"one": 100, "two": 200, "three": POINTS}[job.variant]
    noise = np.random.default_rng([job.replication, climb]).normal(0, 0.1, POINTS)
    series = noise + np.minimum(np.arange(POINTS) / climb, 1.0) * 10
    timeline = Columns(np.arange(POINTS) * 0.02, {RESPONSE: series}, "time")
    return JobResult(result.metrics, result.censored, timeline, result.fingerprint, result.simulated)


THREE = fakes.SHOP.replace("  two:", "  three: {}\n  two:")
AUTO = THREE.replace("warmup: 2s", "warmup: auto")


def faked(text: str = fakes.SHOP, perform=lucky, **options):
    return compare(fakes.shop(text), jobs=1, perform=perform, **options)


def kept(method: Method) -> Method:
    """As an archive keeps it; a whole one is not believed here, where its figures are made up."""
    return decoded(Method, json.loads(json.dumps(asdict(method))), "method")


# ---- until precise


def test_replications_go_on_until_every_variant_is_precise():
    comparison = faked(precision=0.04, metrics=["p99(response)"])
    precision = comparison.method.precision
    assert precision.replications == comparison.replications > 20
    assert not precision.missed
    for variant in comparison.variants.values():
        figure = variant.metrics["response_p99"]
        assert figure.half_width <= figure.value * 0.04 / 1.04
    assert str(precision) == f"precision: response_p99 within 4% after {comparison.replications} replications"


def test_the_result_is_that_of_a_fixed_run_of_as_many():
    by_rule = faked(precision=0.04)
    fixed = faked(replications=by_rule.replications)
    assert by_rule.fingerprint == fixed.fingerprint
    assert by_rule.variants["two"].metrics == fixed.variants["two"].metrics
    assert by_rule.differences == fixed.differences


def test_what_is_precise_at_once_takes_the_first_batch():
    assert faked(precision=0.05, metrics=["mean(response)"]).replications == 10


def test_the_cap_is_kept_and_said():
    comparison = faked(precision=0.001, replications=25)
    assert comparison.replications == 25
    told = str(comparison.method)
    assert told.startswith(
        "precision: not reached, response_p99 within 0.1% was asked for: stopped at the cap of 25 replications with one: response_p99 ± "
    )
    assert 20_000 < comparison.method.precision.needed < 60_000
    assert f"it would take about {comparison.method.precision.needed} replications" in told


def test_a_mean_of_zero_is_never_precise_unless_nothing_varies():
    """Relative to nothing no error is small: it runs to the cap and says why."""
    comparison = faked(precision=0.05, metrics=["lost_orders"], replications=40)
    assert comparison.replications == 40
    assert "one: lost_orders, whose mean is about 0" in str(comparison.method)
    assert comparison.method.precision.needed == 0


def test_a_figure_that_is_infinite_or_missing_gets_no_better_and_is_said_to_be():
    comparison = faked(precision=0.05, metrics=["response_p50", "mean(response)"])
    assert comparison.replications == 10
    assert (
        str(comparison.method)
        == "precision: not reached, one: response_p50 and two: response_p50 have no finite value, after 10 replications"
    )
    assert kept(comparison.method) == comparison.method


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": 1.5}, "precision: found 1.5, expected a share"),
        ({"precision": 0.05, "replications": 5}, "a cap of 5, expected at least 10"),
        ({"precision": 0.05, "metrics": ["p98(response)"]}, "did you mean"),
        ({"metrics": ["p99(response)"]}, "metric: found without precision"),
        ({"precision": 0.05, "best": "p99(response)", "indifference": "10ms"}, "found precision and best together"),
        ({"best": "p99(response)"}, "best and indifference belong together"),
        ({"best": "offered", "indifference": "1/s"}, "neither more nor less of offered is better"),
        ({"best": "p99(response)", "indifference": "10"}, "expected a duration"),
        ({"best": "p99(response)", "indifference": 0.0}, "the smallest difference that matters"),
        ({"best": "p99(response)", "indifference": "1ms", "variants": ["one"]}, "expected at least two"),
        ({"interval": "bootstrp"}, "did you mean 'bootstrap'"),
        ({"confidence": 1.0}, "confidence: found 1"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_runs(options, message):
    with pytest.raises(UsageError, match=message):
        faked(perform=None, **options)


def test_one_replication_alone_and_a_rule_exclude_each_other():
    with pytest.raises(UsageError, match="only-replication and precision"):
        run(fakes.shop(), precision=0.05, only_replication=3)


# ---- until the best is plain


def test_the_best_is_selected_and_the_others_are_dropped_on_the_way():
    comparison = faked(THREE, best="p99(response)", indifference="20ms")
    best = comparison.method.best
    assert best.decided
    assert best.leader in ("two", "three")
    spent = {name: len(variant.per_replication) for name, variant in comparison.variants.items()}
    assert spent == best.replications
    assert spent["one"] < comparison.replications == max(spent.values())
    assert (
        f"best: {best.leader} by response_p99, right with a probability of at least 95% if the best is ahead of all others by 20ms"
        in str(best)
    )
    assert f"mean over {spent['one']} to {comparison.replications} replications" in render_table(comparison)


def test_a_variant_that_was_dropped_is_compared_over_the_replications_that_both_have():
    comparison = faked(THREE, best="p99(response)", indifference="20ms")
    assert comparison.differences["two"]["response_p99"].n == len(comparison.variants["one"].per_replication)


def test_at_the_cap_nothing_is_promised():
    comparison = faked(THREE, best="p99(response)", indifference="0.1ms", replications=30)
    best = comparison.method.best
    assert not best.decided
    assert {"two", "three"} <= set(best.standing)
    assert "best: not decided by response_p99 when the cap was reached" in str(best)
    assert "leads so far, without a guarantee" in str(best)


def test_more_may_be_better():
    better = faked(best="availability", indifference="0.1%").method.best
    assert better.leader == "one"  # equal: the baseline


@pytest.mark.parametrize(
    ("metric", "why"),
    [("recovery_time", "no finite value in 10 of 10"), ("p99(completion)", "cut off by the end of the run")],
)
def test_what_is_not_known_cannot_be_raced(metric, why):
    text = fakes.SHOP.replace("expect:", "faults: [{name: outage, at: 5s, for: 1s, outage: kitchen}]\nexpect:")
    name = "recovery_time(outage)" if metric == "recovery_time" else metric
    best = faked(text, fakes.quick, best=name, indifference="1s").method.best
    assert not best.decided
    assert why in str(best)


# ---- a warm-up that is found


def test_all_variants_are_cut_where_the_slowest_has_settled():
    comparison = faked(AUTO, settling, variants=["one", "two"], replications=6)
    found = comparison.method.warmup
    assert 0.5 <= found.by_variant["one"] <= 2.5 <= found.by_variant["two"] <= 4.5
    assert found.seconds == found.by_variant["two"]
    assert found.pilot == 5
    assert not found.too_short
    assert {variant.scenario.warmup for variant in comparison.variants.values()} == {found.seconds}
    assert all(variant.scenario.auto_warmup for variant in comparison.variants.values())


def test_a_run_that_never_settles_is_told_to_be_too_short():
    comparison = faked(AUTO, settling, replications=6)
    assert comparison.method.warmup.too_short == ("three",)
    assert comparison.method.warmup.seconds == 10.0
    assert "run too short: three had not settled by half of it" in str(comparison.method)


def test_the_pilot_does_not_depend_on_how_long_one_went_on():
    few, many = (faked(AUTO, settling, variants=["one"], replications=count) for count in (5, 20))
    assert few.method.warmup == many.method.warmup


def test_an_automatic_warm_up_gives_what_the_same_stated_one_gives():
    automatic = run(load_text(QUEUE), replications=3, jobs=1)
    seconds = automatic.method.warmup.seconds
    stated = run(load_text(QUEUE, sets=[f"warmup={seconds!r}s"]), replications=3, jobs=1)
    assert automatic.fingerprint == stated.fingerprint
    assert automatic.variants["base"].metrics == stated.variants["base"].metrics
    assert automatic.variants["base"].records.warmup == seconds


def test_one_replication_alone_is_cut_as_it_was_among_the_others():
    whole = run(load_text(QUEUE), replications=6, jobs=1)
    alone = run(load_text(QUEUE), replications=6, only_replication=4, jobs=1)
    assert alone.method.warmup == whole.method.warmup
    assert alone.variants["base"].per_replication.loc[4].equals(whole.variants["base"].per_replication.loc[4])


def test_with_a_fault_or_a_profile_there_is_no_warm_up_to_find():
    with pytest.raises(ScenarioError, match="found auto, with the fault"):
        load_text(QUEUE + "faults: [{at: 5s, for: 1s, outage: kitchen}]\n")
    with pytest.raises(ScenarioError, match="with the rate profile of traffic 'guests'"):
        load_text(QUEUE.replace("{poisson: 20/s}", "{profile: [{from: 1/s, to: 9/s, for: 10s}]}"))
    assert load_text(QUEUE.replace("{poisson: 20/s}", "{profile: [{rate: 20/s}]}"))


def test_sim_check_does_not_call_an_automatic_warm_up_a_cold_start():
    from sim.experiments.on_paper.offered_load import check

    assert "first moments" not in str(check(load_text(QUEUE)))


# ---- intervals


def test_a_single_replication_takes_its_intervals_from_its_parts():
    alone = run(load_text(QUEUE, sets=["warmup=1s", "duration=200s"]), replications=1, jobs=1)
    assert alone.method.interval == "batch means"
    figure = alone.variants["base"].metrics["response_mean"]
    assert figure.low < figure.value < figure.high
    assert math.isnan(alone.variants["base"].metrics["utilisation_max"].low)
    assert "one replication ± half-width from its own parts" in render_table(alone)
    assert "from 10 batches of the one run" in str(alone.method)


def test_the_bootstrap_is_the_same_every_time_and_is_named():
    one, other = (faked(interval="bootstrap", replications=12) for _ in range(2))
    assert one.differences == other.differences
    assert one.differences["two"]["response_p99"].significant
    assert one.differences["two"]["response_p99"] != faked(replications=12).differences["two"]["response_p99"]
    assert "by the studentised bootstrap" in str(one.method)


def test_more_confidence_is_wider_everywhere():
    usual, surer = faked(replications=12), faked(replications=12, confidence=0.99)
    assert (
        surer.variants["one"].metrics["response_p99"].half_width
        > usual.variants["one"].metrics["response_p99"].half_width
    )
    assert surer.differences["two"]["response_p99"].half_width > usual.differences["two"]["response_p99"].half_width
    assert "intervals: 99%" in str(surer.method)
    assert str(usual.method) == ""


# ---- kept, and read again


def test_the_method_is_kept_with_the_run(tmp_path):
    comparison = faked(AUTO, settling, precision=0.02, interval="bootstrap", confidence=0.9)
    save(comparison, tmp_path)
    assert kept(comparison.method) == comparison.method
    written = json.loads((tmp_path / "results.json").read_text())["method"]
    assert written["precision"]["replications"] == comparison.replications
    assert written["warmup"]["too_short"] == ["three"]


def test_an_earlier_run_of_another_confidence_is_read_with_its_own(tmp_path):
    """The widths are turned back into spreads: the same figures, however sure somebody wanted to be of them."""
    limits = []
    for confidence in (0.95, 0.8):
        earlier = faked(fakes.SHOP.replace("seed: 7", "seed: 8"), confidence=confidence)
        save(earlier, tmp_path)
        found = against_earlier(faked(), tmp_path / "results.json").earlier.differences["one"]["response_p99"]
        limits.append((found.low, found.high, found.p_value))
    assert limits[0] == pytest.approx(limits[1])


def test_a_single_earlier_run_has_no_spread_to_test_with(tmp_path):
    save(run(load_text(QUEUE, sets=["warmup=1s", "duration=200s"]), replications=1, jobs=1), tmp_path)
    now = run(load_text(QUEUE, sets=["warmup=1s"]), replications=2, jobs=1)
    found = against_earlier(now, tmp_path / "results.json").earlier.differences["base"]["response_mean"]
    assert not found.significant
    assert math.isnan(found.p_value)


# ---- the command line


@pytest.fixture(name="folder")
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "queue.yaml").write_text(
        QUEUE.replace("warmup: auto", "warmup: 1s") + "variants: {one: {}, two: {services: {kitchen: {replicas: 2}}}}\n"
    )


@pytest.mark.usefixtures("folder")
def test_run_says_what_the_precision_came_to_and_that_is_no_failure(capsys):
    assert (
        cli.answer(
            [
                "run",
                "queue.yaml",
                "--precision",
                "1%",
                "--metric",
                "mean(response)",
                "--replications",
                "12",
                "--jobs",
                "1",
            ]
        )
        == 0
    )
    out = capsys.readouterr().out
    assert out.startswith("queue: 12 replications")
    assert "precision: not reached, response_mean within 1% was asked for: stopped at the cap of 12 replications" in out


@pytest.mark.usefixtures("folder")
def test_compare_says_which_variant_is_best(capsys, monkeypatch):
    """The report takes seconds to draw, and is tested elsewhere."""
    pages = []
    monkeypatch.setattr(
        cli.shared_options,
        "write_report_of",
        lambda comparison, out, rows: pages.append(render_comparison(comparison, ())) or out,
    )
    assert (
        cli.answer(
            [
                "compare",
                "queue.yaml",
                "--best",
                "mean(response)",
                "--indifference",
                "2ms",
                "--jobs",
                "1",
                "--set",
                "warmup=auto",
            ]
        )
        == 0
    )
    out = capsys.readouterr().out
    assert "best: two by response_mean, right with a probability of at least 95%" in out
    assert "found by MSER-5 on the mean response of 5 replications" in out
    assert "<dt>best</dt><dd>two by response_mean, right with" in pages[0]
    assert "<dt>warm-up</dt>" in pages[0]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--precision", "5"], "--precision: found '5', expected a share"),
        (["--confidence", "95"], "--confidence: found '95', expected a share"),
        (["--interval", "z"], "unknown interval 'z'"),
        (["--precision", "5%", "--only-replication", "2"], "together"),
    ],
)
def test_a_wrong_rule_is_a_wrong_call(capsys, options, words):
    assert cli.answer(["run", "queue.yaml", *options]) == 2
    assert words in capsys.readouterr().err
