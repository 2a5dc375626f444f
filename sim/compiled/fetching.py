"""The fetches of a member that says how much it waits for: `models/fetching.py` once more."""

from __future__ import annotations

import math

from sim.compiled.apart import by_address
from sim.compiled.base import NO, ONE, YES, ZERO, handler
from sim.compiled.calendar import hold, make_ready
from sim.compiled.network import travel
from sim.compiled.placing import size_of
from sim.compiled.rows.logs import (
    copies,
    deliveries,
    group_partitions,
    held,
    members,
    messages,
    node_fetches,
    partitions,
    topics,
)
from sim.compiled.rows.state import State
from sim.policies import log_times

answered_at = log_times.answered_at.compiled


@by_address
@handler
def look_at_fetches(s: State, member: int) -> bool:
    """Which are answered by now, and when another will be; whether any is, or there is something in a retry topic."""
    row = members(s)[member]
    row.fetch_due = math.inf
    for place in range(row.first_fetch, row.first_fetch + row.fetch_nodes):
        node_fetches(s)[place].found = 0.0
        node_fetches(s)[place].first = math.inf
        node_fetches(s)[place].answered = NO
    any_here = NO
    for index in range(row.partitions):
        name = held(s)[row.first_held + index]
        any_here = any_here or group_partitions(s)[name].retries.first >= 0
        if is_read_by(s, name, member):
            count(s, name, fetch_of(s, name, member), row.fetch_min)
    for place in range(row.first_fetch, row.first_fetch + row.fetch_nodes):
        if node_fetches(s)[place].found == 0.0:
            node_fetches(s)[place].buffered = NO
        else:
            judge(s, member, place)
            any_here = any_here or node_fetches(s)[place].answered
    return any_here


@handler
def is_read_by(s: State, name: int, member: int) -> bool:
    """Whether there is something in a partition that this member may read."""
    partition = group_partitions(s)[name]
    return partition.owner == member and not partition.offline and partition.waiting.first >= 0


@handler
def fetch_of(s: State, name: int, member: int) -> int:
    """The fetch of a member to the node that leads a partition, in which there is something to read."""
    row = members(s)[member]
    partition = partitions(s)[messages(s)[deliveries(s)[group_partitions(s)[name].waiting.first].message].partition]
    if not topics(s)[partition.topic].deep or partition.leader < 0:
        return row.first_fetch
    return row.first_fetch + copies(s)[partition.leader].node - row.first_node


@handler
def count(s: State, name: int, place: int, least: float) -> None:
    """What there is to be read in a partition, as far as it matters."""
    fetch = node_fetches(s)[place]
    delivery, found = group_partitions(s)[name].waiting.first, fetch.found
    fetch.first = min(fetch.first, max(fetch.began, messages(s)[deliveries(s)[delivery].message].available))
    while delivery >= 0:
        found += size_of(s, deliveries(s)[delivery].message)
        if found >= least:
            break
        delivery = deliveries(s)[delivery].next
    fetch.found = found


@handler
def judge(s: State, member: int, place: int) -> None:
    """A fetch is answered when there is enough, or when it has waited for long enough: one wait after the other."""
    row, fetch = members(s)[member], node_fetches(s)[place]
    cycle = travel(s, row.hop, fetch.number, ZERO) + row.fetch_wait + travel(s, row.hop, fetch.number, ONE)
    due = answered_at(fetch.began, fetch.first, cycle)
    if fetch.buffered or fetch.found >= row.fetch_min or due <= s.now:
        fetch.answered = YES
    else:
        row.fetch_due = min(row.fetch_due, due)


@by_address
@handler
def is_here(s: State, name: int, member: int) -> bool:
    """Whether the records of a partition are here: of what came since somebody looked nothing is."""
    return is_read_by(s, name, member) and node_fetches(s)[fetch_of(s, name, member)].answered


@by_address
@handler
def end_fetches(s: State, member: int) -> None:
    """A poll has taken what it could: where all was taken, the next fetch goes out."""
    row = members(s)[member]
    for place in range(row.first_fetch, row.first_fetch + row.fetch_nodes):
        fetch = node_fetches(s)[place]
        fetch.buffered = fetch.buffered and not fetch.answered
    for index in range(row.partitions):
        name = held(s)[row.first_held + index]
        if is_here(s, name, member):
            node_fetches(s)[fetch_of(s, name, member)].buffered = YES
    for place in range(row.first_fetch, row.first_fetch + row.fetch_nodes):
        fetch = node_fetches(s)[place]
        if fetch.answered and not fetch.buffered:
            row.fetches += 1
            fetch.began = s.now
            fetch.number = row.fetches


@by_address
@handler
def enough(s: State, member: int) -> bool:
    """Whether what can be read now is to be sent; otherwise it is sent when the wait is over."""
    if look_at_fetches(s, member):
        return YES
    be_patient(s, member)
    return NO


@by_address
@handler
def be_patient(s: State, member: int) -> None:
    """Look when the first of them has waited for long enough, unless somebody looks before, and will look again."""
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
    if row.idle and enough(s, member):
        row.idle = NO
        make_ready(s, row.task)
