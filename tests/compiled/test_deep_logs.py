"""Logs with nodes and transactions on both engines: systems made at random, small and full of trouble."""

from __future__ import annotations

from typing import Any

import pytest

from sim import testing
from sim.compiled.machine import Machine
from sim.compiled.rows.logs import lacks, shipments, topics, transactions
from sim.compiled.rows.tables import Pool
from sim.compiled.wiring import Wiring
from sim.spec import load_text
from tests.models.test_random_logs import log_system

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each
SPANS = ("none", "all", "exemplars")


def with_spans(seed: int) -> dict[str, Any]:
    """One of the small systems; where all is kept, what its records come by is compared, too."""
    return {**log_system(seed), "record": {"spans": SPANS[seed % len(SPANS)]}}


def test_logs_with_nodes_and_transactions_are_alike():
    kinds, ends = set(), set()
    for seed in (1, 2, 3):
        played = testing.play_on_both(with_spans(seed))
        kinds |= {event.kind for event in played.events()}
        ends |= set(played.records.message_frame()["how"])
    assert {"leader_lost", "leader_elected", "isr_shrank", "isr_expanded"} <= kinds
    assert {"dropped", "lost", "expired", "processed"} <= ends


@pytest.mark.long
def test_many_logs_with_nodes_and_transactions_are_alike():
    for seed in range(4, 64):
        testing.play_on_both(with_spans(seed))


def test_followers_that_are_far_behind_find_room(monkeypatch):
    """Tables that begin with two rows, and a follower that lacks all that was written in three seconds."""
    for table in (lacks, shipments, transactions):
        monkeypatch.setattr(table, "pool", Pool(2))
    for seed in (1, 2):
        testing.play_on_both(with_spans(seed))


GONE = """
version: 1
duration: 200s
traffic: {clients: {sends: shop.buy, arrivals: {poisson: 100/s}}}
services: {shop: {workers: unlimited, endpoints: {buy: [{publish: orders}]}}}
brokers: {kafka: {kind: log, replication: 2ms, topics: {orders: {partitions: 2, replication_factor: 3}}}}
faults: [{at: 1s, broker_down: kafka, node: 2}]
"""


def test_what_a_node_lacks_that_is_gone_for_good_takes_no_memory():
    """Of 20,000 records those are remembered that are written before it counts as gone, in nine seconds: some 900."""
    machine = Machine(Wiring(load_text(GONE).variants["base"], 0))
    machine.run()
    assert messages_published(machine) > 19_000
    assert machine.s.size_of(lacks) < 5_000


def messages_published(machine: Machine) -> int:
    return int(topics.array(machine.s)["published"].sum())
