"""Producers: records go into batches, and batches into requests, as in `models/logs/producer.py` and `publishing.py`.

What is sent when is in `sending.py`, what becomes of it in `produce_requests.py` and `produced.py`.
"""

from __future__ import annotations

import math

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.chance.keyed import uniform
from sim.compiled.apart import by_address
from sim.compiled.base import NO, NONE, ONE, YES, ZERO, handler
from sim.compiled.batch_lines import begin_life, line_at, line_of, stand_last
from sim.compiled.calendar import arm
from sim.compiled.codes import OK
from sim.compiled.held_requests import let_go_of_batch, let_go_of_record
from sim.compiled.lists import add_last, unlink
from sim.compiled.placing import IN_TURN, keyed
from sim.compiled.producer_deadlines import is_oldest_over, take_oldest, wait_until
from sim.compiled.producer_events import EXPIRY
from sim.compiled.relays import chain_of
from sim.compiled.rows.calls import calls
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import draws
from sim.compiled.rows.logs import brokers, members, outbox_rows, outboxes, pending, topics
from sim.compiled.rows.producers import (
    batches,
    built_ins,
    open_lines,
    produced_records,
    producer_settings,
    producer_turns,
    producers,
    publishers,
    queued_batches,
    take_batch,
    take_produced_record,
)
from sim.compiled.rows.programs import produce_ops
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.compiled.sending import drain
from sim.compiled.spans import flow_of
from sim.compiled.tasks import IN_MEMORY, NOWHERE, done
from sim.compiled.topics import NO_ACKS
from sim.compiled.transactions import member_in_transaction
from sim.policies import partitioner

peek, sent, in_turn = partitioner.peek.compiled, partitioner.sent.compiled, partitioner.in_turn.compiled


# -- records in --------------------------------------------------------------------------------------------------------


@handler
def new_record(s: State, publisher: int, request: int, chain: int, path: int, flow: int) -> int:
    """One record, of which nothing is known yet."""
    new = take_produced_record(s)
    row = produced_records(s)[new]
    row.publisher = publisher
    row.request = request
    row.chain = chain
    row.path = path
    row.flow = flow
    row.member = NOBODY
    row.transaction = 0
    row.turn = -1
    row.outcome = -1
    row.task = NOBODY
    row.held = 1
    row.blocked = False
    return new


@by_address
@handler
def put(s: State, task: int, record: int, replica: int) -> bool:
    """Into a batch, if there is memory for it; else its task waits for some, in order."""
    publisher = publishers(s)[produced_records(s)[record].publisher]
    producer = producer_of(s, record, replica)
    own = producers(s)[producer]
    tasks(s)[task].record = record
    requests(s)[produced_records(s)[record].request].alive += 1
    if own.blocked.first < 0 and takes(s, producer, record):
        return YES
    row = produced_records(s)[record]
    row.blocked = True
    add_last(tasks(s), own.blocked, task)
    own.waiting += 1
    tasks(s)[task].waits = IN_MEMORY
    arm(s, publisher.patience, task)
    drain(s, producer)
    return NO


@handler
def place_of_producer(s: State, record: int, replica: int) -> int:
    """The one that a replica has for all that it publishes to a broker; who has transactions has one of his own."""
    row = produced_records(s)[record]
    if row.transaction > 0:
        return members(s)[row.member].producer
    return producer_settings(s)[publishers(s)[row.publisher].settings].first_producer + replica


@handler
def producer_of(s: State, record: int, replica: int) -> int:
    """The same, which is there from now on."""
    place = place_of_producer(s, record, replica)
    row = producers(s)[place]
    settings = row.settings
    if not row.there:
        row.there = True
        row.free = producer_settings(s)[settings].buffer
        row.woken_at = math.inf
        row.waiting = 0
        add_last(producers(s), producer_settings(s)[settings].there, place)
    return place


@by_address
@handler
def unblock(s: State, task: int) -> None:
    """It waits for memory no longer."""
    own = tasks(s)[task]
    own.ticket += 1
    own.waits = NOWHERE
    row = produced_records(s)[own.record]
    if row.blocked:
        row.blocked = False
        place = place_of_producer(s, own.record, own.replica)
        unlink(tasks(s), producers(s)[place].blocked, task)
        producers(s)[place].waiting -= 1


