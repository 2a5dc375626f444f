"""The steps that take time, as in `sim/models/steps.py`: work, waits, places, couriers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import NEXT
from sim.compiled.calendar import hold
from sim.compiled.cores import compute
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow, the
from sim.compiled.operations import note_work
from sim.compiled.places import by_age, demand, frozen, park, take_place
from sim.compiled.preempting import goes_on, not_interrupted
from sim.compiled.rows.state import State
from sim.compiled.spans import PLACE, WAIT, WORK, keep_stage
from sim.compiled.tasks import NOWHERE, ON_CPU, answer, done, forget

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import PlaceOp, Request, Task, TimedOp


@flow
def spend(s: State, own: Task, op: TimedOp) -> Waits[int]:
    """Let work or a wait pass, on the cores where there are any, stretched by slowdowns and stopped by freezes."""
    own.seconds = demand(s, op, own) * op.host.slow * own.replica.slow
    if op.computing and op.host.warm_slow > 0.0:
        own.seconds *= by_age(s, op.host, own.replica)
    if s.spans:
        keep_stage(s, own, WORK if op.computing else WAIT, op.host.name, own.seconds, -1)
    if op.computing and own.replica.cores > 0:
        own.waits = ON_CPU
        if op.host.preempts:
            not_interrupted(s, own)
        compute(s, own, own.seconds)
        yield
        while op.host.preempts and goes_on(s, own):
            yield
        own.waits = NOWHERE
    elif op.host.may_hang:
        yield from pass_unfrozen(s, own, op)
    else:
        hold(s, own, own.seconds)
        yield
    note_work(s, own, op.host)
    return NEXT


@flow
def pass_unfrozen(s: State, own: Task, op: TimedOp) -> Waits[None]:
    """What a freeze has cost is waited for after the thaw, and what another costs meanwhile after that."""
    own.frozen_before = frozen(s, own.replica)
    hold(s, own, own.seconds)
    yield
    own.pause = frozen(s, own.replica) - own.frozen_before
    while True:
        while own.replica.hung:
            park(s, own)
            yield
        own.frozen_before = frozen(s, own.replica)
        if own.pause <= 0.0:
            return
        if s.spans:
            keep_stage(s, own, WORK if op.computing else WAIT, op.host.name, own.pause, -1)
        hold(s, own, own.pause)
        yield
        own.pause = frozen(s, own.replica) - own.frozen_before


@flow
def get_place(s: State, own: Task, op: PlaceOp) -> Waits[int]:
    """An event loop takes a thread of its own before it computes."""
    if own.granted or (own.own_thread and op.spares_own_threads) or take_place(s, op.host, own):
        return NEXT
    if s.spans:
        keep_stage(s, own, PLACE, op.host.name, 0.0, -1)
    yield
    return NEXT


@flow
def carry(s: State, own: Task) -> Waits[None]:
    """A courier takes an early answer to its caller."""
    if own.pause > 0.0:
        hold(s, own, own.pause)
        yield
    answer(s, own, own.outcome)
    done(s, the(Request, own.request))
    forget(s, own)


def modules() -> Iterable[Module]:
    """What is written of steps."""
    steps = [Step(spend, "spend"), Step(get_place, "get_place")]
    yield Module("steps", "Steps that take time.", [*steps, Step(carry, "carry", ends=True)])
