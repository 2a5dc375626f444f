"""What becomes of the batches of producers, as in `models/logs/producer.py`: acknowledged, sent again, or given up."""

from __future__ import annotations

import math

from sim.chance.compiler import compiled
from sim.chance.keyed import uniform
from sim.compiled.apart import by_address
from sim.compiled.base import NO, NONE, YES, handler
from sim.compiled.batch_lines import end_life, forget_line, leave_line, line_at, stand_first, stand_in_sequence
from sim.compiled.calendar import make_ready
from sim.compiled.codes import OK, TIMEOUT, UNREACHABLE
from sim.compiled.held_requests import let_go_of_batch, let_go_of_request, plan
from sim.compiled.lists import unlink
from sim.compiled.node_connections import close_connection, forget_unread, on_its_way_back
from sim.compiled.produce_requests import (
    arrive,
    chain_of_batch,
    handle,
    hear_of_replicas,
    publisher_of,
    read_on,
    way,
)
from sim.compiled.producer_deadlines import is_oldest_due, look_again, take_oldest
from sim.compiled.producer_events import (
    ARRIVED,
    EXPIRY,
    HANDLED,
    LOST_NODE,
    PURPOSE_BITS,
    READ_ON,
    SENT,
    TIME_OUT,
    WOKEN,
)
from sim.compiled.producing import takes, unblock
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import draws
from sim.compiled.rows.producers import (
    batches,
    built_ins,
    give_back_producer_wake,
    node_connections,
    open_lines,
    produce_requests,
    produced_records,
    producer_settings,
    producer_turns,
    producer_wakes,
    producers,
    publishers,
    requested_batches,
)
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.sending import drain
from sim.compiled.tasks import done
from sim.compiled.transactions import FENCED
from sim.policies import retry

client_pause = retry.client_pause.compiled

# -- events ------------------------------------------------------------------------------------------------------------


@by_address
@handler
def happen_at_producer(s: State, index: int, before: float) -> None:
    """An event of a producer has come; the clock showed `before` at the one before it."""
    purpose, place = index & ((1 << PURPOSE_BITS) - 1), index >> PURPOSE_BITS
    if purpose == WOKEN:
        woken(s, place)
    elif purpose == EXPIRY:
        s.now = max(before, producer_settings(s)[place].deliveries.due)
        expire_batches(s, place)
    elif purpose == TIME_OUT:
        s.now = max(before, producer_settings(s)[place].answers.due)
        time_out_requests(s, place)
    else:
        happen_to_request(s, purpose, place)


@handler
def happen_to_request(s: State, purpose: int, request: int) -> None:
    """It is at its broker, or its answer is there."""
    row = produce_requests(s)[request]
    if purpose == ARRIVED:
        arrive(s, request)
    elif purpose == HANDLED:
        handle(s, request)
    elif purpose == READ_ON:
        read_on(s, request)
    elif purpose == SENT:
        answered(s, request, OK)
    elif purpose == LOST_NODE:
        if row.epoch == node_connections(s)[row.connection].epoch:
            disconnect(s, request)
    elif not row.over:
        row.over = True
        if row.throttle > 0.0 and producers(s)[row.producer].life == row.life:
            node_connections(s)[row.connection].silent_until = s.now + row.throttle
        answered(s, request, NONE)
    let_go_of_request(s, request)


@handler
def woken(s: State, wake: int) -> None:
    """It looks whether something is ready."""
    row = producer_wakes(s)[wake]
    producer, life = row.producer, row.life
    give_back_producer_wake(s, wake)
    own = producers(s)[producer]
    if own.life != life:
        return
    if s.now >= own.woken_at:
        own.woken_at = math.inf
    drain(s, producer)


@by_address
@handler
def stand_in_for_request(s: State, task: int) -> None:
    """The turn of who waits for replicas in the place of a request."""
    hear_of_replicas(s, task)


@handler
def expire_batches(s: State, place: int) -> None:
    """Give up all that have had their time, and wait for the next that may."""
    line = producer_settings(s)[place].deliveries
    while is_oldest_due(batches(s), line, s.now):
        batch = take_oldest(batches(s), line)
        if not batches(s)[batch].over:
            expire_batch(s, batch)
        let_go_of_batch(s, batch)
    look_again(s, batches(s), line, EXPIRY, place)


@handler
def time_out_requests(s: State, place: int) -> None:
    """Wait no longer for all that have had their time, and wait for the next that may."""
    line = producer_settings(s)[place].answers
    while is_oldest_due(produce_requests(s), line, s.now):
        request = take_oldest(produce_requests(s), line)
        if not produce_requests(s)[request].over:
            disconnect(s, request)
        let_go_of_request(s, request)
    look_again(s, produce_requests(s), line, TIME_OUT, place)


# -- what becomes of them ----------------------------------------------------------------------------------------------


@by_address
@handler
def answered(s: State, request: int, outcome: int) -> None:
    """An answer has come, or none is waited for; `outcome` of all its batches, -1: each has its own."""
    row = produce_requests(s)[request]
    producer = row.producer
    if producers(s)[producer].life != row.life:
        return
    connection = node_connections(s)[row.connection]
    unlink(produce_requests(s), connection.under_way, request)
    connection.count -= 1
    hear(s, request, outcome)
    drain(s, producer)


@by_address
@handler
def hear(s: State, request: int, outcome: int) -> None:
    """What became of the batches of a request."""
    entry = produce_requests(s)[request].first
    while entry >= 0:
        its = requested_batches(s)[entry]
        if not batches(s)[its.batch].over:
            how = its.outcome if outcome < 0 else outcome
            if how in (OK, FENCED):
                end_batch(s, its.batch, how)
            else:
                send_again(s, its.batch)
        entry = its.next


