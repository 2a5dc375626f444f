"""Open traffic that a load generator sends, with so many virtual users."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck


def load_generators(document: dict[str, Any], luck: Luck) -> None:
    """Some of the open traffic, with few users, so that iterations are dropped, or with enough."""
    for name, traffic in document["traffic"].items():
        own = luck.at(name)
        if "closed" not in traffic["arrivals"] and own.maybe("limited", 0.5):
            count = own.pick("users", (1, 2, 5, 40))
            more = own.pick("more", (0, 1, 7))
            traffic["virtual_users"] = {"pre_allocated": count, "max": count + more} if more else count
