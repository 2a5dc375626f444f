"""How a member of a group fetches its batches: the first half of `models/consumer.py` once more."""

from __future__ import annotations

from sim.compiled.answers import NEXT, PARK
from sim.compiled.base import handler, whole
from sim.compiled.lists import add_last, unlink
from sim.compiled.memory import note_task
from sim.compiled.places import park
from sim.compiled.rows.calls import wires
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.logs import DeliveryLine, brokers, deliveries, group_partitions, groups, members
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State

BEGIN, POLLING = map(whole, range(2))  # phases of a poll


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
    if row.batch.first < 0:
        row.idle = True
        return PARK
    row.processing = True
    row.busy_area -= s.now
    group = groups(s)[row.group]
    group.busy += 1
    group.busy_area -= s.now
    row.following = row.batch.first
    return NEXT


@handler
def fill_batch(s: State, member: int) -> None:
    """Up to max_poll records, due retries first, partition after partition in turn."""
    row = members(s)[member]
    room = row.max_poll
    for turn in range(row.partitions):
        partition = group_partitions(s)[row.first_partition + (row.turn + turn) % row.partitions]
        if partition.owner != member:
            continue
        room = fetch(s, member, partition.retries, room)
        room = fetch(s, member, partition.waiting, room)
    if row.partitions > 0:
        row.turn = (row.turn + 1) % row.partitions


@handler
def fetch(s: State, member: int, line: DeliveryLine, room: int) -> int:
    """Those who wait in a line go into the batch, as long as there is room; what is left of it."""
    while line.first >= 0 and room > 0:
        delivery = line.first
        unlink(deliveries(s), line, delivery)
        add_last(deliveries(s), members(s)[member].batch, delivery)
        room -= 1
    return room
