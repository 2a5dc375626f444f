"""Topics of a log broker: `models/topic.py` once more."""

from __future__ import annotations

import math

from sim.chance.compiler import compiled
from sim.chance.keyed import uniform
from sim.chance.table import draw
from sim.compiled.calendar import ORDINARY, REPLICATED, hold, make_ready, put_ready, schedule
from sim.compiled.lists import add_last
from sim.compiled.network import hop_delay, travel
from sim.compiled.spans import ANSWER, LAG, REPLICATION, follow, keep_note, keep_stage
from sim.compiled.state import (
    NONE,
    ZERO,
    State,
    brokers,
    deliveries,
    draws,
    flows,
    group_lanes,
    group_of,
    groups,
    handler,
    members,
    messages,
    numbers,
    partitions,
    requests,
    slots,
    stickies,
    targets,
    topics,
    whole,
    wires,
)
from sim.compiled.tasks import NOBODY, answer, done, forget
from sim.policies import partitioner
from sim.vocabulary import MessageEnd, Outcome

OK, UNREACHABLE = whole(Outcome.OK), whole(Outcome.UNREACHABLE)
QUEUED = whole(MessageEnd.QUEUED)
BY_ORDER, BY_USER, BY_ITEM, STICKY = map(whole, range(4))
NO_ACKS, LEADER, ALL = map(whole, range(3))
AT_BROKER, REPLICATING, ANSWERING = map(whole, range(3))  # phases of a publication

partition_of, sticky = partitioner.partition_of.compiled, partitioner.sticky.compiled


# -- lists of deliveries ------------------------------------------------------------------------------------------------------


@handler
def new_delivery(s: State, message: int, lane: int) -> int:
    """A message on its way through one group."""
    delivery = s.delivery
    row = deliveries(s)[delivery]
    s.delivery = row.next
    s.deliveries_free -= 1
    row.message = message
    row.lane = lane
    row.count = 0
    row.failures = 0
    row.how = QUEUED
    row.end = math.nan
    return delivery


@handler
def release(s: State, message: int) -> None:
    """One thing less that needs the message: a delivery, its replication, a publisher that waits."""
    row = messages(s)[message]
    row.left -= 1
    if row.left == 0:
        row.next = s.message
        s.message = message
        s.messages_free += 1


@handler
def free_delivery(s: State, delivery: int) -> None:
    """It has ended; a message that nothing needs any more is forgotten too."""
    row = deliveries(s)[delivery]
    message = row.message
    row.next = s.delivery
    s.delivery = delivery
    s.deliveries_free += 1
    release(s, message)


# -- publication --------------------------------------------------------------------------------------------------------------


@handler
def append(s: State, topic: int, key: int, site: int, producer: int, request: int, chain: int, path: int, kept: int, flow: int) -> int:
    """Write an event of this producer to the log; it is readable when it and all before it in its partition are replicated."""
    row = topics(s)[topic]
    asked = requests(s)[request]
    message = s.message
    made = messages(s)[message]
    s.message = made.next
    s.messages_free -= 1
    if s.messages_free < s.messages_margin:
        s.short = 1
    made.number = s.next_message
    s.next_message += 1
    made.request = request
    made.topic = topic
    made.site = site
    made.chain = chain
    made.path = path
    made.published = s.now
    made.available = math.nan
    made.replicated = 0
    made.waiter = -1
    made.flow = flow
    made.next = -1
    row.published += 1
    asked.alive += row.groups
    place = row.first + which_partition(s, topic, key, producer, request, chain)
    made.partition = place
    partition = partitions(s)[place]
    made.offset = partition.end
    partition.end += 1
    if partition.last < 0:
        partition.first = message
    else:
        messages(s)[partition.last].next = message
    partition.last = message
    delay = 0.0
    if row.replication >= 0:
        delay = draw(draws(s), numbers(s), row.replication, asked.id, chain)
    made.left = row.groups + 1 + kept  # its deliveries, its replication, and a publisher who looks at it again
    if delay > 0.0:
        schedule(s, ORDINARY, delay, REPLICATED, message)
    else:
        replicated(s, message)
    if s.spans and made.available != made.available:
        keep_note(s, request, flow, REPLICATION, row.name, 0.0, NONE)
    return message


@handler
def which_partition(s: State, topic: int, key: int, producer: int, request: int, chain: int) -> int:
    """By its key, or where the producer's batch of unkeyed messages stands."""
    row = topics(s)[topic]
    asked = requests(s)[request]
    if row.count == 1:
        return 0
    if key == BY_ORDER:
        return partition_of(asked.id, row.count)
    if key == BY_USER and asked.user >= 0:
        return partition_of(asked.user, row.count)
    if key == BY_ITEM and asked.item >= 0:
        return partition_of(asked.item, row.count)
    return sticky(stickies(s)[topic * s.replica_count + producer], uniform(draws(s)[row.chance].key, asked.id, chain))


