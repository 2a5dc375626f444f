"""An explanation in words, tables, JSON and a chart."""

from __future__ import annotations

import json

import pytest

from sim.experiments.replicating.explaining import Busy, Explained, Explanation, Portion, VariantExplanation, explain
from sim.report.charts.composition import composition
from sim.report.explanation import (
    AGAIN,
    LABELS,
    explanation_document,
    explanation_json,
    headline,
    render_explanation,
    rows_of,
    saturation,
    sentences,
)
from sim.spec import load_text
from sim.stats.interval import Interval

SHOP = """
version: 1
name: shop
duration: 30s
warmup: 3s
traffic:
  clients: {sends: front.ask, arrivals: {poisson: 20/s}}
services:
  front: {workers: 6, endpoints: {ask: [{work: {exponential: 2ms}}, {call: back.answer, policy: {timeout: 200ms, retry: {max_attempts: 2, backoff: {constant: 0s}}}}]}}
  back: {workers: 4, concurrency: event_loop, cores: 1, endpoints: {answer: [{work: {exponential: 20ms}}]}}
faults: [{name: f, at: 10s, for: 3s, outage: back, how: hang}]
"""


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return explain(load_text(SHOP), replications=2, jobs=1)


def explained(*portions):
    made = tuple(Portion(place, what, again, Interval(share * 2.0), share) for place, what, again, share in portions)
    return Explained(0.99, Interval(2.0), Interval(2.0), 10, made)


def test_what_an_attempt_did_that_was_made_again_is_one_row():
    rows = rows_of(
        explained(
            ("back", "queue", True, 0.4),
            ("front", "work", False, 0.3),
            ("back", "work", True, 0.2),
            ("back", "work", False, 0.1),
        )
    )
    assert {row: round(share, 9) for row, share in rows.items()} == {
        ("back", AGAIN): 0.6,
        ("front", "work"): 0.3,
        ("back", "work"): 0.1,
    }


def test_a_sentence_tells_the_largest_parts_and_ends_when_enough_is_told(explanation):
    whole = next(iter(explanation.variants.values()))
    made = explained(
        ("front", "queue", False, 0.71),
        ("back", "queue", True, 0.2),
        ("back", "backoff", False, 0.05),
        ("back", "work", False, 0.04),
    )
    variant = VariantExplanation("sync", {"p99": made}, whole.use, whole.load, whole.result)
    told = (
        "p99 of sync, 2.00 s: 71.0% of the time waits for a thread of front, 20.0% went into earlier attempts at back."
    )
    assert sentences(variant) == [told]


def test_every_part_has_words_and_a_place_in_the_chart():
    from sim.metrics.ways import PARTS
    from sim.report.explanation import _SENTENCES

    assert set(LABELS) == set(_SENTENCES) == {*PARTS, AGAIN}


def test_which_station_is_full_first_on_paper_and_in_the_run(explanation):
    lines = saturation(next(iter(explanation.variants.values())))
    assert lines[0].startswith("first full on paper: back (cores), at 2.5 times this load; now 40")
    assert lines[1].startswith("first full in the run: ")


def test_a_run_in_which_nothing_was_full_names_the_busiest(explanation):
    whole = next(iter(explanation.variants.values()))
    calm = [
        Busy(name, "workers", Interval(share), Interval(share), Interval(0), Interval(0), float("inf"), Interval(9))
        for name, share in (("a", 0.2), ("b", 0.4))
    ]
    variant = VariantExplanation("calm", {}, tuple(calm), whole.load, whole.result)
    assert saturation(variant)[1] == "no station was full in the run; the busiest, b (workers), was 40.0% busy"


def test_the_text_has_all_of_it(explanation):
    text = render_explanation(explanation)
    for words in (
        "p50 of base",
        "p99 of base",
        "where the time went",
        "together",
        "utilisation",
        "full from",
        "what happened, in the first replication",
        "f begins",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) < 180
    assert headline(explanation, 1.5).startswith("shop: 2 replications, seed 1, engine simpy, 1.5s, fingerprint ")


def test_requests_that_were_not_answered_well_are_mentioned(explanation):
    assert "--all explains the others too" in render_explanation(explanation)


def test_the_json_is_the_same_each_time_and_its_parts_add_up(explanation):
    document = json.loads(explanation_json(explanation))
    assert document == json.loads(json.dumps(explanation_document(explanation)))
    variant = document["variants"]["base"]
    for quantile in variant["quantiles"].values():
        assert sum(part["seconds"]["value"] for part in quantile["parts"]) == pytest.approx(
            quantile["response"]["value"]
        )
    assert {row["station"] for row in variant["use"]} == {"front", "back"}
    assert variant["first_full"]["on_paper"]["station"] == "back"
    assert variant["story"]


def test_the_chart_is_drawn_alike_each_time(explanation):
    chart = composition(explanation)
    assert chart.svg() == composition(explanation).svg()
    assert "earlier attempts" in chart.svg()
    assert "p99 of base" in chart.alt
    assert chart.png().startswith(b"\x89PNG")


def test_without_requests_there_is_no_chart(explanation):
    whole = next(iter(explanation.variants.values()))
    empty = Explanation(
        explanation.comparison, {"base": VariantExplanation("base", {}, whole.use, whole.load, whole.result)}
    )
    assert composition(empty) is None
    assert "No such request was answered" in render_explanation(empty)
