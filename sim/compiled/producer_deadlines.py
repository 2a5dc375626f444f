"""Until when batches and requests of producers are waited for: `Deadlines` of `models/logs/producer.py`.

Those of one broker wait equally long, so that they stand in the order of their deadlines, and there is an event of the
oldest alone. Who is over before stays until he is the oldest.
"""

from __future__ import annotations

from typing import TypeVar

from sim.compiled.base import handler
from sim.compiled.calendar import TIMER, noise, push
from sim.compiled.producer_events import producer_event
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.producers import Batch, BatchDeadlines, ProduceRequest, RequestDeadlines
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import Rows

Waiting = TypeVar("Waiting", Batch, ProduceRequest)
Deadlines = BatchDeadlines | RequestDeadlines


@handler
def wait_until(
    s: State, table: Rows[Waiting], line: Deadlines, node: int, deadline: float, purpose: int, settings: int
) -> None:
    """It is the last that may run out of time; somebody looks for the oldest from now on."""
    table[node].held += 1
    table[node].deadline = deadline
    table[node].later = NOBODY
    if line.last >= 0:
        table[line.last].later = node
    else:
        line.first = node
    line.last = node
    if not line.looks:
        look_again(s, table, line, purpose, settings)


@handler
def is_oldest_due(table: Rows[Waiting], line: Deadlines, now: float) -> bool:
    """Whether the time of the oldest is over, or nobody waits for it any more."""
    return line.first >= 0 and (table[line.first].over or table[line.first].deadline <= now)


@handler
def is_oldest_over(table: Rows[Waiting], line: Deadlines) -> bool:
    """Whether nobody waits for the oldest any more."""
    return line.first >= 0 and table[line.first].over


@handler
def take_oldest(table: Rows[Waiting], line: Deadlines) -> int:
    """The oldest stands there no longer; whoever takes it out lets go of it."""
    oldest = line.first
    line.first = table[oldest].later
    if line.first < 0:
        line.last = NOBODY
    return oldest


@handler
def look_again(s: State, table: Rows[Waiting], line: Deadlines, purpose: int, settings: int) -> None:
    """The event of the oldest, if there is one."""
    line.looks = line.first >= 0
    if line.looks:
        line.due = table[line.first].deadline
        push(s, line.due + noise(line.due), TIMER, producer_event(purpose, settings))