@handler
def replicated(s: State, message: int) -> None:
    """Followers have it: the high watermark passes all replicated records at the head of the partition."""
    messages(s)[message].replicated = 1
    partition = partitions(s)[messages(s)[message].partition]
    topic = topics(s)[messages(s)[message].topic]
    while partition.first >= 0 and messages(s)[partition.first].replicated:
        head = partition.first
        row = messages(s)[head]
        partition.first = row.next
        if partition.first < 0:
            partition.last = -1
        row.available = s.now
        for index in range(topic.first_group, topic.first_group + topic.groups):
            readable(s, group_of(s)[index], head)
        if row.waiter >= 0:
            put_ready(s, row.waiter)  # held while it waited: its turn takes that over
            row.waiter = -1
        release(s, head)


@handler
def wait_for_replicas(s: State, task: int, message: int) -> bool:
    """Under acks: all the publisher waits until the message is readable; False: it is already."""
    row = messages(s)[message]
    if row.available == row.available:
        return False
    row.waiter = task
    slots(s)[task].held += 1
    return True


@handler
def readable(s: State, group: int, message: int) -> None:
    """A record has become readable for a group."""
    row = groups(s)[group]
    place = row.first + messages(s)[message].partition - topics(s)[row.topic].first
    delivery = new_delivery(s, message, place)
    if s.spans:
        sent = messages(s)[message]
        flow = follow(s, sent.request, sent.flow, row.name)
        deliveries(s)[delivery].flow = flow
        keep_note(s, sent.request, flow, LAG, row.name, 0.0, NONE)
    lane = group_lanes(s)[place]
    add_last(deliveries(s), lane.last, delivery)
    lane.last = delivery
    if lane.first < 0:
        lane.first = delivery
    row.lag += 1
    notify(s, place, message)


@compiled
def notify(s: State, lane: int, message: int) -> None:
    """There is something to poll: an idle member has it after one hop."""
    owner = group_lanes(s)[lane].owner
    if owner < 0 or members(s)[owner].idle == 0:
        return
    member = members(s)[owner]
    member.idle = 0
    row = messages(s)[message]
    delay = 0.0
    if wires(s)[member.wire].cuts == 0:  # what is lost is sent again until it comes; where nothing can come, `poll` waits
        delay = travel(s, member.hop, requests(s)[row.request].id, row.chain)
    if delay > 0.0:
        hold(s, member.task, delay)
    else:
        make_ready(s, member.task)


@handler
def publication(s: State, task: int) -> None:
    """A publication at the broker: append, wait for what `acks` asks for, and acknowledge."""
    own = slots(s)[task]
    if own.phase == AT_BROKER:
        own.outcome = OK
        target = targets(s)[own.entry]
        topic = topics(s)[target.topic]
        broker = brokers(s)[topic.broker]
        if broker.down:
            own.outcome = UNREACHABLE
            own.where = target.where
        else:
            flow = flows(s)[task].number if s.spans else NONE
            message = append(s, target.topic, target.key, target.site, own.producer, own.request, own.chain, own.path, ZERO, flow)
            if broker.acks == ALL and wait_for_replicas(s, task, message):
                own.phase = REPLICATING
                own.seen = message
                messages(s)[message].left += 1
                return
            if s.spans:
                keep_stage(s, task, ANSWER, target.where, 0.0, NONE)
    elif own.phase == REPLICATING:
        if messages(s)[own.seen].available != messages(s)[own.seen].available:  # the broker has gone down meanwhile
            own.outcome = UNREACHABLE
            own.where = targets(s)[own.entry].where
        if s.spans:
            keep_stage(s, task, ANSWER, targets(s)[own.entry].where, 0.0, NONE)
        release(s, own.seen)
    if own.phase != ANSWERING:
        if own.caller != NOBODY:
            delay = 0.0
            if own.back >= 0:
                delay = hop_delay(s, own.back, requests(s)[own.request].id, own.chain)
            if delay > 0.0:
                own.phase = ANSWERING
                hold(s, task, delay)
                return
            if delay >= 0.0:
                answer(s, task, own.outcome)
            elif own.caller >= 0:
                slots(s)[own.caller].child = -1
    else:
        answer(s, task, own.outcome)
    done(s, own.request)
    forget(s, task)
