"""Queue brokers and rebalancing groups made at random, small and full of trouble: whatever happens, the books balance, every
message has one row in each queue, and a run can be repeated.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim import testing
from tests.models.random_systems.groups import group_system
from tests.models.random_systems.queues import QUEUES, queue_system


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


@pytest.mark.parametrize("make", [queue_system, group_system], ids=["queues", "groups"])
def test_the_books_of_what_is_made_at_random_balance(make):
    for seed in range(3):
        assert_sound(make(seed))


@pytest.mark.long
@pytest.mark.parametrize("make", [queue_system, group_system], ids=["queues", "groups"])
def test_the_books_of_hundreds_of_them_balance(make):
    for seed in range(3, 80):
        assert_sound(make(seed))
