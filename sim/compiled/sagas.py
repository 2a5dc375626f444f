"""Sagas: one transaction after the other, and back where one does not come about, as in `models/saga.py`."""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.compiled.answers import FAIL, NEXT
from sim.compiled.base import handler
from sim.compiled.forks import begin_aside
from sim.compiled.operations import CHARGE, RESERVATION
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.programs import EffectOp, SagaOp
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.sagas import ledgers, saga_counts, saga_runs, sagas, take_saga_run
from sim.compiled.rows.state import State
from sim.compiled.stranding import end_saga


@handler
def begin_saga(s: State, task: int, op: SagaOp) -> None:
    """Nothing is done yet."""
    own = tasks(s)[task]
    new = take_saga_run(s)
    run = saga_runs(s)[new]
    run.counts = sagas(s)[op.saga].counts
    run.done = 0
    run.next = own.saga
    own.saga = new


@handler
def transaction_done(s: State, task: int) -> None:
    """One more that would have to be undone."""
    run = saga_runs(s)[tasks(s)[task].saga]
    if run.done == 0:
        saga_counts(s)[run.counts].open += 1
    run.done += 1


@handler
def complete_saga(s: State, task: int) -> None:
    """All are done."""
    counts = saga_counts(s)[saga_runs(s)[tasks(s)[task].saga].counts]
    counts.open -= 1
    counts.completed += 1
    end_saga(s, task)


@handler
def turn_back(s: State, task: int, op: SagaOp) -> int:
    """A transaction did not come about: NEXT: what was done is undone now. FAIL: there is nothing, or it is undone
    after the failure has been answered.
    """
    own = tasks(s)[task]
    number = own.saga
    run = saga_runs(s)[number]
    run.tries = 0
    run.chain = own.chain
    run.path = own.path
    run.outcome = own.outcome
    run.where = own.where
    run.root = own.root
    if run.done == 0:
        end_saga(s, task)
        return FAIL
    program = sagas(s)[op.saga].aside
    if program < 0:
        return NEXT
    aside = begin_aside(s, task, program, op.host)
    own.saga = run.next
    run.next = NOBODY
    tasks(s)[aside].saga = number
    return FAIL


@handler
def is_to_be_undone(s: State, task: int, step: int) -> bool:
    """Whether this transaction was done."""
    run = saga_runs(s)[tasks(s)[task].saga]
    run.tries = 0
    return run.done > step


@handler
def is_stuck(s: State, task: int, saga: int) -> bool:
    """An undo did not end well: whether it was the last try."""
    run = saga_runs(s)[tasks(s)[task].saga]
    run.tries += 1
    if run.tries != sagas(s)[saga].attempts:
        return False
    saga_counts(s)[run.counts].stuck += 1
    return True


@handler
def undo_again(s: State, task: int, saga: int) -> None:
    """With draws of its own."""
    own = tasks(s)[task]
    run = saga_runs(s)[own.saga]
    own.chain = link_chain(run.chain, sagas(s)[saga].salt, run.tries)
    own.path = link_chain(run.path, sagas(s)[saga].salt, run.tries)


@handler
def undone(s: State, task: int) -> None:
    """One less; what follows has the chain that it would have had at once."""
    own = tasks(s)[task]
    run = saga_runs(s)[own.saga]
    own.chain = run.chain
    own.path = run.path
    run.done -= 1
    if run.done == 0:
        counts = saga_counts(s)[run.counts]
        counts.open -= 1
        counts.compensated += 1


@handler
def went_back(s: State, task: int) -> int:
    """The outcome is that of the transaction that did not come about."""
    own = tasks(s)[task]
    run = saga_runs(s)[own.saga]
    own.outcome = run.outcome
    own.where = run.where
    own.root = run.root
    end_saga(s, task)
    return FAIL


@handler
def retract(s: State, task: int, op: EffectOp) -> None:
    """An effect does not exist any more; of charges and reservations there is one less."""
    request = requests(s)[tasks(s)[task].request]
    if request.effects & op.effect == 0:
        return
    left = 0
    if op.ledger == CHARGE:
        request.charges = max(0, request.charges - 1)
        left = request.charges
    elif op.ledger == RESERVATION:
        request.reservations = max(0, request.reservations - 1)
        left = request.reservations
    if left == 0:
        request.effects &= ~op.effect


@handler
def take_out_of_ledger(s: State, task: int) -> None:
    """Before an order changes."""
    request, ledger = requests(s)[tasks(s)[task].request], ledgers(s)[0]
    ledger.was_in = request.charges > 0 and request.reservations == 0
    if ledger.was_in:
        ledger.open -= 1
        ledger.area += s.now


@handler
def enter_in_ledger(s: State, task: int) -> None:
    """When it has changed."""
    request, ledger = requests(s)[tasks(s)[task].request], ledgers(s)[0]
    if request.charges > 0 and request.reservations == 0:
        ledger.open += 1
        ledger.entered += not ledger.was_in
        ledger.area -= s.now
