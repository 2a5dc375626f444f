"""Steps that are made of other steps, as in `sim/models/composed.py`: branches at once, and races."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import NEXT
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.forks import branches_over, race_over, start_branches, start_times, times_of
from sim.compiled.places import leave
from sim.compiled.rows.state import State

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import ParallelOp, RepeatOp, Task


@flow
def branch_out(s: State, own: Task, op: ParallelOp) -> Waits[int]:
    """Start all branches, and wait for all."""
    start_branches(s, own, op)
    yield
    return branches_over(s, own)


@flow
def repeat_at_once(s: State, own: Task, op: RepeatOp) -> Waits[int]:
    """The same several times at once; an event loop gives its worker back where there is something to wait for."""
    count = times_of(s, own, op.repetition)
    if count == 0:
        return NEXT
    if op.host.event_loop and own.granted:
        leave(s, op.host, own)
    start_times(s, own, op, count)
    yield
    return branches_over(s, own)


@flow
def race(s: State, own: Task, op: ParallelOp) -> Waits[int]:
    """Start all branches, and wait until enough have ended well."""
    start_branches(s, own, op)
    yield
    return race_over(s, own, op.enough)


def modules() -> Iterable[Module]:
    """What is written of them."""
    steps = [Step(branch_out, "branch_out"), Step(repeat_at_once, "repeat_at_once"), Step(race, "race")]
    yield Module("composed", "Steps that are made of other steps.", steps)
