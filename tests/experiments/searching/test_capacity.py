"""Capacity: the load at which the first expectation breaks, against theory; and the cheapest settings that hold."""

from __future__ import annotations

import json
import math

import pytest

from sim.errors import UsageError
from sim.experiments.on_paper.load_factor import load_settings, open_rate
from sim.experiments.searching.capacity import find_capacity
from sim.experiments.searching.cheapest import find_cheapest
from sim.experiments.searching.documents import as_json
from sim.report import write_report
from sim.report.scaling import render_answer
from tests.experiments import fakes

from .test_sweep import queue

EXACT = 100.0 - math.log(100.0) / 0.1  # M/M/1, mu = 100/s: p99 = ln(100) / (mu - lambda) < 100 ms


def test_a_simple_queue_bears_what_theory_says_within_the_interval(tmp_path):
    found = find_capacity(queue(), replications=10, jobs=1, perform=fakes.simple_queue)
    (one,) = found.found
    assert one.rate.low < EXACT < one.rate.high
    assert one.rate.value == pytest.approx(EXACT, rel=0.02)
    assert one.rate.high / one.rate.low < 1.1
    assert one.breaks_first == "p99(response) < 100ms"
    assert 6 < len(one.looks) < 24
    assert min(look.probe.replications for look in one.looks) == 4  # far from the edge a first look is enough
    assert json.loads(as_json(found))["capacities"][0]["breaks_first"] == one.breaks_first
    assert "How much load is borne" in write_report(found, tmp_path / "report").read_text()


@pytest.mark.long
def test_a_simulated_queue_bears_what_theory_says():
    text = queue(**{"duration: 10s": "duration: 5m\nwarmup: 10s"})
    (one,) = find_capacity(text, replications=10).found
    assert one.rate.low < EXACT < one.rate.high
    assert one.rate.value == pytest.approx(EXACT, rel=0.06)


def sparse(job, tick):
    """Below 20/s a short run has nothing to measure."""
    result = fakes.simple_queue(job, tick)
    if result.metrics["offered"] < 20.0:
        result.metrics["response_p99"] = math.nan
    return result


@pytest.mark.parametrize("replications", [1, 2, 6])
def test_so_little_load_that_nothing_can_be_measured_is_no_load_that_is_too_high(replications):
    (one,) = find_capacity(queue(), replications=replications, jobs=1, perform=sparse).found
    assert one.rate.value == pytest.approx(EXACT, rel=0.06)
    assert one.note == ""
    assert math.isnan(one.rate.low) == (replications == 1)


def test_what_breaks_first_is_named_and_steps_need_no_distance():
    leaky = queue(**{"name: shop": "name: leaky", "[p99(response) < 100ms]": "[p99(response) < 10s, lost_orders == 0]"})
    (one,) = find_capacity(leaky, replications=6, jobs=1, perform=fakes.simple_queue).found
    assert one.breaks_first == "lost_orders == 0"
    assert one.rate.value == pytest.approx(96.0, rel=0.03)


def test_what_never_holds_and_what_never_breaks_are_said():
    never = find_capacity(queue(**{"< 100ms": "< 1ms"}), replications=4, jobs=1, perform=fakes.simple_queue)
    assert never.found[0].load.value == 0.0
    assert not never.passed
    assert "does not hold at any load" in render_answer(never)
    always = find_capacity(
        queue(**{"p99(response) < 100ms": "availability > 50%"}), replications=4, jobs=1, perform=fakes.simple_queue
    )
    assert always.found[0].load.censored
    assert ">= " in render_answer(always)


def test_capacity_over_a_setting_is_a_scaling_curve():
    found = find_capacity(
        queue(), replications=6, over=["services.till.replicas=1,2,3,4,6"], jobs=1, perform=fakes.simple_queue
    )
    assert [one.rate.value for one in found.found] == pytest.approx(
        [100.0 * size - math.log(100.0) / 0.1 for size in (1, 2, 3, 4, 6)], rel=0.02
    )
    assert found.fits["base"][0] is not None


def test_one_replication_has_no_interval():
    (one,) = find_capacity(queue(), replications=1, jobs=1, perform=fakes.simple_queue).found
    assert math.isnan(one.load.low)
    assert math.isfinite(one.load.value)


def test_the_cheapest_setting_that_holds_with_few_looks():
    found = find_cheapest(
        queue(), ["services.till.replicas=1..32"], "400/s", replications=6, jobs=1, perform=fakes.simple_queue
    )
    (choice,) = found.choices
    assert choice.load == pytest.approx(10.0)
    assert choice.settings == {"services.till.replicas": "5"}  # 500/s - 400/s leave p99 = 46 ms; 4 leave nothing
    assert len(choice.looks) < 9
    assert found.priced
    assert "services.till.replicas=5 holds at 10x the load" in render_answer(found)
    none = find_cheapest(
        queue(), ["services.till.replicas=1,2"], "10x", replications=4, jobs=1, perform=fakes.simple_queue
    )
    assert none.choices[0].settings is None
    assert len(none.choices[0].looks) == 1
    assert not none.passed


@pytest.mark.parametrize(
    ("arrivals", "settings"),
    [
        ("{poisson: 40/s}", "poisson.rate=60.0/s"),
        ("{deterministic: 40/s}", "deterministic.rate=60.0/s"),
        ("{mmpp: {rates: [10/s, 90/s], stays: [5s, 5s]}}", "mmpp.rates=[15.0/s, 135.0/s]"),
        ("{profile: [{rate: 10/s, for: 5s}, {rate: 20/s}]}", "profile.times=1.5"),
    ],
)
def test_load_scales_every_open_arrival_and_can_be_set_by_hand(arrivals, settings):
    from sim.spec import load_document

    study = queue(**{"{poisson: 40/s}": arrivals})
    texts = load_settings(study.variants["base"], 1.5, "base")
    assert texts == (f"variants.base.traffic.guests.arrivals.{settings}",)
    scaled = load_document(study.document, sets=texts).variants["base"]
    assert open_rate(scaled) == pytest.approx(1.5 * open_rate(study.variants["base"]))


def test_what_makes_no_sense_is_refused():
    silent = queue(**{"expect: [p99(response) < 100ms]\n": ""})
    with pytest.raises(UsageError, match="expects nothing, so nothing can break"):
        find_capacity(silent, jobs=1, perform=fakes.simple_queue)
    with pytest.raises(UsageError, match="the load is what is searched for"):
        find_capacity(queue(), over=["load=1,2"], jobs=1, perform=fakes.simple_queue)
    with pytest.raises(UsageError, match="resolution: found 0"):
        find_capacity(queue(), resolution=0.0, jobs=1, perform=fakes.simple_queue)
    with pytest.raises(UsageError, match="expected a factor such as 5x, or a rate"):
        find_cheapest(queue(), ["services.till.replicas=1,2"], "much", jobs=1, perform=fakes.simple_queue)
    with pytest.raises(UsageError, match="expected numbers, of which more is no worse"):
        find_cheapest(queue(), ["services.till.queue.discipline=fifo,lifo"], jobs=1, perform=fakes.simple_queue)


def test_a_column_that_says_the_same_of_all_is_said_once():
    several = {"expect: [": "variants: {one: {}, two: {services: {till: {replicas: 2}}}}\nexpect: ["}
    text = render_answer(find_capacity(queue(**several), replications=4, jobs=1, perform=fakes.simple_queue))
    assert "p99(response) < 100ms breaks first in each of them" in text
    assert text.count("p99(response) < 100ms") == 1
    assert max(map(len, text.splitlines())) <= 80
