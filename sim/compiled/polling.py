"""How a member of a group fetches its batches: the first half of `models/consumer.py` once more."""

from __future__ import annotations

from sim.compiled.base import handler, whole
from sim.compiled.calls import NEXT, PARK
from sim.compiled.lists import add_last, unlink
from sim.compiled.memory import note_task
from sim.compiled.places import park
from sim.compiled.rows.calls import wires
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.logs import brokers, deliveries, group_partitions, groups, members
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State

BEGIN, POLLING = map(whole, range(2))  # phases of a poll

# -- lists -------------------------------------------------------------------------------------------------------------


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
    row = group_partitions(s)[lane]
    add_last(deliveries(s), row.retries_last, delivery)
    row.retries_last = delivery
    if row.retries_first < 0:
        row.retries_first = delivery


# -- poll --------------------------------------------------------------------------------------------------------------


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
    tasks(s)[task].held += 1


@handler
def poll(s: State, task: int) -> int:
    """Fetch a batch (NEXT), or wait until the process is thawed, the broker there, or something to poll."""
    own = tasks(s)[task]
    member = own.member
    row = members(s)[member]
    if replicas(s)[own.replica].hung and own.phase == BEGIN:
        park(s, task)
        return PARK
    own.phase = POLLING
    if cut_off(s, member):
        wait_for_broker(s, row.broker, task)
        return PARK
    own.phase = BEGIN
    fill_batch(s, member)
    if row.batch_first < 0:
        row.idle = True
        return PARK
    row.processing = True
    row.busy_area -= s.now
    group = groups(s)[row.group]
    group.busy += 1
    group.busy_area -= s.now
    row.following = row.batch_first
    return NEXT


@handler
def fill_batch(s: State, member: int) -> None:
    """Up to max_poll records, due retries first, partition after partition in turn."""
    row = members(s)[member]
    room = row.max_poll
    for turn in range(row.partitions):
        place = row.first_partition + (row.turn + turn) % row.partitions
        partition = group_partitions(s)[place]
        if partition.owner != member:
            continue
        while partition.retries_first >= 0 and room > 0:
            fetch_retry(s, member, place)
            room -= 1
        while partition.first >= 0 and room > 0:
            fetch(s, member, place)
            room -= 1
    if row.partitions > 0:
        row.turn = (row.turn + 1) % row.partitions


@handler
def fetch_retry(s: State, member: int, partition: int) -> None:
    """The first that is due in the retry topic goes into the batch."""
    row = group_partitions(s)[partition]
    delivery = row.retries_first
    row.retries_first = deliveries(s)[delivery].next
    if row.retries_first < 0:
        row.retries_last = NOBODY
    else:
        deliveries(s)[row.retries_first].previous = NOBODY
    into_batch(s, member, delivery)


@handler
def fetch(s: State, member: int, partition: int) -> None:
    """The first that waits goes into the batch."""
    row = group_partitions(s)[partition]
    delivery = row.first
    row.first = deliveries(s)[delivery].next
    if row.first < 0:
        row.last = NOBODY
    else:
        deliveries(s)[row.first].previous = NOBODY
    into_batch(s, member, delivery)
