"""A lock: one at a time does what stands in it, of all who ask for the same thing; others wait in line."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from sim.spec.actions import Action, Locks
from sim.spec.base import Duration, Leaves, register
from sim.spec.step import POPULATION_OF, AnyStep, Step
from sim.vocabulary import Outcome, Stage

DEADLOCK_TIMEOUT = 1.0  # s; deadlock_timeout of PostgreSQL


@register("step", "lock")
class Lock(Step):
    """Take a lock, do the steps of `do`, and give it back: a row that a transaction has changed, or a lock in Redis.

    One holder for each key. Who comes while it is held waits, first come first served, as for a row of PostgreSQL
    (the tuple lock makes the line; `src/backend/access/heap/README.tuplock`), and holds his worker meanwhile; an event
    loop goes on without him. The lock is free when `do` has ended, well or not, or was cancelled: a transaction is
    committed or rolled back. Whoever gives up or is cancelled while he waits leaves the line. Who holds the lock
    already has it again at once.

    Locks of one name are one, in all replicas of all services: they stand in one database. A lock within another one
    may close a circle, in which each waits for the next. As in PostgreSQL somebody who waits looks for one after his
    `deadlock_timeout`, and if he is part of it his attempt ends as `deadlock` (error 40P01); the others go on. InnoDB
    looks at once: `deadlock_timeout: 0s`. Only locks of one attempt are known to be one transaction's: branches, and
    what an attempt calls, are sessions of their own, and a circle through them ends by `timeout` or not at all.

    With `held_after_crash` nobody can have the lock for so long when its holder has crashed: a lock in Redis until its
    lease is over, a participant of a two-phase commit until the coordinator is back and tells what became of it.

    On paper everybody has the lock at once; `sim check` tells how much of the time the most popular key is held.

    Not modelled: shared locks and other modes, locks of tables and of ranges, InnoDB's order of who waits longest for
    (CATS) and its choice of the transaction that has changed least, a lease that ends while its holder still works,
    polling for a lock, work that a rollback takes, and locks that escalate.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.LOCK_TIMEOUT, Outcome.DEADLOCK),
        stages=(Stage.LOCK,),
        series=("locks_held", "lock_waiting", "locks_taken", "lock_timeouts", "deadlocks"),
    )
    positional = "name"
    name: str
    """What it is called, within the scenario: its time series bear its name."""
    key: Literal["item", "user", "all"]
    """What is locked: each `item`, each `user`, or one thing for `all` requests."""
    timeout: Duration | None = Field(default=None, gt=0)
    """How long an attempt waits for it, and then ends as `lock_timeout`: `lock_timeout` of PostgreSQL, which has none
    by itself either; `innodb_lock_wait_timeout` of InnoDB is 50 s.
    """
    deadlock_timeout: Duration | None = DEADLOCK_TIMEOUT
    """How long whoever holds another lock waits until he looks for a deadlock (PostgreSQL: 1 s); `null`: nobody looks,
    as with locks in Redis.
    """
    held_after_crash: Duration = 0.0
    """How long it stays held when the replica of its holder crashes. 0 s: PostgreSQL sees the connection close and
    rolls back; Redisson: `lockWatchdogTimeout`, 30 s.
    """
    do: tuple[AnyStep, ...] = Field(min_length=1)
    """What is done while it is held."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """What is done in it."""
        return (Locks(self.name, self.key, self.do),)

    @property
    def told_apart_by(self) -> Literal["items", "users"] | None:
        """Of its key."""
        return POPULATION_OF.get(self.key)
