"""Caches, the steps that look into them, and the places where they keep something, as rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sim.compiled.base import UNLIMITED
from sim.compiled.caches import FOR_ALL, OF_ITEM, OF_USER, SAID
from sim.compiled.program import row_of
from sim.compiled.rows import caches as rows
from sim.compiled.wiring.found import Filled, Found

if TYPE_CHECKING:
    from sim.compiled.program import Label
    from sim.compiled.wiring.places import Places
    from sim.models.cache import Cache, Counts

KEYS = {"all": FOR_ALL, "item": OF_ITEM, "user": OF_USER, None: SAID}


class CacheTables:
    """Their rows."""

    def __init__(self, places: Places):
        self.places = places
        self.caches, self.looks, self.stores = Found(rows.Cache), Found(rows.Look), Found(rows.Store)
        self.place_of: dict[Counts, int] = {}
        self.in_replicas: dict[int, list[int]] = {}  # by host: the first stores of caches that each replica has
        self._labels: list[tuple[int, Label]] = []

    def look(self, step: Cache, bring: Label) -> int:
        """A step that looks into a cache; `bring` is where the program of who brings a new entry will stand."""
        said = step.step
        place = self.looks.add(
            cache=self._cache(step),
            host=self.places.host_at[step.host],
            shared=said.scope == "shared",
            coalesce=said.coalesce,
            draw=row_of(step.chance),
            key=int(KEYS[said.key]),
            hit=said.hit or 0.0,
            ttl=math.inf if said.ttl is None else said.ttl,
            jitter=said.jitter,
            negative_ttl=said.negative_ttl or 0.0,
            stale_while_revalidate=said.stale_while_revalidate,
            stale_if_error=said.stale_if_error,
            where=step.where,
        )
        self._labels.append((place, bring))
        return place

    def _cache(self, step: Cache) -> int:
        """The one of this name; steps that say the same name say the same of it."""
        if step.counts not in self.place_of:
            said, host = step.step, self.places.host_at[step.host]
            count = 1 if said.scope == "shared" else len(step.host.replicas)
            first = len(self.stores)
            for _ in range(count):
                self.stores.add(
                    size=UNLIMITED if said.size is None else said.size,
                    frequent=said.evict == "lfu",
                    known=self.places.space(),
                    asked=self.places.space(),
                )
            if said.scope == "replica":
                self.in_replicas.setdefault(host, []).append(first)
            self.place_of[step.counts] = self.caches.add(first=first, stores=count)
        return self.place_of[step.counts]

    def tables(self) -> Filled:
        """As they are at time 0; all programs have been written."""
        for place, label in self._labels:
            self.looks.rows[place]["bring"] = max(label.place, 0)
        yield rows.caches, self.caches.array()
        yield rows.looks, self.looks.array()
        yield rows.stores, self.stores.array()
