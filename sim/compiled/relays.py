"""The transactional outbox and its relay: `models/outbox.py` once more."""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.compiled.base import NONE, ZERO, handler, whole
from sim.compiled.leaders import place_of, write
from sim.compiled.network import hop_delay
from sim.compiled.rows.hosts import hosts
from sim.compiled.rows.logs import (
    give_back_outbox_row,
    outbox_rows,
    outboxes,
    pending,
    take_outbox_row,
)
from sim.compiled.rows.running import flows, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import OUTBOX, follow, keep_note
from sim.compiled.tasks import done
from sim.compiled.topics import append, release

# where a relay waits: for the replicas of its batch, for confirms, for a node to write a record, for its followers, for
# memory of its producer, for acknowledgements
REPLICATING, CONFIRMING, WRITING, SPREADING, BLOCKED, HEARING = map(whole, range(1, 7))


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
def batch_delay(s: State, outbox: int, hop: int) -> float:
    """Seconds on the way for the present batch, or its acknowledgement; negative: it is lost."""
    first = outboxes(s)[outbox].first
    return hop_delay(s, hop, requests(s)[outbox_rows(s)[first].request].id, chain_of(s, outbox, first))


@handler
def pending_message(s: State, outbox: int) -> int:
    """The next message of the batch that its replicas may not have."""
    return pending(s)[outbox * s.largest_batch + outboxes(s)[outbox].taken]


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
    row.taken = 0
    row.written = row.count if kept else 0


@handler
def begin_batch(s: State, outbox: int) -> None:
    """The batch is written record by record."""
    row = outboxes(s)[outbox]
    row.written = row.taken = 0
    row.at = row.first


@handler
def place_of_row(s: State, outbox: int) -> int:
    """The partition of the next record."""
    row = outboxes(s)[outbox]
    return place_of(s, row.topic, row.key, row.replica, outbox_rows(s)[row.at].request, chain_of(s, outbox, row.at))


@handler
def write_row(s: State, outbox: int) -> None:
    """Write the next record."""
    row = outboxes(s)[outbox]
    sent = outbox_rows(s)[row.at]
    path = link_chain(sent.path, row.salt, ZERO)
    chain = chain_of(s, outbox, row.at)
    message = write(s, row.topic, row.partition, row.site, sent.request, chain, path, sent.flow, NONE)
    pending(s)[outbox * s.largest_batch + row.written] = message
    row.written += 1
    row.at = sent.next


@compiled
def release_written(s: State, outbox: int) -> None:
    """The relay waits for none of the messages any more that it has written."""
    row = outboxes(s)[outbox]
    while row.taken < row.written:
        release(s, pending(s)[outbox * s.largest_batch + row.taken])
        row.taken += 1


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
