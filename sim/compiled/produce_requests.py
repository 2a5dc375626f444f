"""Requests of producers, from their broker's side: `ProduceRequest` of `models/logs/produce_request.py` once more.

Everything here names its request as long as it needs it, and a request its batches (`held_requests.py`): they may be
over for their producer long before.
"""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, ZERO, handler
from sim.compiled.batch_lines import is_early
from sim.compiled.calendar import put_ready
from sim.compiled.codes import ERROR, OK, UNREACHABLE
from sim.compiled.held_requests import close_again, keep_open, let_go_of_request, plan
from sim.compiled.leaders import acknowledge, answer_of, busy_with, follow, lead_on
from sim.compiled.network import hop_delay
from sim.compiled.node_connections import on_its_way, on_its_way_back, stand_unread, take_unread
from sim.compiled.producer_deadlines import is_oldest_over, take_oldest, wait_until
from sim.compiled.producer_events import ANSWERED, ARRIVED, HANDLED, READ_ON, SENT, TIME_OUT
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.logs import brokers, copies, fates, members, messages, nodes, partitions, topics
from sim.compiled.rows.producers import (
    batches,
    client_quotas,
    node_connections,
    produce_requests,
    produced_records,
    producer_settings,
    producers,
    publishers,
    quota_rings,
    requested_batches,
)
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.compiled.tasks import HEARS_OF_REPLICAS, forget, new_task
from sim.compiled.topics import ALL, NO_ACKS, append_after, is_available, release, replication_time
from sim.compiled.transactions import FENCED, is_fenced
from sim.policies import client_quota

throttle_time = client_quota.throttle_time.compiled

# -- there -------------------------------------------------------------------------------------------------------------


@by_address
@handler
def go(s: State, request: int) -> None:
    """On its way; whoever hears nothing in time sends again."""
    row = produce_requests(s)[request]
    settings = producer_settings(s)[producers(s)[row.producer].settings]
    keep_open(s, request)
    if settings.acks != NO_ACKS:
        wait_for_answer(s, request)
    delay = way(s, request, publishers(s)[publisher_of(s, request)].out)
    if delay < 0.0:
        close_again(s, request)
    else:
        delay = on_its_way(s, row.connection, delay)
        if delay > 0.0:
            plan(s, ARRIVED, request, delay)
        else:
            arrive(s, request)
    if settings.acks == NO_ACKS:
        row.over = True
        plan(s, SENT, request, 0.0)


@handler
def publisher_of(s: State, request: int) -> int:
    """Of its first record, by which its way is drawn."""
    first = requested_batches(s)[produce_requests(s)[request].first].batch
    return produced_records(s)[batches(s)[first].records.first].publisher


@handler
def way(s: State, request: int, hop: int) -> float:
    """Seconds on the way, or on the way back; negative: it is lost."""
    if hop < 0:
        return 0.0
    batch = requested_batches(s)[produce_requests(s)[request].first].batch
    first = produced_records(s)[batches(s)[batch].records.first]
    return hop_delay(s, hop, requests(s)[first.request].id, chain_of_batch(s, batch))


@handler
def chain_of_batch(s: State, batch: int) -> int:
    """Of its present try."""
    row = batches(s)[batch]
    chain = produced_records(s)[row.records.first].chain
    return link_chain(chain, ZERO, row.attempts) if row.attempts else chain


@handler
def wait_for_answer(s: State, request: int) -> None:
    """Look when it has waited for too long; those that are over go now."""
    place = producers(s)[produce_requests(s)[request].producer].settings
    settings = producer_settings(s)[place]
    line = settings.answers
    while is_oldest_over(produce_requests(s), line):
        let_go_of_request(s, take_oldest(produce_requests(s), line))
    wait_until(s, produce_requests(s), line, request, s.now + settings.request_timeout, TIME_OUT, place)


# -- at the broker -----------------------------------------------------------------------------------------------------


@handler
def arrive(s: State, request: int) -> None:
    """Its node reads it when those before it on the connection are answered, or nobody is there."""
    row = produce_requests(s)[request]
    connection = node_connections(s)[row.connection]
    if connection.broken and row.epoch == connection.epoch:
        close_again(s, request)
    elif nobody_there(s, request):
        refuse(s, request)
    elif row.epoch != connection.epoch:
        begin(s, request)  # its client has closed the connection: nothing is behind it
    elif connection.busy:
        stand_unread(s, request)
    else:
        connection.busy = True
        begin(s, request)


@handler
def nobody_there(s: State, request: int) -> bool:
    """Whether its broker, or its node, is down."""
    row = produce_requests(s)[request]
    broker = producer_settings(s)[producers(s)[row.producer].settings].broker
    return brokers(s)[broker].down > 0 or nodes(s)[row.node].down > 0


