"""Event stores around steps that are there."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.composed import every_steps
from tests.models.random_systems.luck import Luck


def event_stores(document: dict[str, Any], luck: Luck) -> None:
    """One step in five is what a command decides; all of a service are about one store or two."""
    keys = [
        "all",
        *(key for key in ("item", "user") if any(f"{key}s" in said for said in document["traffic"].values())),
    ]
    for name, steps in every_steps(document):
        for place, step in enumerate(steps):
            own = luck.at(f"{name} {place}")
            if own.maybe("stored", 0.2):
                store = own.pick("store", ("s", "t"))
                of_all = _store(keys, luck.at(f"{name.split()[0]} {store}"))
                steps[place] = {"event_store": store, "then": [step], **of_all, **_said(own)}


def _store(keys: list[str], luck: Luck) -> dict[str, Any]:
    """What is the same of all steps that are about one store."""
    words = {"begins_with": luck.pick("begins", (1, 30, 5000)), "snapshot_every": luck.pick("every", (1, 10, 100))}
    said = {word: value for word, value in words.items() if luck.maybe(word, 0.6)}
    return {"key": luck.pick("key", keys), **said}


def _said(luck: Luck) -> dict[str, Any]:
    said: dict[str, Any] = {"in_memory": True} if luck.maybe("in memory", 0.4) else {}
    words = {
        "appends": luck.pick("appends", (0, 1, 3)),
        "replay": luck.pick("replay", ("1us", "10us")),
        "load": luck.pick("load", ("1ms", {"exponential": "2ms"})),
        "append": luck.pick("append", ("1ms", {"exponential": "5ms"})),
    }
    return said | {word: value for word, value in words.items() if luck.maybe(word, 0.6)}
