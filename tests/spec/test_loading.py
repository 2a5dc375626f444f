"""From a file to a study."""

import contextlib
import json
import math
import pickle
import random
import time

import pytest

from sim.errors import ScenarioError, SimError, UsageError
from sim.spec import load, load_document, load_text
from sim.spec.document import plain
from sim.spec.reading import read_yaml


def test_the_example_of_the_language_has_three_variants(example):
    study = load_text(example)
    assert list(study.variants) == ["sync", "sync-no-breaker", "async"]
    assert study.name == "payment-outage"
    assert study.question.startswith("The payment provider goes dark")
    no_breaker = study.variants["sync-no-breaker"].policies["provider"]
    assert (no_breaker.circuit_breaker, no_breaker.bulkhead, no_breaker.retry.budget) == (None, None, None)
    assert no_breaker.retry.max_attempts == 3
    assert study.variants["sync"].expect == ()
    assert study.variants["async"].services["payments"].consumes["order-events"].retry_topic.delays == (1.0, 10.0, 60.0)


def test_a_canonical_document_is_plain_json_and_gives_an_equal_study(example):
    study = load_text(example)
    again = load_document(json.loads(json.dumps(study.document)))
    assert again.variants == study.variants
    assert again.document == study.document


def test_studies_travel_between_processes(example):
    study = load_text(example)
    assert pickle.loads(pickle.dumps(study)) == study


def test_a_scenario_without_variants_has_one(small):
    study = load_text(small)
    assert list(study.variants) == ["base"]
    assert "variants" not in study.document
    assert load_document(study.document).variants == study.variants


def test_a_scenario_without_a_name_is_called_as_its_file(small, tmp_path):
    unnamed = small.replace("name: small\n", "")
    assert "name:" not in unnamed
    (tmp_path / "corner-shop.yaml").write_text(unnamed)
    (tmp_path / "other.yaml").write_text(f"name: kiosk\n{unnamed}")
    assert load(tmp_path / "corner-shop.yaml").name == "corner-shop"
    assert load(tmp_path / "other.yaml").name == "kiosk"
    assert load_text(unnamed).name == "scenario"


def test_the_seed_may_be_given_from_outside(example):
    study = load_text(example, seed=7)
    assert {scenario.seed for scenario in study.variants.values()} == {7}
    assert load_document(study.document).variants == study.variants
    with pytest.raises(ScenarioError, match="--seed: seed: found -1, expected at least 0"):
        load_text(example, seed=-1)


def test_what_every_variant_replaces_is_checked_all_the_same(small):
    text = (
        small.replace("workers: 16", "workers: lots")
        + "variants: {a: {services: {orders: {workers: 1}}}, b: {services: {orders: {workers: 2}}}}\n"
    )
    with pytest.raises(ScenarioError, match=r"^<text>:7:14: services.orders.workers: found 'lots'"):
        load_text(text)


def test_a_variant_may_add_what_the_top_lacks(small):
    text = (
        small.replace("    workers: 16\n", "")
        + "variants: {a: {services: {orders: {workers: 1}}}, b: {services: {orders: {workers: 2}}}}\n"
    )
    assert [scenario.services["orders"].workers for scenario in load_text(text).variants.values()] == [1, 2]


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ("[a]", "variants: found a list of 1, expected a map of names and patches"),
        ("{a: 5}", "variants.a: found 5, expected a patch"),
        ("{a: {warmup: 1s}, b: {plugins: [x.py]}}", "'warmup' may not differ between variants"),
    ],
)
def test_variants_are_a_map_of_patches(small, variants, words):
    with pytest.raises(ScenarioError) as caught:
        load_text(f"{small}variants: {variants}\n")
    assert words in str(caught.value)


def test_null_as_a_variant_changes_nothing(small):
    study = load_text(f"{small}variants: {{a: , b: {{}}}}\n")
    assert study.variants["a"] == study.variants["b"]