@handler
def refuse(s: State, request: int) -> None:
    """Nobody is there."""
    entry = produce_requests(s)[request].first
    while entry >= 0:
        requested_batches(s)[entry].outcome = UNREACHABLE
        entry = requested_batches(s)[entry].next
    answer_request(s, request)


@handler
def begin(s: State, request: int) -> None:
    """Its node has read it, and is at it."""
    row = produce_requests(s)[request]
    row.read = True
    row.node_life = nodes(s)[row.node].life
    delay = busy_with(s, producer_settings(s)[producers(s)[row.producer].settings].broker, row.node, row.size)
    if delay > 0.0:
        plan(s, HANDLED, request, delay)
    else:
        handle(s, request)


@handler
def read_on(s: State, request: int) -> None:
    """The request behind one that is answered, where its connection is still open."""
    row = produce_requests(s)[request]
    connection = node_connections(s)[row.connection]
    if row.epoch != connection.epoch:
        return
    if connection.unread >= 0:
        following = take_unread(s, row.connection)
        begin(s, following)
        let_go_of_request(s, following)
    else:
        connection.busy = False


@handler
def is_gone(s: State, request: int) -> bool:
    """Whether it was lost with the node that had read it."""
    row = produce_requests(s)[request]
    return row.read and row.node_life != nodes(s)[row.node].life


@by_address
@handler
def handle(s: State, request: int) -> None:
    """Write what is not known already, and wait for what `acks` asks for."""
    row = produce_requests(s)[request]
    if is_gone(s, request):
        close_again(s, request)
        return
    entry = row.first
    while entry >= 0:
        outcome = write_batch(s, request, requested_batches(s)[entry].batch)
        if outcome != OK:
            requested_batches(s)[entry].outcome = outcome
            row.unsettled -= 1
        entry = requested_batches(s)[entry].next
    entry = row.first
    while entry >= 0:
        following = requested_batches(s)[entry].next
        if requested_batches(s)[entry].outcome < 0:
            wait_for_acks(s, entry)
        entry = following
    if row.unsettled == 0 and not row.told:
        answer_request(s, request)


@handler
def write_batch(s: State, request: int, batch: int) -> int:
    """OK: the broker has it; else what it refuses it for."""
    row = produce_requests(s)[request]
    settings = producer_settings(s)[producers(s)[row.producer].settings]
    outcome = refusal_of(s, batch, settings.acks)
    if outcome != OK:
        return outcome
    if leader_of(s, batch) != row.node:
        return UNREACHABLE  # NOT_LEADER_OR_FOLLOWER
    its = batches(s)[batch]
    if its.transaction > 0 and is_fenced(s, its.member, its.transaction):
        return FENCED
    if settings.idempotent and is_known_again(s, batch):
        return OK
    if settings.idempotent and row.life == producers(s)[row.producer].life and is_early(s, batch):
        return ERROR
    append_batch(s, batch, settings.acks)
    return OK


@handler
def refusal_of(s: State, batch: int, acks: int) -> int:
    """What is heard at once: nobody leads, too few replicas are in sync for `acks: all`, or OK."""
    row = batches(s)[batch]
    topic, partition = topics(s)[row.topic], partitions(s)[row.partition]
    if brokers(s)[topic.broker].down or leader_of(s, batch) < 0:
        return UNREACHABLE
    return ERROR if topic.deep and acks == ALL and partition.in_sync < topic.min_insync else OK


@handler
def leader_of(s: State, batch: int) -> int:
    """The node that leads its partition; -1: nobody does. Where nodes make no difference there is one."""
    row = batches(s)[batch]
    if not topics(s)[row.topic].deep:
        return producer_settings(s)[producers(s)[row.producer].settings].first_node
    leader = partitions(s)[row.partition].leader
    return copies(s)[leader].node if leader >= 0 else NONE


@handler
def is_known_again(s: State, batch: int) -> bool:
    """Whether the broker has it already, and nothing of it was lost meanwhile: its last record were, too."""
    return batches(s)[batch].message >= 0 and not is_lost(s, batch)


@handler
def append_batch(s: State, batch: int, acks: int) -> None:
    """Write its records, of which the last is kept for whoever waits for it."""
    row = batches(s)[batch]
    if row.message >= 0:
        release(s, row.message)
    if topics(s)[row.topic].deep:
        append_in_depth(s, batch, acks)
        return
    delay, record = -1.0, row.records.first
    while record >= 0:
        sent = produced_records(s)[record]
        chain = chain_in_batch(s, batch, record)
        if delay < 0.0:
            delay = replication_time(s, row.topic, requests(s)[sent.request].id, chain)
        site, kept = publishers(s)[sent.publisher].site, sent.next < 0
        row.message = append_after(
            s, row.topic, row.partition, site, sent.request, chain, sent.path, kept, sent.flow, delay
        )
        record = sent.next


