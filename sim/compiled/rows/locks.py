"""Rows of locks: what is said where one is taken, what is told of it, who holds it and who waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Perhaps, Reference, Row
from sim.compiled.rows.tables import Pool, Returning, Table, Taking

if TYPE_CHECKING:
    from sim.compiled.rows.caches import Flight
    from sim.compiled.rows.events import TimerLane
    from sim.compiled.rows.running import Task


class LockCounts(Row):
    """A lock as one service has it: what is told of that."""

    held_area: float  # integral of the locks held, less locks held * now
    held: int
    waiting: int
    taken: int
    timeouts: int
    deadlocks: int


class Lock(Row, fixed=True):
    """A step that takes one."""

    counts: Reference[LockCounts]
    space: int  # of what is remembered by key: who holds it
    by_item: bool
    by_user: bool
    lane: Perhaps[TimerLane]  # of those who wait
    deadlock_lane: Perhaps[TimerLane]  # of those of them who hold another lock
    held_after_crash: float  # s
    where: int  # index into names


class ClaimLine(Row):
    """Who waits for what is locked, by their `next` and `previous`."""

    first: Perhaps[Claim]
    last: Perhaps[Claim]


class Locked(Row):
    """What is locked. It is forgotten when nobody holds it."""

    line: ClaimLine
    space: int
    key: int
    holder: Perhaps[Task]  # nobody: one who has crashed
    next: Perhaps[Locked]  # free one


class Claim(Row):
    """A task that holds a lock or waits for it, or has reached one that it holds already."""

    lock: Reference[Lock]
    locked: Perhaps[Locked]  # nobody: the task holds it already
    task: Reference[Task]
    waits: bool
    outer: Perhaps[Claim]  # within which it was taken
    flight: Perhaps[Flight]  # likewise
    previous: Perhaps[Claim]
    next: Perhaps[Claim]  # of the line, or free one


lock_counts = Table("lock_counts", LockCounts)
locks = Table("locks", Lock)
locked = Table("locked", Locked, pool=Pool(1 << 7))
claims = Table("claims", Claim, pool=Pool(1 << 7))

take_locked, give_back_locked = Taking(locked), Returning(locked)
take_claim, give_back_claim = Taking(claims), Returning(claims)