def test_unnamed_faults_get_a_name(small):
    faults = "faults: [{outage: orders, at: 1m}, {outage: orders, at: 2m}, {slow: {of: orders, by: 2x}, at: 3m}, {name: mine, crash: {of: orders}, at: 4m}]\n"
    assert [fault.name for fault in load_text(small + faults).variants["base"].faults] == [
        "outage of orders",
        "outage of orders 2",
        "slow of orders",
        "mine",
    ]


def test_all_that_is_wrong_is_told_at_once_though_some_hides_other(small):
    text = (
        small.replace("workers: 16", "wokers: none")
        .replace("100/s", "100")
        .replace("sends: orders.create", "sends: orders.crate")
    )
    with pytest.raises(ScenarioError) as caught:
        load_text(text)
    assert [(problem.line, problem.message.split(";")[0].split(",")[0]) for problem in caught.value.problems] == [
        (4, "unknown endpoint 'orders.crate'"),
        (4, "found 100"),
        (7, "unknown field 'wokers'"),
        (7, "found 'none'"),
    ]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "null", "{}", "- a", "hello", "5"])
def test_what_is_no_map_is_no_scenario(text):
    with pytest.raises(ScenarioError, match="expected a scenario: a map that begins with version: 1"):
        load_text(text)


def test_files_that_are_none_are_errors_of_usage(tmp_path, small):
    (tmp_path / "shop.yaml").write_text(small)
    assert load(tmp_path / "shop.yaml").variants == load(str(tmp_path / "shop.yaml")).variants
    with pytest.raises(UsageError, match="is a directory"):
        load(tmp_path)
    with pytest.raises(UsageError, match=r"no such file; did you mean 'shop.yaml'\?"):
        load(tmp_path / "shp.yaml")
    for name in ("/dev/null", "", "a\0b", "x" * 5000, str(tmp_path / "no" / "where.yaml")):
        with pytest.raises(UsageError):
            load(name)


@pytest.mark.parametrize("document", [{"a": {1: 2}}, {"a": object()}, {"a": {3}}])
def test_a_document_is_json(document):
    with pytest.raises(UsageError):
        load_document(document)


def test_a_document_nested_without_end_is_refused():
    document = {}
    document["a"] = document
    with pytest.raises(UsageError, match="nested more than"):
        load_document(document)


def test_numbers_that_json_can_hold_but_nobody_means_are_refused(small):
    document = load_text(small).document
    for wrong in (float("nan"), float("inf"), 10**400, -1, True, "x", 1.5):
        with pytest.raises(ScenarioError):
            load_document({**document, "seed": wrong})


def test_loading_is_quick(example):
    begun = time.perf_counter()
    load_text(example)
    assert time.perf_counter() - begun < 1


@pytest.mark.long
def test_any_slip_of_the_pen_is_an_error_of_ours(example):
    """Documents changed at random either load, and load again from their canonical form, or are refused: nothing else escapes."""
    luck = random.Random(20261127)
    for _ in range(60):
        document = mutated(plain(read_yaml(example)), luck)
        with contextlib.suppress(SimError):
            study = load_document(document)
            assert load_document(json.loads(json.dumps(study.document))).variants == study.variants


ODD = (
    None,
    True,
    -1,
    0.5,
    10**30,
    math.nan,
    "",
    "x",
    "5ms",
    "off",
    [],
    {},
    [1],
    {"a": 1},
    {"constant": "1s"},
    [[]],
    "reply",
    {"mixture": [{}]},
)


def mutated(document, luck):
    """One to three places of the document changed, removed or misspelt."""
    for _ in range(luck.randint(1, 3)):
        holder, key = luck.choice(list(places(document)))
        if luck.random() < 0.5:
            holder[key] = luck.choice(ODD)
        elif luck.random() < 0.5 or isinstance(holder, list):
            del holder[key]
        else:
            holder[f"{key}x"] = holder.pop(key)
    return document


def places(here):
    for key in list(here) if isinstance(here, dict) else range(len(here)):
        yield here, key
        if isinstance(here[key], (dict, list)):
            yield from places(here[key])
