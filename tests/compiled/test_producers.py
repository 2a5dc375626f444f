"""Who publishes to a log, on both engines: systems made at random, with and without producers that collect batches."""

import pytest

from sim.spec import load_document
from tests.compiled.same import differences
from tests.models.random_systems.luck import Luck
from tests.models.random_systems.producers import make_idempotent, producer_system
from tests.models.test_random_logs import log_system, producer

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each


def check(document):
    from sim import compiled, models

    (scenario,) = load_document(document).variants.values()
    one = compiled.simulate(scenario)
    assert differences(models.simulate(scenario), one) == []
    return one


def test_some_systems_without_a_producer_made_at_random():
    records = [check(producer_system(seed, producing=False)) for seed in range(3)]
    assert all(len(one.messages) > 100 for one in records)


def test_some_systems_with_producers_made_at_random():
    """Somebody waits in vain for memory, and a batch is sent again: on its way it was lost."""
    records = [check(producer_system(seed)) for seed in range(6)]
    outcomes = {outcome for one in records for outcome in one.request_frame()["outcome"]}
    assert {"ok", "timeout"} <= outcomes


@pytest.mark.long
def test_many_systems_without_a_producer_made_at_random():
    for seed in range(3, 30):
        check(producer_system(seed, producing=False))


@pytest.mark.long
def test_many_systems_with_producers_made_at_random():
    for seed in range(6, 60):
        check(producer_system(seed))


def with_nodes(seed):
    """Producers of a log with nodes that go and come, some of them beside transactions."""
    document = {"version": 1, **log_system(seed)}
    broker = document["brokers"]["kafka"]
    broker.setdefault("producer", producer(Luck(f"log {seed}/again")))
    consumed = [its for service in document["services"].values() for its in service.get("consumes", {}).values()]
    if any("transaction" in its for its in consumed):
        make_idempotent(broker)
    return document


def test_some_producers_of_a_log_with_nodes():
    for seed in range(3):
        check(with_nodes(seed))


@pytest.mark.long
def test_many_producers_of_a_log_with_nodes():
    for seed in range(3, 40):
        check(with_nodes(seed))
