"""Topics of a log broker: `models/topic.py` once more."""

from __future__ import annotations

import math

from sim.chance.compiler import compiled
from sim.chance.table import draw
from sim.compiled.base import NONE, handler, inlined, is_known, whole
from sim.compiled.calendar import ORDINARY, REPLICATED, hold, make_ready, put_ready, schedule
from sim.compiled.codes import QUEUED
from sim.compiled.fetching import enough
from sim.compiled.keeping import keep_record
from sim.compiled.lists import add_last
from sim.compiled.network import travel
from sim.compiled.placing import which_partition
from sim.compiled.rows.calls import wires
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import draws, numbers
from sim.compiled.rows.logs import (
    deliveries,
    give_back_delivery,
    give_back_message,
    group_of,
    group_partitions,
    groups,
    members,
    messages,
    partitions,
    take_delivery,
    take_message,
    topics,
)
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import LAG, REPLICATION, follow, keep_note

NO_ACKS, LEADER, ALL = map(whole, range(3))


# -- lists of deliveries -----------------------------------------------------------------------------------------------


@handler
def new_delivery(s: State, message: int, partition: int) -> int:
    """A message on its way through one group."""
    delivery = take_delivery(s)
    row = deliveries(s)[delivery]
    row.message = message
    row.partition = partition
    row.count = 0
    row.failures = 0
    row.how = QUEUED
    row.end = math.nan
    row.kept = 0
    return delivery


@handler
def release(s: State, message: int) -> None:
    """One thing less that needs the message: a delivery, its replication, a publisher that waits."""
    row = messages(s)[message]
    row.left -= 1
    if row.left == 0:
        give_back_message(s, message)


@handler
def free_delivery(s: State, delivery: int) -> None:
    """It has ended; a message that nothing needs any more is forgotten too."""
    row = deliveries(s)[delivery]
    if row.kept > 0:
        row.kept = -row.kept
        return
    message = row.message
    give_back_delivery(s, delivery)
    release(s, message)


# -- publication -------------------------------------------------------------------------------------------------------


@handler
def append(
    s: State, topic: int, key: int, site: int, producer: int, request: int, chain: int, path: int, kept: bool, flow: int
) -> int:
    """Write an event of this producer to the log."""
    partition = topics(s)[topic].first + which_partition(s, topic, key, producer, request, chain)
    return append_to(s, topic, partition, site, request, chain, path, kept, flow)


@handler
def append_to(
    s: State, topic: int, partition: int, site: int, request: int, chain: int, path: int, kept: bool, flow: int
) -> int:
    """Write an event to a partition.

    It is readable when it and all before it in its partition are replicated.
    """
    delay = replication_time(s, topic, requests(s)[request].id, chain)
    return append_after(s, topic, partition, site, request, chain, path, kept, flow, delay)


@compiled
def replication_time(s: State, topic: int, entity: int, chain: int) -> float:
    """Seconds until followers have a record, unless their disks are slow."""
    replication = topics(s)[topic].replication
    return draw(draws(s), numbers(s), replication, entity, chain) if replication >= 0 else 0.0


@handler
def append_after(
    s: State,
    topic: int,
    partition: int,
    site: int,
    request: int,
    chain: int,
    path: int,
    kept: bool,
    flow: int,
    delay: float,
) -> int:
    """Write an event to a partition, which its followers have after so many seconds."""
    looks = 1 + int(kept)  # its replication, and a publisher who looks at it again
    message = write_down(s, topic, partition, site, request, chain, path, flow, looks)
    replicate(s, message, delay)
    if s.spans and not is_known(messages(s)[message].available):
        keep_note(s, request, flow, REPLICATION, topics(s)[topic].name, 0.0, NONE)
    return message


@inlined
def write_down(
    s: State, topic: int, partition: int, site: int, request: int, chain: int, path: int, flow: int, looks: int
) -> int:
    """An event stands in its partition, for each group of the topic. `looks`: how often somebody comes back to it
    beside its deliveries.
    """
    row = topics(s)[topic]
    message = take_message(s)
    made = messages(s)[message]
    made.number = s.next_message
    s.next_message += 1
    made.request = request
    made.topic = topic
    made.site = site
    made.chain = chain
    made.path = path
    made.published = s.now
    made.available = math.nan
    made.replicated = False
    made.waiter = NOBODY
    made.flow = flow
    made.next = NOBODY
    made.left = row.groups + looks
    row.published += 1
    requests(s)[request].alive += row.groups
    made.partition = partition
    if row.keeper >= 0:
        keep_record(s, message)
    into_partition(s, message)
    return message


@handler
def into_partition(s: State, message: int) -> None:
    """It stands behind all that the partition has."""
    made = messages(s)[message]
    partition = partitions(s)[made.partition]
    made.offset = partition.end
    partition.end += 1
    if partition.last < 0:
        partition.first = message
    else:
        messages(s)[partition.last].next = message
    partition.last = message


@handler
def replicate(s: State, message: int, delay: float) -> None:
    """Its followers have it after a while, or at once."""
    if delay > 0.0:
        schedule(s, ORDINARY, delay, REPLICATED, message)
    else:
        replicated(s, message)


@handler
def replicated(s: State, message: int) -> None:
    """Followers have it: the high watermark passes all replicated records at the head of the partition."""
    messages(s)[message].replicated = True
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
    if is_known(row.available):
        return False
    row.waiter = task
    tasks(s)[task].held += 1
    return True


@handler
def is_available(s: State, message: int) -> bool:
    """Whether it is readable."""
    return is_known(messages(s)[message].available)


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
    add_last(deliveries(s), group_partitions(s)[place].waiting, delivery)
    row.lag += 1
    notify(s, place, message)


@compiled
def notify(s: State, lane: int, message: int) -> None:
    """There is something to poll: an idle member has it after one hop."""
    owner = group_partitions(s)[lane].owner
    if owner < 0 or not members(s)[owner].idle:
        return
    member = members(s)[owner]
    if member.fetcher >= 0 and not enough(s, owner):
        return
    member.idle = False
    row = messages(s)[message]
    delay = 0.0
    if wires(s)[member.wire].cuts == 0:
        # what is lost is sent again until it comes; where nothing can come, `poll` waits
        delay = travel(s, member.hop, requests(s)[row.request].id, row.chain)
    if delay > 0.0:
        hold(s, member.task, delay)
    else:
        make_ready(s, member.task)
