"""The memory of callers about callees, and the end of tasks from outside: what `models/call.py` and `World.kill` do."""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.base import NONE, OUTCOMES, YES, handler
from sim.compiled.calendar import make_ready
from sim.compiled.codes import BREAKER_EVENTS, TIMEOUT
from sim.compiled.cores import drop_job
from sim.compiled.events import log_at
from sim.compiled.lists import add_last, unlink
from sim.compiled.network import leave_balancer
from sim.compiled.places import come_inside, leave, out_of_queue, unpark
from sim.compiled.rows.calls import breakers, bulkheads, calls, guard_of, guards, rings
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import ended, hosts, replicas
from sim.compiled.rows.programs import entry_ops
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import Rows, rows_from
from sim.compiled.spans import keep_span
from sim.compiled.tasks import (
    FINISHED,
    IN_BULKHEAD,
    IN_QUEUE,
    NOWHERE,
    ON_CPU,
    OUTSIDE,
    PARKED,
    abandon,
    answer,
    done,
    forget,
    waste,
)
from sim.policies import breaker, bulkhead
from sim.policies.breaker import OPEN, BreakerRow

give_back = breaker.give_back.compiled
leave_places = bulkhead.leave.compiled


@handler
def guard_for(s: State, call: int, task: int) -> int:
    """The guard of the task's replica for this call; -1: it has none."""
    first = calls(s)[call].guards
    if first < 0:
        return -1
    return guard_of(s)[first + replicas(s)[tasks(s)[task].replica].index]


@handler
def wait_at_bulkhead(s: State, guard: int, task: int) -> None:
    """Stand in line for a place."""
    row = guards(s)[guard]
    own = tasks(s)[task]
    own.waits = IN_BULKHEAD
    own.line = guard
    add_last(tasks(s), row.line, task)


@handler
def leave_line(s: State, task: int) -> None:
    """Stand in it no longer."""
    own = tasks(s)[task]
    row = guards(s)[own.line]
    own.waits = NOWHERE
    unlink(tasks(s), row.line, task)


@handler
def leave_bulkhead(s: State, task: int) -> None:
    """Give the task's place to the first who waits for it, or back."""
    own = tasks(s)[task]
    guard = own.guard
    own.guard = -1
    row = guards(s)[guard]
    heir = row.line.first
    if heir >= 0:
        leave_line(s, heir)
        tasks(s)[heir].guard = guard
        row.passed += 1
        make_ready(s, heir)
        return
    leave_places(bulkheads(s)[row.bulkhead])
    row.taken_area += s.now


@handler
def ring_of(s: State, guard: int) -> Rows[float]:
    """The window of the guard's breaker."""
    row = guards(s)[guard]
    return rows_from(rings(s), row.ring)


@handler
def note_breaker(s: State, task: int, call: int, breaker: BreakerRow, before: int) -> None:
    """The breaker's state is another one than in period `before`.

    Since when it is, and what it may have been in between.
    """
    if breaker.period > before + 1:  # half-open for too long it had opened, and that time is over too
        note(s, task, call, BREAKER_EVENTS[OPEN], breaker.opened)
    note(s, task, call, BREAKER_EVENTS[breaker.state], breaker.since)


@handler
def note(s: State, task: int, call: int, kind: int, time: float) -> None:
    """What the event log hears of the guards of a call."""
    row = calls(s)[call]
    subject = row.subject
    if row.per_replica:
        subject += replicas(s)[tasks(s)[task].replica].index
    log_at(s, time, kind, subject, row.about, 0.0)


@handler
def given_up(s: State, task: int) -> None:
    """The caller was killed in the middle of an attempt.

    Its probe, and its place in the balancer's count, are free again.
    """
    own = tasks(s)[task]
    guard = guard_for(s, own.call, task)
    if guard >= 0 and guards(s)[guard].breaker >= 0:
        row = breakers(s)[guards(s)[guard].breaker]
        period = row.period
        give_back(row, ring_of(s, guard), s.now, own.admitted)
        if row.period != period:
            note_breaker(s, task, own.call, row, period)
    if own.callee >= 0:
        leave_balancer(s, calls(s)[own.call].target, own.replica, own.callee)


@handler
def end_killed(s: State, task: int, host: int, outcome: int) -> None:
    """An attempt ends from outside: its caller hears of it, if there is still one."""
    own = tasks(s)[task]
    own.where = hosts(s)[host].name
    own.root = 0
    if own.inside:
        own.where = entry_ops(s)[own.entry].endpoint
        ended(s)[host * OUTCOMES + outcome] += 1
        if s.spans:
            keep_span(s, task, outcome, s.now)
        own.inside = 0
    request = own.request
    answer(s, task, outcome)
    done(s, request)


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
    if own.guard >= 0:
        leave_bulkhead(s, task)
    if own.call >= 0:
        given_up(s, task)
    if not own.abandoned and not own.own_thread:
        waste(s, task)
    own.ticket += 1
    own.call_number = 0
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
    elif own.waits == IN_BULKHEAD:
        leave_line(s, task)


@handler
def forget_branch(s: State, branch: int) -> None:
    """A branch that has ended before the others goes with them."""
    if not tasks(s)[branch].abandoned:
        waste(s, branch)
    forget(s, branch)
