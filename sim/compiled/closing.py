"""What is still open when the clock has stopped: its rows are written, as `World` does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.compiled.codes import IN_FLIGHT, QUEUED
from sim.compiled.consumers import write_message
from sim.compiled.flows.calls import LAYERS
from sim.compiled.letters import INBOUND, WAITING, write_letter
from sim.compiled.rows.calls import guards
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import hosts
from sim.compiled.rows.limits import limits
from sim.compiled.rows.logs import deliveries, group_of, group_partitions, groups, members, messages, partitions, topics
from sim.compiled.rows.queues import channels, letters, message_queues, queue_deliveries
from sim.compiled.rows.running import requests
from sim.compiled.rows.tables import Table
from sim.compiled.spans import keep_span
from sim.compiled.tasks import close_open
from sim.models.unnoticed import end_of_spell, in_order
from sim.vocabulary import EventKind

if TYPE_CHECKING:
    from sim.compiled.machine import Machine
    from sim.compiled.rows.logs import Delivery, Message
    from sim.compiled.rows.queues import Letter, QueueDelivery

    Linked = TypeVar("Linked", Message, Delivery, Letter, QueueDelivery)


def close_all(machine: Machine) -> None:
    """Messages, spans, requests, and the spells that nobody has told the end of."""
    _close_messages(machine)
    _close_spans(machine)
    _close_requests(machine)
    _tell_what_nobody_noticed(machine)
    machine.flush()


def events_of(machine: Machine) -> NDArray[np.void]:
    """The event log, its subjects named."""
    rows = machine.events()
    name, subjects = machine.wiring.world.recorder.name, machine.wiring.subjects
    for row in rows:
        row["subject"] = name(subjects[row["subject"]])
        row["object"] = name(subjects[row["object"]]) if row["object"] >= 0 else -1
    return in_order(rows)


# -- messages ----------------------------------------------------------------------------------------------------------


def groups_of(machine: Machine, topic: int) -> list[int]:
    """The groups of a topic."""
    row = topics(machine.s)[topic]
    return [group_of(machine.s)[place] for place in range(row.first_group, row.first_group + row.groups)]


def unreadable(machine: Machine, topic: int) -> list[int]:
    """The messages of a topic that are not readable yet, partition by partition."""
    row = topics(machine.s)[topic]
    firsts = [partitions(machine.s)[place].first for place in range(row.first, row.first + row.count)]
    return [message for first in firsts for message in _chain(machine, messages, first)]


def unended(machine: Machine, group: int) -> list[int]:
    """Waiting, due, in a batch, or delayed, in the order in which `Group.unended` finds them."""
    s, wiring = machine.s, machine.wiring
    row = groups(s)[group]
    found: list[int] = []
    for place in range(row.first, row.first + len(wiring.groups[group].partitions)):
        partition = group_partitions(s)[place]
        found += _chain(machine, deliveries, partition.waiting.first)
        found += _chain(machine, deliveries, partition.retries.first)
    for member in wiring.groups[group].members:
        found += _chain(machine, deliveries, members(s)[wiring.member_at[member]].batch.first)
    return found + _chain(machine, deliveries, row.delayed.first)


def unstable(machine: Machine, group: int) -> list[int]:
    """Deliveries of records that only a transaction keeps from being readable, partition by partition."""
    row = groups(machine.s)[group]
    places = range(row.first, row.first + len(machine.wiring.groups[group].partitions))
    firsts = [group_partitions(machine.s)[place].unstable.first for place in places]
    return [delivery for first in firsts for delivery in _chain(machine, deliveries, first)]


def _close_messages(machine: Machine) -> None:
    """Write the rows of messages that have not ended."""
    _close_topics(machine)
    for queue in range(len(machine.wiring.queue_at)):
        for letter in unended_letters(machine, queue):
            if machine.s.must_grow:
                machine.grow()
            write_letter(machine.s, letter, math.nan, QUEUED)


def _close_topics(machine: Machine) -> None:
    for topic in range(len(machine.wiring.topic_at)):
        its_groups = groups_of(machine, topic)
        for group in its_groups:
            for place in unended(machine, group):
                delivery = deliveries(machine.s)[place]
                _write(machine, delivery.message, group, delivery.count)
            for place in unstable(machine, group):
                _write(machine, deliveries(machine.s)[place].message, group, 0)
        for message in unreadable(machine, topic):
            for group in its_groups:
                _write(machine, message, group, 0)


def unended_letters(machine: Machine, queue: int) -> list[int]:
    """The messages in a queue, in the order in which `Queue.write_unended` finds them."""
    every, row = letters.array(machine.s), message_queues(machine.s)[queue]
    here = every["queue"] == queue

    def those(place: int, by: str) -> list[int]:
        found = np.flatnonzero(here & (every["place"] == place))
        return [int(letter) for letter in found[np.argsort(every[by][found], kind="stable")]]

    back, new = (_chain(machine, letters, line.first) for line in (row.back, row.new))
    returned = [letter for letter in those(WAITING, "order") if letter not in {*back, *new}]
    waiting = [*back, *returned, *new]
    inbound = those(INBOUND, "offset")
    uncommitted, kept = (_chain(machine, letters, line.first) for line in (row.uncommitted, row.kept))
    return [*waiting, *inbound, *uncommitted, *kept, *_handed_out(machine, queue)]


def _handed_out(machine: Machine, queue: int) -> list[int]:
    """In the order in which they were."""
    s = machine.s
    its = [channels(s)[place] for place in range(len(machine.wiring.channel_at)) if channels(s)[place].queue == queue]
    handed = [place for row in its for place in _chain(machine, queue_deliveries, row.handed.first)]

    def turn(place: int) -> tuple[bool, int]:
        delivery = queue_deliveries(s)[place]
        return channels(s)[delivery.channel].automatic, delivery.number

    handed.sort(key=turn)
    return [queue_deliveries(s)[place].letter for place in handed]


def _write(machine: Machine, message: int, group: int, count: int) -> None:
    if machine.s.must_grow:
        machine.grow()
    write_message(machine.s, message, group, math.nan, count, QUEUED)


def _chain(machine: Machine, table: Table[Linked], first: int) -> list[int]:
    found = []
    while first >= 0:
        found.append(first)
        first = table(machine.s)[first].next
    return found


# -- attempts and requests ---------------------------------------------------------------------------------------------


def _close_spans(machine: Machine) -> None:
    """Attempts that are still inside have spans without an end."""
    if not machine.s.spans:
        return
    machine.grow()  # then there is room for the spans of all tasks
    for host in range(len(machine.wiring.hosts)):
        for replica in machine.control.replicas(host):
            for task in machine.control.inside(replica):
                keep_span(machine.s, task, IN_FLIGHT, math.nan)


def _close_requests(machine: Machine) -> None:
    """Write the rows of requests that are still open, in the order in which they arrived."""
    s, every = machine.s, requests.array(machine.s)
    still_open = np.flatnonzero(every["open"])
    in_order = still_open[np.argsort(every["number"][still_open], kind="stable")]
    every["next"][in_order] = np.append(in_order[1:], NOBODY)  # no place of theirs is in the list of free ones
    request = int(in_order[0]) if in_order.size else NOBODY
    while request >= 0:
        if s.must_grow:
            machine.grow()
        request = close_open(s, request)


def _tell_what_nobody_noticed(machine: Machine) -> None:
    wiring, s = machine.wiring, machine.s
    for place, host in enumerate(wiring.hosts):
        row = hosts(s)[place]
        machine.tell(end_of_spell(EventKind.SHEDDING_ENDED, row.shedding, row.last_shed, s.now, host.name))
        overflow = EventKind.LISTEN_OVERFLOW_ENDED
        machine.tell(end_of_spell(overflow, row.overflowing, row.last_overflow, s.now, host.name))
    for place, found in enumerate(wiring.limit_tables.models):
        limit = limits(s)[place]
        ended = end_of_spell(EventKind.LIMITING_ENDED, limit.limiting, limit.last, s.now, found.owner, found.label)
        machine.tell(ended)
    for name, guard in wiring.world.calls.holders():
        if (at := wiring.guard_tables.place_of(guard)) is not None:
            for layer in LAYERS:
                layer.unnoticed(machine, guards(s)[at], name, guard.about)
