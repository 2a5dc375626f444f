"""The fetch of a member that waits for enough: `models/consumer.py` once more."""

from __future__ import annotations

import math

from sim.compiled.apart import by_address
from sim.compiled.base import ONE, ZERO, handler
from sim.compiled.calendar import hold, make_ready
from sim.compiled.network import travel
from sim.compiled.placing import size_of
from sim.compiled.rows.logs import deliveries, group_partitions, held, members
from sim.compiled.rows.state import State


@by_address
@handler
def begin_fetch(s: State, member: int) -> None:
    """From now on it waits."""
    row = members(s)[member]
    row.fetch_began = s.now
    row.fetches += 1
    row.fetch_due = math.inf


@by_address
@handler
def enough(s: State, member: int) -> bool:
    """Whether what can be read now is to be sent; otherwise it is sent when the wait is over."""
    row = members(s)[member]
    found = 0.0
    for index in range(row.partitions):
        partition = group_partitions(s)[held(s)[row.first_held + index]]
        if partition.retries.first >= 0:
            return True
        delivery = partition.waiting.first
        while delivery >= 0:
            found += size_of(s, deliveries(s)[delivery].message)
            if found >= row.fetch_min:
                return True
            delivery = deliveries(s)[delivery].next
    if row.fetch_due == math.inf:
        be_patient(s, member)
    return False


@handler
def be_patient(s: State, member: int) -> None:
    """An answer with nothing is followed by the next fetch: the waits are one after the other."""
    row = members(s)[member]
    cycle = travel(s, row.hop, row.fetches, ZERO) + row.fetch_wait + travel(s, row.hop, row.fetches, ONE)
    waits = math.floor((s.now - row.fetch_began) / cycle) + 1
    row.fetch_due = row.fetch_began + waits * cycle
    look_then(s, member)


@handler
def look_then(s: State, member: int) -> None:
    """Unless somebody looks before that, and will look again."""
    row = members(s)[member]
    if row.fetch_due < row.fetch_look:
        wait = row.fetch_due - s.now
        row.fetch_look = s.now + wait
        hold(s, row.fetcher, wait)


@handler
def look_at_fetch(s: State, member: int) -> None:
    """It may have waited for long enough."""
    row = members(s)[member]
    if s.now >= row.fetch_look:
        row.fetch_look = math.inf
    if not row.idle or row.fetch_due == math.inf:
        return
    if s.now < row.fetch_due:
        look_then(s, member)
    else:
        row.fetches += 1
        row.idle = False
        make_ready(s, row.task)