@by_address
@handler
def drop_record(s: State, task: int) -> None:
    """There was no memory for it in time, or its task is killed."""
    record = tasks(s)[task].record
    done(s, produced_records(s)[record].request)
    let_go_of_record(s, record)


@by_address
@handler
def takes(s: State, producer: int, record: int) -> bool:
    """Put it into a batch; False: there is no memory for a new one."""
    own, row = producers(s)[producer], produced_records(s)[record]
    settings, publisher = producer_settings(s)[own.settings], publishers(s)[row.publisher]
    by_key = placed_by_key(s, producer, record)
    place = by_key if by_key >= 0 else placed_by_load(s, producer, record)
    partition = topics(s)[publisher.topic].first + place
    line = line_of(s, producer, partition)
    batch = open_batch(s, line, record, settings.batch)
    if batch < 0:
        if own.free < max(publisher.size, settings.batch):
            drain(s, producer)
            return NO
        batch = new_batch(s, producer, publisher.topic, partition, line, publisher.size)
        batches(s)[batch].member = row.member
        batches(s)[batch].transaction = row.transaction
    add_last(produced_records(s), batches(s)[batch].records, record)
    batches(s)[batch].size += publisher.size
    batches(s)[batch].closed = batches(s)[batch].size >= settings.batch
    if by_key < 0:
        count_load(s, producer, record, batches(s)[batch].closed)
    drain(s, producer)
    return YES


@handler
def open_batch(s: State, line: int, record: int, most: float) -> int:
    """The batch that a record goes into; one that has no room for it, or is of another transaction, is complete; -1:
    there is none.
    """
    batch = open_lines(s)[line].last
    if batch < 0:
        return NONE
    row, sent = batches(s)[batch], produced_records(s)[record]
    other = row.transaction != sent.transaction
    row.closed = row.closed or row.size + publishers(s)[sent.publisher].size > most or other
    return NONE if row.closed else batch


@handler
def placed_by_key(s: State, producer: int, record: int) -> int:
    """By its key, or in turn, which is its own from then on; -1: where the producer is now."""
    row = produced_records(s)[record]
    publisher = publishers(s)[row.publisher]
    if publisher.key != IN_TURN:
        return keyed(s, publisher.topic, publisher.key, producers(s)[producer].replica, row.request)
    if row.turn < 0:
        place = built_in_at(s, producer, publisher.topic)
        row.turn = in_turn(producer_turns(s)[place], topics(s)[publisher.topic].count)
        producer_turns(s)[place] += 1
    return row.turn


@handler
def placed_by_load(s: State, producer: int, record: int) -> int:
    """Where the producer is now; it goes on first where it has produced enough, and no batch is open any more."""
    row, most = produced_records(s)[record], producer_settings(s)[producers(s)[producer].settings].batch
    publisher = publishers(s)[row.publisher]
    first = topics(s)[publisher.topic].first
    u = uniform(draws(s)[topics(s)[publisher.topic].chance].key, requests(s)[row.request].id, row.chain)
    queued = rows_from(queued_batches(s), line_at(s, producer, first))
    built_in = built_ins(s)[built_in_at(s, producer, publisher.topic)]
    line = line_of(s, producer, first + peek(built_in, queued, u))
    if open_batch(s, line, record, most) < 0:
        sent(built_in, 0.0, YES, queued, u)
    return built_in.partition


@handler
def count_load(s: State, producer: int, record: int, may_switch: bool) -> None:
    """A record without a key was put into a batch."""
    row = produced_records(s)[record]
    publisher = publishers(s)[row.publisher]
    topic = publisher.topic
    chain = link_chain(row.chain, ONE, ZERO)
    u = uniform(draws(s)[topics(s)[topic].chance].key, requests(s)[row.request].id, chain)
    queued = rows_from(queued_batches(s), line_at(s, producer, topics(s)[topic].first))
    sent(built_ins(s)[built_in_at(s, producer, topic)], publisher.size, may_switch, queued, u)


@handler
def built_in_at(s: State, producer: int, topic: int) -> int:
    """Its state for a topic."""
    own = producers(s)[producer]
    return own.first_built_in + topic - producer_settings(s)[own.settings].first_topic


