"""What is published to a topic with nodes or transactions: `models/logs/replicated.py` and `requests.py` once more.

Every record is written by the leader of its partition, and comes to the followers one after the other. Nodes that go
and come are Python (`nodes.py`), and so is who is out of sync (`replicas.py`).
"""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, handler, is_known, whole
from sim.compiled.calendar import OF_NODES, ORDER, ORDINARY, put_ready, schedule
from sim.compiled.codes import ERROR, ISR_EXPANDED, LOST, OK, UNREACHABLE
from sim.compiled.events import log
from sim.compiled.placing import which_partition
from sim.compiled.rows.calls import targets
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.logs import (
    brokers,
    copies,
    fates,
    give_back_lack,
    give_back_shipment,
    group_of,
    groups,
    lacks,
    members,
    messages,
    nodes,
    partitions,
    shipments,
    site_sizes,
    take_lack,
    take_shipment,
    topics,
)
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import REPLICATION, flow_of, keep_note
from sim.compiled.topics import ALL, new_delivery, readable, release, replication_time, write_down
from sim.compiled.transactions import end_unread, join_transaction, known, stand_unstable
from sim.policies import log_times

until_look = log_times.until_look.compiled

NODE_BITS = 32  # of which node was asked, below how often it had been lost
SHIPPED, ALONE = map(whole, range(2))  # what an event is about: a follower has a record, or all that there are


# -- the request -------------------------------------------------------------------------------------------------------


@by_address
@handler
def place_of(s: State, topic: int, key: int, producer: int, request: int, chain: int) -> int:
    """The partition of a message of this producer."""
    return topics(s)[topic].first + which_partition(s, topic, key, producer, request, chain)


@by_address
@handler
def refusal(s: State, place: int) -> int:
    """What a producer hears at once: nobody leads, too few replicas are in sync for `acks: all`, or OK."""
    partition = partitions(s)[place]
    topic = topics(s)[partition.topic]
    broker = brokers(s)[topic.broker]
    if broker.down > 0 or partition.leader < 0:
        return UNREACHABLE
    return ERROR if broker.acks == ALL and partition.in_sync < topic.min_insync else OK


@by_address
@handler
def ask(s: State, task: int, place: int, site: int) -> float:
    """Seconds until the node that leads has done with a request of one place that publishes there."""
    partition = partitions(s)[place]
    topic, node = topics(s)[partition.topic], copies(s)[partition.leader].node
    tasks(s)[task].undecided = nodes(s)[node].life << NODE_BITS | node
    return busy_with(s, topic.broker, node, site_sizes(s)[topic.sizes + site])


@by_address
@handler
def refusal_of_asked(s: State, task: int, place: int) -> int:
    """What a producer hears when the node that it asked has time: what that had been asked is gone with it."""
    asked = tasks(s)[task].undecided
    node, life = asked & ((1 << NODE_BITS) - 1), asked >> NODE_BITS
    return refusal(s, place) if nodes(s)[node].life == life else UNREACHABLE


@by_address
@handler
def busy_with(s: State, place: int, node_at: int, size: float) -> float:
    """Seconds until a node of a broker has done with a request that brings so many bytes to be written."""
    broker, node = brokers(s)[place], nodes(s)[node_at]
    if not broker.limited:
        return 0.0
    at = s.now
    if broker.requests > 0.0:
        at = node.free_requests = max(node.free_requests, at) + broker.requests
    if broker.network > 0.0:
        at = node.free_network = max(node.free_network, at) + size / broker.network
    if broker.disk > 0.0:
        at = node.free_disk = max(node.free_disk, at) + size / broker.disk * node.slow
    return at - s.now


@by_address
@handler
def write(
    s: State,
    topic: int,
    place: int,
    site: int,
    request: int,
    chain: int,
    path: int,
    flow: int,
    transaction: int,
) -> int:
    """The leader of a partition has an event; its followers will. Its publisher looks at the message again."""
    message = lead_on(s, topic, place, site, request, chain, path, flow, transaction)
    follow(s, message)
    return message


@handler
def lead_on(
    s: State,
    topic: int,
    place: int,
    site: int,
    request: int,
    chain: int,
    path: int,
    flow: int,
    transaction: int,
) -> int:
    """The leader has it."""
    message = write_down(s, topic, place, site, request, chain, path, flow, 2)  # its replication, and its publisher
    join_transaction(s, message, transaction)
    return message


