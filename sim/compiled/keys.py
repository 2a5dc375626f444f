"""Idempotency keys, as in `sim/models/idempotency.py`: they stand among the marks of their request."""

from __future__ import annotations

from sim.compiled.base import NONE, handler
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.idempotency import kept, keys, keys_of
from sim.compiled.rows.programs import entry_ops
from sim.compiled.rows.running import marks, requests, take_mark, tasks
from sim.compiled.rows.state import State
from sim.policies import idempotency
from sim.policies.idempotency import IN_PROGRESS, WORK

verdict, is_kept = idempotency.verdict.compiled, idempotency.is_kept.compiled
LONG_PAST = -1.0  # when a key expired that was forgotten


@handler
def look_for_key(s: State, task: int) -> int:
    """WORK, and the key is known from now on; or what is answered at once, with root and place in the task."""
    own = tasks(s)[task]
    endpoint = entry_ops(s)[own.entry].endpoint
    place = keys_of(s)[endpoint]
    row = keys(s)[place]
    found = find_key(s, own.request, row.key ^ own.path)
    if found < 0:
        found = take_mark(s)
        add_mark(s, own.request, found, row.key ^ own.path)
        decided = WORK
    else:
        decided = verdict(s.now, kept(s)[found].expires, kept(s)[found].outcome)
    known = kept(s)[found]
    if decided == WORK:
        known.owner, known.expires, known.outcome, known.root, known.where = task, s.now + row.ttl, IN_PROGRESS, 0, NONE
        return WORK
    if decided == IN_PROGRESS:
        row.conflicts += 1
        own.where, own.root = endpoint, 0
        return int(row.in_progress)
    row.replayed += 1
    own.where, own.root = known.where, known.root
    return int(decided)


@handler
def end_with_key(s: State, task: int, answered: int) -> None:
    """It is done, and answered so; who has begun again meanwhile, after the time, is not disturbed."""
    own = tasks(s)[task]
    row = keys(s)[keys_of(s)[entry_ops(s)[own.entry].endpoint]]
    found = find_key(s, own.request, row.key ^ own.path)
    if found < 0 or kept(s)[found].owner != task:
        return
    known = kept(s)[found]
    known.owner = NOBODY
    if is_kept(answered, row.keeps_failures):
        known.outcome, known.root, known.where = answered, own.root, own.where
    else:
        known.expires = LONG_PAST


@handler
def forget_key(s: State, task: int) -> None:
    """It was killed: nothing was done."""
    own = tasks(s)[task]
    row = keys(s)[keys_of(s)[entry_ops(s)[own.entry].endpoint]]
    found = find_key(s, own.request, row.key ^ own.path)
    if found >= 0 and kept(s)[found].owner == task:
        kept(s)[found].owner = NOBODY
        kept(s)[found].expires = LONG_PAST


@handler
def find_key(s: State, request: int, key: int) -> int:
    """The mark that stands for a key; -1: it was never seen."""
    row = requests(s)[request]
    place = row.first_mark
    for _ in range(row.marks):
        if marks(s)[place].mark == key:
            return int(place)
        place = marks(s)[place].next
    return -1


@handler
def add_mark(s: State, request: int, new: int, mark: int) -> None:
    """One more, at the beginning of those of a request."""
    row = requests(s)[request]
    marks(s)[new].mark = mark
    marks(s)[new].next = row.first_mark
    if row.marks == 0:
        row.last_mark = new
    row.first_mark = new
    row.marks += 1
