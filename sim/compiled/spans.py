"""Spans of attempts and stages of flows, where a scenario keeps them: what `models/recorder.py` and `models/host.py` write.

Whoever calls anything here has seen that `s.spans` is set. A flow is known by its number in `flows`, a table beside that of the slots,
so that slots are no larger where nothing is kept; a task that is no flow of a request's way (a consumer, a courier) has -1.
"""

from __future__ import annotations

import math

from sim.chance.compiler import compiled
from sim.compiled.state import NONE, State, flows, handler, ops, replicas, requests, slots, span_rows, stage_rows, whole
from sim.vocabulary import Stage

CALL, RETRY, BACKOFF, BULKHEAD, WORK, WAIT, PLACE, FROZEN, PARALLEL, REPLICATION, ANSWER, END, OTHER = map(whole, Stage)


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
    flow = flows(s)[task].number
    if flow < 0:
        return
    row = stage_rows(s)[s.stage_rows]
    row.request = requests(s)[slots(s)[task].request].id
    row.flow = flow
    row.begin = s.now
    row.seconds = seconds
    row.about = about
    row.place = place
    row.kind = kind
    s.stage_rows += 1
    if s.stage_rows >= s.stage_rows_most:
        s.short = 1


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
    row = span_rows(s)[s.span_rows]
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
    s.span_rows += 1
    if s.span_rows >= s.span_rows_most:
        s.short = 1