@handler
def disconnect(s: State, request: int) -> None:
    """A request is waited for no longer: nor are the others of its connection."""
    own = produce_requests(s)[request]
    own.over = True
    if producers(s)[own.producer].life != own.life:
        return
    failed = node_connections(s)[own.connection].under_way.first
    close_connection(s, own.connection)
    while failed >= 0:
        row = produce_requests(s)[failed]
        row.over = True
        hear(s, failed, TIMEOUT if failed == request else UNREACHABLE)
        failed = row.next
    drain(s, own.producer)


@compiled
def lose_node(s: State, producer: int, node: int) -> None:
    """What a node was asked is gone with it; of a connection on which nothing is under way there is nothing to hear."""
    place = producers(s)[producer].first_connection + node
    connection = node_connections(s)[place]
    request = connection.under_way.first
    if request < 0:
        close_connection(s, place)
    elif not connection.broken:
        connection.broken = True
        forget_unread(s, place)
        delay = way(s, request, publishers(s)[publisher_of(s, request)].back)
        if delay >= 0.0:
            plan(s, LOST_NODE, request, on_its_way_back(s, place, delay))


@handler
def send_again(s: State, batch: int) -> None:
    """Put it back for another try, after a pause."""
    row = batches(s)[batch]
    settings = producer_settings(s)[producers(s)[row.producer].settings]
    entity = requests(s)[produced_records(s)[row.records.first].request].id
    luck = uniform(draws(s)[settings.chance].key, entity, chain_of_batch(s, batch))
    row.due = s.now + client_pause(row.attempts, settings.retry_backoff, settings.retry_backoff_max, luck)
    row.attempts += 1
    line = line_at(s, row.producer, row.partition)
    if settings.idempotent:
        stand_in_sequence(s, line, batch)
    else:
        stand_first(s, line, batch)


@handler
def expire_batch(s: State, batch: int) -> None:
    """It has had its time."""
    producer = batches(s)[batch].producer
    leave_line(s, line_at(s, producer, batches(s)[batch].partition), batch)
    end_batch(s, batch, TIMEOUT)
    drain(s, producer)


@by_address
@handler
def end_batch(s: State, batch: int, outcome: int) -> None:
    """All its records are acknowledged, or given up, and there is room for others."""
    row = batches(s)[batch]
    producer = row.producer
    own = producers(s)[producer]
    unlink(batches(s), own.live, batch)
    end_life(s, line_at(s, producer, row.partition), batch)
    row.over = True
    own.free += max(row.size, producer_settings(s)[own.settings].batch)
    end_records(s, batch, outcome, YES)
    let_go_of_batch(s, batch)
    while own.blocked.first >= 0 and takes(s, producer, tasks(s)[own.blocked.first].record):
        wake_blocked(s, own.blocked.first, OK)


@by_address
@handler
def wake_blocked(s: State, task: int, outcome: int) -> None:
    """Who waits for memory has some, or does not wait any longer (TimeoutException, max.block.ms)."""
    unblock(s, task)
    tasks(s)[task].outcome = outcome
    make_ready(s, task)


@handler
def end_records(s: State, batch: int, outcome: int, heard: bool) -> None:
    """Tell whoever still waits for a record of a batch."""
    record = batches(s)[batch].records.first
    while record >= 0:
        row = produced_records(s)[record]
        row.outcome = outcome
        if heard and row.task >= 0 and tasks(s)[row.task].ticket == row.ticket:
            tasks(s)[row.task].outcome = outcome
            make_ready(s, row.task)
        row.task = NOBODY
        done(s, row.request)
        record = row.next


# -- the end of a producer ---------------------------------------------------------------------------------------------


@compiled
def close_producer(s: State, place: int) -> None:
    """Its replica is gone, with what was not sent."""
    own = producers(s)[place]
    batch = own.live.first
    while batch >= 0:
        following = batches(s)[batch].next
        batches(s)[batch].over = True
        end_records(s, batch, UNREACHABLE, NO)
        let_go_of_batch(s, batch)
        batch = following
    own.live.first = NOBODY
    own.live.last = NOBODY
    forget_lines(s, place)
    for node in range(producer_settings(s)[own.settings].nodes):
        close_connection(s, own.first_connection + node)
        node_connections(s)[own.first_connection + node].silent_until = 0.0
        node_connections(s)[own.first_connection + node].no_room = NOBODY
    forget_blocked(s, place)
    own.there = False
    own.life += 1
    unlink(producers(s), producer_settings(s)[own.settings].there, place)


@handler
def forget_lines(s: State, place: int) -> None:
    """What it had for each partition, and where it was in each topic."""
    own = producers(s)[place]
    line = own.first_open
    while line >= 0:
        row = open_lines(s)[line]
        forget_line(s, line)
        line = row.next
    own.first_open = NOBODY
    own.last_open = NOBODY
    for index in range(producer_settings(s)[own.settings].topics):
        built_ins(s)[own.first_built_in + index].partition = -1
        built_ins(s)[own.first_built_in + index].produced = 0.0
        producer_turns(s)[own.first_built_in + index] = 0


@handler
def forget_blocked(s: State, place: int) -> None:
    """Nobody waits for its memory."""
    own = producers(s)[place]
    task = own.blocked.first
    while task >= 0:
        produced_records(s)[tasks(s)[task].record].blocked = False
        task = tasks(s)[task].next
    own.blocked.first = NOBODY
    own.blocked.last = NOBODY
    own.waiting = 0
