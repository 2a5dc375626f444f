"""Spans of attempts and stages of flows, where a scenario keeps them.

They are what `models/recorder.py`, `models/host.py` and `models/exemplars.py` write.

Whoever calls anything here has seen that `s.spans` is set. A flow is known by its number in `flows`, a table beside
that of the tasks, so that these are no larger where nothing is kept; a task that is no flow of a request's way (a
consumer, a courier) has -1.
"""

from __future__ import annotations

import math

from sim.chance.compiler import compiled
from sim.chance.keyed import lot
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, handler, whole
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.programs import entry_ops
from sim.compiled.rows.records import (
    append_candidate_record,
    append_span_record,
    append_stage_record,
    candidate_records,
    span_records,
    stage_records,
)
from sim.compiled.rows.running import (
    flows,
    give_back_span_notes,
    give_back_stage_notes,
    request_notes,
    requests,
    span_notes,
    stage_notes,
    take_span_note,
    take_stage_note,
    tasks,
)
from sim.compiled.rows.state import State
from sim.records.exemplars import UNANSWERED
from sim.vocabulary import Stage

(
    CALL,
    RETRY,
    BACKOFF,
    BULKHEAD,
    WORK,
    WAIT,
    PLACE,
    FROZEN,
    PARALLEL,
    REPLICATION,
    ANSWER,
    END,
    OTHER,
    OUTBOX,
    LAG,
    RETRY_TOPIC,
    FOLLOWED,
    COMPLETED,
    LOCK,
) = map(whole, Stage)
ALL, EXEMPLARS = whole(1), whole(2)  # of which requests spans are kept


@handler
def new_flow(s: State, task: int) -> int:
    """Give a task the next number of flows."""
    flow = s.next_flow
    s.next_flow += 1
    flows(s)[task].number = flow
    return flow


@handler
def flow_of(s: State, task: int) -> int:
    """The number of the flow that the task is; -1: of none, or nothing is kept."""
    return flows(s)[task].number if s.spans else NONE


@handler
def no_flow(s: State, task: int) -> None:
    """The task is not a part of a request's way; its row may have belonged to one that was."""
    flows(s)[task].number = -1


@handler
def keep_stage(s: State, task: int, kind: int, place: int, seconds: float, about: int) -> None:
    """Note what a flow does from now on."""
    keep_note(s, tasks(s)[task].request, flows(s)[task].number, kind, place, seconds, about)


@by_address
@handler
def keep_note(s: State, request: int, flow: int, kind: int, place: int, seconds: float, about: int) -> None:
    """The same of any flow of a request: an event on its way is no task."""
    if flow < 0 or (s.spans == EXEMPLARS and requests(s)[request].arrival < s.warmup):
        return
    row = stage_records(s)[append_stage_record(s)] if s.spans == ALL else stage_notes(s)[new_stage_note(s, request)].row
    row.request = requests(s)[request].id
    row.flow = flow
    row.begin = s.now
    row.seconds = seconds
    row.about = about
    row.place = place
    row.kind = kind


@handler
def follow(s: State, request: int, flow: int, place: int) -> int:
    """Note that something comes of a flow which goes on by itself.

    The number of that one, -1 where nothing is kept of it.
    """
    if flow < 0:
        return NONE
    child = s.next_flow
    s.next_flow += 1
    keep_note(s, request, flow, FOLLOWED, place, 0.0, child)
    return child


@handler
def keep_sent(s: State, task: int, child: int, place: int, attempt: int) -> None:
    """Note that a flow waits for an attempt from now on, which gets its number here.

    -1: the attempt was lost on its way.
    """
    about = NONE
    if flows(s)[task].number >= 0 and child >= 0:
        about = new_flow(s, child)
    elif child >= 0:
        no_flow(s, child)
    keep_stage(s, task, RETRY if attempt else CALL, place, 0.0, about)


