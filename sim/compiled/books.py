"""The books of one run: what was offered has ended, or is found inside by counting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.compiled.base import MESSAGE_ENDS
from sim.compiled.closing import groups_of, unended, unended_letters, unreadable, unstable
from sim.compiled.rows.hosts import ended, hosts, replicas
from sim.compiled.rows.logs import group_ended, topics
from sim.compiled.rows.programs import ops
from sim.compiled.rows.queues import message_queues, queue_ended
from sim.compiled.rows.running import tasks
from sim.compiled.rows.traffic import virtual_users, workloads
from sim.compiled.tasks import ALIVE
from sim.errors import BooksDoNotBalance
from sim.models.closing import traffic_books
from sim.records.tables import Book
from sim.vocabulary import MessageEnd, Outcome

if TYPE_CHECKING:
    from sim.compiled.machine import Machine
    from sim.compiled.rows.hosts import Host
    from sim.records.row_sinks import Kept


def books_of(machine: Machine, kept: Kept) -> tuple[Book, ...]:
    """The accounts of all components. Raises BooksDoNotBalance where a host counts otherwise than its replicas."""
    return (*_of_traffic(machine, kept), *_of_hosts(machine), *_of_topics(machine), *_of_queues(machine))


def _of_traffic(machine: Machine, kept: Kept) -> list[Book]:
    for place, workload in enumerate(machine.wiring.world.workloads):
        row = workloads(machine.s)[place]
        workload.arrived = row.arrived
        if workload.virtual is not None:
            workload.virtual.dropped = virtual_users(machine.s)[row.virtual].dropped
    return traffic_books(machine.wiring.world.workloads, kept)


def _of_hosts(machine: Machine) -> list[Book]:
    books = []
    counts = ended.array(machine.s)
    for place, host in enumerate(machine.wiring.hosts):
        row = hosts(machine.s)[place]
        _check_replicas(machine, host.name, row)
        its_ends = {outcome.word: int(counts[place, outcome]) for outcome in Outcome if counts[place, outcome]}
        books.append(Book(host.name, row.offered, its_ends, _inside(machine, place, row)))
    return books


def _inside(machine: Machine, place: int, row: Host) -> int:
    """Attempts in a host: those that it keeps track of, or its busy workers and those who wait."""
    if not row.tracks:
        free = replicas.array(machine.s)["free"][row.first : row.first + row.count]
        return int((row.workers - free).sum()) + row.queued + row.outside
    every = tasks.array(machine.s)
    there = every[(every["life"] == ALIVE) & (every["inside"] > 0)]
    return int((ops.array(machine.s)["host"][there["entry"]] == place).sum())


def _check_replicas(machine: Machine, name: str, row: Host) -> None:
    mine = replicas.array(machine.s)[row.first : row.first + row.count]
    counted = [int(mine[column].sum()) for column in ("waiting", "backlog")]
    if [row.queued, row.outside] != counted or int(np.min(mine["free"])) < 0:
        raise BooksDoNotBalance(
            f"{name}: {row.queued} and {row.outside} counted in queues and outside, where {counted} are"
        )


def _of_queues(machine: Machine) -> list[Book]:
    """Published = ends + still in the queue or handed out, counted by looking."""
    books = []
    counts = queue_ended.array(machine.s).reshape(-1, MESSAGE_ENDS)
    for queue, place in machine.wiring.queue_at.items():
        its_ends = {end.word: int(counts[place, end]) for end in MessageEnd if counts[place, end]}
        left = len(unended_letters(machine, place))
        books.append(Book(queue.name, message_queues(machine.s)[place].published, its_ends, left))
    return books


def _of_topics(machine: Machine) -> list[Book]:
    """Published x groups = ends + still queued, counted by looking."""
    books = []
    counts = group_ended.array(machine.s)
    for topic, place in machine.wiring.topic_at.items():
        groups = groups_of(machine, place)
        its_ends = {end.word: int(sum(counts[group, end] for group in groups)) for end in MessageEnd}
        left = sum(len(unended(machine, group)) + len(unstable(machine, group)) for group in groups)
        left += len(unreadable(machine, place)) * len(groups)
        offered = topics(machine.s)[place].published * len(groups)
        books.append(Book(topic.name, offered, {word: count for word, count in its_ends.items() if count}, left))
    return books
