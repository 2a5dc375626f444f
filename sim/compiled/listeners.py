"""Consumers of queues come and go, and what befalls their broker, in Python, for it happens rarely.

As in `models/queues/channel.py` and `queue_broker.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sim.compiled import calendar, channels, letters
from sim.compiled.queue_events import PURPOSE_BITS, RECONNECT
from sim.compiled.queue_nodes import NodeRows
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.hosts import replicas
from sim.compiled.rows.queues import channels as channel_rows
from sim.compiled.rows.queues import confirm_waits, message_queues, queue_brokers
from sim.compiled.rows.running import tasks
from sim.vocabulary import EventKind

if TYPE_CHECKING:
    from sim.compiled.membership import Membership
    from sim.compiled.rows.state import State
    from sim.models.queues.queue_broker import QueueBroker


class Listeners:
    """The consumers of queues of one run, and their brokers."""

    def __init__(self, membership: Membership):
        self.membership = membership
        self.machine = membership.machine
        self.wiring = membership.wiring
        self.failed_at: dict[int, float] = {}  # s; brokers from which all consumers are cut off
        self.slowdowns: dict[int, list[float]] = {}  # of the disk of each broker
        brokers = self.wiring.queue_broker_at
        self.nodes: dict[QueueBroker, NodeRows] = {
            broker: NodeRows(self, broker) for broker in brokers if broker.spec.nodes is not None
        }
        self.last_orders: dict[int, int] = {}  # of each consumer that is to stop in order

    @property
    def s(self) -> State:
        """The state of the run."""
        return self.machine.s

    def make_room(self) -> None:
        """What is done next may take rows."""
        if self.s.must_grow:
            self.machine.grow()

    # -- consumers -----------------------------------------------------------------------------------------------------

    def begin(self, channel: int) -> None:
        """Its thread begins."""
        row = channel_rows(self.s)[channel]
        row.task = task = self.membership.new_task(row.replica, row.pc)
        own = tasks(self.s)[task]
        own.own_thread, own.channel = True, channel
        calendar.make_ready(self.s, task)

    def start(self, channel: int) -> None:
        """It is back."""
        row = channel_rows(self.s)[channel]
        if row.up:
            return
        row.up, row.idle = True, False
        self.begin(channel)
        self.make_room()
        channels.reconnect(self.s, channel)

    def stop(self, channel: int) -> None:
        """It is dead, or refuses: its channel closes with it."""
        row = channel_rows(self.s)[channel]
        if not row.up:
            return
        row.up = False
        in_order = row.closing and not replicas(self.s)[row.replica].down
        self.membership.silence(row.task)
        row.task = NOBODY
        self.make_room()
        channels.stop_channel(self.s, channel, bool(in_order))
        self.membership.left(row.replica)

    def close(self, channel: int) -> None:
        """Stop in order: it is sent no more, and the message in hand is handled and acknowledged first."""
        row = channel_rows(self.s)[channel]
        if not row.up:
            return
        row.closing = True
        channels.pass_over_from_outside(self.s, channel)
        if not row.processing:
            self.stop(channel)
        elif channel not in self.last_orders:
            self.last_orders[channel] = self.membership.order(lambda: self.stop(channel), lasting=True)
        row.order = self.last_orders.get(channel, NOBODY)

    def in_replica(self, replica: int) -> list[int]:
        """Those of one replica."""
        every = range(len(self.wiring.channel_at))
        return [place for place in every if channel_rows(self.s)[place].replica == replica]

    def is_up_in(self, replica: int) -> bool:
        """Whether one in a replica is at work, or waits for some."""
        return any(channel_rows(self.s)[place].up for place in self.in_replica(replica))

    def of(self, broker: int) -> list[int]:
        """The consumers of a broker."""
        every = range(len(self.wiring.channel_at))
        return [place for place in every if channel_rows(self.s)[place].broker == broker]

    # -- brokers -------------------------------------------------------------------------------------------------------

    def fail(self, broker: QueueBroker) -> None:
        """Go down: all connections are gone."""
        place = self.wiring.queue_broker_at[broker]
        row = queue_brokers(self.s)[place]
        row.down += 1
        if row.down > 1:
            return
        self.failed_at[place] = self.s.now
        self.cut_waits(place)
        letters.release_blocked(self.s, place)
        for channel in self.of(place):
            self.make_room()
            channels.disconnect(self.s, channel, True)

    def cut_waits(self, broker: int, node: int | None = None) -> None:
        """Nobody hears any more of what is not confirmed, first those who have waited for longest; with `node`: of
        those who are connected to it.
        """
        every = confirm_waits.array(self.s)
        found = np.flatnonzero(every["waiting"] & ~every["broken"] & (every["broker"] == broker))
        if node is not None:
            found = found[every["node"][found] == node]
        for place in found[np.argsort(every["number"][found])].tolist():
            row = confirm_waits(self.s)[place]
            row.broken = True
            if row.task >= 0:
                calendar.put_ready(self.s, row.task)  # held while it waited: its turn takes that over
                row.task = NOBODY

    def end_failure(self, broker: QueueBroker) -> None:
        """It is up."""
        row = queue_brokers(self.s)[self.wiring.queue_broker_at[broker]]
        row.down -= 1
        if not row.down:
            self.restore(broker)

    def restore(self, broker: QueueBroker) -> None:
        """It can be reached again: consumers come back at their next try, and what was stuck on a wire goes on."""
        place = self.wiring.queue_broker_at[broker]
        if queue_brokers(self.s)[place].down:
            return
        failed_at = self.failed_at.pop(place, None)
        delay = self._until_next_try(place, failed_at) if failed_at is not None else 0.0
        for channel in self.of(place):
            self.make_room()
            channels.go_on_over(self.s, channel)
            row = channel_rows(self.s)[channel]
            if failed_at is not None and row.up and not row.open:
                about = channel << int(PURPOSE_BITS) | int(RECONNECT)
                calendar.schedule(self.s, calendar.ORDINARY, delay, calendar.OF_QUEUES, about)

    def _until_next_try(self, broker: int, failed_at: float) -> float:
        """Consumers try every so often, from when they were cut off."""
        interval = queue_brokers(self.s)[broker].recovery
        tries = math.ceil((self.s.now - failed_at) / interval)
        return max(0.0, failed_at + tries * interval - self.s.now)

    def raise_alarm(self, broker: QueueBroker, by: int) -> None:
        """An alarm of memory begins (1), or is over (-1)."""
        place = self.wiring.queue_broker_at[broker]
        row = queue_brokers(self.s)[place]
        before = row.alarms > 0 or row.disk_is_low
        row.alarms += by
        now = row.alarms > 0 or row.disk_is_low
        if now != before:
            kind = EventKind.PUBLISHERS_BLOCKED if now else EventKind.PUBLISHERS_RELEASED
            self.machine.log(kind, broker.name, "memory")
            if not now:
                letters.release_blocked(self.s, place)

    def slow_disk(self, broker: QueueBroker, node: int | None, by: float, *, begins: bool) -> None:
        """Commits that begin from now on take longer, or no longer."""
        if broker in self.nodes:
            self.nodes[broker].nodes.slow_disk(node, by, begins=begins)
            return
        slowdowns = self.slowdowns.setdefault(self.wiring.queue_broker_at[broker], [])
        if begins:
            slowdowns.append(by)
        else:
            slowdowns.remove(by)
        for queue in broker.queues.values():
            message_queues(self.s)[self.wiring.queue_at[queue]].slow = math.prod(slowdowns, start=1.0)
