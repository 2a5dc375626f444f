"""How a member of a group fetches its batches: the first half of `models/consumer.py` once more."""

from __future__ import annotations

from sim.compiled.base import handler, inlined
from sim.compiled.calendar import wait_for_lane
from sim.compiled.consumers import is_offline
from sim.compiled.fetching import end_fetches, is_here, look_at_fetches
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
    if row.partitions == 0:
        return
    if row.turn >= row.partitions:  # it held more when it polled last
        row.turn = row.turn % row.partitions
    room, place = row.max_poll, row.turn
    if row.fetcher >= 0:
        look_at_fetches(s, member)
    for _ in range(row.partitions):
        name = held(s)[row.first_held + place]
        place = next_place(place, row.partitions)
        partition = group_partitions(s)[name]
        if partition.owner != member:
            continue
        if partition.obstructed and is_offline(s, name, row.latest):
            continue
        room = fetch(s, member, partition.retries, room)
        if row.fetcher < 0 or is_here(s, name, member):
            room = fetch(s, member, partition.waiting, room)
    row.turn = next_place(row.turn, row.partitions)
    if row.fetcher >= 0:
        end_fetches(s, member)


@inlined
def next_place(place: int, count: int) -> int:
    """The place after this one of so many, round and round; a division at each would be much of what a poll takes."""
    return place + 1 if place + 1 < count else 0


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
