"""Tasks and requests: how they come to be, answer, and are over."""

from __future__ import annotations

import math

from sim.chance.compiler import compiled
from sim.compiled.calendar import make_ready, put_ready
from sim.compiled.spans import close_diary
from sim.compiled.state import ZERO, Row, State, handler, hosts, marks, near, replicas, request_rows, requests, slots, whole
from sim.vocabulary import Outcome

IN_FLIGHT = whole(Outcome.IN_FLIGHT)
NOBODY, ITS_REQUEST = -1, -2  # callers that are no tasks
ARRIVE, LEAVE_QUEUE, START, DELIVER, PUBLISH, WORKED, GO_ON, FINISHED, COME_IN = map(whole, range(9))  # what a task does when it wakes
NOWHERE, IN_QUEUE, ON_CPU, IN_BULKHEAD, PARKED, ASKING, OUTSIDE = map(whole, range(7))  # where it stands


@compiled
def new_task(s: State, request: int, chain: int, path: int, caller: int, replica: int) -> int:
    """A slot for one more attempt at something."""
    task = s.slot
    row = slots(s)[task]
    s.slot = row.next
    s.slots_free -= 1
    if s.slots_free < s.slots_margin:
        s.short = 1
    row.request = request
    row.chain = chain
    row.path = path
    row.caller = caller
    row.replica = replica
    row.worked = 0.0
    # in the order of the fields, so that the compiler writes many at once
    row.mark = 0
    row.phase = 0
    row.held = 0
    row.granted = 0
    row.abandoned = 0
    row.degraded = 0
    row.own_thread = 0
    row.branches = 0
    row.waits = NOWHERE
    row.dead = 0
    row.inside = 0
    row.where = -1
    row.child = -1
    row.sibling = -1
    row.attempt = -1
    row.guard = -1
    row.call = -1
    row.back = -1
    row.root = 0
    return task


@near
def forget(s: State, task: int) -> None:
    """The task is over; its slot is free when nothing in the calendar or a queue refers to it any more."""
    row = slots(s)[task]
    row.dead = 1
    if row.held == 0:
        free_slot(s, task)


@compiled
def free_slot(s: State, task: int) -> None:
    """Give the slot back. A ticket is never given out twice, so old timers and jobs of it are stale."""
    row = slots(s)[task]
    row.ticket += 1
    row.next = s.slot
    row.dead = 2
    s.slot = task
    s.slots_free += 1


@near
def answer(s: State, task: int, outcome: int) -> None:
    """Tell the caller, if anybody still waits."""
    row = slots(s)[task]
    caller = row.caller
    row.caller = NOBODY
    if caller >= 0:
        slots(s)[caller].child = -1
        slots(s)[caller].outcome = outcome
        slots(s)[caller].root = row.root
        slots(s)[caller].where = row.where
        make_ready(s, caller)
    elif caller == ITS_REQUEST:
        request = requests(s)[row.request]
        request.outcome = row.root if row.root else outcome
        request.where = row.where
        put_ready(s, -1 - row.request)


@handler
def answered(s: State, request: int) -> None:
    """The client has its answer."""
    row = requests(s)[request]
    row.end = s.now
    if row.alive == 0:
        close(s, request, ZERO)


@near
def done(s: State, request: int) -> None:
    """One thing that was alive is not any more."""
    row = requests(s)[request]
    row.alive -= 1
    if row.alive == 0 and row.end == row.end:
        close(s, request, ZERO)


@handler
def waste(s: State, task: int) -> None:
    """What the task has worked so far was for nobody."""
    row = slots(s)[task]
    host = replicas(s)[row.replica].host
    if host >= 0:
        hosts(s)[host].work_wasted += row.worked


@handler
def abandon(s: State, task: int) -> None:
    """Nobody waits for this task any more: what it and its children have done, and still do, is wasted. It goes on."""
    row = slots(s)[task]
    if row.abandoned == 0:
        row.abandoned = 1
        waste(s, task)
    child = row.child
    while child >= 0:
        if slots(s)[child].abandoned == 0:
            abandon(s, child)
        child = slots(s)[child].sibling if row.branches else -1


@handler
def new_request(s: State) -> int:
    """A slot for one more logical request."""
    request = s.request
    row = requests(s)[request]
    s.request = row.next
    s.requests_free -= 1
    if s.requests_free < 2:
        s.short = 1
    row.open = 1
    row.number = s.requests_made
    s.requests_made += 1
    row.user = -1
    row.item = -1
    row.end = math.nan
    row.completion = math.nan
    row.retry_after = 0.0
    row.effects = 0
    row.marks = 0
    row.charges = 0
    row.reservations = 0
    row.attempts = 1
    row.outcome = 0
    row.where = -1
    row.alive = 0
    return request


@handler
def knows(s: State, request: int, mark: int) -> bool:
    """Whether an attempt with this mark has arrived before; from now on, one has."""
    row = requests(s)[request]
    place = row.first_mark
    for _ in range(row.marks):
        if marks(s)[place].mark == mark:
            return True
        place = marks(s)[place].next
    new = s.mark
    s.mark = marks(s)[new].next
    s.marks_free -= 1
    if s.marks_free < 2:
        s.short = 1
    marks(s)[new].mark = mark
    marks(s)[new].next = row.first_mark
    if row.marks == 0:
        row.last_mark = new
    row.first_mark = new
    row.marks += 1
    return False


@compiled
def close(s: State, request: int, pending: int) -> None:
    """Write the row of a request: nothing alive relates to it any more, or the clock has stopped."""
    write_request(request_rows(s)[s.rows], requests(s)[request], pending)
    s.rows += 1
    if s.rows >= s.rows_most:
        s.short = 1
    if s.spans:
        close_diary(s, request)
    row = requests(s)[request]
    if row.marks > 0:
        marks(s)[row.last_mark].next = s.mark
        s.mark = row.first_mark
        s.marks_free += row.marks
    row.open = 0
    row.next = s.request
    s.request = request
    s.requests_free += 1


@handler
def write_request(row: Row, request: Row, pending: int) -> None:
    """Fill in a row of the records."""
    row.id = request.id
    row.arrival = request.arrival
    row.end = request.end
    row.completion = request.completion
    row.effects = request.effects
    row.user = request.user
    row.item = request.item
    row.source = request.source
    row.route = request.route
    row.attempts = request.attempts
    row.charges = min(request.charges, 255)
    row.reservations = min(request.reservations, 255)
    row.pending = pending
    row.expects = request.needs != 0
    if request.end == request.end:
        row.where = request.where
        row.outcome = request.outcome
    else:
        row.where = -1
        row.outcome = IN_FLIGHT
