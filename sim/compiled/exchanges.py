"""What is published to a queue broker: `models/queues/exchange.py` once more, but for where it waits."""

from __future__ import annotations

import math

from sim.chance.chain import link_chain
from sim.chance.table import draw
from sim.compiled.base import NONE, ZERO, handler, whole
from sim.compiled.letters import (
    add_to_wait,
    begin_wait,
    blocks,
    end_wait,
    new_letter,
    new_publication,
    new_wait,
    node_of,
)
from sim.compiled.places import leave
from sim.compiled.queues import CREDIT, accept
from sim.compiled.relays import chain_of
from sim.compiled.rows.calls import calls, targets
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import draws, hosts, numbers
from sim.compiled.rows.logs import outbox_rows, outboxes
from sim.compiled.rows.queues import (
    batch_sent,
    batch_waits,
    confirm_waits,
    finished,
    letters,
    message_queues,
    publications,
    queue_brokers,
    queue_routes,
    senders,
)
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import flow_of
from sim.models.queues.process import GRANT as GRANTED_AT_ONCE

GRANT = whole(GRANTED_AT_ONCE)


@handler
def is_held_back(s: State, broker: int) -> bool:
    """Whether the broker does not read what has come; one that is down does not either, and says so."""
    return blocks(s, broker) and queue_brokers(s)[broker].down == 0


@handler
def publish(s: State, sender: int, request: int, chain: int, path: int, flow: int, publication: int, node: int) -> None:
    """It has reached the broker, which puts it into each of its queues."""
    row = senders(s)[sender]
    entity = requests(s)[request].id
    expiration = math.inf
    if row.expiration >= 0:
        expiration = draw(draws(s), numbers(s), row.expiration, entity, chain)
    if publication >= 0:
        publications(s)[publication].pending = row.count
        publications(s)[publication].refused = row.mandatory and row.count == 0
    if row.count == 0:
        queue_brokers(s)[row.broker].unroutable += 1
    for index in range(row.first, row.first + row.count):
        letter = new_letter(s, queue_routes(s)[index], request, entity, chain, path)
        made = letters(s)[letter]
        made.flow = flow
        made.site = row.site
        made.address = row.address
        made.expiration = expiration
        made.priority = row.priority
        made.publication = publication
        made.node = node
        made.handed = 0
        made.given_up_by = 0
        accept(s, letter)


@handler
def publish_task(s: State, task: int) -> bool:
    """The same of a task that has come to the broker; whether its publisher waits for confirms."""
    own = tasks(s)[task]
    sender = targets(s)[own.target].sender
    row = senders(s)[sender]
    heard = own.caller != NOBODY
    publication = NONE
    if heard or row.batch >= 0:
        publication = new_publication(s)
    node = node_of(s, row.broker, own.producer)
    publish(s, sender, own.request, own.chain, own.path, flow_of(s, task), publication, node)
    if publication < 0:
        return False
    waiter = NONE
    if row.batch >= 0:
        waiter = batch_waits(s)[row.batch + own.producer]
    if waiter < 0:
        waiter = new_wait(s, row.broker, node)
    add_to_wait(s, waiter, publication)
    if row.batch >= 0:
        batch_waits(s)[row.batch + own.producer] = NONE if heard else waiter
    own.confirm = waiter
    return heard


@handler
def are_confirmed(s: State, waiter: int, task: int) -> bool:
    """Whether a task need not wait for what it has published; else it is woken when that is so."""
    return not begin_wait(s, waiter, task)


@handler
def heard_of(s: State, waiter: int, refused: int, unreachable: int) -> int:
    """The outcome of what was waited for: 0, or one of these."""
    row = confirm_waits(s)[waiter]
    outcome = unreachable if row.broken else refused if row.refused else ZERO
    end_wait(s, waiter)
    return outcome


# -- publishers that wait for no confirms, or once in a batch ----------------------------------------------------------


@handler
def until_credit(s: State, call: int) -> float:
    """Seconds until one more may be sent: at `CREDIT` in line before a queue its senders have none left, and get some
    again when half of them are taken in.
    """
    row = senders(s)[targets(s)[calls(s)[call].target].sender]
    longest = 0.0
    for index in range(row.first, row.first + row.count):
        queue = message_queues(s)[queue_routes(s)[index]]
        if queue.work >= 0 and finished(s)[queue.ring + queue.taken % CREDIT] > s.now:  # the oldest that is remembered
            place = queue.ring + (queue.taken + CREDIT - GRANT - 1) % CREDIT
            longest = max(longest, finished(s)[place] - s.now)
    return longest


@handler
def wait_outside_of_worker(s: State, host: int, task: int) -> None:
    """An event loop gives its worker back before it waits for others."""
    if tasks(s)[task].granted and hosts(s)[host].event_loop:
        leave(s, host, task)


@handler
def is_last_of_batch(s: State, call: int, producer: int, batch: int) -> bool:
    """Count one more message of a producer; whether confirms are waited for with it."""
    row = senders(s)[targets(s)[calls(s)[call].target].sender]
    place = row.batch + producer
    batch_sent(s)[place] += 1
    return batch_sent(s)[place] % batch == 0


# -- relays ------------------------------------------------------------------------------------------------------------


@handler
def publish_rows(s: State, outbox: int, task: int) -> int:
    """Publish the rows of the present batch of an outbox; the wait for all of them."""
    row = outboxes(s)[outbox]
    broker = senders(s)[row.sender].broker
    node = node_of(s, broker, tasks(s)[task].replica)
    waiter = new_wait(s, broker, node)
    row_at = row.first
    for _ in range(row.count):
        sent = outbox_rows(s)[row_at]
        path = link_chain(sent.path, row.salt, ZERO)
        publication = new_publication(s)
        publish(s, row.sender, sent.request, chain_of(s, outbox, row_at), path, sent.flow, publication, node)
        add_to_wait(s, waiter, publication)
        row_at = sent.next
    return waiter
