"""Tasks and requests: how they come to be, answer, and are over."""

from __future__ import annotations

import math

import numpy as np

from sim.chance.compiler import compiled
from sim.compiled.base import NO, handler, inlined, whole
from sim.compiled.calendar import make_ready, put_ready
from sim.compiled.codes import IN_FLIGHT
from sim.compiled.rows.declaring import ITS_REQUEST, NOBODY
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.records import RequestRecord, append_request_record, request_records
from sim.compiled.rows.running import (
    Request,
    connections,
    give_back_marks,
    give_back_request,
    give_back_task,
    marks,
    requests,
    take_mark,
    take_request,
    take_task,
    tasks,
    told,
)
from sim.compiled.rows.state import State
from sim.compiled.spans import close_notes
from sim.policies.connecting import LINUX_GIVES_UP
from sim.records.tables import REQUEST

MOST_CHARGES = whole(np.iinfo(REQUEST["charges"]).max)  # that a row of the records has room for, and of reservations
# what a task does when it wakes
(
    ARRIVE, LEAVE_QUEUE, START, DELIVER, PUBLISH, WORKED, GO_ON, FINISHED, COME_IN, HELD_IN_VAIN, HELD, STARTED,
    KNOCK, ASKED, OPENED, COPY_DUE, STANDS_IN, LOOKS_AT_FETCH, LOOKS_AT_COMMIT,
    HEARS_OF_REPLICAS, PUBLISH_AT_EXCHANGE, PUBLISH_AT_LEADER,
) = map(whole, range(22))  # fmt: skip
# where it stands
NOWHERE, IN_QUEUE, ON_CPU, IN_BULKHEAD, PARKED, OUTSIDE, UNACCEPTED, IN_MEMORY, IN_BREAKER = map(whole, range(9))
# the life of a row: a task, what is left of one while something still names it, nobody
ALIVE, OVER, FREE = map(whole, range(3))


@compiled
def new_task(s: State, request: int, chain: int, path: int, caller: int, replica: int) -> int:
    """A row for one more attempt at something."""
    task = take_task(s)
    row = tasks(s)[task]
    row.request = request
    row.chain = chain
    row.path = path
    row.caller = caller
    row.replica = replica
    row.worked = 0.0
    row.connect = LINUX_GIVES_UP
    # in the order of the fields, so that the compiler writes many at once
    row.loop = -1
    row.mark = 0
    row.phase = 0
    row.held = 0
    row.waits = NOWHERE
    row.life = ALIVE
    row.inside = 0
    row.where = -1
    row.child = -1
    row.sibling = -1
    row.attempt = -1
    row.visit = -1
    row.saga = -1
    row.flight = -1
    row.claim = -1
    row.adrift = 0
    row.guard = -1
    row.call = -1
    row.back = -1
    row.granted = False
    row.abandoned = False
    row.degraded = False
    row.own_thread = False
    row.branching = False
    row.copy = False
    row.root = 0
    if s.tells:
        told(s)[task].until = math.inf
    return task


@inlined
def forget(s: State, task: int) -> None:
    """The task is over; its row is free when nothing in the calendar or a queue refers to it any more."""
    row = tasks(s)[task]
    row.life = OVER
    if row.held == 0:
        free_row(s, task)


@compiled
def free_row(s: State, task: int) -> None:
    """Give the row back. A ticket is never given out twice, so old timers and jobs of it are stale."""
    row = tasks(s)[task]
    row.ticket += 1
    row.life = FREE
    give_back_task(s, task)


@inlined
def answer(s: State, task: int, outcome: int) -> None:
    """Tell the caller, if anybody still waits."""
    row = tasks(s)[task]
    caller = row.caller
    row.caller = NOBODY
    if caller >= 0:
        tasks(s)[caller].child = -1
        tasks(s)[caller].outcome = outcome
        tasks(s)[caller].root = row.root
        tasks(s)[caller].where = row.where
        make_ready(s, caller)
    elif caller == ITS_REQUEST:
        request = requests(s)[row.request]
        request.outcome = row.root if row.root else outcome
        request.where = row.where
        put_ready(s, -1 - row.request)


@handler
def opened(s: State, opener: int) -> None:
    """A connection is open: whoever still waits for it is told."""
    waiting = tasks(s)[opener].caller
    if waiting >= 0:
        connections(s)[waiting].opener = NOBODY
        make_ready(s, waiting)
    forget(s, opener)


@handler
def answered(s: State, request: int) -> None:
    """The client has its answer."""
    row = requests(s)[request]
    row.end = s.now
    if row.alive == 0:
        close(s, request, NO)


@inlined
def done(s: State, request: int) -> None:
    """One thing that was alive is not any more."""
    row = requests(s)[request]
    row.alive -= 1
    if row.alive == 0 and row.end == row.end:
        close(s, request, NO)


@handler
def waste(s: State, task: int) -> None:
    """What the task has worked so far was for nobody."""
    row = tasks(s)[task]
    host = replicas(s)[row.replica].host
    if host >= 0:
        hosts(s)[host].work_wasted += row.worked


@handler
def abandon(s: State, task: int) -> None:
    """Nobody waits for this task any more: what it and its children have done, and still do, is wasted. It goes on."""
    row = tasks(s)[task]
    if not row.abandoned:
        row.abandoned = True
        waste(s, task)
    child = row.child
    while child >= 0:
        if not tasks(s)[child].abandoned:
            abandon(s, child)
        child = tasks(s)[child].sibling if row.branching else -1


@handler
def new_request(s: State) -> int:
    """A row for one more logical request."""
    request = take_request(s)
    row = requests(s)[request]
    row.open = True
    row.number = s.requests_made
    s.requests_made += 1
    row.user = -1
    row.item = -1
    row.end = math.nan
    row.completion = math.nan
    row.retry_after = 0.0
    row.told_by = 0
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
    new = take_mark(s)
    marks(s)[new].mark = mark
    marks(s)[new].next = row.first_mark
    if row.marks == 0:
        row.last_mark = new
    row.first_mark = new
    row.marks += 1
    return False


@compiled
def close(s: State, request: int, pending: bool) -> None:
    """Write the row of a request: nothing alive relates to it any more, or the clock has stopped."""
    write_request(request_records(s)[append_request_record(s)], requests(s)[request], pending)
    if s.spans:
        close_notes(s, request)
    row = requests(s)[request]
    if row.marks > 0:
        give_back_marks(s, row.first_mark, row.last_mark, row.marks)
    row.open = False
    give_back_request(s, request)


@compiled
def close_open(s: State, request: int) -> int:
    """Write the rows of requests that are open when the clock has stopped, from this one on, each naming the `next`.

    While there is room for them; which is the next one then.
    """
    while request >= 0 and not s.must_grow:
        row = requests(s)[request]
        following = row.next
        close(s, request, row.alive > 0 or row.end != row.end)
        request = following
    return request


@handler
def write_request(row: RequestRecord, request: Request, pending: bool) -> None:
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
    row.charges = min(request.charges, MOST_CHARGES)
    row.reservations = min(request.reservations, MOST_CHARGES)
    row.pending = pending
    row.expects = request.needs != 0
    if request.end == request.end:
        row.where = request.where
        row.outcome = request.outcome
    else:
        row.where = -1
        row.outcome = IN_FLIGHT
