"""Programs of steps that are made of other steps (`models/composed.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sim.compiled import operations as op_of
from sim.models import composed as behaviours

if TYPE_CHECKING:
    from sim.compiled.program import Assembler, Label
    from sim.models.host import Host

Untyped = Any  # draws of the models that are rows of a table here


def write_composed(assembler: Assembler, step: Untyped, fail: Label) -> bool:
    """Write the operations of such a step; False: it is none."""
    write = _WRITERS.get(type(step))
    if write is None:
        return False
    write(assembler, step, fail)
    return True


def _choose(assembler: Assembler, step: behaviours.Choose, fail: Label) -> None:
    chance: Untyped = step.chance
    labels = [assembler.label() for _ in step.branches]
    over = assembler.label()
    for edge, label in zip(step.edges, labels, strict=True):
        assembler.emit(op_of.TAKE_BRANCH, edge=edge, draw=chance.row, kept=step.kept, to=label)
    assembler.emit(op_of.GO_TO, to=over)
    for label, branch in zip(labels, step.branches, strict=True):
        assembler.here(label)
        assembler.sequence(branch, fail)
        assembler.emit(op_of.GO_TO, to=over)
    assembler.here(over)


def _repeat(assembler: Assembler, step: behaviours.Repeat, fail: Label) -> None:
    repetition = assembler.composed.repetition(step)
    if step.at_once:
        assembler.widest = max(assembler.widest, len(step.falling))
        body = assembler.branch(step.steps, op_of.BRANCH_END)
        host = assembler.places.host_at[step.steps.host]
        assembler.emit(op_of.AT_ONCE, host=host, repetition=repetition, to=body, fail=fail)
        return
    over, body = assembler.label(), assembler.label()
    with assembler.kept_meanwhile(4) as depth:  # its chain and its path, how many times it was done, and is to be
        assembler.emit(op_of.REPEAT, repetition=repetition, depth=depth, to=over)
        assembler.here(body)
        assembler.sequence(step.steps, over)
    assembler.emit(op_of.AGAIN, repetition=repetition, depth=depth, to=body)
    assembler.here(over)
    assembler.emit(op_of.REPEAT_OVER, depth=depth, fail=fail)


def _parallel(assembler: Assembler, step: behaviours.Parallel, fail: Label) -> None:
    labels = [assembler.branch(branch, op_of.BRANCH_END) for branch in step.branches]
    _branch_out(assembler, op_of.PARALLEL, step.forks.host, labels, fail)


def _race(assembler: Assembler, step: behaviours.Race, fail: Label) -> None:
    labels = [assembler.branch(branch, op_of.RACER_END, cancels=step.cancels) for branch in step.branches]
    _branch_out(assembler, op_of.RACE, step.forks.host, labels, fail)


def _branch_out(assembler: Assembler, kind: int, host: Host, labels: Sequence[Label], fail: Label) -> None:
    assembler.let_go(host)
    first = len(assembler.branches)
    assembler.branches += labels
    assembler.widest = max(assembler.widest, len(labels))
    assembler.emit(kind, host=assembler.places.host_at[host], first=first, count=len(labels), fail=fail)


def _background(assembler: Assembler, step: behaviours.Background, _fail: Label) -> None:
    program = assembler.branch(step.steps, op_of.BACKGROUND_END)
    assembler.emit(op_of.BACKGROUND, host=assembler.places.host_at[step.host], program=program)


_WRITERS: dict[type, Callable[[Assembler, Any, Label], None]] = {
    behaviours.Choose: _choose,
    behaviours.Repeat: _repeat,
    behaviours.Parallel: _parallel,
    behaviours.Race: _race,
    behaviours.Background: _background,
}
