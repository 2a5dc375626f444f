"""Consumer groups: `models/consumer.py` once more, cut where a member waits."""

from __future__ import annotations

import math

from sim.chance.chain import link_chain
from sim.chance.compiler import compiled
from sim.compiled.calendar import DUE, ORDINARY, schedule
from sim.compiled.calls import JUMP, NEXT, PARK
from sim.compiled.lists import add_first, add_last, unlink
from sim.compiled.memory import find, note_task, remember
from sim.compiled.places import park, struck
from sim.compiled.spans import END, LAG, RETRY_TOPIC, keep_note, no_flow
from sim.compiled.state import (
    MESSAGE_ENDS,
    NONE,
    ZERO,
    State,
    brokers,
    delays,
    deliveries,
    flows,
    group_ended,
    group_lanes,
    groups,
    handler,
    hosts,
    members,
    message_rows,
    messages,
    replicas,
    requests,
    slots,
    topics,
    whole,
    wires,
)
from sim.compiled.tasks import done
from sim.compiled.topics import QUEUED, free_delivery, notify
from sim.vocabulary import MessageEnd, Outcome

OK, REFUSED = whole(Outcome.OK), whole(Outcome.REFUSED)
PROCESSED, DEAD_LETTERED = whole(MessageEnd.PROCESSED), whole(MessageEnd.DEAD_LETTERED)
REDELIVERIES_AT_ONCE = whole(1 << 16)  # in place, between two returns to Python

# -- lists --------------------------------------------------------------------------------------------------------------------


@handler
def into_batch(s: State, member: int, delivery: int) -> None:
    """Append to the batch of a member."""
    row = members(s)[member]
    add_last(deliveries(s), row.batch_last, delivery)
    row.batch_last = delivery
    if row.batch_first < 0:
        row.batch_first = delivery


@handler
def out_of_batch(s: State, member: int, delivery: int) -> None:
    """Take one out of the batch."""
    row = members(s)[member]
    own = deliveries(s)[delivery]
    unlink(deliveries(s), delivery)
    if row.batch_first == delivery:
        row.batch_first = own.next
    if row.batch_last == delivery:
        row.batch_last = own.previous


@handler
def into_retries(s: State, lane: int, delivery: int) -> None:
    """Append to what is due in the retry topic."""
    row = group_lanes(s)[lane]
    add_last(deliveries(s), row.retries_last, delivery)
    row.retries_last = delivery
    if row.retries_first < 0:
        row.retries_first = delivery


# -- poll ---------------------------------------------------------------------------------------------------------------------


@handler
def cut_off(s: State, member: int) -> bool:
    """The member cannot reach its broker."""
    row = members(s)[member]
    return brokers(s)[row.broker].down > 0 or wires(s)[row.wire].cuts > 0


@handler
def wait_for_broker(s: State, broker: int, task: int) -> None:
    """Wait until the broker is there again."""
    row = brokers(s)[broker]
    row.last = note_task(s, row.last, task)
    if row.first < 0:
        row.first = row.last
    slots(s)[task].held += 1


@handler
def poll(s: State, task: int) -> int:
    """Up to max_poll records, due retries first, partition after partition in turn."""
    own = slots(s)[task]
    member = own.member
    row = members(s)[member]
    if replicas(s)[own.replica].hung and own.phase == 0:
        park(s, task)
        return PARK
    own.phase = 1
    if cut_off(s, member):
        wait_for_broker(s, row.broker, task)
        return PARK
    own.phase = 0
    room = row.max_poll
    for turn in range(row.lanes):
        lane = group_lanes(s)[row.first_lane + (row.turn + turn) % row.lanes]
        if lane.owner != member:
            continue
        while lane.retries_first >= 0 and room > 0:
            delivery = lane.retries_first
            lane.retries_first = deliveries(s)[delivery].next
            if lane.retries_first < 0:
                lane.retries_last = -1
            else:
                deliveries(s)[lane.retries_first].previous = -1
            into_batch(s, member, delivery)
            room -= 1
        while lane.first >= 0 and room > 0:
            delivery = lane.first
            lane.first = deliveries(s)[delivery].next
            if lane.first < 0:
                lane.last = -1
            else:
                deliveries(s)[lane.first].previous = -1
            into_batch(s, member, delivery)
            room -= 1
    if row.lanes > 0:
        row.turn = (row.turn + 1) % row.lanes
    if row.batch_first < 0:
        row.idle = 1
        return PARK
    row.processing = 1
    row.busy_area -= s.now
    group = groups(s)[row.group]
    group.busy += 1
    group.busy_area -= s.now
    row.following = row.batch_first
    return NEXT


# -- one record after the other -------------------------------------------------------------------------------------------------


@handler
def take_next(s: State, task: int) -> int:
    """The next record of the batch; JUMP, to the commit, when there is none."""
    member = members(s)[slots(s)[task].member]
    delivery = member.following
    if delivery < 0:
        return JUMP
    member.current = delivery
    member.following = deliveries(s)[delivery].next
    return NEXT


@handler
def deliver_record(s: State, task: int) -> int:
    """Hand the record to the steps (NEXT), or know its outcome already (JUMP)."""
    own = slots(s)[task]
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
    own.degraded = 0
    own.outcome = 0
    if s.spans:
        flows(s)[task].number = delivery.flow
    if member.idempotent and find(s, group.space + message.site, requests(s)[own.request].id) >= 0:
        return JUMP
    if hosts(s)[member.host].errors_on:
        own.outcome = struck(s, member.host, task, member.salt)
        if own.outcome:
            return JUMP
    return NEXT


