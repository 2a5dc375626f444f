"""No figure misleads: what is equal is called equal, what cannot be told is not called equal, and no interval leaves what is possible."""

from __future__ import annotations

import json

import pytest

from sim import check, load_text
from sim.experiments.replicating.comparison import compare, run
from sim.experiments.replicating.document import as_document
from sim.experiments.replicating.earlier_run import against_earlier
from sim.experiments.running.jobs import perform
from sim.report.table import render_table
from sim.report.verdict import verdict

TWO_WAYS = """\
version: 1
duration: 17m
traffic: {users: {sends: shop.buy, arrivals: {poisson: 2/s}}}
services: {shop: {workers: 20, endpoints: {buy: [{wait: 30ms}]}}}
variants:
  at-once: {}
  in-three: {services: {shop: {endpoints: {buy: [{wait: 10ms}, {wait: 10ms}, {wait: 10ms}]}}}}
expect: [p99(response) <= 30ms, p50(response) == 30ms]
"""

SHAKY = """\
version: 1
duration: 20s
traffic: {users: {sends: shop.buy, arrivals: {poisson: 20/s}, timeout: 2s}}
services: {shop: {workers: 1, endpoints: {buy: [{work: {exponential: 40ms}}, {fail: 0.4%}]}}}
variants:
  base: {}
  slip: {services: {shop: {queue: {capacity: 100000}}}}
  better: {services: {shop: {endpoints: {buy: [{work: {exponential: 38ms}}, {fail: 0.3%}]}}}}
"""


@pytest.fixture(scope="module")
def two_ways():
    return compare(load_text(TWO_WAYS), replications=3, jobs=1, engine="simpy")


@pytest.fixture(scope="module")
def shaky():
    return compare(load_text(SHAKY), replications=3, jobs=1, engine="simpy")


def test_thirty_milliseconds_at_once_or_in_three_are_equal(two_ways):
    """0.01 added three times to a clock of a thousand seconds is not 0.03 in floats, and the difference is none."""
    raw = [two_ways.variants[name].per_replication["response_mean"].to_numpy() for name in ("at-once", "in-three")]
    assert (raw[0] != raw[1]).any()  # or this test would say nothing
    found = two_ways.differences["in-three"]
    for key in ("response_mean", "response_p50", "response_p99"):
        assert (found[key].value, found[key].significant, found[key].finding) == (0.0, False, "equal")
    assert "the same in all: response mean" in render_table(two_ways)
    told = as_document(two_ways)["differences"]["in-three"]["response_p99"]
    assert (told["value"], told["significant"], told["finding"]) == (0.0, False, "equal")


def test_an_expectation_does_not_hang_on_rounding_either(two_ways):
    assert any(verdict.value != 0.03 for result in two_ways.variants.values() for verdict in result.verdicts)
    assert two_ways.passed


def test_a_variant_that_changes_nothing_is_told_as_identical(shaky):
    assert shaky.identical == {"slip": "base"}
    assert "slip is identical to base: every request the same" in render_table(shaky)
    assert "slip against base: identical to base: every request the same." in verdict(shaky)
    document = as_document(shaky)
    assert document["variants"]["slip"]["identical_to"] == "base"
    assert "identical_to" not in document["variants"]["better"]


def test_what_so_few_replications_cannot_see_is_not_called_equal():
    two = compare(load_text(SHAKY), ["base", "better"], replications=2, jobs=1, engine="simpy")
    judged = verdict(two)[0]
    assert "too few replications to judge" in judged
    assert "no significant difference" not in judged
    assert "would have shown" in judged
    known = [found for found in two.differences["better"].values() if found.value == found.value]
    assert {found.finding for found in known} <= {"few", "equal", "significant"}
    assert "?" in render_table(two)


def test_no_interval_leaves_what_is_possible(shaky):
    for name, result in shaky.variants.items():
        for key, figure in result.metrics.items():
            if figure.low == figure.low:
                assert 0.0 <= figure.low <= figure.high, (name, key)
                assert not key.startswith(("availability", "outcome_share")) or figure.high <= 1.0, (name, key)
    for key, found in shaky.differences["better"].items():
        if key.startswith("availability"):
            assert found.high <= 1.0 - shaky.variants["base"].metrics[key].low


def test_the_spread_of_single_runs_is_in_the_json_and_in_the_table_where_it_is_asked_for(shaky):
    figure = shaky.variants["base"].metrics["response_p99"]
    values = shaky.variants["base"].per_replication["response_p99"]
    told = as_document(shaky)["variants"]["base"]["metrics"]["response_p99"]["spread"]
    assert told == {"sd": pytest.approx(values.std(ddof=1)), "min": values.min(), "max": values.max(), "n": 3}
    assert figure.low < figure.least  # the interval of the mean is another thing
    assert "single runs" not in render_table(shaky)
    lines = render_table(shaky, spread=True).splitlines()
    place = next(place for place, line in enumerate(lines) if "response p99" in line)
    assert any("single runs" in line and "sd" in line for line in lines[place : place + 3])


