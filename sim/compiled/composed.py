"""Programs of steps that are made of other steps (`models/composed.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.compiled import operations as op_of
from sim.models import composed as behaviours
from sim.models.cache import Cache, Looking
from sim.models.cache_write import CacheWrite
from sim.models.lock import Lock
from sim.models.saga import Saga
from sim.models.session import Session

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
    branches = [partial(assembler.sequence, branch, fail) for branch in step.branches]
    one_of(assembler, step.edges, branches, draw=chance.row, kept=step.kept)


def one_of(
    assembler: Assembler,
    edges: Sequence[float],
    branches: Sequence[Callable[[], None]],
    *,
    draw: int,
    kept: bool,
    otherwise: Callable[[], None] | None = None,
) -> None:
    """Write what is done by chance: of the branches the first whose edge is above the draw, else what is left."""
    labels, over = [assembler.label() for _ in branches], assembler.label()
    for edge, label in zip(edges, labels, strict=True):
        assembler.emit(op_of.TAKE_BRANCH, edge=edge, draw=draw, kept=kept, to=label)
    if otherwise is not None:
        otherwise()
    assembler.emit(op_of.GO_TO, to=over)
    for label, write in zip(labels, branches, strict=True):
        assembler.here(label)
        write()
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
    enough = step.enough
    labels = [assembler.branch(its, op_of.RACER_END, cancels=step.cancels, enough=enough) for its in step.branches]
    _branch_out(assembler, op_of.RACE, step.forks.host, labels, fail, enough)


def _branch_out(
    assembler: Assembler, kind: int, host: Host, labels: Sequence[Label], fail: Label, enough: int = 0
) -> None:
    assembler.let_go(host)
    first = len(assembler.branches)
    assembler.branches += labels
    assembler.widest = max(assembler.widest, len(labels))
    its = assembler.places.host_at[host]
    assembler.emit(kind, host=its, first=first, count=len(labels), enough=enough, fail=fail)


def _background(assembler: Assembler, step: behaviours.Background, _fail: Label) -> None:
    program = assembler.branch(step.steps, op_of.BACKGROUND_END)
    assembler.emit(op_of.BACKGROUND, host=assembler.places.host_at[step.host], program=program)


def write_cache(assembler: Assembler, step: Looking, fail: Label) -> None:
    """A look into a cache, and what is done at a miss."""
    assembler.sequence(step.look, fail)
    over, bring = assembler.label(), assembler.label()
    look = assembler.caches.look(step, bring)
    if step.step.hit is not None:
        assembler.emit(op_of.HIT_BY_SHARE, look=look, to=over)
        assembler.sequence(step.then, fail)
        assembler.here(over)
        return
    assembler.emit(op_of.LOOK_INTO_CACHE, host=assembler.places.host_at[step.host], look=look, to=over, fail=fail)
    _load(assembler, step, look, fail)
    assembler.here(over)
    if step.step.stale_while_revalidate:
        assembler.later(partial(_bring, assembler, step, look, bring))


def _load(assembler: Assembler, step: Looking, look: int, fail: Label) -> None:
    """The steps of a miss."""
    loaded = assembler.label()
    assembler.sequence(step.then, loaded)
    assembler.emit(op_of.WELL)
    assembler.here(loaded)
    assembler.emit(op_of.LOADED, look=look, fail=fail)


def _bring(assembler: Assembler, step: Looking, look: int, bring: Label) -> None:
    """The program of who brings a new entry in the background; how that ends changes nothing."""
    over = assembler.label()
    assembler.here(bring)
    assembler.emit(op_of.BRING, look=look, to=over)
    _load(assembler, step, look, over)
    assembler.here(over)
    assembler.emit(op_of.RACER_END, host=assembler.places.host_at[step.host])  # as one who has lost: for nobody


def _cache_write(assembler: Assembler, step: CacheWrite, fail: Label) -> None:
    timer, flush = assembler.label(), assembler.label()
    write = assembler.caches.write(step, timer, flush)
    if step.step.how == "through":
        assembler.emit(op_of.WRITE_BEGINS, write=write)
        assembler.sequence(step.then, fail)
        assembler.emit(op_of.WRITTEN_THROUGH, write=write)
        return
    assembler.emit(op_of.WRITE_BEHIND, write=write)
    assembler.later(partial(_write_collected, assembler, step, write, timer, True))
    assembler.later(partial(_write_collected, assembler, step, write, flush, False))


def _write_collected(assembler: Assembler, step: CacheWrite, write: int, begin: Label, timed: bool) -> None:
    """The program of who writes in the background what has been collected by then."""
    over, done = assembler.label(), assembler.label()
    assembler.here(begin)
    if timed:
        assembler.sequence(step.pause, over)
    with assembler.kept_meanwhile(1) as depth:  # how many it writes
        assembler.emit(op_of.TAKE_COLLECTED, write=write, depth=depth, timed=timed, to=over)
        assembler.sequence(step.then, done)
        assembler.emit(op_of.WELL)
        assembler.here(done)
        assembler.emit(op_of.COLLECTED_WRITTEN, write=write, depth=depth)
    assembler.here(over)
    assembler.emit(op_of.RACER_END, host=assembler.places.host_at[step.host])  # as one who has lost: for nobody


def _saga(assembler: Assembler, step: Saga, fail: Label) -> None:
    host = assembler.places.host_at[step.forks.host]
    aside, failed, over = assembler.label(), assembler.label(), assembler.label()
    saga = assembler.sagas.saga(step, aside)
    assembler.emit(op_of.SAGA, saga=saga)
    for do, _ in step.steps:
        assembler.sequence(do, failed)
        assembler.emit(op_of.TRANSACTION_DONE)
    assembler.emit(op_of.SAGA_COMPLETED)
    assembler.emit(op_of.GO_TO, to=over)
    assembler.here(failed)
    assembler.emit(op_of.TURN_BACK, host=host, saga=saga, fail=fail)
    if step.step.answers_first:
        assembler.later(partial(_undo_aside, assembler, step, saga, aside))
    else:
        _undo(assembler, step, saga)
        assembler.emit(op_of.WENT_BACK, fail=fail)
    assembler.here(over)


def _undo(assembler: Assembler, step: Saga, saga: int) -> None:
    """What was done, the last first, each until that ends well, or the saga is stuck."""
    host, stuck = assembler.places.host_at[step.forks.host], assembler.label()
    for place, (_, undo) in reversed(list(enumerate(step.steps))):
        again, tried, undone = assembler.label(), assembler.label(), assembler.label()
        assembler.emit(op_of.UNDO, saga=saga, step=place, to=undone)
        assembler.here(again)
        assembler.sequence(undo, tried)
        assembler.emit(op_of.WELL)
        assembler.here(tried)
        assembler.emit(op_of.UNDO_OVER, host=host, saga=saga, to=again, fail=stuck)
        assembler.here(undone)
    assembler.here(stuck)


def _undo_aside(assembler: Assembler, step: Saga, saga: int, aside: Label) -> None:
    """The program of who undoes all when the failure has been answered."""
    assembler.here(aside)
    _undo(assembler, step, saga)
    assembler.emit(op_of.SAGA_OVER)
    assembler.emit(op_of.RACER_END, host=assembler.places.host_at[step.forks.host])  # for nobody


def _session(assembler: Assembler, step: Session, fail: Label) -> None:
    lost, over = assembler.label(), assembler.label()
    session = assembler.sessions.session(step)
    assembler.sequence(step.look, fail)
    assembler.emit(op_of.LOOK_FOR_SESSION, session=session, to=over, fail=lost)
    assembler.sequence(step.begin, fail)
    assembler.emit(op_of.KEEP_SESSION, session=session)
    assembler.emit(op_of.GO_TO, to=over)
    assembler.here(lost)
    assembler.sequence(step.rebuild, fail)
    assembler.emit(op_of.KEEP_SESSION, session=session)
    assembler.emit(op_of.SESSION_LOST, session=session, fail=fail)
    assembler.here(over)


def _lock(assembler: Assembler, step: Lock, fail: Label) -> None:
    over = assembler.label()
    host, lock = assembler.places.host_at[step.host], assembler.locks.lock(step)
    assembler.emit(op_of.LOCK, host=host, lock=lock, fail=fail)
    assembler.sequence(step.do, over)
    assembler.emit(op_of.WELL)
    assembler.here(over)
    assembler.emit(op_of.UNLOCK, fail=fail)


_WRITERS: dict[type, Callable[[Assembler, Any, Label], None]] = {
    behaviours.Choose: _choose,
    behaviours.Repeat: _repeat,
    behaviours.Parallel: _parallel,
    behaviours.Race: _race,
    behaviours.Background: _background,
    Cache: write_cache,
    CacheWrite: _cache_write,
    Saga: _saga,
    Session: _session,
    Lock: _lock,
}
