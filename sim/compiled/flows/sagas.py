"""The way back of a saga, as in `sim/models/saga.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import FAIL, JUMP, NEXT
from sim.compiled.calendar import hold
from sim.compiled.codes import OK
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.places import leave
from sim.compiled.rows.state import State
from sim.compiled.sagas import is_stuck, undo_again, undone
from sim.compiled.spans import BACKOFF, keep_stage

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import SagaOp, Task


@flow
def look_at_undo(s: State, own: Task, op: SagaOp) -> Waits[int]:
    """NEXT: it has ended well. JUMP: it is tried again, after a pause. FAIL: the saga is stuck."""
    if own.outcome == OK:
        undone(s, own)
        return NEXT
    if is_stuck(s, own, op.saga):
        return FAIL
    if op.host.event_loop and own.granted:
        leave(s, op.host, own)
    if s.spans:
        keep_stage(s, own, BACKOFF, op.host.name, 0.0, -1)
    hold(s, own, op.saga.pause)
    yield
    undo_again(s, own, op.saga)
    return JUMP


def modules() -> Iterable[Module]:
    """What is written of it."""
    yield Module("sagas", "The way back of a saga.", [Step(look_at_undo, "look_at_undo")])
