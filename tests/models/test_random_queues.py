"""Queue brokers and rebalancing groups made at random, small and full of trouble: whatever happens, the books balance, every
message has one row in each queue, and a run can be repeated; of queue brokers both engines give the same records.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sim import compiled, models, testing
from sim.spec import load_document
from tests.compiled.same import differences
from tests.models.random_systems.groups import group_system
from tests.models.random_systems.luck import Luck
from tests.models.random_systems.queue_nodes import queue_nodes
from tests.models.random_systems.queues import QUEUES, queue_system

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each


def system_on_nodes(seed: int) -> dict[str, Any]:
    """A system of queues, on nodes that are lost."""
    system = queue_system(seed)
    queue_nodes(system, Luck(f"nodes {seed}"))
    return system


def assert_sound(system: dict[str, Any]) -> None:
    """The books of every queue and topic balance with their rows, and the run is the same twice."""
    played = testing.play(system)
    frame = played.records.message_frame()
    for book in played.records.books:
        if book.component in (*QUEUES, "events"):
            rows = frame[frame["topic"] == book.component]
            assert book.offered == len(rows) == sum(book.ended.values()) + book.open
            assert not rows.duplicated(["partition", "offset"]).any()
    assert testing.play(system).records.fingerprint() == played.records.fingerprint()


@pytest.mark.parametrize("make", [queue_system, system_on_nodes, group_system], ids=["queues", "nodes", "groups"])
def test_the_books_of_what_is_made_at_random_balance(make):
    for seed in range(3):
        assert_sound(make(seed))


@pytest.mark.long
@pytest.mark.parametrize("make", [queue_system, system_on_nodes, group_system], ids=["queues", "nodes", "groups"])
def test_the_books_of_hundreds_of_them_balance(make):
    for seed in range(3, 80):
        assert_sound(make(seed))


def apart(seed: int, make: Callable[[int], dict[str, Any]] = queue_system) -> list[str]:
    """In what the two engines part."""
    (scenario,) = load_document({"version": 1, **make(seed)}).variants.values()
    return differences(models.simulate(scenario), compiled.simulate(scenario))


def test_both_engines_make_the_same_of_queue_brokers():
    found = {seed: apart(seed) for seed in range(12)}
    assert {seed: words for seed, words in found.items() if words} == {}


def test_both_engines_make_the_same_of_nodes_that_are_lost():
    found = {seed: apart(seed, system_on_nodes) for seed in range(8)}
    assert {seed: words for seed, words in found.items() if words} == {}


@pytest.mark.long
def test_both_engines_make_the_same_of_many_queue_brokers():
    found = {(seed, make): apart(seed, make) for seed in range(12, 72) for make in (queue_system, system_on_nodes)}
    assert {seed: words for seed, words in found.items() if words} == {}
