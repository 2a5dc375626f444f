"""How a host handles an attempt: arrival, place, end and answer, as in `models/entrance.py`."""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.base import OUTCOMES, handler, inlined
from sim.compiled.calendar import arm, hold, make_ready
from sim.compiled.codes import DEGRADED, OK, SHED, UNREACHABLE
from sim.compiled.memory import note_task
from sim.compiled.network import hop_delay
from sim.compiled.places import (
    come_inside,
    error_fault_hits,
    leave,
    note_shed,
    out_of_queue,
    park,
    wait_in_queue,
    wait_outside,
)
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import ended, hosts, replicas
from sim.compiled.rows.programs import entry_ops, ops
from sim.compiled.rows.running import flows, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import keep_arrival, keep_span
from sim.compiled.tasks import COME_IN, DELIVER, GO_ON, LEAVE_QUEUE, START, answer, done, forget, knows

ANSWER_BITS, ANSWER_MASK = 4, 15  # of the answer for each outcome, packed into one number


@inlined
def arrive(s: State, task: int) -> bool:
    """It has reached its replica: take a place, wait for one, or be refused. True: it has its place."""
    own = tasks(s)[task]
    entry = ops(s)[own.entry]
    host = hosts(s)[entry.host]
    replica = replicas(s)[own.replica]
    host.offered += 1
    if own.mark and knows(s, own.request, own.mark):
        host.again += 1
    if host.tracks:
        own.inside = host.offered
        if s.spans:
            keep_arrival(s, task, replica.closed == 0 and replica.free > 0)
    if replica.closed:
        return find_closed(s, task)
    if replica.free > 0:
        replica.free -= 1
        host.busy_area -= s.now
        own.granted = True
        return True
    wait(s, task)
    return False


@handler
def find_closed(s: State, task: int) -> bool:
    """Nobody gets an answer.

    A frozen process does not even refuse: who finds no idle worker there waits in the listen backlog.
    """
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    if replica.hung == 0 or replica.closed > 1:  # it is not only frozen
        refuse(s, task, UNREACHABLE)
        return False
    if replica.free > 0 and replica.backlog == 0:
        return take_place(s, task)
    own.on_wake = COME_IN
    wait_outside(s, task)
    return False


@handler
def come_in(s: State, task: int) -> bool:
    """It came while the process was frozen, and now goes through the door in its turn. True: it has its place."""
    come_inside(s, task)
    if replicas(s)[tasks(s)[task].replica].free > 0:
        return take_place(s, task)
    wait(s, task)
    return False


@handler
def take_place(s: State, task: int) -> bool:
    """It has its place."""
    own = tasks(s)[task]
    replica = replicas(s)[own.replica]
    replica.free -= 1
    hosts(s)[replica.host].busy_area -= s.now
    own.granted = True
    if s.spans:
        flows(s)[task].started = s.now
    return True


@handler
def wait(s: State, task: int) -> None:
    """Join the queue, or be shed where it is full."""
    own = tasks(s)[task]
    place = ops(s)[own.entry].host
    host = hosts(s)[place]
    if replicas(s)[own.replica].waiting < host.capacity:
        own.on_wake = LEAVE_QUEUE
        wait_in_queue(s, place, task)
        if host.patience >= 0:
            arm(s, host.patience, task)
    else:
        note_shed(s, place)
        refuse(s, task, SHED)


@handler
def leave_queue(s: State, task: int) -> bool:
    """Its turn has come, or its patience is over. True: it has its place."""
    own = tasks(s)[task]
    if own.granted:
        if s.spans:
            flows(s)[task].started = s.now
        return True
    note_shed(s, ops(s)[own.entry].host)
    refuse(s, task, own.outcome)
    return False


@handler
def refuse(s: State, task: int, outcome: int) -> None:
    """The host itself turns it away."""
    tasks(s)[task].where = entry_ops(s)[tasks(s)[task].entry].endpoint
    fail_attempt(s, task, outcome)


@inlined
def start(s: State, task: int) -> bool:
    """It has its place; an error fault may strike it."""
    own = tasks(s)[task]
    host = ops(s)[own.entry].host
    if hosts(s)[host].errors_on:
        if replicas(s)[own.replica].hung:  # what is frozen does not even fail; its program looks for itself
            own.on_wake = START
            park(s, task)
            return False
        outcome = error_fault_hits(s, host, task, entry_ops(s)[own.entry].salt)
        if outcome:
            fail_attempt(s, task, outcome)
            return False
    own.on_wake = GO_ON
    own.pc = own.entry + 1
    own.phase = 0
    return True


@handler
def fail_attempt(s: State, task: int, outcome: int) -> None:
    """End an attempt that has not come as far as its steps: what the host itself refuses is answered as what it is."""
    tasks(s)[task].root = 0
    end_attempt(s, task, outcome, outcome)


@inlined
def steps_over(s: State, task: int, outcome: int) -> None:
    """The steps are over.

    What went wrong further down is in the books under its own name, and an error for the caller.
    """
    own = tasks(s)[task]
    if outcome == OK:
        own.root = 0
        if own.degraded:
            outcome = DEGRADED
        end_attempt(s, task, outcome, outcome)
    else:
        reason = own.root if own.root else outcome
        outcome = (entry_ops(s)[own.entry].answers >> (ANSWER_BITS * outcome)) & ANSWER_MASK
        own.root = 0 if reason == outcome else reason
        end_attempt(s, task, outcome, reason)


@handler
def end_attempt(s: State, task: int, outcome: int, reason: int) -> None:
    """Give the place up, close the account, and answer."""
    own = tasks(s)[task]
    host = ops(s)[own.entry].host
    if own.granted:
        leave(s, host, task)
    ended(s)[host * OUTCOMES + reason] += 1
    if s.spans:
        keep_span(s, task, reason, s.now)
    own.inside = 0
    own.outcome = outcome
    if own.back >= 0 and own.caller != NOBODY:
        delay = hop_delay(s, own.back, requests(s)[own.request].id, own.chain)
        if delay > 0.0:
            own.on_wake = DELIVER
            hold(s, task, delay)
            return
        if delay < 0.0:
            if own.caller >= 0:
                tasks(s)[own.caller].child = -1
            own.caller = NOBODY
    over(s, task)


@handler
def over(s: State, task: int) -> None:
    """End an attempt whose answer takes no time."""
    deliver(s, task)


@inlined
def deliver(s: State, task: int) -> None:
    """The answer has arrived, or nobody waits for it: the attempt is over."""
    own = tasks(s)[task]
    answer(s, task, own.outcome)
    done(s, own.request)
    forget(s, task)


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
    out_of_queue(s, host, task)
    own.outcome = SHED
    make_ready(s, task)
