"""Until when batches and requests of producers are waited for: `Deadlines` of `models/logs/producer.py`.

Those of one broker wait equally long, so that they stand in the order of their deadlines, and there is an event of the
oldest alone. Who is over before stays until he is the oldest.
"""

from __future__ import annotations

from typing import TypeVar

from sim.compiled.base import NO, NONE, YES, handler
from sim.compiled.calendar import TIMER, noise, push
from sim.compiled.producer_events import producer_event
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.producers import Batch, BatchDeadlines, ProduceRequest, RequestDeadlines
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import Rows

Waiting = TypeVar("Waiting", Batch, ProduceRequest)
Deadlines = BatchDeadlines | RequestDeadlines


@handler
def wait_until(table: Rows[Waiting], line: Deadlines, node: int, deadline: float) -> bool:
    """It is the last that may run out of time; whether somebody must look for the oldest from now on."""
    table[node].held += 1
    table[node].deadline = deadline
    table[node].later = NOBODY
    if line.last >= 0:
        table[line.last].later = node
    else:
        line.first = node
    line.last = node
    if line.looks:
        return NO
    line.looks = True
    return YES


@handler
def oldest_over(table: Rows[Waiting], line: Deadlines, now: float) -> int:
    """The oldest, if its time is over or nobody waits for it any more; -1: there is none such."""
    if line.first < 0:
        return NONE
    oldest = table[line.first]
    return line.first if oldest.over or oldest.deadline <= now else NONE


@handler
def leave_deadlines(table: Rows[Waiting], line: Deadlines) -> None:
    """The oldest stands there no longer; whoever takes it out lets go of it."""
    line.first = table[line.first].later
    if line.first < 0:
        line.last = NOBODY


@handler
def look_at_deadlines(s: State, line: Deadlines, purpose: int, settings: int, deadline: float) -> None:
    """The event of the oldest."""
    line.due = deadline
    push(s, deadline + noise(deadline), TIMER, producer_event(purpose, settings))
