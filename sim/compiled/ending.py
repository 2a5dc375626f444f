"""The end of tasks from outside, as in `models/ending.py`."""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, OUTCOMES, YES, handler
from sim.compiled.codes import TIMEOUT
from sim.compiled.cores import drop_job
from sim.compiled.flights import crash_flights
from sim.compiled.keys import forget_key
from sim.compiled.locking import release_locks_of
from sim.compiled.places import come_inside, end_is_heard, leave, leave_backlog, out_of_queue, unpark
from sim.compiled.producing import drop_record, unblock
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import ended, hosts, replicas
from sim.compiled.rows.programs import entry_ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import keep_span
from sim.compiled.stranding import strand_sagas
from sim.compiled.tasks import (
    FINISHED,
    IN_MEMORY,
    IN_QUEUE,
    ON_CPU,
    OUTSIDE,
    PARKED,
    UNACCEPTED,
    abandon,
    answer,
    done,
    forget,
    waste,
)
from sim.compiled.written.killed import call_killed


@handler
def end_killed(s: State, task: int, host: int, outcome: int) -> None:
    """An attempt ends from outside: its caller hears of it, if there is still one."""
    own = tasks(s)[task]
    own.where = hosts(s)[host].name
    own.root = 0
    if own.inside:
        if entry_ops(s)[own.entry].keyed:
            forget_key(s, task)
        own.where = entry_ops(s)[own.entry].endpoint
        ended(s)[host * OUTCOMES + outcome] += 1
        if s.spans:
            keep_span(s, task, outcome, s.now)
        own.inside = 0
        if replicas(s)[own.replica].heard:
            end_is_heard(s, task, outcome)
    request = own.request
    answer(s, task, outcome)
    done(s, request)


@by_address
@compiled
def stop(s: State, task: int, host: int, cancel: bool, outcome: int) -> None:
    """End a task from outside: it gives back what it holds; its children work on for nobody, or end too.

    With an outcome it is an attempt that is killed: its caller hears of it. Without (-1) a branch, a consumer or a
    relay just stops.
    """
    own = tasks(s)[task]
    stop_waiting(s, task, host)
    if own.granted:
        leave(s, host, task)
    if own.call >= 0:
        call_killed(s, task, own.call)
    if own.claim >= 0:
        release_locks_of(s, task)
    if own.flight >= 0:
        crash_flights(s, task)
    if own.saga >= 0:
        strand_sagas(s, task)
    if not own.abandoned and not own.own_thread:
        waste(s, task)
    own.ticket += 1
    child = own.child
    if own.branching:
        while child >= 0:
            following = tasks(s)[child].sibling
            if tasks(s)[child].on_wake == FINISHED:
                forget_branch(s, child)
            else:
                stop(s, child, host, cancel, NONE)
            child = following
    elif child >= 0:
        tasks(s)[child].caller = NOBODY
        its_host = replicas(s)[tasks(s)[child].replica].host
        if cancel and its_host >= 0:
            stop(s, child, its_host, YES, TIMEOUT)
        else:
            abandon(s, child)
    own.child = NOBODY
    if outcome >= 0:
        end_killed(s, task, host, outcome)
    forget(s, task)


@handler
def stop_waiting(s: State, task: int, host: int) -> None:
    """Take a task out of whatever it stands in."""
    own = tasks(s)[task]
    if own.waits == IN_QUEUE:
        out_of_queue(s, host, task)
    elif own.waits == ON_CPU and replicas(s)[own.replica].cores > 0:
        drop_job(s, task)
    elif own.waits == PARKED:
        unpark(s, task)
    elif own.waits == OUTSIDE:
        unpark(s, task)
        come_inside(s, task)
    elif own.waits == UNACCEPTED:
        leave_backlog(s, task)
    elif own.waits == IN_MEMORY:
        unblock(s, task)
        drop_record(s, task)


@handler
def forget_branch(s: State, branch: int) -> None:
    """A branch that has ended before the others goes with them."""
    if not tasks(s)[branch].abandoned:
        waste(s, branch)
    forget(s, branch)
