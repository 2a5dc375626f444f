"""A lock, as in `sim/models/lock.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import NEXT
from sim.compiled.calendar import arm
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.locking import ask_for_lock, hears_of_lock, holds_another
from sim.compiled.places import leave
from sim.compiled.rows.state import State
from sim.compiled.spans import LOCK, keep_stage

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import LockOp, Task


@flow
def take_lock(s: State, own: Task, op: LockOp) -> Waits[int]:
    """NEXT with the lock; FAIL where the wait was too long, or part of a deadlock."""
    if ask_for_lock(s, own, op.lock):
        return NEXT
    if op.host.event_loop and own.granted:
        leave(s, op.host, own)
    if s.spans:
        keep_stage(s, own, LOCK, op.host.name, 0.0, -1)
    if op.lock.lane is not None:
        arm(s, op.lock.lane, own)
    if op.lock.deadlock_lane is not None and holds_another(s, own):
        arm(s, op.lock.deadlock_lane, own)
    yield
    return hears_of_lock(s, own)


def modules() -> Iterable[Module]:
    """What is written of it."""
    yield Module("locks", "A lock.", [Step(take_lock, "take_lock")])
