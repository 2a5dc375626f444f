"""A queue broker: its exchanges and queues, up or down, with an alarm or without.

An alarm, of memory (a fault) or of the disk (what waits does not fit any more), blocks all who publish until it is
over; consumers go on. When the broker goes down, channels close: what was handed out comes back, publishers who wait
for a confirm are told that it is unreachable, and consumers try again every `recovery_interval` from then on. It keeps
what it has: queues are durable and messages persistent.

Single nodes that are lost are a matter of `nodes.py`.

Not modelled: memory by what waits, the seconds between two looks at the disk, what buffers
of a connection still take while it is not read from, and what a node loses that was not yet on its disk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from sim.models.behaviours import behaviour
from sim.models.clock import CONTROL, Signal
from sim.models.destination import Destination
from sim.models.queues.channel import QueueConsumer
from sim.models.queues.deaths import in_circle
from sim.models.queues.exchange import Exchange
from sim.models.queues.letter import Death, Letter, Publication, Waiter
from sim.models.queues.nodes import NOWHERE, QueueNodes
from sim.models.queues.queue import Queue
from sim.models.queues.series import watch_queue
from sim.models.site import System
from sim.models.task import Replica, Task
from sim.spec.queue_broker import DeadLetter
from sim.spec.queue_broker import QueueBroker as Spec
from sim.vocabulary import EventKind


@behaviour(Spec)
class QueueBroker:
    """All queues and exchanges of one broker."""

    def __init__(self, context: System, name: str, spec: Spec):
        self.context = context
        self.env = context.env
        self.recorder = context.recorder
        self.name = name
        self.spec = spec
        self.message_size = spec.message_size  # bytes
        self.down = 0
        self.sites = 0  # that publish to it
        self.failed_at = 0.0  # s
        self.cut_off = False  # all consumers have lost their connection
        self.alarms = 0  # of faults
        self.disk_is_low = False
        self.on_disk = 0  # messages
        self.slowdowns: list[float] = []  # of the disk, where it has no nodes
        self.blocked: list[Task] = []  # publishers, in the order in which they came
        self.waiters: dict[Waiter, None] = {}
        self.unroutable = 0
        self.consumers: list[QueueConsumer] = []
        self.queues = {queue: self._queue(queue) for queue in spec.queues}
        self.stores = list(self.queues.values())
        self.others: dict[str, Destination] = {
            destination: Exchange(context, self, destination) for destination in spec.destinations
        }
        self.nodes = QueueNodes(name, spec, self) if spec.nodes is not None else None
        if self.nodes is not None:
            for held in self.nodes.held:
                self.queues[held.name].leader = held.leader
            context.recorder.watch(name, "offline", "level", self._offline)
        context.recorder.watch(name, "blocked", "level", lambda _: len(self.blocked))
        context.recorder.watch(name, "unroutable", "total", lambda _: self.unroutable)

    def _queue(self, name: str) -> Queue:
        work = self.context.sampler(self.spec.work, f"{name}.work") if self.spec.work is not None else None
        queue = Queue(self.context, self, name, self.spec.queues[name], work)
        watch_queue(queue)
        consumed = {source for service in self.context.scenario.services.values() for source in service.consumes}
        queue.hopeful = not consumed.isdisjoint(self.spec.reached(name))
        return queue

    def tell_priorities_apart(self) -> None:
        """Somebody publishes with a priority; known before the first message."""
        for queue in self.queues.values():
            queue.waiting.ranked = queue.spec.highest_priority is not None

    # -- what is published -------------------------------------------------------------------------------------------

    def routes(self, destination: str, key: str, headers: Mapping[str, str]) -> list[Queue]:
        """The queues that get a message."""
        return [self.queues[queue] for queue in self.spec.routes(destination, key, headers)]

    def publish(self, publication: Publication, queues: list[Queue]) -> None:
        """Put it into each of these queues."""
        now = self.env.now
        publication.pending = len(queues)
        self.unroutable += not queues
        for queue in queues:
            queue.accept(Letter(publication, self.recorder.next_message(), now))

    def stored(self, publication: Publication) -> None:
        """One of its queues has it, or has refused it."""
        publication.pending -= 1
        if publication.waiter is not None and not publication.pending:
            publication.waiter.confirmed(publication)

    def give_up(self, letter: Letter, dead: DeadLetter) -> None:
        """The dead-letter exchange publishes it again, without its expiration; where it has gone round in a circle, it
        is dropped.
        """
        was = letter.publication
        key = dead.routing_key if dead.routing_key is not None else was.key
        again = Publication(
            was.request, was.chain, was.path, letter.flow, was.site, key, was.headers, math.inf, was.priority
        )  # of no node: that queue forgets it as soon as it has sent it
        there = [other for other in self.routes(dead.exchange, key, was.headers) if not in_circle(letter, other.name)]
        again.pending = len(there)
        self.unroutable += not there
        for other in there:
            copy = Letter(again, self.recorder.next_message(), self.env.now)
            copy.handed = letter.handed + letter.deliveries
            for death in reversed(letter.deaths):
                copy.deaths.insert(0, Death(death.queue, death.cause, death.count))
            other.accept(copy)

    # -- alarms ------------------------------------------------------------------------------------------------------

    @property
    def blocks(self) -> bool:
        """Whether publishers have to wait."""
        return self.alarms > 0 or self.disk_is_low

    def weigh(self, by: int) -> None:
        """So many more messages are on disk."""
        self.on_disk += by
        if self.spec.disk is not None:
            low = self.spec.disk - self.on_disk * self.spec.message_size < self.spec.disk_free_limit
            if low != self.disk_is_low:
                before = self.blocks
                self.disk_is_low = low
                self._alarm_changed(before, "disk")

    def raise_alarm(self, by: int) -> None:
        """An alarm begins (1), or is over (-1)."""
        before = self.blocks
        self.alarms += by
        self._alarm_changed(before, "memory")

    def _alarm_changed(self, before: bool, why: str) -> None:
        if self.blocks == before:
            return
        kind = EventKind.PUBLISHERS_BLOCKED if self.blocks else EventKind.PUBLISHERS_RELEASED
        self.recorder.event(kind, self.name, why)
        if not self.blocks:
            self._release()

    def _release(self) -> None:
        blocked, self.blocked = self.blocked, []
        for task in blocked:
            self.env.wake(task)

    def slow_disk(self, node: int | None, by: float, *, begins: bool) -> None:
        """Commits take so many times as long from now on, or no longer."""
        if self.nodes is not None:
            self.nodes.slow_disk(node, by, begins=begins)
            return
        if begins:
            self.slowdowns.append(by)
        else:
            self.slowdowns.remove(by)
        for queue in self.queues.values():
            queue.slow = math.prod(self.slowdowns, start=1.0)

    # -- nodes: what becomes of it when they go and come (`nodes.py`) --------------------------------------------------

    def node_of(self, replica: Replica) -> int:
        """To which it is connected; NOWHERE: there are none."""
        return self.nodes.connected(replica.index) if self.nodes is not None else NOWHERE

    def _offline(self, _: float) -> float:
        return self.nodes.offline if self.nodes is not None else 0

    def fail_node(self, node: int) -> None:
        """It is gone from one moment to the next."""
        assert self.nodes is not None
        self.nodes.fail(node)

    def restore_node(self, node: int) -> None:
        """It is back."""
        assert self.nodes is not None
        self.nodes.restore(node)

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return self.env.now

    def entries(self, queue: str) -> int:
        """Messages of a quorum queue that were committed so far."""
        return self.queues[queue].entries

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after a while."""
        self.env.schedule(Signal(lambda _: act()), CONTROL, seconds)

    def tell(self, kind: EventKind, subject: str, about: str, value: int) -> None:
        """Note what has happened."""
        self.recorder.event(kind, subject, about, value)

    def close(self, queue: str, leader: int) -> None:
        """It takes nothing in and hands nothing out."""
        self.queues[queue].close(leader)

    def cut(self, node: int) -> None:
        """Connections to a node are gone, and consumers of classic queues that are closed are cancelled."""
        for waiter in [waiter for waiter in self.waiters if waiter.node == node]:
            del self.waiters[waiter]
            waiter.cut()
        for consumer in self.consumers:
            if consumer.open and (consumer.node == node or consumer.queue.away):
                consumer.disconnect()
                consumer.try_later()

    def drop(self, queue: str, node: int) -> None:
        """What neither this queue nor a channel on a node that is up has is lost."""
        self.queues[queue].drop(node)

    def reopen(self, queue: str, leader: int) -> None:
        """It goes on."""
        self.queues[queue].reopen(leader)

    def part(self, queue: str, beyond: frozenset[int]) -> None:
        """A queue hears nothing of these nodes."""
        self.queues[queue].part(beyond)
        for consumer in self.consumers:
            if consumer.open and consumer.queue.name == queue and consumer.node in beyond:
                consumer.disconnect()
                consumer.try_later()

    def join(self, queue: str) -> None:
        """It hears all again."""
        beyond = self.queues[queue].beyond.nodes
        self.queues[queue].join()
        for consumer in self.consumers if self.queues[queue].quorum else ():
            if consumer.queue.name == queue and self.node_of(consumer.replica) in beyond:
                consumer.reconnect()

    def lose_kept(self, queue: str, node: int) -> None:
        """What a node kept for it is lost."""
        self.queues[queue].lose_kept(node)

    def slow(self, queue: str, times: float) -> None:
        """Commits take so many times as long."""
        self.queues[queue].slow = times

    def go_down(self) -> None:
        """No node is left."""
        self.fail()

    def come_up(self) -> None:
        """One is back."""
        self.down -= 1
        self.restore()

    # -- harm --------------------------------------------------------------------------------------------------------

    def fail(self) -> None:
        """Go down: all connections are gone."""
        self.down += 1
        if self.down > 1:
            return
        self.failed_at = self.env.now
        self.cut_off = True
        waiters, self.waiters = self.waiters, {}
        for waiter in waiters:
            waiter.cut()
        self._release()
        for consumer in self.consumers:
            consumer.disconnect()

    def restore(self) -> None:
        """It can be reached again: consumers come back at their next try, and what was stuck on a wire goes on."""
        if self.down:
            return
        cut_off, self.cut_off = self.cut_off, False
        delay = self._until_next_try() if cut_off else 0.0
        for consumer in self.consumers:
            consumer.go_on()
            if cut_off and consumer.lost_connection:
                self.env.hold(Signal(consumer.reconnect), delay)

    def _until_next_try(self) -> float:
        """Consumers try every so often, from when they were cut off."""
        interval = self.spec.recovery_interval
        tries = math.ceil((self.env.now - self.failed_at) / interval)
        return max(0.0, self.failed_at + tries * interval - self.env.now)