@handler
def keep_branches(s: State, task: int, place: int, count: int) -> None:
    """Note that a flow waits for its branches from now on, which get their numbers here, in their order."""
    branch = tasks(s)[task].child
    if flows(s)[task].number < 0:
        while branch >= 0:
            no_flow(s, branch)
            branch = tasks(s)[branch].sibling
        return
    keep_stage(s, task, PARALLEL, place, float(count), s.next_flow)
    while branch >= 0:
        new_flow(s, branch)
        branch = tasks(s)[branch].sibling


@handler
def keep_arrival(s: State, task: int, served: bool) -> None:
    """An attempt has reached its replica; `served`: it has a worker at once."""
    row = flows(s)[task]
    row.arrived = s.now
    row.started = s.now if served else math.nan


@handler
def keep_start(s: State, task: int) -> None:
    """It has a worker from now on."""
    flows(s)[task].started = s.now


@compiled
def keep_span(s: State, task: int, outcome: int, ended: float) -> None:
    """Write the row of an attempt that has ended, or that is still inside when the clock stops (`ended` is nan)."""
    own = tasks(s)[task]
    flow = flows(s)[task]
    if s.spans == EXEMPLARS and requests(s)[own.request].arrival < s.warmup:
        return
    row = span_records(s)[append_span_record(s)] if s.spans == ALL else span_notes(s)[new_span_note(s, own.request)].row
    row.request = requests(s)[own.request].id
    row.chain = own.chain
    row.arrived = flow.arrived
    row.started = flow.started
    row.ended = ended
    row.endpoint = entry_ops(s)[own.entry].endpoint
    row.replica = replicas(s)[own.replica].index
    row.outcome = outcome
    row.abandoned = own.abandoned
    row.flow = flow.number


# -- exemplars ---------------------------------------------------------------------------------------------------------


@handler
def new_stage_note(s: State, request: int) -> int:
    """Room for one more stage of an open request, behind those that it has."""
    note = take_stage_note(s)
    kept = request_notes(s)[request]
    if kept.stages == 0:
        kept.first_stage = note
    else:
        stage_notes(s)[kept.last_stage].next = note
    kept.last_stage = note
    kept.stages += 1
    return note


@handler
def new_span_note(s: State, request: int) -> int:
    """Room for one more span of an open request, behind those that it has."""
    note = take_span_note(s)
    kept = request_notes(s)[request]
    if kept.spans == 0:
        kept.first_span = note
    else:
        span_notes(s)[kept.last_span].next = note
    kept.last_span = note
    kept.spans += 1
    return note


@by_address
@handler
def close_notes(s: State, request: int) -> None:
    """The request is closed, and nothing more will be written of it: its rows are handed over, or forgotten with it."""
    closed = requests(s)[request]
    if s.spans == ALL or closed.arrival < s.warmup:
        return
    kept = request_notes(s)[request]
    response = closed.end - closed.arrival
    its_lot = lot(closed.id)
    if response >= s.slow or its_lot <= s.lucky:
        row = candidate_records(s)[append_candidate_record(s)]
        row.id = closed.id
        row.response = UNANSWERED if math.isnan(response) else response
        row.lot = its_lot
        row.spans = kept.spans
        row.stages = kept.stages
        copy_rows(s, request)
    if kept.stages > 0:
        give_back_stage_notes(s, kept.first_stage, kept.last_stage, kept.stages)
        kept.stages = 0
    if kept.spans > 0:
        give_back_span_notes(s, kept.first_span, kept.last_span, kept.spans)
        kept.spans = 0


@handler
def copy_rows(s: State, request: int) -> None:
    """Put the rows of a request among those that are handed over."""
    kept = request_notes(s)[request]
    note = kept.first_stage
    for _ in range(kept.stages):
        stage_records(s)[append_stage_record(s)] = stage_notes(s)[note].row
        note = stage_notes(s)[note].next
    note = kept.first_span
    for _ in range(kept.spans):
        span_records(s)[append_span_record(s)] = span_notes(s)[note].row
        note = span_notes(s)[note].next
