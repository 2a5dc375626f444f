"""When a member commits, where that is not after each batch: `models/consumer.py` once more."""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.apart import by_address
from sim.compiled.base import handler, whole
from sim.compiled.calendar import hold
from sim.compiled.consumers import end_batch, end_delivery
from sim.compiled.lists import unlink
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.logs import deliveries, group_partitions, members
from sim.compiled.rows.state import State

BATCH, RECORD, BEFORE, AUTOMATIC = map(whole, range(4))


@by_address
@handler
def commit_in_poll(s: State, member: int) -> None:
    """The automatic commit of a poll, when it is time."""
    if s.now >= members(s)[member].next_commit:
        commit_handled(s, member)


@by_address
@compiled
def commit_handled(s: State, member: int) -> None:
    """Under automatic commits: what is handled is committed."""
    row = members(s)[member]
    if row.commits == AUTOMATIC:
        row.next_commit = s.now + row.commit_interval
        end_batch(s, member)


@by_address
@handler
def commit_later(s: State, member: int) -> None:
    """What is handled and not committed is, when it is time."""
    row = members(s)[member]
    if row.batch.first >= 0 and not row.looks:
        row.looks = True
        hold(s, row.committer, max(0.0, row.next_commit - s.now))


@handler
def look_at_commit(s: State, member: int) -> None:
    """It may be time."""
    row = members(s)[member]
    row.looks = False
    if row.up and not row.processing:
        commit_in_poll(s, member)
        commit_later(s, member)


@by_address
@handler
def commit_fresh(s: State, member: int) -> None:
    """What was polled is committed before it is handled."""
    delivery = members(s)[member].following
    while delivery >= 0:
        group_partitions(s)[deliveries(s)[delivery].partition].committed = True
        delivery = deliveries(s)[delivery].next


@handler
def note_handled(s: State, member: int) -> None:
    """The record in hand is handled; or has moved to a retry topic, or was given back: then there is none."""
    row = members(s)[member]
    row.handled = row.current
    row.current = NOBODY


@handler
def end_handled(s: State, member: int) -> None:
    """A record is handled, and committed, unless others have it now."""
    row = members(s)[member]
    delivery = row.handled
    row.handled = NOBODY
    if delivery >= 0 and not row.evicted:
        unlink(deliveries(s), row.batch, delivery)
        group_partitions(s)[deliveries(s)[delivery].partition].committed = True
        end_delivery(s, row.group, delivery, deliveries(s)[delivery].how)
