"""Sessions, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows import sessions as rows
from sim.compiled.wiring.found import Filled, Found

if TYPE_CHECKING:
    from sim.compiled.wiring.places import Places
    from sim.models.session import Session, Sessions


class SessionTables:
    """Their rows."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.counts, self.sessions = Found(rows.SessionCounts), Found(rows.Session)
        self.place_of: dict[Sessions, int] = {}  # what is told of those of a service

    def session(self, step: Session) -> int:
        """A step that looks for one."""
        if step.sessions not in self.place_of:
            self.place_of[step.sessions] = self.counts.add(space=self.places.space())
        return self.sessions.add(
            counts=self.place_of[step.sessions],
            expires=step.step.expires,
            stored=step.step.held == "store",
            degrades=step.step.lost == "degraded",
            refuses=step.step.lost == "refused",
            where=step.where,
        )

    def tables(self) -> Filled:
        """As they are at time 0."""
        yield rows.session_counts, self.counts.array()
        yield rows.sessions, self.sessions.array()
