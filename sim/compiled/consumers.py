"""Consumer groups: `models/consumer.py` once more, cut where a member waits."""

from __future__ import annotations

import math

import numpy as np

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.compiled.answers import JUMP, NEXT, PARK
from sim.compiled.apart import by_address
from sim.compiled.base import MESSAGE_ENDS, NONE, ZERO, handler, whole
from sim.compiled.calendar import DUE, ORDINARY, ask_python, schedule
from sim.compiled.codes import DEAD_LETTERED, LOST, OK, PROCESSED, QUEUED, REFUSED, SKIPPED
from sim.compiled.lists import add_first, add_last, unlink
from sim.compiled.memory import find, remember
from sim.compiled.places import error_fault_hits
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import hosts
from sim.compiled.rows.logs import (
    delays,
    deliveries,
    group_ended,
    group_partitions,
    groups,
    members,
    messages,
    topics,
)
from sim.compiled.rows.records import append_message_record, message_records
from sim.compiled.rows.running import flows, requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import END, LAG, RETRY_TOPIC, keep_note, no_flow
from sim.compiled.tasks import done
from sim.compiled.topics import free_delivery, notify
from sim.records.tables import MESSAGE

MOST_DELIVERIES = whole(np.iinfo(MESSAGE["deliveries"]).max)  # that a row of the records has room for
REDELIVERIES_AT_ONCE = whole(1 << 16)  # in place, between two returns to Python

# -- one record after the other ----------------------------------------------------------------------------------------


@handler
def take_next(s: State, task: int) -> int:
    """The next record of the batch; JUMP, to the commit, when there is none."""
    member = members(s)[tasks(s)[task].member]
    delivery = member.following
    if delivery < 0:
        member.current = NOBODY
        return JUMP
    member.current = delivery
    member.following = deliveries(s)[delivery].next
    return NEXT


@handler
def deliver_record(s: State, task: int) -> int:
    """Hand the record to the steps (NEXT), or know its outcome already (JUMP)."""
    own = tasks(s)[task]
    member = members(s)[own.member]
    delivery = deliveries(s)[member.current]
    message = messages(s)[delivery.message]
    group = groups(s)[member.group]
    delivery.count += 1
    group.delivered += 1
    if delivery.count > 1:
        group.redelivered += 1
    own.request = message.request
    own.chain = link_chain(message.chain, ZERO, delivery.count - 1)
    own.path = link_chain(message.path, ZERO, ZERO)
    own.degraded = False
    own.outcome = 0
    if s.spans:
        flows(s)[task].number = delivery.flow
    if member.idempotent and find(s, group.space + message.site, requests(s)[own.request].id) >= 0:
        return JUMP
    if hosts(s)[member.host].errors_on:
        own.outcome = error_fault_hits(s, member.host, task, member.salt)
        if own.outcome:
            return JUMP
    return NEXT


@handler
def record_over(s: State, task: int) -> int:
    """The steps have ended.

    NEXT: the record has ended too, or goes to a retry topic; JUMP: it is delivered again in place.
    """
    own = tasks(s)[task]
    member = members(s)[own.member]
    delivery = deliveries(s)[member.current]
    if s.spans:
        no_flow(s, task)
    if member.evicted:  # the record is no longer its own
        ask_python(s, member.errand)
        return PARK
    if own.outcome in (OK, REFUSED):
        delivery.how = PROCESSED
        delivery.end = s.now
        if member.idempotent:
            know_processed(s, task)
        return NEXT
    delivery.failures += 1
    if member.retry_topic >= 0:
        move_to_retry_topic(s, own.member)
        return NEXT
    if delivery.count >= member.max_deliveries:
        delivery.how = DEAD_LETTERED
        delivery.end = s.now
        return NEXT
    s.redeliveries += 1
    if s.redeliveries >= REDELIVERIES_AT_ONCE:
        s.must_grow = True  # back to Python, which looks whether time goes on
    return JUMP


@handler
def know_processed(s: State, task: int) -> None:
    """An idempotent consumer remembers what it has processed."""
    own = tasks(s)[task]
    member = members(s)[own.member]
    space = groups(s)[member.group].space + messages(s)[deliveries(s)[member.current].message].site
    entity = requests(s)[own.request].id
    if find(s, space, entity) < 0:
        remember(s, space, entity)


@handler
def move_to_retry_topic(s: State, member: int) -> None:
    """The record that has failed waits in the next retry topic, or ends as a dead letter behind the last."""
    row = members(s)[member]
    place = row.current
    delivery = deliveries(s)[place]
    unlink(deliveries(s), row.batch, place)
    row.current = NOBODY
    commit_before(s, member, place)
    if delivery.failures > row.retry_topic:
        end_delivery(s, row.group, place, DEAD_LETTERED)
        return
    group = groups(s)[row.group]
    add_last(deliveries(s), group.delayed, place)
    note(s, row.group, place, RETRY_TOPIC)
    schedule(s, ORDINARY, delays(s)[row.retries_first + delivery.failures - 1], DUE, place)


@handler
def note(s: State, group: int, delivery: int, kind: int) -> None:
    """What becomes of a delivery from now on, where spans are kept."""
    if s.spans:
        row = deliveries(s)[delivery]
        keep_note(s, messages(s)[row.message].request, row.flow, kind, groups(s)[group].name, 0.0, NONE)


