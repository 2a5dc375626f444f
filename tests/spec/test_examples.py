"""The examples of the reference: each is a whole scenario that loads and runs, and no word of the language is without one."""

from __future__ import annotations

import pytest

import sim
from sim.spec import load_text
from sim.spec.arrivals import Rows
from sim.spec.examples import FOLDER, as_scenario, example_of, examples, shop
from sim.spec.fault import Fault
from sim.spec.reference import BY_THE_LOADER
from sim.spec.scenario import Scenario
from sim.spec.schema import _classes
from sim.spec.walk import every_spec, what_only_simpy_runs

NAMES = {cls.__name__: cls for cls in _classes()}
UNWRITTEN = {Rows, Fault, Scenario}  # read from a file, the base of all faults, and the top, whose example is the shop
# `take: {stock: {...}}`, and what these faults do is over by itself
ELSEWHERE = {("Take", "options"), *((name, "lasts") for name in ("Crash", "Flush", "Deploy", "Random"))}


@pytest.fixture(scope="module")
def study():
    return load_text(as_scenario(examples()), "the examples", FOLDER)


def test_every_spec_has_an_example_and_every_example_a_spec():
    assert {cls for cls in NAMES.values() if cls.model_fields and example_of(cls) is None} == UNWRITTEN
    assert set(examples()) - set(NAMES) == set()


def test_every_word_is_said_in_the_example_of_its_spec(study):
    silent = []
    for name in examples():
        said = {
            field
            for spec in every_spec(study.variants[name])
            if type(spec) is NAMES[name]
            for field in spec.model_fields_set
        }
        silent += [(name, field) for field in NAMES[name].model_fields if field not in said]
    unwritten = {(cls.__name__, field) for cls, field in BY_THE_LOADER}
    assert set(silent) - unwritten == ELSEWHERE


def test_the_shop_says_every_word_at_the_top():
    said = load_text(shop(), "shop.yaml").variants["base"].model_fields_set
    elsewhere = {
        "node_pools",
        "account_concurrency",
        "ledger",
        "faults",
        "record",
        "plugins",
    }  # each has an example, or needs a file
    assert set(Scenario.model_fields) - said == elsewhere


def test_an_example_is_short_enough_to_be_read():
    assert {name for name, text in examples().items() if text.count("\n") > 45} == set()
    assert max(len(line) for text in examples().values() for line in text.splitlines()) <= 118


@pytest.mark.long
def test_every_example_is_checked_and_runs_alike_on_both_engines(study):
    """On SimPy alone where the other engine does not know a word."""
    assert [finding for finding in sim.check(study).warnings if finding.kind == "overload"] == []
    for name in examples():
        found = sim.run(study, variant=name, replications=1, jobs=1, engine="simpy")
        assert len(found.requests) > 20, name
        if not list(what_only_simpy_runs(study.variants[name])):
            again = sim.run(study, variant=name, replications=1, jobs=1, engine="compiled")
            assert again.fingerprint == found.fingerprint, name
