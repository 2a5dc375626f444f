"""How a member of a group comes by its batches, and commits them, as in `sim/models/consumer.py`.

What it does with them is its program.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import NEXT
from sim.compiled.calendar import ORDER, ORDINARY, ask_python, hold, schedule
from sim.compiled.committing import (
    AUTOMATIC,
    BEFORE,
    commit_fresh,
    commit_in_poll,
    commit_later,
    end_handled,
    note_handled,
)
from sim.compiled.consumers import batch_over, end_batch
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow, the
from sim.compiled.fetching import be_patient
from sim.compiled.places import park
from sim.compiled.polling import cut_off, fill_batch, wait_for_broker, watch_batch
from sim.compiled.rows.state import State
from sim.compiled.transactions import FENCED, close_transaction, commit_delay, is_well, steps_over, was_aborted

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Member, Task


@flow
def poll(s: State, own: Task) -> Waits[int]:
    """Fetch a batch, as soon as the process is thawed, the broker there, and something to fetch."""
    while True:
        while own.replica.hung:
            park(s, own)
            yield
        while cut_off(s, the(Member, own.member)):
            wait_for_broker(s, the(Member, own.member).broker, own)
            yield
        if the(Member, own.member).called:
            ask_python(s, the(Member, own.member).errand)
            yield
        if the(Member, own.member).commits == AUTOMATIC:
            commit_in_poll(s, the(Member, own.member))
        fill_batch(s, the(Member, own.member))
        if the(Member, own.member).following is not None:
            break
        idle = the(Member, own.member)
        idle.idle = True
        if idle.fetcher is not None:
            be_patient(s, idle)
        if idle.commits == AUTOMATIC:
            commit_later(s, idle)
        yield
    member = the(Member, own.member)
    member.processing = True
    member.busy_area -= s.now
    group = member.group
    group.busy += 1
    group.busy_area -= s.now
    if member.patience is not None:
        watch_batch(s, member)
    if member.commits == BEFORE:
        commit_fresh(s, member)
    return NEXT


@flow
def commit(s: State, own: Task) -> Waits[int]:
    """Commit the batch, as soon as the broker is there."""
    while cut_off(s, the(Member, own.member)):
        wait_for_broker(s, the(Member, own.member).broker, own)
        yield
    end_batch(s, the(Member, own.member))
    batch_over(s, the(Member, own.member))
    if the(Member, own.member).order >= 0:
        schedule(s, ORDINARY, 0.0, ORDER, the(Member, own.member).order)
        yield
    return NEXT


@flow
def commit_record(s: State, own: Task) -> Waits[int]:
    """Commit one record, when it is handled; as soon as the broker is there, unless it was committed before."""
    note_handled(s, the(Member, own.member))
    if the(Member, own.member).commits != BEFORE:
        while cut_off(s, the(Member, own.member)):
            wait_for_broker(s, the(Member, own.member).broker, own)
            yield
    end_handled(s, the(Member, own.member))
    return NEXT


@flow
def commit_transaction(s: State, own: Task) -> Waits[int]:
    """A record is handled: its transaction is committed, as soon as the broker is there, or else aborted."""
    steps_over(s, the(Member, own.member))
    if is_well(s, own):
        while cut_off(s, the(Member, own.member)):
            wait_for_broker(s, the(Member, own.member).broker, own)
            yield
        delay = commit_delay(s, the(Member, own.member))
        if delay > 0.0:
            hold(s, own, delay)
            yield
        if was_aborted(s, the(Member, own.member)):
            own.outcome = FENCED
    close_transaction(s, the(Member, own.member), is_well(s, own))
    return NEXT


@flow
def rest(s: State, own: Task) -> Waits[int]:
    """The batch is handled, and not to be committed now."""
    batch_over(s, the(Member, own.member))
    if the(Member, own.member).order >= 0:
        schedule(s, ORDINARY, 0.0, ORDER, the(Member, own.member).order)
        yield
    return NEXT


def modules() -> Iterable[Module]:
    """What is written of members."""
    steps = [
        Step(poll, "poll"),
        Step(commit, "commit"),
        Step(commit_record, "commit_record"),
        Step(commit_transaction, "commit_transaction"),
        Step(rest, "rest"),
    ]
    yield Module("members", "How a member of a group comes by its batches, and commits them.", steps)