@by_address
@handler
def follow(s: State, first: int) -> None:
    """Followers fetch what was written together, from this message on, as one, and have it at one time."""
    made = messages(s)[first]
    place = made.partition
    seconds = replication_time(s, made.topic, requests(s)[made.request].id, made.chain)
    if topics(s)[made.topic].copies == 1:
        replicate_alone(s, first, seconds)
    else:
        spread(s, place, made.offset, seconds)
        advance(s, place)
    message = first
    while s.spans and message >= 0:
        row = messages(s)[message]
        if not is_known(row.available):
            keep_note(s, row.request, row.flow, REPLICATION, topics(s)[row.topic].name, 0.0, NONE)
        message = row.next


@by_address
@handler
def write_publication(s: State, publication: int) -> int:
    """The leader has what was published; what its transaction has of it already is not written twice."""
    own = tasks(s)[publication]
    target = targets(s)[own.target]
    transaction = NONE
    if own.transaction > 0:
        transaction = members(s)[own.member].transaction
        message = known(s, transaction, target.topic, target.site, own.path)
        if message >= 0:
            messages(s)[message].left += 1
            return message
    flow = flow_of(s, publication)
    return write(s, target.topic, own.partition, target.site, own.request, own.chain, own.path, flow, transaction)


# -- what the publisher waits for --------------------------------------------------------------------------------------


@handler
def waits_for(s: State, task: int, message: int) -> bool:
    """Under acks: all the publisher waits until the message is readable; False: it is already, or never will be."""
    row = messages(s)[message]
    if is_known(row.available) or fates(s)[message].lost:
        return False
    tasks(s)[task].before = row.waiter  # an earlier try, which may be waited for no longer
    row.waiter = task
    tasks(s)[task].held += 1
    return True


@handler
def wake_earlier(s: State, task: int) -> None:
    """Who waited for the same message before."""
    if tasks(s)[task].before >= 0:
        put_ready(s, tasks(s)[task].before)  # held while it waited: its turn takes that over


@by_address
@handler
def answer_of(s: State, message: int) -> int:
    """OK; ERROR where too few replicas are in sync by now; UNREACHABLE where the leader is gone."""
    row = messages(s)[message]
    if not is_known(row.available):
        return UNREACHABLE
    return ERROR if partitions(s)[row.partition].in_sync < topics(s)[row.topic].min_insync else OK


@handler
def acknowledge(s: State, message: int) -> None:
    """Its publisher hears that it has arrived, whether or not others have it already."""
    fates(s)[message].acknowledged = not is_known(messages(s)[message].available)


# -- replicas ----------------------------------------------------------------------------------------------------------


@handler
def replicate_alone(s: State, message: int, seconds: float) -> None:
    """Of a topic with one replica of each partition: from this message on they are safe after a while, or at once."""
    partition = partitions(s)[messages(s)[message].partition]
    copies(s)[partition.first_copy].end = partition.end
    partition.mark = partition.end
    while message >= 0:
        following = messages(s)[message].next
        if seconds > 0.0:
            schedule(s, ORDINARY, seconds, OF_NODES, message << 1 | ALONE)
        else:
            replicated_in_depth(s, message)
        message = following


@handler
def spread(s: State, at: int, offset: int, seconds: float) -> None:
    """The leader of a partition has what was written from an offset on, and sends it to its followers."""
    partition = partitions(s)[at]
    first = partition.first_copy
    for place in range(first, first + topics(s)[partition.topic].copies):
        copy = copies(s)[place]
        if place == partition.leader:
            copy.end = partition.end
            continue
        node = nodes(s)[copy.node]
        if node.down == 0 or copy.in_sync:  # who is gone for good need not remember each record that it lacks
            for lacking in range(offset, partition.end):
                add_lack(s, place, lacking)
        if node.down == 0:
            ship(s, place, partition.end, seconds * node.slow)


@handler
def add_lack(s: State, place: int, offset: int) -> None:
    """A replica does not have this record."""
    copy = copies(s)[place]
    lack = take_lack(s)
    lacks(s)[lack].offset = offset
    lacks(s)[lack].written = s.now
    lacks(s)[lack].next = NOBODY
    if copy.last < 0:
        copy.first = lack
    else:
        lacks(s)[copy.last].next = lack
    copy.last = lack


@compiled
def ship(s: State, place: int, end: int, delay: float) -> None:
    """The follower has all before `end` after this time, and after what is under way to it."""
    copy = copies(s)[place]
    copy.due = max(copy.due, s.now + delay)
    if copy.due <= s.now:
        arrived(s, place, end)
        return
    shipment = take_shipment(s)
    row = shipments(s)[shipment]
    row.copy = place
    row.end = end
    row.life = copy.life
    schedule(s, ORDINARY, copy.due - s.now, OF_NODES, shipment << 1 | SHIPPED)
    look_at_replicas_later(s, partitions(s)[copy.partition].topic)


