"""Ranges in the place of numbers: where they may stand, what they mean on paper, and which are refused."""

from __future__ import annotations

import json

import jsonschema
import pytest

from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check
from sim.spec import json_schema, load_document, load_text
from sim.spec.reading import read_yaml
from sim.spec.uncertain import Range, fixed, ranges_in

SHOP = """version: 1
duration: 60s
warmup: 5s
traffic: {clients: {sends: shop.get, arrivals: {poisson: {between: [20/s, 40/s]}}}}
network: {default: {latency: 0ms}, links: [{between: [shop, bank], latency: {between: [1ms, 3ms]}}]}
services:
  shop:
    workers: {between: [2, 4]}
    endpoints: {get: [{work: {exponential: {between: [8ms, 16ms]}}}, {call: bank.pay}, {fail: {between: [1%, 3%]}}]}
  bank: {workers: 1, endpoints: {pay: [{work: {between: [1ms, 2ms]}}]}}
variants:
  as-is: {}
  more: {services: {shop: {workers: 5}, bank: {workers: {between: [2, 3]}}}}
"""


def refused(old, new):
    with pytest.raises(ScenarioError) as caught:
        load_text(SHOP.replace(old, new, 1))
    return str(caught.value)


def test_on_paper_a_range_is_at_its_middle():
    study = load_text(SHOP)
    plain = study.variants["as-is"]
    assert plain.traffic["clients"].arrivals.rate == 30.0
    assert plain.services["shop"].workers == 3
    assert plain.services["shop"].endpoints["get"].do[0].time.mean == pytest.approx(0.012)
    assert plain.services["shop"].endpoints["get"].do[2].share == pytest.approx(0.02)
    assert plain.services["bank"].endpoints["pay"].do[0].time.mean == pytest.approx(0.0015)
    assert (study.variants["more"].services["shop"].workers, study.variants["more"].services["bank"].workers) == (5, 3)
    assert "inputs that are ranges, here at their middle: traffic.clients.arrivals.poisson" in str(check(study))


def test_a_document_keeps_its_ranges_and_loads_again():
    study = load_text(SHOP)
    assert [its.name for its in ranges_in(study.document)] == [
        "traffic.clients.arrivals.poisson",
        "network.links.0.latency",
        "services.shop.workers",
        "services.shop.endpoints.get.0.work.exponential",
        "services.shop.endpoints.get.2.fail",
        "services.bank.endpoints.pay.0.work",
        "services.bank.workers",
    ]
    again = load_document(json.loads(json.dumps(study.document)))
    assert (again.document, again.variants) == (study.document, study.variants)


def test_values_go_from_the_low_end_to_the_high_one_as_they_would_be_written():
    def values(low, high):
        return [Range((), low, high).value(u) for u in (0.0, 0.25, 0.5, 1 - 2**-53)]

    assert values(2, 5) == [2, 3, 4, 5]  # a quarter of the way for each of the four
    assert values(1.0, 3.0)[:3] == [1.0, 1.5, 2.0]
    assert values("10ms", "20ms")[:3] == ["10ms", "12.5ms", "15ms"]
    assert values("500ms", "1s")[:3] == ["0.5s", "0.625s", "0.75s"]
    assert values("30/m", "60/m")[1] == "37.5/m"
    assert values("10%", "20 %")[2] == "15%"


def test_whole_ends_have_whole_values_each_as_likely():
    counts = [Range((), 1, 3).value((k + 0.5) / 300) for k in range(300)]
    assert [counts.count(value) for value in (1, 2, 3)] == [100, 100, 100]


def test_a_setting_puts_a_value_in_the_place_of_a_range():
    study = load_text(SHOP, sets=["services.shop.workers=7", "traffic.clients.arrivals={poisson: 5/s}"])
    assert study.variants["as-is"].services["shop"].workers == 7
    assert "services.shop.workers" not in [its.name for its in ranges_in(study.document)]


def test_names_between_which_something_lies_are_no_range():
    """A fault of the network says by `between` whom it keeps apart."""
    text = SHOP.replace(
        "variants:", "faults: [{network: {between: [shop, bank]}, partition: true, at: 10s, for: 5s}]\nvariants:"
    )
    assert "faults" not in {its.at[0] for its in ranges_in(load_text(text).document)}


def test_a_variant_has_its_own_ranges_and_those_of_the_top():
    document = load_text(SHOP).document
    assert "services.bank.workers" not in [its.name for its in ranges_in(document, "as-is")]
    assert "services.bank.workers" in [its.name for its in ranges_in(document, "more")]
    assert "network.links.0.latency" in [its.name for its in ranges_in(document, "as-is")]


def test_what_has_no_range_is_not_copied():
    document = load_text(SHOP).document
    changed = fixed(document, lambda its: its.low)
    assert changed["services"]["shop"] is not document["services"]["shop"]
    assert changed["services"]["shop"]["endpoints"]["get"][1] is document["services"]["shop"]["endpoints"]["get"][1]


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("{between: [16ms, 8ms]}", "8: .*work.exponential: found ['16ms', '8ms'], expected the smaller end first"),
        ("{between: [8ms, 2]}", "expected two numbers, or two amounts with their units"),
        ("{between: [8ms]}", "found a list of 1, expected the two ends of a range, such as [10ms, 20ms]"),
        ("{between: [8/s, 9/m]}", "expected both ends in one unit"),
        ("{between: [8, 9]}", "expected a duration such as"),
    ],
)
def test_what_is_no_range_is_told(new, words):
    told = refused("{between: [8ms, 16ms]}", new)
    assert words.partition(": .*")[2] in told if ": .*" in words else words in told


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{between: [2, 4]}", "{between: [0, 4]}", "workers: found 0, expected at least 1"),
        ("{between: [2, 4]}", "{between: [2, 4.5]}", "found 3.25, expected a whole number"),
        ("{between: [1%, 3%]}", "{between: [1%, 130%]}", "expected a share"),
        ("duration: 60s", "duration: {between: [60s, 70s]}", "duration is the same in every replication"),
        ("warmup: 5s", "warmup: 5s\nseed: {between: [1, 2]}", "seed is the same in every replication"),
    ],
)
def test_both_ends_must_be_as_valid_as_the_middle(old, new, words):
    assert words in refused(old, new)


def test_editors_know_ranges():
    schema = json_schema()
    validator = jsonschema.Draft202012Validator(schema)
    assert not list(validator.iter_errors(read_yaml(SHOP)))
    assert list(validator.iter_errors(read_yaml(SHOP.replace("between: [2, 4]", "betwen: [2, 4]"))))
    for certain in ("duration: {between: [1s, 2s]}", "duration: 60s\nrecord: {interval: {between: [1s, 2s]}}"):
        assert list(validator.iter_errors(read_yaml(SHOP.replace("duration: 60s", certain))))
