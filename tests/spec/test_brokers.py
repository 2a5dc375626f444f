"""Brokers are registered by their kind, as steps are by their word; ours is `log`."""

from __future__ import annotations

from typing import Literal

import pytest

import sim
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check
from sim.spec.base import Few, register, unregister
from sim.spec.broker import Broker, LogBroker
from sim.spec.reference import reference
from sim.spec.schema import json_schema

SHOP = """
version: 1
duration: 10s
traffic: {guests: {sends: front.ask, arrivals: {deterministic: 10/s}}}
services:
  front: {workers: 20, endpoints: {ask: [{publish: events}]}}
network: {default: {latency: 10ms}}
brokers: {one: BROKER}
"""
LOG = "{kind: log, replication: 30ms, topics: {events: {}}}"
POST = "{kind: post, prefetch: 5, topics: {events: {}}}"


@pytest.fixture
def post():
    """A broker of somebody's own, which confirms nothing."""

    @register("broker", "post")
    class Post(Broker):
        kind: Literal["post"]
        prefetch: Few = 1
        """How many letters a postman carries."""

        @property
        def confirms(self):
            return False

    yield Post
    unregister("broker", "post")


def loaded(broker, **options):
    return sim.load_text(SHOP.replace("BROKER", broker), **options)


def broker_of(study):
    (scenario,) = study.variants.values()
    return scenario.brokers["one"]


def test_the_kind_says_which_it_is(post):
    assert (type(broker_of(loaded(LOG))), type(broker_of(loaded(POST)))) == (LogBroker, post)


def test_fields_of_its_own_may_be_set(post):
    assert broker_of(loaded(POST, sets=["brokers.one.prefetch=7"])).prefetch == 7


def test_a_variant_patches_them(post):
    text = SHOP.replace("BROKER", POST) + "variants: {few: {}, many: {brokers: {one: {prefetch: 9}}}}\n"
    assert [scenario.brokers["one"].prefetch for scenario in sim.load_text(text).variants.values()] == [5, 9]


@pytest.mark.parametrize(
    ("broker", "words"),
    [
        (
            "{kind: pst, topics: {}}",
            r"brokers\.one\.kind: found 'pst', expected log or queue or post; did you mean 'post'",
        ),
        ("{topics: {}}", r"brokers\.one: the field 'kind' is missing"),
        ("{kind: post, prefech: 3, topics: {}}", r"unknown field 'prefech'; did you mean 'prefetch'"),
        ("{kind: log, prefetch: 3, topics: {}}", r"unknown field 'prefetch'"),
        ("7", r"brokers\.one: found 7"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(post, broker, words):
    with pytest.raises(ScenarioError, match=words):
        loaded(broker)


def test_the_schema_and_the_reference_have_both(post):
    forms = json_schema()["properties"]["brokers"]["additionalProperties"]["anyOf"]
    assert [form["$ref"].rpartition("/")[2] for form in forms] == ["LogBroker", "QueueBroker", "Post"]
    assert "How many letters a postman carries." in reference().partition("## `post`")[2]


def test_on_paper_a_publisher_waits_as_long_as_its_broker_says(post):
    """There and back take 20 ms, the followers of the log 30 ms more: ten a second hold 0.5 of 20 workers. The post confirms nothing."""

    def workers(broker):
        (load,) = check(loaded(broker)).loads.values()
        return next(
            station.utilisation for station in load.stations if (station.name, station.resource) == ("front", "workers")
        )

    assert (workers(LOG), workers(POST)) == (pytest.approx(10 * 0.05 / 20), 0.0)


def test_a_kind_without_a_behaviour_is_named(post):
    (scenario,) = loaded(POST).variants.values()
    with pytest.raises(TypeError, match=r"Post has no behaviour: register one with @behaviour\(Post\)"):
        sim.simulate(scenario)


def test_a_kind_that_is_no_word_is_told():
    with pytest.raises(ScenarioError, match=r"brokers\.one\.kind: found a map of 1, expected log"):
        sim.load_text(SHOP.replace("BROKER", "{kind: {log: 1}, topics: {events: {}}}"))
