"""One message on its way through a queue broker: its publication, itself in each queue, and its deliveries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from sim.models.clock import Signal
from sim.models.recorder import Recorder
from sim.models.request import Request
from sim.models.task import Task


class Publication:
    """What was published once: it is confirmed when every queue that it was routed to has it, and no
    queue refused it.
    """

    __slots__ = (
        "chain",
        "expiration",
        "flow",
        "headers",
        "key",
        "node",
        "path",
        "pending",
        "priority",
        "refused",
        "request",
        "site",
        "waiter",
    )

    def __init__(
        self,
        request: Request,
        chain: int,
        path: int,
        flow: int,
        site: int,
        key: str,
        headers: Mapping[str, str],
        expiration: float,
        priority: int | None = None,
        node: int = -1,
    ):
        self.request = request
        self.chain = chain
        self.path = path
        self.flow = flow
        self.site = site
        self.key = key
        self.headers = headers
        self.expiration = expiration  # s; how long it may wait in a queue; inf: for ever
        self.priority = priority
        self.node = node  # to which its publisher is connected; -1: no channel keeps it until it is safe
        self.pending = 0  # queues that have not confirmed it
        self.refused = False  # by a queue that is full
        self.waiter: Confirmed | None = None

    @property
    def event(self) -> tuple[int, int]:
        """What an order publishes from one place is one event, however often it is sent: (order, site)."""
        return self.request.id, self.site


class Confirmed(Protocol):
    """Who waits for publications to be confirmed."""

    def confirmed(self, publication: Publication) -> None:
        """All its queues have it, or one has refused it."""


class Death:
    """One entry of the header x-death: how often a message was given up by one queue for one reason."""

    __slots__ = ("cause", "count", "queue")

    def __init__(self, queue: str, cause: str, count: int = 1):
        self.queue = queue
        self.cause = cause
        self.count = count


class Letter:
    """One message in one queue."""

    __slots__ = (
        "available",
        "committed",
        "deaths",
        "deliveries",
        "expires",
        "failures",
        "flow",
        "handed",
        "lost",
        "number",
        "offset",
        "order",
        "publication",
        "published",
        "redelivered",
        "safe_at",
        "stalled",
    )

    def __init__(self, publication: Publication, number: int, published: float):
        self.publication = publication
        self.number = number
        self.published = published
        self.available = math.nan  # s; since when it can be delivered
        self.committed = False  # and so before it may be others that are not
        self.offset = -1  # its place in the order in which its queue got them
        self.order = -1  # the same, but those of a higher priority are before all others
        self.expires = math.inf  # s
        self.deliveries = 0  # by this queue
        self.failures = 0  # of these, those that count against the delivery limit
        self.handed = 0  # deliveries by queues in which it was before it was given up
        self.redelivered = False  # the flag: it may have been handled before
        self.deaths: list[Death] = []  # x-death, the latest first
        self.safe_at = -math.inf  # s; when the disk of a classic queue has it
        self.stalled = False  # nobody could take it in: it waits for a leader, or for a majority
        self.lost = False  # with a node
        self.flow = -1

    @property
    def request(self) -> Request:
        """Of which it comes."""
        return self.publication.request

    @property
    def tries(self) -> int:
        """Deliveries before the present one, those by earlier queues included."""
        return self.handed + self.deliveries - 1

    def write(self, recorder: Recorder, queue: int, group: int, end: float, how: int) -> None:
        """Append its row: when and how it ended in this queue, nan and QUEUED where it has not."""
        recorder.messages.append(
            self.number,
            self.request.id,
            self.offset,
            self.published,
            self.available,
            end,
            0,
            queue,
            group,
            min(self.deliveries, 32767),  # the column is narrow
            how,
        )


class Receiver(Protocol):
    """A consumer, as its deliveries know it."""

    def arrived(self, delivery: Delivery) -> None:
        """It has come."""

    def settled(self, delivery: Delivery) -> None:
        """What became of it is known to the queue."""


class Taker(Protocol):
    """A consumer, as its queue knows it."""

    priority: int
    in_line: bool  # stands in the round of its queue

    @property
    def room(self) -> bool:
        """For one more unacknowledged message."""

    def deliver(self, letter: Letter) -> None:
        """Send it this one."""

    def busy_until(self, now: float) -> float:
        """Seconds in which it was handling a message."""

    def held_until(self, now: float) -> float:
        """Seconds in which it was up and had an open channel."""


ACKED, REQUEUED, FAILED, REJECTED = range(4)
"""What a consumer says: basic.ack, basic.nack with requeue, basic.reject with requeue, without."""


class Delivery(Signal):
    """One letter on its way to one consumer, in its hands, and what becomes of it on the way back."""

    __slots__ = ("handled", "letter", "live", "receiver", "said", "since")

    def __init__(self, letter: Letter, receiver: Receiver, since: float):
        super().__init__(self._come)
        self.letter = letter
        self.receiver = receiver
        self.since = since  # s; when it was sent
        self.live = True  # its channel is open, and it was not settled
        self.handled = False
        self.said = ACKED

    def _come(self, _: object) -> None:
        if self.handled:
            self.receiver.settled(self)
        else:
            self.receiver.arrived(self)


class Waiter(Confirmed):
    """A task that waits until so many publications are confirmed."""

    __slots__ = ("broken", "node", "open", "refused", "task", "wake")

    def __init__(self, wake: Waking, node: int):
        self.wake = wake
        self.node = node  # to which it is connected
        self.task: Task | None = None
        self.open = 0  # publications that are not confirmed
        self.refused = False  # one of them was
        self.broken = False  # the connection: nobody will hear of them any more

    def add(self, publication: Publication) -> None:
        """Wait for this one, too, unless it is known already what becomes of it."""
        self.refused = self.refused or publication.refused
        if publication.pending:
            publication.waiter = self
            self.open += 1

    def confirmed(self, publication: Publication) -> None:
        """One less."""
        self.refused = self.refused or publication.refused
        self.open -= 1
        if not self.open:
            self._go_on()

    def cut(self) -> None:
        """The connection is gone."""
        self.broken = True
        self._go_on()

    def _go_on(self) -> None:
        task, self.task = self.task, None
        if task is not None:
            self.wake(task)


class Waking(Protocol):
    """`Clock.wake`."""

    def __call__(self, task: Task) -> None:
        """Its turn comes."""