@handler
def new_batch(s: State, producer: int, topic: int, partition: int, line: int, size: float) -> int:
    """An empty one, the last of its line, with memory for a first record of this size."""
    own = producers(s)[producer]
    settings = producer_settings(s)[own.settings]
    new = take_batch(s)
    row = batches(s)[new]
    row.due = s.now + settings.linger
    row.size = 0.0
    row.producer = producer
    row.topic = topic
    row.partition = partition
    row.sequence = open_lines(s)[line].sequence
    row.attempts = 0
    row.epoch = 0
    row.records.first = NOBODY
    row.records.last = NOBODY
    row.message = NOBODY
    row.held = 1
    row.over = False
    row.closed = False
    open_lines(s)[line].sequence += 1
    own.free -= max(size, settings.batch)
    add_last(batches(s), own.live, new)
    begin_life(s, line, new)
    stand_last(s, line, new)
    wait_for_delivery(s, own.settings, new)
    return new


# -- deadlines ---------------------------------------------------------------------------------------------------------


@handler
def wait_for_delivery(s: State, place: int, batch: int) -> None:
    """Give it up when it has had its time; those that are over go now."""
    settings = producer_settings(s)[place]
    line = settings.deliveries
    while is_oldest_over(batches(s), line):
        let_go_of_batch(s, take_oldest(batches(s), line))
    wait_until(s, batches(s), line, batch, s.now + settings.delivery_timeout, EXPIRY, place)


# -- who publishes -----------------------------------------------------------------------------------------------------


@by_address
@handler
def publish_record(s: State, task: int, op: int) -> bool:
    """The publication of a step is put; False: its task waits for memory."""
    own = tasks(s)[task]
    row = produce_ops(s)[op]
    salt = calls(s)[row.call].salt
    chain, path = link_chain(own.chain, salt, ZERO), link_chain(own.path, salt, ZERO)
    record = new_record(s, row.publisher, own.request, chain, path, flow_of(s, task))
    broker = topics(s)[publishers(s)[row.publisher].topic].broker
    if brokers(s)[broker].transacts:
        made = produced_records(s)[record]
        made.member = member_in_transaction(s, task, broker)
        made.transaction = members(s)[made.member].transactions if made.member >= 0 else 0
    return put(s, task, record, own.replica)


@by_address
@handler
def wait_for_record(s: State, task: int) -> None:
    """Its task is woken when it is acknowledged, or given up."""
    row = produced_records(s)[tasks(s)[task].record]
    row.task = task
    row.ticket = tasks(s)[task].ticket


@by_address
@handler
def put_row(s: State, task: int, outbox: int) -> bool:
    """The next row of a batch of a relay is put; False: that waits for memory."""
    row = outboxes(s)[outbox]
    if row.taken == 0:
        row.following = row.first
    sent = outbox_rows(s)[row.following]
    path = link_chain(sent.path, row.salt, ZERO)
    record = new_record(s, row.publisher, sent.request, chain_of(s, outbox, row.following), path, sent.flow)
    produced_records(s)[record].held += 1
    pending(s)[outbox * s.largest_batch + row.taken] = record
    row.taken += 1
    row.following = sent.next
    return put(s, task, record, row.replica)


@by_address
@handler
def must_hear(s: State, task: int, outbox: int) -> bool:
    """Whether a relay has to wait for the next of its records."""
    row = outboxes(s)[outbox]
    record = pending(s)[outbox * s.largest_batch + row.heard]
    acks = producer_settings(s)[publishers(s)[row.publisher].settings].acks
    if produced_records(s)[record].outcome >= 0 or acks == NO_ACKS:
        return NO
    tasks(s)[task].record = record
    wait_for_record(s, task)
    return YES


@by_address
@handler
def are_acknowledged(s: State, outbox: int) -> bool:
    """Whether all records of the batch of a relay are, as far as that is heard; it needs them no more."""
    row = outboxes(s)[outbox]
    well = YES
    for index in range(row.taken):
        if produced_records(s)[pending(s)[outbox * s.largest_batch + index]].outcome > OK:
            well = NO
    release_records(s, outbox)
    return well


@compiled
def release_records(s: State, outbox: int) -> None:
    """A relay needs none of its records any more."""
    row = outboxes(s)[outbox]
    for index in range(row.taken):
        let_go_of_record(s, pending(s)[outbox * s.largest_batch + index])
    row.taken = 0
