"""Clients each of whom has a patience of its own."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck
from tests.models.random_systems.times import time


def impatience(document: dict[str, Any], luck: Luck) -> None:
    """Some traffic, with a timeout or without, and some of it tells until when it waits."""
    for name, traffic in document["traffic"].items():
        own = luck.at(name)
        if own.maybe("impatient", 0.6):
            traffic["patience"] = time(own.at("patience"), 0.3)
            if own.maybe("tells", 0.4):
                traffic["deadline"] = "propagate"