def test_an_earlier_run_says_what_would_have_shown(shaky, tmp_path):
    one = run(load_text(SHAKY), "better", replications=3, jobs=1, engine="simpy")
    (tmp_path / "old.json").write_text(json.dumps(as_document(shaky)))
    found = against_earlier(one, tmp_path / "old.json").earlier.differences["better"]["response_p50"]
    assert found.finding in ("not significant", "significant")
    assert found.significant or found.detectable > 0


CLOCKWORK = """\
version: 1
duration: 20s
traffic: {users: {sends: shop.buy, arrivals: {deterministic: 10/s}, timeout: 2s}}
services: {shop: {workers: 1, endpoints: {buy: [{work: 40ms}]}}}
variants:
  base: {}
  slower: {services: {shop: {endpoints: {buy: [{work: 50ms}]}}}}
  slip: {services: {shop: {queue: {capacity: 100000}}}}
"""


def counted(jobs: list[int]):
    def perform_counted(job, tick):
        jobs.append(job.replication)
        return perform(job, tick)

    return perform_counted


def test_where_nothing_is_random_one_replication_is_enough_and_that_is_said():
    """Of ten that were asked for the second shows that it is so, and the other eight are not run. 10/s of 40 ms: 40 and 50 ms, to the last bit."""
    jobs: list[int] = []
    found = compare(load_text(CLOCKWORK), replications=10, jobs=1, engine="simpy", perform=counted(jobs))
    assert sorted(set(jobs)) == [0, 1]
    assert found.replications == 1
    for name, seconds in (("base", 0.04), ("slower", 0.05)):
        figure = found.variants[name].metrics["response_p99"]
        assert figure.low == figure.value == figure.high == pytest.approx(seconds, abs=1e-12)
    difference = found.differences["slower"]["response_p99"]
    assert difference.significant
    assert difference.low == difference.value == pytest.approx(0.01)
    table = render_table(found)
    assert "nothing is random" in table
    assert "no intervals" not in table
    assert "nothing is random, so one replication is enough" in str(found.method)
    assert verdict(found)[0].startswith("slower against base: worse: response p50 50.0 ms against 40.0 ms")
    assert verdict(found)[1] == "slip against base: identical to base: every request the same."
    assert as_document(found)["method"]["exact"] is True


def test_the_check_says_so_before_anything_runs():
    assert "nothing is random: one replication is enough" in str(check(load_text(CLOCKWORK)))
    assert "nothing is random" not in str(check(load_text(SHAKY)))


def test_it_is_said_of_a_single_replication_too():
    found = run(load_text(CLOCKWORK), replications=1, jobs=1, engine="simpy")
    assert found.method.exact
    assert found.variants["base"].metrics["throughput"].low == found.variants["base"].metrics["throughput"].value


def test_where_one_variant_is_random_all_are_replicated():
    text = CLOCKWORK.replace(
        "slip: {services: {shop: {queue: {capacity: 100000}}}}", "slip: {traffic: {users: {arrivals: {poisson: 10/s}}}}"
    )
    found = compare(load_text(text), replications=3, jobs=1, engine="simpy")
    assert (found.replications, found.method.exact) == (3, False)


def test_luck_that_made_no_difference_is_not_called_certainty():
    """A share of failures so small that three replications have none: nothing differed, but something may."""
    text = CLOCKWORK.replace("[{work: 40ms}]", "[{work: 40ms}, {fail: 0.000001%}]")
    found = run(load_text(text), replications=3, jobs=1, engine="simpy")
    assert (found.replications, found.method.exact, found.method.alike) == (3, False, 3)
    assert "all 3 replications are the same, request by request" in str(found.method)


def test_precision_and_the_best_are_found_at_once():
    by_precision = run(load_text(CLOCKWORK), precision=0.05, jobs=1, engine="simpy")
    assert (by_precision.replications, str(by_precision.method.precision)) == (
        1,
        "precision: response_p99 within 5% after 1 replication",
    )
    by_best = compare(
        load_text(CLOCKWORK), ["slower", "base"], best="p99(response)", indifference="1ms", jobs=1, engine="simpy"
    )
    assert by_best.replications == 1
    assert str(by_best.method.best) == "best: base by response_p99: nothing is random"


def test_a_second_replication_that_differs_is_believed_rather_than_the_list(monkeypatch):
    """Should the list of what never draws be wrong, the runs say so."""
    monkeypatch.setattr("sim.experiments.replicating.rounds.is_certain", lambda _: True)
    found = run(load_text(SHAKY), replications=3, jobs=1, engine="simpy")
    assert (found.replications, found.method.exact) == (3, False)
