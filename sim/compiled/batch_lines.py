"""The batches of a producer for one partition: those to be sent, and those not over (`models/logs/producer.py`).

Those that are to be sent stand in their order by `behind`. Those that are not over, sent or not, by `older` and
`newer`: they are asked for what came before one of them.
"""

from __future__ import annotations

from sim.compiled.base import NO, NONE, YES, handler
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.producers import batches, open_lines, producer_settings, producers, queued_batches
from sim.compiled.rows.state import State


@handler
def line_at(s: State, producer: int, partition: int) -> int:
    """The line of a producer for a partition."""
    own = producers(s)[producer]
    return own.first_line + partition - producer_settings(s)[own.settings].first_partition


@handler
def line_of(s: State, producer: int, partition: int) -> int:
    """The same for one that it uses from now on."""
    own, line = producers(s)[producer], line_at(s, producer, partition)
    row = open_lines(s)[line]
    if not row.used:
        row.used = True
        row.next = NOBODY
        if own.last_open >= 0:
            open_lines(s)[own.last_open].next = line
        else:
            own.first_open = line
        own.last_open = line
    return line


@handler
def forget_line(s: State, line: int) -> None:
    """Its producer is gone."""
    row = open_lines(s)[line]
    row.first = NOBODY
    row.last = NOBODY
    row.oldest = NOBODY
    row.newest = NOBODY
    row.sequence = 0
    row.used = False
    queued_batches(s)[line] = 0


# -- to be sent --------------------------------------------------------------------------------------------------------


@handler
def stand_last(s: State, line: int, batch: int) -> None:
    """Behind all that stand in a line."""
    stand_after(s, line, open_lines(s)[line].last, batch)


@handler
def stand_first(s: State, line: int, batch: int) -> None:
    """Before all that stand in a line."""
    stand_after(s, line, NONE, batch)


@handler
def stand_in_sequence(s: State, line: int, batch: int) -> None:
    """Behind all that stand at the head of a line and came before it."""
    before, other = NONE, open_lines(s)[line].first
    while other >= 0 and batches(s)[other].sequence < batches(s)[batch].sequence:
        before = other
        other = batches(s)[other].behind
    stand_after(s, line, before, batch)


@handler
def stand_after(s: State, line: int, before: int, batch: int) -> None:
    """Behind one that stands in a line; -1: before all."""
    row = open_lines(s)[line]
    behind = batches(s)[before].behind if before >= 0 else row.first
    batches(s)[batch].behind = behind
    if before >= 0:
        batches(s)[before].behind = batch
    else:
        row.first = batch
    if behind < 0:
        row.last = batch
    queued_batches(s)[line] += 1


@handler
def take_first(s: State, line: int) -> None:
    """It stands in its line no longer."""
    row = open_lines(s)[line]
    row.first = batches(s)[row.first].behind
    if row.first < 0:
        row.last = NOBODY
    queued_batches(s)[line] -= 1


@handler
def leave_line(s: State, line: int, batch: int) -> None:
    """Take it out of its line, where it stands there."""
    row = open_lines(s)[line]
    before, other = NONE, row.first
    while other >= 0 and other != batch:
        before = other
        other = batches(s)[other].behind
    if other < 0:
        return
    behind = batches(s)[batch].behind
    if before >= 0:
        batches(s)[before].behind = behind
    else:
        row.first = behind
    if behind < 0:
        row.last = before
    queued_batches(s)[line] -= 1


# -- not over ----------------------------------------------------------------------------------------------------------


@handler
def begin_life(s: State, line: int, batch: int) -> None:
    """It is the newest that is not over."""
    row = open_lines(s)[line]
    batches(s)[batch].older = row.newest
    batches(s)[batch].newer = NOBODY
    if row.newest >= 0:
        batches(s)[row.newest].newer = batch
    else:
        row.oldest = batch
    row.newest = batch


@handler
def end_life(s: State, line: int, batch: int) -> None:
    """It is over."""
    row, own = open_lines(s)[line], batches(s)[batch]
    if own.older >= 0:
        batches(s)[own.older].newer = own.newer
    else:
        row.oldest = own.newer
    if own.newer >= 0:
        batches(s)[own.newer].older = own.older
    else:
        row.newest = own.older


@handler
def has_earlier(s: State, batch: int) -> bool:
    """Whether one of its partition that came before it is neither acknowledged nor given up; it is not over itself."""
    return batches(s)[batch].older >= 0


@handler
def is_early(s: State, batch: int) -> bool:
    """OUT_OF_ORDER_SEQUENCE_NUMBER: one before it is still to come. It may be over itself."""
    own = batches(s)[batch]
    other = open_lines(s)[line_at(s, own.producer, own.partition)].oldest
    while other >= 0 and batches(s)[other].sequence < own.sequence:
        if batches(s)[other].message < 0:
            return YES
        other = batches(s)[other].newer
    return NO
