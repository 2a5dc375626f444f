"""The memory of callers about callees, and the end of tasks from outside: what `models/call.py` and `World.kill` do."""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.calendar import make_ready
from sim.compiled.events import log_at
from sim.compiled.lists import add_last, unlink
from sim.compiled.network import over
from sim.compiled.places import come_inside, drop_job, leave, out_of_queue, unpark
from sim.compiled.rows import rows_from
from sim.compiled.spans import keep_span
from sim.compiled.state import (
    NONE,
    ONE,
    OUTCOMES,
    Floats,
    Row,
    State,
    breakers,
    bulkheads,
    calls,
    ended,
    guard_of,
    guards,
    handler,
    hosts,
    ops,
    replicas,
    rings,
    slots,
    whole,
)
from sim.compiled.tasks import FINISHED, IN_BULKHEAD, IN_QUEUE, NOBODY, NOWHERE, ON_CPU, OUTSIDE, PARKED, abandon, answer, done, forget, waste
from sim.policies import breaker, bulkhead
from sim.vocabulary import EventKind, Outcome

TIMEOUT = whole(Outcome.TIMEOUT)
BREAKER_EVENTS = (whole(EventKind.BREAKER_CLOSED), whole(EventKind.BREAKER_OPENED), whole(EventKind.BREAKER_HALF_OPENED))
OPEN = 1

give_back = breaker.give_back.compiled
leave_places = bulkhead.leave.compiled


@handler
def guard_for(s: State, call: int, task: int) -> int:
    """The guard of the task's replica for this call; -1: it has none."""
    first = calls(s)[call].guards
    if first < 0:
        return -1
    return guard_of(s)[first + replicas(s)[slots(s)[task].replica].index]


@handler
def wait_at_bulkhead(s: State, guard: int, task: int) -> None:
    """Stand in line for a place."""
    row = guards(s)[guard]
    own = slots(s)[task]
    own.waits = IN_BULKHEAD
    own.line = guard
    add_last(slots(s), row.last, task)
    row.last = task
    if row.first < 0:
        row.first = task


@handler
def leave_line(s: State, task: int) -> None:
    """Stand in it no longer."""
    own = slots(s)[task]
    row = guards(s)[own.line]
    own.waits = NOWHERE
    unlink(slots(s), task)
    if row.first == task:
        row.first = own.next
    if row.last == task:
        row.last = own.previous


@handler
def leave_bulkhead(s: State, task: int) -> None:
    """Give the task's place to the first who waits for it, or back."""
    own = slots(s)[task]
    guard = own.guard
    own.guard = -1
    row = guards(s)[guard]
    heir = row.first
    if heir >= 0:
        leave_line(s, heir)
        slots(s)[heir].guard = guard
        row.passed += 1
        make_ready(s, heir)
        return
    leave_places(bulkheads(s)[row.bulkhead])
    row.taken_area += s.now


@handler
def ring_of(s: State, guard: int) -> Floats:
    """The window of the guard's breaker."""
    row = guards(s)[guard]
    return rows_from(rings(s), row.ring)


@handler
def note_breaker(s: State, task: int, call: int, breaker: Row, before: int) -> None:
    """The breaker's state is another one than in period `before`: since when it is, and what it may have been in between."""
    if breaker.period > before + 1:  # half-open for too long it had opened, and that time is over too
        note(s, task, call, BREAKER_EVENTS[OPEN], breaker.opened)
    note(s, task, call, BREAKER_EVENTS[breaker.state], breaker.since)


@handler
def note(s: State, task: int, call: int, kind: int, time: float) -> None:
    """What the event log hears of the guards of a call."""
    row = calls(s)[call]
    subject = row.subject
    if row.per_replica:
        subject += replicas(s)[slots(s)[task].replica].index
    log_at(s, time, kind, subject, row.about, 0.0)


@handler
def given_up(s: State, task: int) -> None:
    """The caller was killed in the middle of an attempt: its probe, and its place in the balancer's count, are free again."""
    own = slots(s)[task]
    guard = guard_for(s, own.call, task)
    if guard >= 0 and guards(s)[guard].breaker >= 0:
        row = breakers(s)[guards(s)[guard].breaker]
        period = row.period
        give_back(row, ring_of(s, guard), s.now, own.admitted)
        if row.period != period:
            note_breaker(s, task, own.call, row, period)
    if own.callee >= 0:
        over(s, calls(s)[own.call].target, own.replica, own.callee)


@handler
def end_killed(s: State, task: int, host: int, outcome: int) -> None:
    """An attempt ends from outside: its caller hears of it, if there is still one."""
    own = slots(s)[task]
    own.where = hosts(s)[host].name
    own.root = 0
    if own.inside:
        own.where = ops(s)[own.entry].a
        ended(s)[host * OUTCOMES + outcome] += 1
        if s.spans:
            keep_span(s, task, outcome, s.now)
        own.inside = 0
    request = own.request
    answer(s, task, outcome)
    done(s, request)


@compiled
def stop(s: State, task: int, host: int, cancel: int, outcome: int) -> None:
    """End a task from outside: it gives back what it holds; its children work on for nobody, or end too.

    With an outcome it is an attempt that is killed: its caller hears of it. Without (-1) a branch, a consumer or a relay just stops.
    """
    own = slots(s)[task]
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
    if own.granted:
        leave(s, host, task)
    if own.guard >= 0:
        leave_bulkhead(s, task)
    if own.call >= 0:
        given_up(s, task)
    if own.abandoned == 0 and own.own_thread == 0:
        waste(s, task)
    own.ticket += 1
    own.errand = 0
    child = own.child
    if own.branches:
        while child >= 0:
            following = slots(s)[child].sibling
            if slots(s)[child].then == FINISHED:
                if slots(s)[child].abandoned == 0:
                    waste(s, child)
                forget(s, child)
            else:
                stop(s, child, host, cancel, NONE)
            child = following
    elif child >= 0:
        slots(s)[child].caller = NOBODY
        its_host = replicas(s)[slots(s)[child].replica].host
        if cancel and its_host >= 0:
            stop(s, child, its_host, ONE, TIMEOUT)
        else:
            abandon(s, child)
    own.child = -1
    if outcome >= 0:
        end_killed(s, task, host, outcome)
    forget(s, task)
