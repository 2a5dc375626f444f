"""The transactional outbox and its relay: `models/outbox.py` once more."""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.compiled.answers import AGAIN, PARK
from sim.compiled.base import NONE, ZERO, handler, whole
from sim.compiled.calendar import hold
from sim.compiled.network import hop_delay
from sim.compiled.places import park
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.logs import (
    brokers,
    give_back_outbox_row,
    messages,
    outbox_rows,
    outboxes,
    pending,
    take_outbox_row,
    topics,
)
from sim.compiled.rows.running import flows, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import OUTBOX, follow, keep_note
from sim.compiled.tasks import done
from sim.compiled.topics import ALL, append, release, wait_for_replicas

SLEEPING, LOOKING, THAWING, ARRIVED, REPLICATING, ACKNOWLEDGED = map(whole, range(6))  # phases of a relay


@handler
def write_to_outbox(s: State, task: int, outbox: int) -> None:
    """Write a row in the transaction of the step."""
    own = tasks(s)[task]
    row = outboxes(s)[outbox]
    requests(s)[own.request].alive += 1
    row_at = take_outbox_row(s)
    made = outbox_rows(s)[row_at]
    made.request = own.request
    made.chain = own.chain
    made.path = own.path
    made.tries = 0
    made.flow = NONE
    if s.spans:
        made.flow = follow(s, own.request, flows(s)[task].number, hosts(s)[row.host].name)
        keep_note(s, own.request, made.flow, OUTBOX, hosts(s)[row.host].name, 0.0, NONE)
    made.next = -1
    if row.last < 0:
        row.first = row_at
    else:
        outbox_rows(s)[row.last].next = row_at
    row.last = row_at
    row.rows += 1


@handler
def relay_step(s: State, task: int, outbox: int) -> int:
    """Carry the relay on from where it stands, until it waits."""
    own = tasks(s)[task]
    row = outboxes(s)[outbox]
    while True:
        if own.phase == SLEEPING:
            own.phase = LOOKING
            hold(s, task, row.poll)
            return PARK
        if own.phase == LOOKING:
            own.phase = THAWING if row.rows > 0 else SLEEPING
        elif own.phase == THAWING:
            if send_batch(s, task, outbox):
                return PARK
        elif own.phase == ARRIVED:
            reach_broker(s, task, outbox)
        elif own.phase == REPLICATING:
            if wait_for_batch(s, task, outbox):
                return PARK
        else:  # ACKNOWLEDGED
            strike_off(s, outbox)
            own.phase = LOOKING if row.count == row.batch else SLEEPING
            return AGAIN  # the next batch is another operation: there may have to be more room first


@handler
def send_batch(s: State, task: int, outbox: int) -> bool:
    """Send the first rows to the broker. True: they are on their way, or the process is frozen."""
    own = tasks(s)[task]
    if replicas(s)[own.replica].hung:
        park(s, task)
        return True
    row = outboxes(s)[outbox]
    row.count = min(row.batch, row.rows)
    count_tries(s, outbox)
    return travel_for(s, task, outbox, row.out, ARRIVED)


@handler
def travel_for(s: State, task: int, outbox: int, hop: int, arrived: int) -> bool:
    """Let the batch, or its acknowledgement, travel. True: it takes time; what is lost is tried again after a sleep."""
    own = tasks(s)[task]
    first = outboxes(s)[outbox].first
    delay = hop_delay(s, hop, requests(s)[outbox_rows(s)[first].request].id, chain_of(s, outbox, first))
    own.phase = arrived if delay >= 0.0 else SLEEPING
    if delay > 0.0:
        hold(s, task, delay)
    return delay > 0.0


@handler
def reach_broker(s: State, task: int, outbox: int) -> None:
    """The batch is at the broker, which appends it unless it is down."""
    row = outboxes(s)[outbox]
    broker = brokers(s)[topics(s)[row.topic].broker]
    if broker.down:
        tasks(s)[task].phase = SLEEPING
        return
    publish_batch(s, outbox, broker.acks == ALL)
    row.taken = 0 if broker.acks == ALL else row.count
    tasks(s)[task].phase = REPLICATING


@handler
def wait_for_batch(s: State, task: int, outbox: int) -> bool:
    """All replicas have the batch, or the broker has gone down meanwhile.

    True: they are waited for, or the acknowledgement is on its way.
    """
    row = outboxes(s)[outbox]
    while row.taken < row.count:
        message = pending(s)[outbox * s.largest_batch + row.taken]
        if not row.waited and wait_for_replicas(s, task, message):
            row.waited = True
            return True
        row.waited = False
        if messages(s)[message].available != messages(s)[message].available:
            release_rest(s, outbox)
            tasks(s)[task].phase = SLEEPING
            return False
        release(s, message)
        row.taken += 1
    return travel_for(s, task, outbox, row.back, ACKNOWLEDGED)


@handler
def count_tries(s: State, outbox: int) -> None:
    """The rows of the batch are tried once more."""
    row = outboxes(s)[outbox]
    row_at = row.first
    for _ in range(row.count):
        outbox_rows(s)[row_at].tries += 1
        row_at = outbox_rows(s)[row_at].next


@handler
def chain_of(s: State, outbox: int, row_at: int) -> int:
    """Of the present attempt to publish a row."""
    return link_chain(outbox_rows(s)[row_at].chain, outboxes(s)[outbox].salt, outbox_rows(s)[row_at].tries - 1)


@handler
def publish_batch(s: State, outbox: int, kept: bool) -> None:
    """Append the rows of the batch to the topic; where their acks are waited for, the messages are kept until then."""
    row = outboxes(s)[outbox]
    row_at = row.first
    for index in range(row.count):
        sent = outbox_rows(s)[row_at]
        path = link_chain(sent.path, row.salt, ZERO)
        chain = chain_of(s, outbox, row_at)
        message = append(s, row.topic, row.key, row.site, row.replica, sent.request, chain, path, kept, sent.flow)
        if kept:
            pending(s)[outbox * s.largest_batch + index] = message
        row_at = sent.next


@compiled
def release_rest(s: State, outbox: int) -> None:
    """The relay waits for none of its messages any more."""
    row = outboxes(s)[outbox]
    while row.taken < row.count:
        release(s, pending(s)[outbox * s.largest_batch + row.taken])
        row.taken += 1
    row.waited = False


@handler
def strike_off(s: State, outbox: int) -> None:
    """Mark the batch as published."""
    row = outboxes(s)[outbox]
    for _ in range(row.count):
        row_at = row.first
        request = outbox_rows(s)[row_at].request
        row.first = outbox_rows(s)[row_at].next
        if row.first < 0:
            row.last = -1
        row.rows -= 1
        give_back_outbox_row(s, row_at)
        done(s, request)
