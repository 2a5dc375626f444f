"""How a member of a group fetches its batches: the first half of `models/consumer.py` once more."""

from __future__ import annotations

from sim.compiled.base import handler
from sim.compiled.calendar import wait_for_lane
from sim.compiled.consumers import is_offline
from sim.compiled.lists import add_last, unlink
from sim.compiled.memory import note_task
from sim.compiled.rows.calls import wires
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.events import timer_lanes
from sim.compiled.rows.logs import DeliveryLine, brokers, deliveries, group_partitions, held, members
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State


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
def fill_batch(s: State, member: int) -> None:
    """Up to max_poll records, due retries first, partition after partition in turn."""
    row = members(s)[member]
    row.following = NOBODY
    room = row.max_poll
    for turn in range(row.partitions):
        partition = group_partitions(s)[held(s)[row.first_held + (row.turn + turn) % row.partitions]]
        if partition.owner != member:
            continue
        if partition.obstructed and is_offline(
            s, held(s)[row.first_held + (row.turn + turn) % row.partitions], row.latest
        ):
            continue
        room = fetch(s, member, partition.retries, room)
        room = fetch(s, member, partition.waiting, room)
    if row.partitions > 0:
        row.turn = (row.turn + 1) % row.partitions


@handler
def watch_batch(s: State, member: int) -> None:
    """Somebody will look for how long it has handled this batch: max_poll_interval."""
    row = members(s)[member]
    row.polled = s.now
    if not row.watched:
        row.watched = True
        wait_for_lane(s, row.patience, s.now + timer_lanes(s)[row.patience].duration)


@handler
def fetch(s: State, member: int, line: DeliveryLine, room: int) -> int:
    """Those who wait in a line go into the batch, as long as there is room; what is left of it."""
    while line.first >= 0 and room > 0:
        delivery = line.first
        unlink(deliveries(s), line, delivery)
        add_last(deliveries(s), members(s)[member].batch, delivery)
        if members(s)[member].following < 0:
            members(s)[member].following = delivery
        room -= 1
    return room
