"""Inputs that are ranges: drawn for each replication by streams of their own, carried by the intervals, and told."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sim.experiments.replicating.comparison import compare, run
from sim.experiments.replicating.document import as_document
from sim.experiments.running.inputs import drawn, share_of
from sim.experiments.running.jobs import Job, scenario_of
from sim.models import simulate
from sim.spec import load_document, load_text
from sim.spec.uncertain import ranges_in
from sim.stats.attribution import share_explained

# nothing waits and nothing else is random: a response is what the range says
SURE = """version: 1
duration: 10s
traffic: {clients: {sends: shop.get, arrivals: {deterministic: 5/s}}}
network: {default: {latency: 0ms}}
services: {shop: {workers: unlimited, endpoints: {get: [{wait: {between: [10ms, 20ms]}}]}}}
variants:
  as-is: {}
  slower: {services: {shop: {endpoints: {get: [{wait: {between: [10ms, 20ms]}}, {wait: 5ms}]}}}}
"""
QUEUE = """version: 1
duration: 100s
warmup: 10s
traffic: {clients: {sends: shop.get, arrivals: {poisson: 20/s}}}
services: {shop: {workers: 1, endpoints: {get: [{work: {exponential: WORK}}]}}}
"""


def test_each_replication_has_a_value_of_its_own_from_the_range():
    """Of 20 replications the responses are 20 values between 10 and 20 ms, and their mean is within what 20 uniforms do."""
    found = run(load_text(SURE), "as-is", 20, jobs=1)
    values = found.variants["as-is"].figures.columns["response_mean"]
    assert len(set(values.round(9))) == 20
    assert 0.010 <= values.min() < 0.013
    assert 0.017 < values.max() <= 0.020
    # a uniform on 10 ms has a deviation of 10 / sqrt(12) ms; of the mean of 20 that is 0.65 ms
    assert found.variants["as-is"].metrics["response_mean"].value == pytest.approx(0.015, abs=3 * 0.00065)
    interval = found.variants["as-is"].metrics["response_mean"]
    assert interval.high - interval.low == pytest.approx(2 * 2.093 * 0.01 / np.sqrt(12 * 20), rel=0.35)


def test_variants_have_the_same_draw_and_stay_paired():
    found = compare(load_text(SURE), replications=4, jobs=1)
    difference = found.differences["slower"]["response_mean"]
    assert (difference.value, difference.low, difference.high) == pytest.approx((0.005, 0.005, 0.005))


def test_a_draw_is_that_of_its_seed_replication_and_path_alone():
    document = load_text(SURE).document
    (its,) = ranges_in(document)
    assert share_of(its, 3, 7) == share_of(its, 3, 7)
    assert len({share_of(its, seed, number) for seed in (0, 1) for number in range(50)}) == 100
    job = Job(json.dumps(document), (), "as-is", seed=3, replication=7)
    (step,) = scenario_of(job).services["shop"].endpoints["get"].do
    assert step.time.mean == pytest.approx(0.010 + 0.010 * share_of(its, 3, 7))
    assert ranges_in(drawn(document, 3, 7)) == ()


def test_one_replication_alone_is_what_it_was_among_the_others():
    many = run(load_text(SURE), "as-is", 5, jobs=1).variants["as-is"].figures.columns["response_mean"]
    alone = run(load_text(SURE), "as-is", only_replication=3, jobs=1).variants["as-is"]
    assert alone.metrics["response_mean"].value == many[3]


def test_a_replication_is_what_its_value_written_in_would_be():
    """So no engine has to know of ranges: request by request the same."""
    study = load_text(QUEUE.replace("WORK", "{between: [10ms, 30ms]}"))
    seed = study.variants["base"].seed
    written = load_document(drawn(study.document, seed, 1)).variants["base"]
    found = run(study, None, only_replication=1, jobs=1, engine="simpy").variants["base"].records
    assert found.fingerprint() == simulate(written, 1).fingerprint()
    assert found.fingerprint() != simulate(study.variants["base"], 1).fingerprint()


def test_how_much_of_the_variance_is_from_inputs_is_told():
    """A queue whose work may be 10 or 30 ms differs by that from one replication to the next, and hardly by luck."""
    found = run(load_text(QUEUE.replace("WORK", "{between: [10ms, 30ms]}")), None, 12, jobs=1)
    inputs = found.method.inputs
    assert inputs.names == ("services.shop.endpoints.get.0.work.exponential",)
    assert inputs.shares["base"]["response_mean"] > 0.7
    assert inputs.shares["base"]["throughput"] < 0.5  # the arrivals are luck alone
    assert "of the variance between replications they make: base: response_mean" in str(found.method)
    assert as_document(found)["method"]["inputs"]["shares"]["base"].keys() >= {"response_mean"}
    assert run(load_text(QUEUE.replace("WORK", "20ms")), None, 2, jobs=1).method.inputs is None


def test_of_few_replications_it_is_said_how_many_would_tell():
    found = run(load_text(QUEUE.replace("WORK", "{between: [10ms, 30ms]}").replace("100s", "20s")), None, 3, jobs=1)
    assert found.method.inputs.shares == {}
    assert "6 replications tell how much it is" in str(found.method)


def test_shares_of_a_sum_are_those_of_its_parts():
    """y = 3 a + b with a, b of one variance and noise of variance 1/12 as well: 9 + 1 parts of 11 are from inputs."""
    rng = np.random.default_rng(1)
    draws = rng.random((4000, 2))
    figure = 3 * draws[:, 0] + draws[:, 1] + rng.random(4000)
    assert share_explained(draws, figure) == pytest.approx(10 / 11, abs=0.01)
    assert share_explained(draws, rng.random(4000)) == pytest.approx(0.0, abs=0.01)
    assert share_explained(draws[:6], figure[:6]) is None
    assert share_explained(draws, np.full(4000, 2.0)) is None
