"""An explanation: compositions over replications, what was full first, and figures of ours that do not stay among the others."""

from __future__ import annotations

import math

import pytest

from sim.errors import UsageError
from sim.experiments.replicating.explaining import Explanation, explain
from sim.spec import load_text

SHOP = """
version: 1
name: shop
duration: 40s
warmup: 4s
traffic:
  clients: {sends: front.ask, arrivals: {poisson: 20/s}, timeout: 2s}
services:
  front: {workers: 30, endpoints: {ask: [{work: {exponential: 2ms}}, {call: back.answer, policy: {timeout: 300ms, retry: {max_attempts: 2, backoff: {constant: 0s}}}}]}}
  back: {workers: 4, endpoints: {answer: [{work: {exponential: 40ms}}]}}
variants:
  calm: {}
  frozen: {faults: [{name: f, at: 15s, for: 10s, outage: back, how: hang}]}
"""


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return explain(load_text(SHOP), replications=2, jobs=1)


def test_the_portions_add_up_to_the_response(explanation):
    for variant in explanation.variants.values():
        for explained in variant.quantiles.values():
            assert sum(portion.seconds.value for portion in explained.portions) == pytest.approx(
                explained.response.value, rel=1e-6
            )
            assert sum(portion.share for portion in explained.portions) == pytest.approx(1.0, rel=1e-6)
            assert explained.value.value == pytest.approx(explained.response.value, rel=0.2)


def test_the_median_is_work_and_a_frozen_callee_makes_the_slow_ones_wait(explanation):
    calm, frozen = explanation.variants["calm"].quantiles["p50"], explanation.variants["frozen"].quantiles["p99"]
    assert (calm.portions[0].place, calm.portions[0].what) == ("back", "work")
    assert any(portion.again for portion in frozen.portions)
    assert (
        sum(
            portion.share
            for portion in frozen.portions
            if portion.place == "back" and portion.what in ("queue", "frozen")
        )
        > 0.5
    )


def test_the_station_that_holds_up_the_others_is_full_before_them(explanation):
    filled = explanation.variants["frozen"].filled
    assert filled[0].station == "back"
    assert 14 <= filled[0].full_at <= 17
    assert explanation.variants["calm"].filled == ()
    assert explanation.variants["calm"].load.bottleneck.name == "back"


def test_use_counts_errors_of_attempts(explanation):
    rows = {busy.station: busy for busy in explanation.variants["frozen"].use}
    assert rows["front"].errors["timeout"].value > 50
    assert rows["front"].attempts.value == pytest.approx(36 * 20, rel=0.1)
    assert math.isinf(rows["front"].full_at) or rows["front"].full_at > rows["back"].full_at


def test_the_figures_and_the_fingerprint_are_those_of_a_comparison(explanation):
    from sim.experiments.replicating.comparison import compare

    plain = compare(load_text(SHOP), None, 2, jobs=1)
    assert explanation.comparison.fingerprint == plain.fingerprint
    assert list(explanation.comparison.variants["calm"].metrics) == list(plain.variants["calm"].metrics)
    assert not explanation.comparison.variants["calm"].records.spans.size


def test_a_notebook_gets_tables(explanation):
    parts = explanation.parts
    assert set(parts.columns) >= {"variant", "quantile", "place", "what", "again", "seconds", "share"}
    assert parts.groupby(["variant", "quantile"])["share"].sum().to_numpy() == pytest.approx(1.0)
    assert set(explanation.use["station"]) == {"front", "back"}
    assert "<table" in explanation._repr_html_()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"route": "front.aks"}, "unknown route 'front.aks'; did you mean 'front.ask'"),
        ({"shares": [1.5]}, "quantiles: found 1.5"),
        ({"shares": []}, "quantiles"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_work(options, message):
    with pytest.raises(UsageError, match=message):
        explain(load_text(SHOP), replications=1, jobs=1, **options)


EVENTS = """
version: 1
duration: 40s
traffic: {u: {sends: api.post, arrivals: {deterministic: 20/s}, completes_with: [done]}}
services:
  api: {workers: 5, endpoints: {post: [{work: 1ms}, {publish: t}]}}
  w: {workers: 4, consumes: {t: {group: g, consumers: 4, do: [{wait: 100ms}, {effect: done}]}}}
brokers: {k: {kind: log, topics: {t: {}}}}
variants: {one: {}, four: {brokers: {k: {topics: {t: {partitions: 4}}}}}}
expect: [utilisation_max < 80%]
"""


@pytest.fixture(scope="module")
def events() -> Explanation:
    return explain(load_text(EVENTS), replications=1, jobs=1)


def test_the_slower_clock_is_explained(events):
    """Twice as much as one consumer can do: completion grows by a second every two, and all of it is the wait for the one that has the partition."""
    one = events.variants["one"]
    assert one.clock == "completion"
    assert one.quantiles["p99"].open
    assert one.quantiles["p99"].portions[0].what == "lag"
    assert one.quantiles["p99"].portions[0].share > 0.99
    assert one.other["p99"].value.value == pytest.approx(0.001)


def test_either_clock_can_be_asked_for(events):
    response = explain(load_text(EVENTS), ["one"], replications=1, jobs=1, clock="response").variants["one"]
    assert (response.clock, response.quantiles["p99"].portions[0].place) == ("response", "api")
    with pytest.raises(UsageError, match="expected completes_with"):
        explain(load_text(SHOP), replications=1, jobs=1, clock="completion")


def test_of_a_group_the_members_that_hold_partitions_can_be_full(events):
    """Four consumers and one partition at 200 %: one is full from the start, and three do not count."""
    one, four = events.variants["one"], events.variants["four"]
    busy = {(use.station, use.resource): use for use in one.use}["g t", "consumers"]
    assert busy.utilisation.value > 0.98
    assert busy.full_at < 2.0
    assert one.filled[0].station == "g t"
    assert not events.comparison.passed
    assert four.result.metrics["utilisation_max"].value < 0.8
