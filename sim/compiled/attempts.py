"""What happens to an attempt at its host, beside its life itself, which is a flow (`flows/attempts.py`)."""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.base import OUTCOMES, handler, inlined
from sim.compiled.memory import note_task
from sim.compiled.places import choose_loop, end_is_heard, leave, loop_is_free, note_arrival, shed_from_queue
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import ended, hosts, replicas
from sim.compiled.rows.programs import ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import keep_arrival, keep_span
from sim.compiled.tasks import knows

ANSWER_BITS, ANSWER_MASK = 4, 15  # of the answer for each outcome, packed into one number


@inlined
def be_offered(s: State, host: int, task: int) -> None:
    """An attempt has come to its host, perhaps not for the first time, by the loop of its connection."""
    row, own = hosts(s)[host], tasks(s)[task]
    row.offered += 1
    if own.mark and knows(s, own.request, own.mark):
        row.again += 1
    if row.loops >= 0:
        choose_loop(s, host, task)
    if row.tracks:
        own.inside = row.offered
        if row.judged:
            note_arrival(s, task)
        if s.spans:
            replica = replicas(s)[own.replica]
            keep_arrival(s, task, replica.closed == 0 and replica.free > 0 and loop_is_free(s, task))


@inlined
def begin_steps(s: State, task: int) -> None:
    """Its program begins behind the operation that names its endpoint."""
    own = tasks(s)[task]
    own.pc = own.entry + 1
    own.phase = 0


@inlined
def depart(s: State, task: int, outcome: int, reason: int) -> None:
    """Give the place up, and close the account: it ended for a reason, and is answered as an outcome."""
    own = tasks(s)[task]
    host = ops(s)[own.entry].host
    if own.granted:
        leave(s, host, task)
    ended(s)[host * OUTCOMES + reason] += 1
    if s.spans:
        keep_span(s, task, reason, s.now)
    own.inside = 0
    own.outcome = outcome
    if replicas(s)[own.replica].heard:
        end_is_heard(s, task, reason)


@handler
def lose_answer(s: State, task: int) -> None:
    """Its caller waits on, for nothing that is alive."""
    own = tasks(s)[task]
    if own.caller >= 0:
        tasks(s)[own.caller].child = NOBODY
    own.caller = NOBODY


@compiled
def waited_too_long(s: State, task: int, host: int) -> None:
    """The queue timeout fired while the task was still waiting.

    A frozen replica will look at the thaw whether it still is.
    """
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    if replica.hung:
        replica.overdue_last = note_task(s, replica.overdue_last, task)
        if replica.overdue_first < 0:
            replica.overdue_first = replica.overdue_last
        return
    shed_from_queue(s, host, task)
