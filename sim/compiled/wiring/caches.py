"""Caches, the steps that look into them, and the places where they keep something, as rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sim.compiled.base import UNLIMITED
from sim.compiled.caches import FOR_ALL, OF_ITEM, OF_ITEM_OF_USER, OF_USER, SAID
from sim.compiled.draw_rows import row_of
from sim.compiled.rows import caches as rows
from sim.compiled.wiring.found import Filled, Found

if TYPE_CHECKING:
    from sim.compiled.program import Label
    from sim.compiled.wiring.places import Places
    from sim.models.cache import Counts, Looking
    from sim.models.cache_write import CacheWrite, WriteCounts
    from sim.models.host import Host
    from sim.spec import cache as spec

KEYS = {"all": FOR_ALL, "item": OF_ITEM, "user": OF_USER, "item_of_user": OF_ITEM_OF_USER, None: SAID}


class CacheTables:
    """Their rows."""

    def __init__(self, places: Places):
        self.places = places
        self.caches, self.looks, self.stores = Found(rows.Cache), Found(rows.Look), Found(rows.Store)
        self.place_of: dict[Counts, int] = {}
        self.in_replicas: dict[int, list[int]] = {}  # by host: the first stores of caches that each replica has
        self.writes, self.write_counts = Found(rows.WriteStep), Found(rows.CacheWrites)
        self.collected = Found(rows.Collected)
        self.counts_of: dict[WriteCounts, int] = {}
        self.collected_in: dict[int, list[int]] = {}  # by host: the first of those that each replica has
        self._programs: list[tuple[int, Label, Label]] = []
        self._labels: list[tuple[int, Label]] = []

    def look(self, step: Looking, bring: Label) -> int:
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

    def watched(self, counts: Counts) -> int:
        """The cache whose series are told; one in a fallback of what cannot fail has no program, and is empty."""
        if counts not in self.place_of:
            self.place_of[counts] = self.caches.add(first=0, stores=0)
        return self.place_of[counts]

    def write(self, step: CacheWrite, timer: Label, flush: Label) -> int:
        """A step that writes to one; `timer` and `flush` are where the programs of who writes behind will stand."""
        said = step.cache
        look = self.looks.add(
            cache=self._cache_of(step.counts, said, step.host),
            host=self.places.host_at[step.host],
            shared=said.scope == "shared",
            draw=row_of(step.chance),
            key=int(KEYS[said.key]),
            ttl=math.inf if said.ttl is None else said.ttl,
            jitter=said.jitter,
        )
        place = self.writes.add(
            look=look,
            counts=self._counts(step.writes),
            batch=UNLIMITED if step.step.batch is None else step.step.batch,
            host=self.places.host_at[step.host],
        )
        self._programs.append((place, timer, flush))
        return place

    def _counts(self, counts: WriteCounts) -> int:
        if counts not in self.counts_of:
            replicas, first = len(counts.host.replicas), len(self.collected)
            for _ in range(replicas):
                self.collected.add()
            self.collected_in.setdefault(self.places.host_at[counts.host], []).append(first)
            self.counts_of[counts] = self.write_counts.add(first=first, replicas=replicas)
        return self.counts_of[counts]

    def _cache(self, step: Looking) -> int:
        return self._cache_of(step.counts, step.step, step.host)

    def _cache_of(self, counts: Counts, said: spec.Keeping, its: Host) -> int:
        """The one of this name; steps that say the same name say the same of it."""
        if counts not in self.place_of:
            host = self.places.host_at[its]
            count = 1 if said.scope == "shared" else len(its.replicas)
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
            self.place_of[counts] = self.caches.add(first=first, stores=count)
        return self.place_of[counts]

    def tables(self) -> Filled:
        """As they are at time 0; all programs have been written."""
        for place, label in self._labels:
            self.looks.rows[place]["bring"] = max(label.place, 0)
        for place, timer, flush in self._programs:
            self.writes.rows[place] |= {"timer": max(timer.place, 0), "flush": max(flush.place, 0)}
        yield rows.write_steps, self.writes.array()
        yield rows.cache_writes, self.write_counts.array()
        yield rows.collected, self.collected.array()
        yield rows.caches, self.caches.array()
        yield rows.looks, self.looks.array()
        yield rows.stores, self.stores.array()
