"""Producers send their batches, as in `models/logs/producer.py`: which are ready, and what goes into one request."""

from __future__ import annotations

import math

from sim.compiled.apart import by_address
from sim.compiled.base import NO, NONE, YES, handler
from sim.compiled.batch_lines import has_earlier, take_first
from sim.compiled.calendar import occur
from sim.compiled.held_requests import let_go_of_request
from sim.compiled.lists import add_last
from sim.compiled.produce_requests import go, leader_of
from sim.compiled.producer_events import WOKEN, producer_event
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.logs import partitions
from sim.compiled.rows.producers import (
    batches,
    node_connections,
    open_lines,
    produce_requests,
    producer_settings,
    producer_wakes,
    producers,
    requested_batches,
    take_produce_request,
    take_producer_wake,
    take_requested_batch,
)
from sim.compiled.rows.state import State
from sim.models.logs.producer import MAX_REQUEST


@by_address
@handler
def drain(s: State, producer: int) -> None:
    """Send what is ready; look again when the next batch will be."""
    own = producers(s)[producer]
    if not own.there:
        return
    while send_to_all(s, producer):
        pass
    wait = look(s, producer) - s.now
    if s.now + wait < own.woken_at:
        own.woken_at = s.now + wait
        new = take_producer_wake(s)
        producer_wakes(s)[new].producer = producer
        producer_wakes(s)[new].life = own.life
        occur(s, producer_event(WOKEN, new), wait)


@handler
def send_to_all(s: State, producer: int) -> bool:
    """One request to each node for which something is ready, and that may have one more; whether there was any."""
    settings = producer_settings(s)[producers(s)[producer].settings]
    sent = NO
    for node in range(settings.first_node, settings.first_node + settings.nodes):
        connection = node_connections(s)[connection_to(s, producer, node)]
        may_send = connection.count < settings.max_in_flight and connection.silent_until <= s.now
        if may_send and is_awaited(s, producer, node):
            send(s, producer, node)
            sent = YES
    return sent


@handler
def connection_to(s: State, producer: int, node: int) -> int:
    """Of a producer to a node."""
    own = producers(s)[producer]
    return own.first_connection + node - producer_settings(s)[own.settings].first_node


@handler
def is_awaited(s: State, producer: int, node: int) -> bool:
    """Whether something is ready for a node."""
    line = producers(s)[producer].first_open
    while line >= 0:
        row = open_lines(s)[line]
        may_go = row.first >= 0 and leader_of(s, row.first) == node and is_ready(s, producer, line)
        if may_go and not is_behind(s, row.first):
            return YES
        line = row.next
    return NO


@handler
def look(s: State, producer: int) -> float:
    """When something will be ready that is not now, s."""
    own = producers(s)[producer]
    line, soonest = own.first_open, math.inf
    while line >= 0:
        row = open_lines(s)[line]
        if row.first >= 0 and leader_of(s, row.first) < 0:
            soonest = min(soonest, s.now + producer_settings(s)[own.settings].retry_backoff)
        elif row.first >= 0 and not is_behind(s, row.first):
            silent_until = node_connections(s)[connection_to(s, producer, leader_of(s, row.first))].silent_until
            if not is_ready(s, producer, line):
                soonest = min(soonest, batches(s)[row.first].due)
            elif silent_until > s.now:
                soonest = min(soonest, silent_until)
        line = row.next
    return soonest


@handler
def is_ready(s: State, producer: int, line: int) -> bool:
    """Whether the first batch of a line can be sent, and is full or has waited for long enough."""
    row = open_lines(s)[line]
    batch = batches(s)[row.first]
    if backs_off(s, row.first):
        return NO
    full = row.first != row.last or batch.closed
    return full or producers(s)[producer].blocked.first >= 0 or batch.due <= s.now


@handler
def backs_off(s: State, batch: int) -> bool:
    """Whether it is in the pause between two tries, which nobody waits for who has another leader to send to."""
    row = batches(s)[batch]
    return row.attempts > 0 and row.due > s.now and row.epoch == partitions(s)[row.partition].epoch


@handler
def is_behind(s: State, batch: int) -> bool:
    """Whether one before it is under way which has to be over first: nothing else before it is not over."""
    row = batches(s)[batch]
    settings = producer_settings(s)[producers(s)[row.producer].settings]
    if settings.max_in_flight > 1 and not (settings.idempotent and row.attempts > 0):
        return NO
    return has_earlier(s, batch)


@handler
def send(s: State, producer: int, node: int) -> None:
    """One request, with a batch of each partition that the node leads, as far as they fit."""
    own = producers(s)[producer]
    request = new_request(s, producer, node)
    row = produce_requests(s)[request]
    connection = node_connections(s)[row.connection]
    begin = connection.no_room
    connection.no_room = NOBODY
    if begin < 0 or take_along(s, request, begin, NOBODY):
        take_along(s, request, own.first_open, begin)
    own.requests += 1
    own.batches += row.unsettled
    go(s, request)
    let_go_of_request(s, request)


@handler
def take_along(s: State, request: int, line: int, end: int) -> bool:
    """A batch of each partition that its node leads, from one line on to the one before another; False: one found no
    room, and the next request to that node begins with it (RecordAccumulator, drainIndex).
    """
    row = produce_requests(s)[request]
    while line >= 0 and line != end:
        batch = open_lines(s)[line].first
        if batch >= 0 and leader_of(s, batch) == row.node and not backs_off(s, batch) and not is_behind(s, batch):
            if row.first >= 0 and row.size + batches(s)[batch].size > MAX_REQUEST:
                node_connections(s)[row.connection].no_room = line
                return NO
            take_first(s, line)
            batches(s)[batch].closed = True
            batches(s)[batch].epoch = partitions(s)[batches(s)[batch].partition].epoch
            add_to_request(s, request, batch)
        line = open_lines(s)[line].next
    return YES


@handler
def new_request(s: State, producer: int, node: int) -> int:
    """An empty one."""
    new = take_produce_request(s)
    row = produce_requests(s)[new]
    row.size = 0.0
    row.throttle = 0.0
    row.producer = producer
    row.life = producers(s)[producer].life
    row.node = node
    row.connection = connection_to(s, producer, node)
    connection = node_connections(s)[row.connection]
    row.epoch = connection.epoch
    connection.count += 1
    add_last(produce_requests(s), connection.under_way, new)
    row.behind = NOBODY
    row.read = False
    row.node_life = 0
    row.first = NOBODY
    row.last = NOBODY
    row.unsettled = 0
    row.held = 1
    row.over = False
    row.told = False
    return new


@handler
def add_to_request(s: State, request: int, batch: int) -> None:
    """The last of its batches so far."""
    row = produce_requests(s)[request]
    new = take_requested_batch(s)
    entry = requested_batches(s)[new]
    entry.request = request
    entry.batch = batch
    entry.outcome = NONE
    entry.before = NOBODY
    entry.next = NOBODY
    if row.last >= 0:
        requested_batches(s)[row.last].next = new
    else:
        row.first = new
    row.last = new
    row.size += batches(s)[batch].size
    row.unsettled += 1
    batches(s)[batch].held += 1
