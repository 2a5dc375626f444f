"""Who publishes to a log, on both engines: systems made at random, with and without producers that collect batches."""

import pytest

import sim
from sim.compiled.engine import why_not
from sim.spec import load_document
from tests.compiled.same import differences
from tests.models.random_systems.producers import producer_system

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each


def check(seed, producing):
    from sim import compiled, models

    (scenario,) = load_document(producer_system(seed, producing)).variants.values()
    one = compiled.simulate(scenario)
    assert differences(models.simulate(scenario), one) == []
    return one


def test_some_systems_without_a_producer_made_at_random():
    records = [check(seed, producing=False) for seed in range(3)]
    assert all(len(one.messages) > 100 for one in records)


def test_some_systems_with_producers_made_at_random():
    """Somebody waits in vain for memory, and a batch is sent again: on its way it was lost."""
    records = [check(seed, producing=True) for seed in range(6)]
    outcomes = {outcome for one in records for outcome in one.request_frame()["outcome"]}
    assert {"ok", "timeout"} <= outcomes


@pytest.mark.long
def test_many_systems_without_a_producer_made_at_random():
    for seed in range(3, 60):
        check(seed, producing=False)


@pytest.mark.long
def test_many_systems_with_producers_made_at_random():
    for seed in range(6, 100):
        check(seed, producing=True)


NODES = """
version: 1
duration: 1s
traffic: {clients: {sends: shop.buy, arrivals: {poisson: 5/s}}}
services: {shop: {workers: 1, endpoints: {buy: [{publish: orders}]}}}
brokers: {kafka: {kind: log, producer: {}, SAID topics: {orders: {TOPIC}}}}
"""


@pytest.mark.parametrize(
    ("said", "topic", "found"),
    [
        ("", "", ""),
        ("nodes: 3,", "", "a producer of a log with nodes"),
        ("", "replication_factor: 2", "a producer of a log with nodes"),
    ],
)
def test_a_producer_of_a_broker_with_nodes_runs_on_simpy_alone(said, topic, found):
    (scenario,) = sim.load_text(NODES.replace("SAID", said).replace("TOPIC", topic)).variants.values()
    assert why_not(scenario) == found
