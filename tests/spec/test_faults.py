"""A fault reads whom it befalls behind its word, or by name under it."""

import pytest

from sim.errors import ScenarioError
from sim.spec import load_text
from sim.spec.base import words
from sim.spec.fault import Fault

SYSTEM = """
version: 1
duration: 1m
services:
  shop: {workers: 1, endpoints: {buy: [{cache: {name: pages, key: item, size: 9, then: [{work: 1ms}]}}]}}
  desk: {workers: 1, endpoints: {ask: [{work: 1ms}]}}
brokers: {rabbit: {kind: queue, queues: {jobs: {}}}}
traffic: {users: {sends: shop.buy, arrivals: {poisson: 1/s}, items: {count: 3}}}
faults: [FAULT]
"""


def fault_of(text):
    (scenario,) = load_text(SYSTEM.replace("FAULT", text)).variants.values()
    return scenario.faults[0]


@pytest.mark.parametrize(
    ("word", "whom", "by_name", "rest"),
    [
        ("outage", "shop", "of: shop", "how: refuse"),
        ("slow", "shop", "of: shop", "by: 5x"),
        ("errors", "shop", "of: shop", "share: 5%"),
        ("crash", "shop", "of: shop", "replicas: 1"),
        ("restart", "shop", "of: shop", "takes: 5s"),
        ("deploy", "shop", "of: shop", "surge: 25%"),
        ("network", "[shop, desk]", "between: [shop, desk]", "partition: true"),
        ("broker_down", "rabbit", "of: rabbit", "name: down"),
        ("alarm", "rabbit", "of: rabbit", "name: full"),
        ("slow_disk", "rabbit", "of: rabbit", "by: 5x"),
        ("flush", "pages", "cache: pages", "of: shop"),
    ],
)
def test_all_ways_are_one(word, whom, by_name, rest):
    found = [
        fault_of(text)
        for text in (
            f"{{at: 5s, {word}: {whom}, {rest}}}",
            f"{{at: 5s, {word}: {{{by_name}, {rest}}}}}",
            f"{{at: 5s, {word}: {{{by_name}}}, {rest}}}",
            f"{{at: 5s, {word}: , {by_name}, {rest}}}",
        )
    ]
    assert found[0] == found[1] == found[2] == found[3]


def test_every_fault_but_the_one_of_others_names_whom_it_befalls_behind_its_word():
    assert [word for word, fault in words("fault").items() if issubclass(fault, Fault) and not fault.positional] == [
        "random"
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("{at: 5s, broker_down: {of: rabbit, broker: rabbit}}", "found both `of` and broker, expected one of them"),
        ("{at: 5s, crash: {off: shop}}", "unknown field 'off'; did you mean 'of'?"),
        ("{at: 5s, crash: {replicas: 1}}", "the field 'of' is missing"),
        ("{at: 5s, slow: shop}", "the field 'by' is missing"),
    ],
)
def test_what_neither_of_them_is(said, told):
    with pytest.raises(ScenarioError) as found:
        fault_of(said)
    assert told in str(found.value)
