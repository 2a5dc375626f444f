"""Writes through the caches that there are, around steps that are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.models.random_systems.composed import every_steps
from tests.models.random_systems.luck import Luck


def cache_writes(document: dict[str, Any], luck: Luck) -> None:
    """One step in four of a service with caches writes to one of them."""
    known = {name: sorted(set(_keyed(service))) for name, service in document["services"].items()}
    for name, steps in every_steps(document):
        caches = known.get(name.split()[0], [])
        for place, step in enumerate(steps):
            own = luck.at(f"{name} {place}")
            if caches and "saga" not in step and own.maybe("writes", 0.25):
                steps[place] = {"cache_write": {"name": own.pick("cache", caches), "then": [step], **_how(own)}}


def _how(luck: Luck) -> dict[str, Any]:
    if luck.maybe("through", 0.4):
        return {"how": "through"}
    behind = {"how": "behind", "every": luck.pick("every", ("50ms", "400ms", "2s"))}
    return {**behind, "batch": luck.number("batch", 1, 4)} if luck.maybe("in batches") else behind


def _keyed(said: Any) -> Iterator[str]:
    """The names of all caches that keep something, however deep."""
    if isinstance(said, dict):
        cache = said.get("cache")
        if isinstance(cache, dict) and "key" in cache:
            yield cache["name"]
        for value in said.values():
            yield from _keyed(value)
    elif isinstance(said, list):
        for value in said:
            yield from _keyed(value)