@compiled
def look_at_replicas_later(s: State, place: int) -> None:
    """Python looks at who is behind, every half of the longest lag."""
    topic = topics(s)[place]
    if not topic.looks:
        topic.looks = True
        schedule(s, ORDINARY, until_look(s.now, topic.look_every), ORDER, topic.look)


@by_address
@handler
def happen_at_node(s: State, index: int) -> None:
    """An event of a log with nodes."""
    if index & 1 == ALONE:
        replicated_in_depth(s, index >> 1)
        return
    row = shipments(s)[index >> 1]
    place, end, life = row.copy, row.end, row.life
    give_back_shipment(s, index >> 1)
    if copies(s)[place].life == life:
        arrived(s, place, end)


@compiled
def arrived(s: State, place: int, end: int) -> None:
    """A follower has all before `end`; one that has caught up is in sync again."""
    copy = copies(s)[place]
    copy.end = max(copy.end, end)
    while copy.first >= 0 and lacks(s)[copy.first].offset < copy.end:
        drop_lack(s, place)
    partition = partitions(s)[copy.partition]
    if not copy.in_sync and partition.leader >= 0 and copy.end >= partition.mark:
        copy.in_sync = True
        partition.in_sync += 1
        log(s, ISR_EXPANDED, nodes(s)[copy.node].subject, topics(s)[partition.topic].about, 1.0)
    advance(s, copy.partition)


@compiled
def drop_lack(s: State, place: int) -> None:
    """A replica lacks the first of the records no more that it lacked."""
    copy = copies(s)[place]
    lack = copy.first
    copy.first = lacks(s)[lack].next
    if copy.first < 0:
        copy.last = NOBODY
    give_back_lack(s, lack)


@compiled
def advance(s: State, place: int) -> None:
    """The high watermark goes to where all in-sync replicas are, as long as enough of them are."""
    partition = partitions(s)[place]
    count = topics(s)[partition.topic].copies
    if partition.leader < 0 or partition.in_sync < topics(s)[partition.topic].min_insync or count == 1:
        return
    mark = partition.end
    for copy in range(partition.first_copy, partition.first_copy + count):
        if copies(s)[copy].in_sync:
            mark = min(mark, copies(s)[copy].end)
    partition.mark = max(partition.mark, mark)
    while partition.first >= 0 and messages(s)[partition.first].offset < partition.mark:
        replicated_in_depth(s, partition.first)


@compiled
def replicated_in_depth(s: State, message: int) -> None:
    """Followers have it: the high watermark passes all replicated records at the head of the partition."""
    messages(s)[message].replicated = True
    partition = partitions(s)[messages(s)[message].partition]
    topic = topics(s)[messages(s)[message].topic]
    while partition.first >= 0 and messages(s)[partition.first].replicated:
        head = partition.first
        row = messages(s)[head]
        partition.first = row.next
        if partition.first < 0:
            partition.last = NOBODY
        row.available = s.now
        fates(s)[head].acknowledged = False
        for index in range(topic.first_group, topic.first_group + topic.groups):
            group = group_of(s)[index]
            if groups(s)[group].committed_only:
                stand_unstable(s, group, head)
            else:
                readable(s, group, head)
        if row.waiter >= 0:
            put_ready(s, row.waiter)  # held while it waited: its turn takes that over
            row.waiter = NOBODY
        release(s, head)


# -- what is lost ------------------------------------------------------------------------------------------------------


@compiled
def leave_waiting(s: State, message: int) -> None:
    """Who waits for it is told that its leader is gone."""
    row = messages(s)[message]
    if row.waiter >= 0:
        put_ready(s, row.waiter)  # held while it waited: its turn takes that over
        row.waiter = NOBODY


@compiled
def cut_off(s: State, place: int, first: int) -> None:
    """What nobody has read yet is lost from this offset on; who waits for it is told."""
    partition = partitions(s)[place]
    last, message = NONE, partition.first
    while message >= 0 and messages(s)[message].offset < first:
        last, message = message, messages(s)[message].next
    partition.last = last
    if last < 0:
        partition.first = NOBODY
    else:
        messages(s)[last].next = NOBODY
    while message >= 0:
        following = messages(s)[message].next
        lose(s, message)
        message = following


@handler
def lose(s: State, message: int) -> None:
    """It ends for all groups."""
    fate, topic = fates(s)[message], topics(s)[messages(s)[message].topic]
    topic.lost += int(fate.acknowledged)
    fate.acknowledged = False
    fate.lost = True
    leave_waiting(s, message)
    for index in range(topic.first_group, topic.first_group + topic.groups):
        group = groups(s)[group_of(s)[index]]
        end_unread(s, new_delivery(s, message, group.first + messages(s)[message].partition - topic.first), LOST)
    release(s, message)
