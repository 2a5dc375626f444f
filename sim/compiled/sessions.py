"""Sessions of users, as in `models/session.py`."""

from __future__ import annotations

from sim.compiled.answers import FAIL, JUMP, NEXT
from sim.compiled.base import handler
from sim.compiled.codes import REFUSED
from sim.compiled.memory import find, remember
from sim.compiled.rows.gateway import entries
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.sessions import session_counts, sessions
from sim.compiled.rows.state import State


@handler
def look_for_session(s: State, task: int, session: int) -> int:
    """JUMP: it is found. NEXT: the user has none. FAIL: it is lost."""
    row, replica = sessions(s)[session], tasks(s)[task].replica
    counts = session_counts(s)[row.counts]
    place = find(s, counts.space, requests(s)[tasks(s)[task].request].user)
    if place < 0 or s.now - entries(s)[place].time >= row.expires:
        counts.begun += 1
        return NEXT
    held = entries(s)[place]
    if not row.stored and (held.value != replica or replicas(s)[replica].warm_since > held.time):
        counts.lost += 1
        return FAIL
    counts.found += 1
    held.time = s.now
    return JUMP


@handler
def keep_session(s: State, task: int, session: int) -> None:
    """It is held here from now on."""
    space, user = session_counts(s)[sessions(s)[session].counts].space, requests(s)[tasks(s)[task].request].user
    place = find(s, space, user)
    if place < 0:
        place = remember(s, space, user)
    entries(s)[place].value = tasks(s)[task].replica
    entries(s)[place].time = s.now


@handler
def tell_of_loss(s: State, task: int, session: int) -> int:
    """How a request ends that met a lost session."""
    row, own = sessions(s)[session], tasks(s)[task]
    if row.degrades:
        own.degraded = True
    if not row.refuses:
        return NEXT
    own.outcome = REFUSED
    own.where = row.where
    own.root = 0
    return FAIL