@handler
def chain_in_batch(s: State, batch: int, record: int) -> int:
    """Of one of its records at its present try."""
    chain, attempts = produced_records(s)[record].chain, batches(s)[batch].attempts
    return link_chain(chain, ZERO, attempts) if attempts else chain


@handler
def append_in_depth(s: State, batch: int, acks: int) -> None:
    """The leader has its records, and its followers will have them together."""
    row = batches(s)[batch]
    transaction = members(s)[row.member].transaction if row.transaction > 0 else NONE
    first, record = NONE, row.records.first
    while record >= 0:
        sent = produced_records(s)[record]
        chain, site = chain_in_batch(s, batch, record), publishers(s)[sent.publisher].site
        row.message = lead_on(s, row.topic, row.partition, site, sent.request, chain, sent.path, sent.flow, transaction)
        first = row.message if first < 0 else first
        record = sent.next
    follow(s, first)
    while first >= 0:
        following = messages(s)[first].next if first != row.message else NONE
        if acks != ALL:
            acknowledge(s, first)
        if first != row.message:
            release(s, first)
        first = following


@handler
def wait_for_acks(s: State, entry: int) -> None:
    """Whoever stands in for the request is woken when all replicas have the last record of the batch."""
    own = requested_batches(s)[entry]
    batch = batches(s)[own.batch]
    if producer_settings(s)[producers(s)[batch.producer].settings].acks != ALL or is_available(s, batch.message):
        settle(s, entry, OK)
    else:
        task = new_task(s, NOBODY, ZERO, ZERO, NOBODY, producers(s)[batch.producer].replica)
        tasks(s)[task].on_wake = HEARS_OF_REPLICAS
        tasks(s)[task].phase = entry
        tasks(s)[task].held += 1
        own.before = messages(s)[batch.message].waiter
        messages(s)[batch.message].waiter = task
        produce_requests(s)[own.request].held += 1


@handler
def hear_of_replicas(s: State, task: int) -> None:
    """All replicas have it, or its broker is down."""
    entry = tasks(s)[task].phase
    own = requested_batches(s)[entry]
    if own.before >= 0:
        put_ready(s, own.before)  # held while it waited: its turn takes that over
    forget(s, task)
    settle(s, entry, heard_of(s, own.batch))
    let_go_of_request(s, own.request)


@handler
def is_lost(s: State, batch: int) -> bool:
    """Whether its last record is, with the leader that alone had it."""
    row = batches(s)[batch]
    return topics(s)[row.topic].deep and fates(s)[row.message].lost


@handler
def heard_of(s: State, batch: int) -> int:
    """Under `acks: all`: OK; ERROR where too few replicas are in sync by now; UNREACHABLE where the leader is gone."""
    row = batches(s)[batch]
    if topics(s)[row.topic].deep:
        return answer_of(s, row.message)
    return OK if is_available(s, row.message) else UNREACHABLE


@handler
def settle(s: State, entry: int, outcome: int) -> None:
    """What became of a batch is known; when that is so of all, it is answered."""
    own = requested_batches(s)[entry]
    own.outcome = outcome
    row = produce_requests(s)[own.request]
    row.unsettled -= 1
    if row.unsettled == 0:
        answer_request(s, own.request)


@by_address
@handler
def answer_request(s: State, request: int) -> None:
    """What became of all of them, as soon as the last is known."""
    row = produce_requests(s)[request]
    if is_gone(s, request):
        close_again(s, request)
        return
    row.told = True
    throttle = 0.0 if nobody_there(s, request) else throttle_of(s, request)
    delay = way(s, request, publishers(s)[publisher_of(s, request)].back)
    if delay >= 0.0 and producer_settings(s)[producers(s)[row.producer].settings].acks != NO_ACKS:
        row.throttle = throttle
        if row.epoch == node_connections(s)[row.connection].epoch:
            delay = on_its_way_back(s, row.connection, delay)
        plan(s, ANSWERED, request, delay)
    close_again(s, request)
    connection = node_connections(s)[row.connection]
    if not row.read or row.epoch != connection.epoch:
        return
    if throttle > 0.0 or connection.unread >= 0:
        plan(s, READ_ON, request, throttle)
    else:
        connection.busy = False


@handler
def throttle_of(s: State, request: int) -> float:
    """Seconds for which its node reads no more of its client, and that sends nothing, for a quota."""
    row = produce_requests(s)[request]
    settings = producer_settings(s)[producers(s)[row.producer].settings]
    if settings.first_quota < 0:
        return 0.0
    client = (row.node - settings.first_node) * settings.hosts + replicas(s)[producers(s)[row.producer].replica].host
    ring = rows_from(quota_rings(s), settings.quota_ring + client * settings.quota_ring_size)
    return throttle_time(client_quotas(s)[settings.first_quota + client], ring, s.now, row.size)
