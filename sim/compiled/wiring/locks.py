"""Locks, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.calendar import OF_DEADLOCK, OF_LOCK
from sim.compiled.rows import locks as rows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.wiring.found import Filled, Found

if TYPE_CHECKING:
    from sim.compiled.wiring.places import Places
    from sim.models.lock import Lock
    from sim.models.lock_manager import Counts


class LockTables:
    """Their rows."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.counts, self.locks = Found(rows.LockCounts), Found(rows.Lock)
        self.place_of: dict[Counts, int] = {}  # what is told of a lock of a service
        self._spaces: dict[str, int] = {}  # by name: locks of one name are one

    def lock(self, step: Lock) -> int:
        """A step that takes one."""
        said = step.step
        if said.name not in self._spaces:
            self._spaces[said.name] = self.places.space()
        if step.counts not in self.place_of:
            self.place_of[step.counts] = self.counts.add()
        return self.locks.add(
            counts=self.place_of[step.counts],
            space=self._spaces[said.name],
            by_item=said.key == "item",
            by_user=said.key == "user",
            lane=self.places.lane(said.timeout, OF_LOCK, NOBODY),
            deadlock_lane=self.places.lane(said.deadlock_timeout, OF_DEADLOCK, NOBODY),
            held_after_crash=said.held_after_crash,
            where=step.where,
        )

    def tables(self) -> Filled:
        """As they are at time 0."""
        yield rows.lock_counts, self.counts.array()
        yield rows.locks, self.locks.array()
