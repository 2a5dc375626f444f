"""One consumer of a queue: its channel, and the thread that handles one message after the other.

The queue sends as long as fewer than `prefetch` are unacknowledged; they wait in the client. When the channel closes,
for a crash, an outage, a broker that goes down, or an acknowledgement that took too long, all of them come back to the
queue; those that were handled already are handled again. Under automatic acknowledgement the queue has done with what
it sends: what the consumer had in hand when it died is lost.

Not modelled: several messages of one consumer at once (an asynchronous client), `multiple` acknowledgements, prefetch
of a whole channel (`global`), cancelling without closing, basic.get, and heartbeats of a process that is frozen. Of a
wire that is cut the broker learns 60 s after something was to travel by it.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

from sim.chance.chain import link_chain
from sim.models.clock import TIMER, Signal
from sim.models.ending import stop_thread
from sim.models.handler import DONE_WITH, Handler
from sim.models.host import Host
from sim.models.link import Hop
from sim.models.outcomes import LOST, PROCESSED
from sim.models.queues.letter import ACKED, FAILED, REJECTED, REQUEUED, Delivery, Letter
from sim.models.queues.queue import Queue
from sim.models.request import Request
from sim.models.sequence import StepSequence
from sim.models.task import Process, Replica, Task
from sim.spec.queue_broker import QUORUM_PREFETCH
from sim.spec.queue_broker import QueueBroker as Spec
from sim.spec.service import Consume
from sim.spec.sites import consumer_name
from sim.vocabulary import EventKind, Stage

SAYS = {"requeue": FAILED, "nack_requeue": REQUEUED, "reject": REJECTED}
HEARTBEAT = 60.0  # s; negotiated by default: two heartbeats are missed then, and the connection counts as dead


class Connected(Protocol):
    """The broker, as its consumers know it (`queue_broker.py`)."""

    down: int
    spec: Spec
    consumers: list[QueueConsumer]

    def node_of(self, replica: Replica) -> int:
        """To which it is connected; -1: there are none."""


class QueueConsumer(Handler):
    """A consumer in one replica of its service."""

    def __init__(
        self,
        queue: Queue,
        broker: Connected,
        service: Host,
        replica: Replica,
        spec: Consume,
        steps: StepSequence,
        hops: tuple[Hop, Hop],
    ):
        super().__init__(queue.env, queue, service, replica, spec, steps, consumer_name(service.name, "", queue.name))
        self.queue = queue
        self.broker = broker
        self.out, self.back = hops
        self.wire = self.out.wire
        self.priority = spec.priority
        self.automatic = spec.ack == "automatic"
        self.prefetch = spec.prefetch if spec.prefetch > 0 else 0
        if queue.quorum:
            self.prefetch = min(self.prefetch or QUORUM_PREFETCH, QUORUM_PREFETCH)
        self.in_line = False
        self.up = False
        self.closing = False  # it stops when the message in hand is done
        self.open = False  # its channel
        self.node = -1  # to which its connection goes; -1: there are none
        self.next_try = -math.inf  # s; when it tries to come back from a node that was lost
        self.unreached = False  # it has tried to open one over a wire that is cut
        self.idle = False
        self.in_hand: Request | None = None  # of which it handles a message
        self.inbox: deque[Delivery] = deque()  # has come, and waits for its thread
        self.unacked: dict[Delivery, None] = {}  # on this channel, in the order in which they were sent
        self.stuck: list[Delivery] = []  # on a wire that is cut
        self.silences = 0  # that were over; by that count it is known whether one has gone on
        self.held_area = 0.0
        self.patience = Signal(self._look_at_oldest)
        self.armed = False
        queue.everyone.append(self)
        broker.consumers.append(self)
        if not replica.absent:
            self.start()

    # -- life --------------------------------------------------------------------------------------------------------

    @property
    def room(self) -> bool:
        """For one more unacknowledged message; who closes wants none."""
        if not self.open or self.closing:
            return False
        return self.automatic or not self.prefetch or len(self.unacked) < self.prefetch

    @property
    def lost_connection(self) -> bool:
        """It is up, and its channel is not open."""
        return self.up and not self.open

    def start(self) -> None:
        """Begin to consume; also after a crash or an outage."""
        if self.up:
            return
        self.up = True
        self.idle = False
        self.task = Task(None, 0, 0, None, self.replica)
        self.task.own_thread = True
        self.task.begin(self._live(self.task))
        self.env.wake(self.task)
        self.reconnect()

    def stop(self) -> None:
        """It is dead, or refuses: its channel closes with it."""
        if not self.up:
            return
        self.up = False
        in_order = self.closing and not self.replica.down
        stop_thread(self.task)
        if self.processing:
            self._rest()
        if in_order and not self.queue.closed:  # what it has said comes before its goodbye
            for delivery in [delivery for delivery in self.unacked if delivery.handled]:
                self.settled(delivery)
        self.idle = self.closing = False
        for delivery in [delivery for delivery in self.queue.sent if delivery.receiver is self]:
            self._lose(delivery)
        self.disconnect(failed=not in_order)
        self._put_down()
        self.service.drained(self.replica)

    def close(self) -> None:
        """Stop in order: it is sent no more (basic.cancel), the message in hand is handled and acknowledged first, and
        those behind it go back to the queue, none of them as a failed one.
        """
        if not self.up:
            return
        self.closing = True
        self.queue.pass_over(self)
        if not self.processing:
            self.stop()

    def reconnect(self, _: object = None) -> None:
        """Open a channel, where it is up and the broker can be reached."""
        self.unreached = bool(self.wire.cuts)
        if self.lost_connection and not self.broker.down and not self.unreached:
            if self.queue.away or self.broker.node_of(self.replica) in self.queue.beyond.nodes:
                self.try_later()
                return
            self.open = True
            self.node = self.broker.node_of(self.replica)
            self.held_area -= self.env.now
            self.queue.come(self)

    def try_later(self) -> None:
        """It comes back after a while, where it does not try already."""
        if self.env.now >= self.next_try:
            interval = self.broker.spec.recovery_interval
            self.next_try = self.env.now + interval
            self.env.hold(Signal(self.reconnect), interval)

    def disconnect(self, failed: bool = True) -> None:
        """The channel is closed: whatever was handed out by it comes back; `failed`: that counts against the limit of
        deliveries, as after a crash or a lost connection.
        """
        if not self.open:
            return
        self.open = False
        self.held_area += self.env.now
        unacked, self.unacked = self.unacked, {}
        self.inbox = deque(delivery for delivery in self.inbox if delivery not in unacked)
        for delivery in unacked:
            delivery.live = False
            del self.queue.unacked[delivery]
            self.queue.requeue(delivery.letter, failed)
        self.queue.leave(self)

    def go_on(self) -> None:
        """A wire was mended: what was stuck on it goes on, and who could not reach the broker comes back."""
        if self.wire.cuts:
            return
        self.silences += 1
        stuck, self.stuck = self.stuck, []
        for delivery in stuck:
            self._travel(delivery, self.back if delivery.handled else self.out)
        if self.unreached:
            self.reconnect()

    def _miss_heartbeats(self, silence: int) -> None:
        """The broker closes a connection over which nothing has come for so long."""
        if self.wire.cuts and self.silences == silence and self.open:
            self.disconnect()
            self.unreached = True

    # -- deliveries --------------------------------------------------------------------------------------------------

    def deliver(self, letter: Letter) -> None:
        """The queue sends it this one."""
        delivery = Delivery(letter, self, self.env.now)
        if self.automatic:
            self.queue.sent[delivery] = None
        else:
            self.queue.unacked[delivery] = None
            self.unacked[delivery] = None
            self._be_patient()
        self._travel(delivery, self.out)

    def _travel(self, delivery: Delivery, hop: Hop) -> None:
        """What is lost is sent again until it comes (TCP); where nothing can come, it is stuck."""
        if self.wire.cuts:
            if not self.stuck:
                silence = self.silences
                self.env.hold(Signal(lambda _: self._miss_heartbeats(silence)), HEARTBEAT)
            self.stuck.append(delivery)
            return
        letter = delivery.letter
        delay = hop.travel(letter.request.id, link_chain(letter.publication.chain, 0, letter.tries))
        if delay > 0.0:
            self.env.hold(delivery, delay)
        else:
            delivery.then(delivery)

    def arrived(self, delivery: Delivery) -> None:
        """It waits in the client for its turn."""
        if not delivery.live or not self.up:
            return
        self.inbox.append(delivery)
        if self.idle:
            self.idle = False
            self.env.wake(self.task)

    def settled(self, delivery: Delivery) -> None:
        """The queue hears what became of it, unless the channel has closed meanwhile."""
        if not delivery.live:
            return
        if self.queue.closed:
            self.queue.stalled.append(delivery)
            return
        delivery.live = False
        del self.unacked[delivery]
        self.queue.settle(delivery)
        self.queue.offer(self)

    def _live(self, task: Task) -> Process:
        """Take the next, handle it, say what became of it, for ever."""
        while True:
            if self.replica.hung:
                yield from self.service.thaw(task, self.replica)
            if not self.inbox:
                self.idle = True
                yield
                continue
            delivery = self.inbox.popleft()
            letter = delivery.letter
            self._begin()
            self.in_hand = letter.request
            self.in_hand.alive += 1  # also when its channel closes, and another consumer is done with it before
            outcome = yield from self.handle(task, letter.publication, letter.tries, letter.flow)
            self._rest()
            self._say(delivery, outcome in DONE_WITH)
            self._put_down()
            if outcome not in DONE_WITH:
                self.env.go_on_at_once(task)
            if self.closing:
                self.env.schedule(Signal(lambda _: self.stop()))
                yield

    def _say(self, delivery: Delivery, well: bool) -> None:
        """Acknowledge it, or say that it failed; who acknowledges automatically says nothing."""
        delivery.handled = True
        if well:
            letter, queue = delivery.letter, self.queue
            self.remember(letter.publication)
            # What follows is the way of the acknowledgement, which nobody waits for.
            queue.recorder.note(letter.request, letter.flow, Stage.END, queue.name_index)
        if self.automatic:
            del self.queue.sent[delivery]
            delivery.live = False
            self.queue.end(delivery.letter, PROCESSED if well else LOST)
        elif delivery.live:
            delivery.said = ACKED if well else SAYS[self.spec.on_failure]
            self._travel(delivery, self.back)

    def _put_down(self) -> None:
        """It acts on what it had in hand no more."""
        request, self.in_hand = self.in_hand, None
        if request is not None:
            request.done()

    def _lose(self, delivery: Delivery) -> None:
        """It died with this in its hands, or on its way."""
        delivery.live = False
        del self.queue.sent[delivery]
        self.queue.end(delivery.letter, LOST)
        self.inbox = deque(other for other in self.inbox if other is not delivery)

    # -- patience of a quorum queue ----------------------------------------------------------------------------------

    def _be_patient(self) -> None:
        """Close the channel when the oldest delivery has waited too long for its acknowledgement (since 4.3 only of
        quorum queues).
        """
        if self.queue.quorum and not self.armed:
            self.armed = True
            self.env.late(self.patience, TIMER, self.env.now + self.queue.spec.consumer_timeout)

    def _look_at_oldest(self, _: object) -> None:
        self.armed = False
        oldest = next(iter(self.unacked), None)
        if oldest is None:
            return
        due = oldest.since + self.queue.spec.consumer_timeout
        if due > self.env.now:
            self.armed = True
            self.env.late(self.patience, TIMER, due)
            return
        self.queue.recorder.event(EventKind.CONSUMER_TIMED_OUT, self.service.name, self.queue.name, self.replica.index)
        self.disconnect()
        self.env.hold(Signal(self.reconnect), self.broker.spec.recovery_interval)

    # -- accounts ----------------------------------------------------------------------------------------------------

    def held_until(self, now: float) -> float:
        """Seconds in which it was up and had an open channel."""
        return self.held_area + now * self.open
