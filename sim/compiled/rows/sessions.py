"""Rows of sessions: what is said where one is looked for, and what is told of those of a service."""

from __future__ import annotations

from sim.compiled.rows.declaring import Reference, Row
from sim.compiled.rows.tables import Table


class SessionCounts(Row):
    """What is told of all sessions of one service."""

    found: int
    begun: int
    lost: int
    space: int  # of what is remembered of users: the replica that holds a session, and when it was used last


class Session(Row, fixed=True):
    """A step that looks for one."""

    counts: Reference[SessionCounts]
    expires: float  # s
    stored: bool  # where all replicas find it
    degrades: bool  # the request that met a lost one
    refuses: bool  # likewise
    where: int  # index into names


session_counts = Table("session_counts", SessionCounts)
sessions = Table("sessions", Session)
