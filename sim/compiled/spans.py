"""Spans of attempts and stages of flows, where a scenario keeps them: what `models/recorder.py`, `models/host.py` and `models/exemplars.py` write.

Whoever calls anything here has seen that `s.spans` is set. A flow is known by its number in `flows`, a table beside that of the slots,
so that slots are no larger where nothing is kept; a task that is no flow of a request's way (a consumer, a courier) has -1.
"""

from __future__ import annotations

import math

from sim.chance.compiler import compiled
from sim.chance.keyed import lot
from sim.compiled.state import (
    NONE,
    State,
    candidates,
    diaries,
    flows,
    handler,
    ops,
    replicas,
    requests,
    slots,
    span_notes,
    span_rows,
    stage_notes,
    stage_rows,
    whole,
)
from sim.records.exemplars import UNANSWERED
from sim.vocabulary import Stage

CALL, RETRY, BACKOFF, BULKHEAD, WORK, WAIT, PLACE, FROZEN, PARALLEL, REPLICATION, ANSWER, END, OTHER, OUTBOX, LAG, RETRY_TOPIC, FOLLOWED, COMPLETED = map(
    whole, Stage
)
ALL, EXEMPLARS = whole(1), whole(2)  # of which requests spans are kept
STAGES_MARGIN = 64  # more than one operation writes, but of events


@handler
def new_flow(s: State, task: int) -> int:
    """Give a task the next number of flows."""
    flow = s.next_flow
    s.next_flow += 1
    flows(s)[task].number = flow
    return flow


@handler
def no_flow(s: State, task: int) -> None:
    """The task is not a part of a request's way; its slot may have belonged to one that was."""
    flows(s)[task].number = -1


@handler
def keep_stage(s: State, task: int, kind: int, place: int, seconds: float, about: int) -> None:
    """Note what a flow does from now on."""
    keep_note(s, slots(s)[task].request, flows(s)[task].number, kind, place, seconds, about)


@handler
def keep_note(s: State, request: int, flow: int, kind: int, place: int, seconds: float, about: int) -> None:
    """The same of any flow of a request: an event on its way is no task."""
    if flow < 0 or (s.spans == EXEMPLARS and requests(s)[request].arrival < s.warmup):
        return
    if s.spans == ALL:
        row = stage_rows(s)[s.stage_rows]
        s.stage_rows += 1
        if s.stage_rows >= s.stage_rows_most:
            s.short = 1
    else:
        row = stage_notes(s)[new_stage_note(s, request)].row
    row.request = requests(s)[request].id
    row.flow = flow
    row.begin = s.now
    row.seconds = seconds
    row.about = about
    row.place = place
    row.kind = kind


@handler
def follow(s: State, request: int, flow: int, place: int) -> int:
    """Note that something comes of a flow which goes on by itself; the number of that one, -1 where nothing is kept of it."""
    if flow < 0:
        return NONE
    child = s.next_flow
    s.next_flow += 1
    keep_note(s, request, flow, FOLLOWED, place, 0.0, child)
    return child


@handler
def keep_sent(s: State, task: int, child: int, place: int, attempt: int) -> None:
    """Note that a flow waits for an attempt from now on, which gets its number here; -1: the attempt was lost on its way."""
    about = NONE
    if flows(s)[task].number >= 0 and child >= 0:
        about = new_flow(s, child)
    elif child >= 0:
        no_flow(s, child)
    keep_stage(s, task, RETRY if attempt else CALL, place, 0.0, about)


@handler
def keep_branches(s: State, task: int, place: int, count: int) -> None:
    """Note that a flow waits for its branches from now on, which get their numbers here, in their order."""
    branch = slots(s)[task].child
    if flows(s)[task].number < 0:
        while branch >= 0:
            no_flow(s, branch)
            branch = slots(s)[branch].sibling
        return
    keep_stage(s, task, PARALLEL, place, float(count), s.next_flow)
    while branch >= 0:
        new_flow(s, branch)
        branch = slots(s)[branch].sibling