@handler
def commit_before(s: State, member: int, failed: int) -> None:
    """Commit at a record that moves on to the next retry topic.

    An offset, so what was processed before it in its topic has ended too.
    """
    row = members(s)[member]
    moved = deliveries(s)[failed]
    group_partitions(s)[moved.partition].committed = True
    delivery = row.batch.first
    while delivery >= 0:
        own = deliveries(s)[delivery]
        following = own.next
        if own.partition == moved.partition and own.failures == moved.failures - 1 and own.how == PROCESSED:
            unlink(deliveries(s), row.batch, delivery)
            end_delivery(s, row.group, delivery, PROCESSED)
        delivery = following


@handler
def end_batch(s: State, member: int) -> None:
    """Commit the batch: its messages have ended for the group."""
    row = members(s)[member]
    delivery = row.batch.first
    while delivery >= 0:
        following = deliveries(s)[delivery].next
        group_partitions(s)[deliveries(s)[delivery].partition].committed = True
        end_delivery(s, row.group, delivery, deliveries(s)[delivery].how)
        delivery = following
    row.batch.first = NOBODY
    row.batch.last = NOBODY


@handler
def batch_over(s: State, member: int) -> None:
    """The batch is over, one way or another."""
    row = members(s)[member]
    row.processing = False
    row.evicted = False
    row.current = NOBODY
    row.handled = NOBODY
    row.busy_area += s.now
    group = groups(s)[row.group]
    group.busy -= 1
    group.busy_area += s.now


@compiled
def end_delivery(s: State, group: int, delivery: int, how: int) -> None:
    """The message has ended for this group: its row is written."""
    row = deliveries(s)[delivery]
    if row.how == QUEUED:
        row.how = how
        row.end = s.now
    group_ended(s)[group * MESSAGE_ENDS + row.how] += 1
    groups(s)[group].lag -= 1
    note(s, group, delivery, END)
    write_message(s, row.message, group, row.end, row.count, row.how)
    request = messages(s)[row.message].request
    free_delivery(s, delivery)
    done(s, request)


@compiled
def write_message(s: State, message: int, group: int, end: float, count: int, how: int) -> None:
    """Append the row of a message for one group."""
    row = message_records(s)[append_message_record(s)]
    sent = messages(s)[message]
    topic = topics(s)[sent.topic]
    row.id = sent.number
    row.request = requests(s)[sent.request].id
    row.offset = sent.offset
    row.published = sent.published
    row.available = sent.available
    row.end = end
    row.partition = sent.partition - topic.first
    row.topic = topic.name
    row.group = groups(s)[group].name
    row.deliveries = min(count, MOST_DELIVERIES)
    row.how = how


@handler
def due(s: State, delivery: int) -> None:
    """The delay in the retry topic is over."""
    row = deliveries(s)[delivery]
    group = groups(s)[group_partitions(s)[row.partition].group]
    unlink(deliveries(s), group.delayed, delivery)
    note(s, group_partitions(s)[row.partition].group, delivery, LAG)
    add_last(deliveries(s), group_partitions(s)[row.partition].retries, delivery)
    notify(s, row.partition, row.message)


@compiled
def let_go(s: State, delivery: int) -> None:
    """A member that was evicted is done with a record that others have."""
    row = deliveries(s)[delivery]
    request = messages(s)[row.message].request
    if row.kept > 0:
        row.kept -= 1
    else:
        row.kept += 1
        if row.kept == 0:
            free_delivery(s, delivery)
    done(s, request)


@compiled
def put_back(s: State, member: int, gone: bool) -> None:
    """What it polled and did not commit will be delivered again, in the same order.

    What was committed before is lost. Of one that is gone nothing goes on; one that is evicted goes on with what it has
    in hand.
    """
    row = members(s)[member]
    if gone:
        if row.processing:
            batch_over(s, member)
        row.idle = False
    if row.loses:
        lose_batch(s, member)
        return
    delivery = row.batch.last
    while delivery >= 0:
        previous = deliveries(s)[delivery].previous
        own = deliveries(s)[delivery]
        if own.how == PROCESSED:
            own.how = QUEUED
            own.end = math.nan
        partition = group_partitions(s)[own.partition]
        if own.failures > 0 and row.retry_topic >= 0:
            add_first(deliveries(s), partition.retries, delivery)
        else:
            add_first(deliveries(s), partition.waiting, delivery)
        note(s, row.group, delivery, LAG)
        delivery = previous
    row.batch.first = NOBODY
    row.batch.last = NOBODY


@handler
def lose_batch(s: State, member: int) -> None:
    """What it committed and did not handle is lost."""
    row = members(s)[member]
    delivery = row.batch.first
    row.batch.first = NOBODY
    row.batch.last = NOBODY
    while delivery >= 0:
        following = deliveries(s)[delivery].next
        end_delivery(s, row.group, delivery, LOST)
        delivery = following


# -- what is deleted ---------------------------------------------------------------------------------------------------


@compiled
def end_unpolled(s: State, delivery: int, how: int) -> None:
    """A record ends that nobody has polled."""
    partition = group_partitions(s)[deliveries(s)[delivery].partition]
    unlink(deliveries(s), partition.waiting, delivery)
    end_delivery(s, partition.group, delivery, how)


@by_address
@handler
def is_offline(s: State, place: int, latest: bool) -> bool:
    """Whether nobody leads a partition. Where its next record is deleted, `latest` goes on at its end."""
    partition = group_partitions(s)[place]
    if partition.offline:
        return True
    if partition.out_of_range:
        partition.out_of_range = False
        partition.obstructed = False
        while latest and partition.waiting.first >= 0:
            end_unpolled(s, partition.waiting.first, SKIPPED)
    return False