@handler
def record_over(s: State, task: int) -> int:
    """The steps have ended. NEXT: the record has ended too, or goes to a retry topic; JUMP: it is delivered again in place."""
    own = slots(s)[task]
    member = members(s)[own.member]
    place = member.current
    delivery = deliveries(s)[place]
    if s.spans:
        no_flow(s, task)
    if own.outcome in (OK, REFUSED):
        delivery.how = PROCESSED
        delivery.end = s.now
        if member.idempotent:
            space = groups(s)[member.group].space + messages(s)[delivery.message].site
            entity = requests(s)[own.request].id
            if find(s, space, entity) < 0:
                remember(s, space, entity)
        return NEXT
    delivery.failures += 1
    if member.retry_topic < 0:
        if delivery.count >= member.max_deliveries:
            delivery.how = DEAD_LETTERED
            delivery.end = s.now
            return NEXT
        s.dallied += 1
        if s.dallied >= REDELIVERIES_AT_ONCE:
            s.short = 1  # back to Python, which looks whether time goes on
        return JUMP
    out_of_batch(s, own.member, place)
    commit_before(s, own.member, place)
    if delivery.failures > member.retry_topic:
        end_delivery(s, member.group, place, DEAD_LETTERED)
    else:
        group = groups(s)[member.group]
        add_last(deliveries(s), group.delayed_last, place)
        group.delayed_last = place
        note(s, member.group, place, RETRY_TOPIC)
        if group.delayed_first < 0:
            group.delayed_first = place
        schedule(s, ORDINARY, delays(s)[member.retries_first + delivery.failures - 1], DUE, place)
    return NEXT


@handler
def note(s: State, group: int, delivery: int, kind: int) -> None:
    """What becomes of a delivery from now on, where spans are kept."""
    if s.spans:
        row = deliveries(s)[delivery]
        keep_note(s, messages(s)[row.message].request, row.flow, kind, groups(s)[group].name, 0.0, NONE)


@handler
def commit_before(s: State, member: int, failed: int) -> None:
    """Commit at a record that moves on to the next retry topic: an offset, so what was processed before it in its topic has ended too."""
    row = members(s)[member]
    moved = deliveries(s)[failed]
    group_lanes(s)[moved.lane].committed = 1
    delivery = row.batch_first
    while delivery >= 0:
        own = deliveries(s)[delivery]
        following = own.next
        if own.lane == moved.lane and own.failures == moved.failures - 1 and own.how == PROCESSED:
            out_of_batch(s, member, delivery)
            end_delivery(s, row.group, delivery, PROCESSED)
        delivery = following


@handler
def commit(s: State, task: int) -> int:
    """Commit the batch: its messages have ended for the group."""
    own = slots(s)[task]
    member = members(s)[own.member]
    if cut_off(s, own.member):
        wait_for_broker(s, member.broker, task)
        return PARK
    delivery = member.batch_first
    while delivery >= 0:
        following = deliveries(s)[delivery].next
        group_lanes(s)[deliveries(s)[delivery].lane].committed = 1
        end_delivery(s, member.group, delivery, deliveries(s)[delivery].how)
        delivery = following
    member.batch_first = -1
    member.batch_last = -1
    rest(s, own.member)
    return NEXT


@handler
def rest(s: State, member: int) -> None:
    """The batch is over, one way or another."""
    row = members(s)[member]
    row.processing = 0
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
    row = message_rows(s)[s.message_rows]
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
    row.deliveries = min(count, 32767)
    row.how = how
    s.message_rows += 1
    if s.message_rows >= s.message_rows_most:
        s.short = 1


@handler
def due(s: State, delivery: int) -> None:
    """The delay in the retry topic is over."""
    row = deliveries(s)[delivery]
    group = groups(s)[group_lanes(s)[row.lane].group]
    unlink(deliveries(s), delivery)
    if group.delayed_first == delivery:
        group.delayed_first = row.next
    if group.delayed_last == delivery:
        group.delayed_last = row.previous
    note(s, group_lanes(s)[row.lane].group, delivery, LAG)
    into_retries(s, row.lane, delivery)
    notify(s, row.lane, row.message)


@compiled
def put_back(s: State, member: int) -> None:
    """The process is gone: what it polled and did not commit will be delivered again, in the same order."""
    row = members(s)[member]
    if row.processing:
        rest(s, member)
    row.idle = 0
    delivery = row.batch_last
    while delivery >= 0:
        previous = deliveries(s)[delivery].previous
        own = deliveries(s)[delivery]
        if own.how == PROCESSED:
            own.how = QUEUED
            own.end = math.nan
        lane = group_lanes(s)[own.lane]
        if own.failures > 0 and row.retry_topic >= 0:
            add_first(deliveries(s), lane.retries_first, delivery)
            lane.retries_first = delivery
            if lane.retries_last < 0:
                lane.retries_last = delivery
        else:
            add_first(deliveries(s), lane.first, delivery)
            lane.first = delivery
            if lane.last < 0:
                lane.last = delivery
        note(s, row.group, delivery, LAG)
        delivery = previous
    row.batch_first = -1
    row.batch_last = -1