@handler
def keep_arrival(s: State, task: int, served: bool) -> None:
    """An attempt has reached its replica; `served`: it has a worker at once."""
    row = flows(s)[task]
    row.arrived = s.now
    row.started = s.now if served else math.nan


@compiled
def keep_span(s: State, task: int, outcome: int, ended: float) -> None:
    """Write the row of an attempt that has ended, or that is still inside when the clock stops (`ended` is nan)."""
    own = slots(s)[task]
    flow = flows(s)[task]
    if s.spans == EXEMPLARS and requests(s)[own.request].arrival < s.warmup:
        return
    if s.spans == ALL:
        row = span_rows(s)[s.span_rows]
        s.span_rows += 1
        if s.span_rows >= s.span_rows_most:
            s.short = 1
    else:
        row = span_notes(s)[new_span_note(s, own.request)].row
    row.request = requests(s)[own.request].id
    row.chain = own.chain
    row.arrived = flow.arrived
    row.started = flow.started
    row.ended = ended
    row.endpoint = ops(s)[own.entry].a
    row.replica = replicas(s)[own.replica].index
    row.outcome = outcome
    row.abandoned = own.abandoned
    row.flow = flow.number


# -- exemplars ------------------------------------------------------------------------------------------------------------------


@handler
def new_stage_note(s: State, request: int) -> int:
    """Room for one more stage of an open request, behind those that it has."""
    note = s.stage_note
    s.stage_note = stage_notes(s)[note].next
    s.stage_notes_free -= 1
    if s.stage_notes_free < s.stage_notes_margin:
        s.short = 1
    diary = diaries(s)[request]
    if diary.stages == 0:
        diary.first_stage = note
    else:
        stage_notes(s)[diary.last_stage].next = note
    diary.last_stage = note
    diary.stages += 1
    return note


@handler
def new_span_note(s: State, request: int) -> int:
    """Room for one more span of an open request, behind those that it has."""
    note = s.span_note
    s.span_note = span_notes(s)[note].next
    s.span_notes_free -= 1
    if s.span_notes_free < s.span_notes_margin:
        s.short = 1
    diary = diaries(s)[request]
    if diary.spans == 0:
        diary.first_span = note
    else:
        span_notes(s)[diary.last_span].next = note
    diary.last_span = note
    diary.spans += 1
    return note


@handler
def close_diary(s: State, request: int) -> None:
    """The request is closed, and nothing more will be written of it: its rows are handed over, or forgotten with it."""
    asked = requests(s)[request]
    if s.spans == ALL or asked.arrival < s.warmup:
        return
    diary = diaries(s)[request]
    response = asked.end - asked.arrival
    its_lot = lot(asked.id)
    if response >= s.slow or its_lot <= s.lucky:
        row = candidates(s)[s.candidates]
        row.id = asked.id
        row.response = UNANSWERED if math.isnan(response) else response
        row.lot = its_lot
        row.spans = diary.spans
        row.stages = diary.stages
        s.candidates += 1
        if s.candidates >= s.candidates_most:
            s.short = 1
        copy_rows(s, request)
    if diary.stages > 0:
        stage_notes(s)[diary.last_stage].next = s.stage_note
        s.stage_note = diary.first_stage
        s.stage_notes_free += diary.stages
        diary.stages = 0
    if diary.spans > 0:
        span_notes(s)[diary.last_span].next = s.span_note
        s.span_note = diary.first_span
        s.span_notes_free += diary.spans
        diary.spans = 0


@handler
def copy_rows(s: State, request: int) -> None:
    """Put the rows of a request among those that are handed over."""
    diary = diaries(s)[request]
    note = diary.first_stage
    for _ in range(diary.stages):
        stage_rows(s)[s.stage_rows] = stage_notes(s)[note].row
        note = stage_notes(s)[note].next
        s.stage_rows += 1
    note = diary.first_span
    for _ in range(diary.spans):
        span_rows(s)[s.span_rows] = span_notes(s)[note].row
        note = span_notes(s)[note].next
        s.span_rows += 1
    if s.stage_rows >= s.stage_rows_most or s.span_rows >= s.span_rows_most:
        s.short = 1
