"""Logs with nodes and transactions on both engines: systems made at random, small and full of trouble."""

from __future__ import annotations

from typing import Any

import pytest

from sim import testing
from sim.compiled.rows.logs import lacks, shipments, transactions
from sim.compiled.rows.tables import Pool
from tests.models.test_random_logs import log_system

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each
SPANS = ("none", "all", "exemplars")


def without_producers(seed: int) -> dict[str, Any]:
    """What SimPy alone runs is left out."""
    system = {**log_system(seed), "record": {"spans": SPANS[seed % len(SPANS)]}}
    for word in ("producer", "quota"):
        system["brokers"]["kafka"].pop(word, None)
    return system


def test_logs_with_nodes_and_transactions_are_alike():
    kinds, ends = set(), set()
    for seed in (1, 2, 3):
        played = testing.play_on_both(without_producers(seed))
        kinds |= {event.kind for event in played.events()}
        ends |= set(played.records.message_frame()["how"])
    assert {"leader_lost", "leader_elected", "isr_shrank", "isr_expanded"} <= kinds
    assert {"dropped", "lost", "expired", "processed"} <= ends


@pytest.mark.long
def test_many_logs_with_nodes_and_transactions_are_alike():
    for seed in range(4, 64):
        testing.play_on_both(without_producers(seed))


def test_followers_that_are_far_behind_find_room(monkeypatch):
    """Tables that begin with two rows, and a follower that lacks all that was written in three seconds."""
    for table in (lacks, shipments, transactions):
        monkeypatch.setattr(table, "pool", Pool(2))
    for seed in (1, 2):
        testing.play_on_both(without_producers(seed))
