"""Nodes of queue brokers that go and come: who leads is decided by the models' own `QueueNodes`; what becomes of
queues, channels and messages is done to rows of this engine, from Python, for it happens rarely.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from sim.chance.compiler import compiled
from sim.compiled import channels, closed_queues
from sim.compiled.apart import by_address
from sim.compiled.letters import INBOUND, WAITING
from sim.compiled.lists import add_last, unlink
from sim.compiled.queues import dispatch, replicate, settled
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.queues import channels as channel_rows
from sim.compiled.rows.queues import connected_to, letters, message_queues, queue_brokers, queue_deliveries
from sim.compiled.rows.state import State
from sim.models.queues.nodes import NOWHERE, QueueNodes
from sim.vocabulary import EventKind

if TYPE_CHECKING:
    from sim.compiled.listeners import Listeners
    from sim.models.queues.queue_broker import QueueBroker


class NodeRows:
    """The nodes of one broker, and what its engine does when they go and come."""

    def __init__(self, listeners: Listeners, broker: QueueBroker):
        self.listeners = listeners
        self.machine = listeners.machine
        self.broker = broker
        self.wiring = self.machine.wiring
        self.place = self.wiring.queue_broker_at[broker]
        self.nodes = QueueNodes(broker.name, broker.spec, self)

    @property
    def s(self) -> State:
        """The state of the run."""
        return self.machine.s

    def _at(self, queue: str) -> int:
        return self.wiring.queue_at[self.broker.queues[queue]]

    def _connect(self) -> None:
        first = queue_brokers(self.s)[self.place].first_node
        table = connected_to(self.s)
        for place, node in enumerate(self.nodes.at):
            table[first + place] = node

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return self.s.now

    def entries(self, queue: str) -> int:
        """Messages of a quorum queue that were committed so far."""
        return message_queues(self.s)[self._at(queue)].entries

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after a while."""
        self.listeners.membership.order_in(seconds, act)

    def tell(self, kind: EventKind, subject: str, about: str, value: int) -> None:
        """Note what has happened."""
        self.machine.log(kind, subject, about, float(value))

    def close(self, queue: str, leader: int) -> None:
        """It takes nothing in and hands nothing out; what a lost leader was to commit waits for the next one."""
        place = self._at(queue)
        closed_queues.close_queue(self.s, place, leader)
        letter = message_queues(self.s)[place].uncommitted.first if leader == NOWHERE else NOBODY
        while letter >= 0:
            row = letters(self.s)[letter]
            stalled, following = row.stalled, row.next
            if not stalled:
                self.listeners.make_room()
                closed_queues.keep_for_the_next(self.s, letter)
            letter = following
        queue_brokers(self.s)[self.place].offline = self.nodes.offline

    def cut(self, node: int) -> None:
        """Connections to a node are gone, and consumers of classic queues that are closed are cancelled."""
        self._connect()
        self.listeners.cut_waits(self.place, node)
        for channel in self.listeners.of(self.place):
            row = channel_rows(self.s)[channel]
            queue = message_queues(self.s)[row.queue]
            if row.open and (row.node == node or (queue.closed and not queue.quorum)):
                self.listeners.make_room()
                channels.disconnect(self.s, channel, True)
                channels.try_later(self.s, channel)

    def drop(self, queue: str, node: int) -> None:
        """What neither this queue nor a channel on a node that is up has is lost."""
        place = self._at(queue)
        self.listeners.make_room()
        if message_queues(self.s)[place].quorum:
            closed_queues.drop_uncommitted(self.s, place, node)
            return
        every = letters.array(self.s)
        there = (every["place"] == WAITING) | (every["place"] == INBOUND)
        found = np.flatnonzero((every["queue"] == place) & there & (every["safe_at"] > self.now))
        unsafe = found[np.argsort(every["offset"][found])].tolist()
        closed_queues.take_out_unsafe(self.s, place)
        for letter in unsafe:
            self.listeners.make_room()
            closed_queues.lose(self.s, letter)

    def reopen(self, queue: str, leader: int) -> None:
        """It goes on."""
        self.listeners.make_room()
        open_queue(self.s, self._at(queue), leader)
        queue_brokers(self.s)[self.place].offline = self.nodes.offline

    def part(self, queue: str, beyond: frozenset[int]) -> None:
        """A queue hears nothing of these nodes."""
        place = self._at(queue)
        row = message_queues(self.s)[place]
        row.beyond = sum(1 << node for node in beyond)
        for letter in self._line(row.uncommitted.first) if row.leader == NOWHERE else ():
            if letters(self.s)[letter].node in beyond:
                closed_queues.part_from(self.s, place, letter)
        for channel in self.listeners.of(self.place):
            its = channel_rows(self.s)[channel]
            if its.open and its.queue == place and its.node in beyond:
                self.listeners.make_room()
                channels.disconnect(self.s, channel, True)
                channels.try_later(self.s, channel)

    def join(self, queue: str) -> None:
        """It hears all again."""
        place = self._at(queue)
        beyond, message_queues(self.s)[place].beyond = message_queues(self.s)[place].beyond, 0
        for letter in self._line(message_queues(self.s)[place].kept.first):
            self.listeners.make_room()
            send_kept(self.s, place, letter)
        for channel in self.listeners.of(self.place) if message_queues(self.s)[place].quorum else ():
            its = channel_rows(self.s)[channel]
            if its.queue == place and beyond >> self.nodes.connected(replicas(self.s)[its.replica].index) & 1:
                self.listeners.make_room()
                channels.reconnect(self.s, channel)

    def lose_kept(self, queue: str, node: int) -> None:
        """What a node kept for it is lost."""
        place = self._at(queue)
        for letter in self._line(message_queues(self.s)[place].kept.first):
            if letters(self.s)[letter].node == node:
                self.listeners.make_room()
                closed_queues.lose_kept(self.s, place, letter)

    def _line(self, letter: int) -> list[int]:
        found = []
        while letter >= 0:
            found.append(letter)
            letter = letters(self.s)[letter].next
        return found

    def slow(self, queue: str, times: float) -> None:
        """Commits take so many times as long."""
        message_queues(self.s)[self._at(queue)].slow = times

    def go_down(self) -> None:
        """No node is left."""
        self.listeners.fail(self.broker)

    def come_up(self) -> None:
        """One is back."""
        self._connect()
        self.listeners.end_failure(self.broker)


@compiled
def send_kept(s: State, place: int, letter: int) -> None:
    """What a channel has kept is sent to the leader, or to the next one."""
    queue, row = message_queues(s)[place], letters(s)[letter]
    unlink(letters(s), queue.kept, letter)
    add_last(letters(s), queue.uncommitted, letter)
    row.stalled = queue.closed
    if not queue.closed:
        replicate(s, letter)


@by_address
@compiled
def open_queue(s: State, place: int, leader: int) -> None:
    """It goes on: what consumers said of deliveries is heard, and what is not committed is sent to its leader."""
    queue = message_queues(s)[place]
    queue.closed = False
    queue.leader = leader
    delivery = queue.stalled_first
    queue.stalled_first = NOBODY
    queue.stalled_last = NOBODY
    while delivery >= 0:
        row = queue_deliveries(s)[delivery]
        following = row.behind
        row.under_way = False
        settled(s, delivery)
        delivery = following
    letter = queue.uncommitted.first
    while letter >= 0:
        following = letters(s)[letter].next
        if letters(s)[letter].stalled:
            letters(s)[letter].stalled = False
            replicate(s, letter)
        letter = following
    dispatch(s, place)
