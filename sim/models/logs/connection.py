"""The connection between a producer and one node, as both see it.

A node reads one request of a connection at a time: it mutes the channel until its answer is sent, under `acks: all`
after the replicas have the records, and what its client has sent meanwhile waits unread (SocketServer, `max_in_flight`
requests at most). Requests of other connections go on beside it. Over its quota the answer is sent at once and the
channel stays muted for the throttle time, for which the client sends nothing either (KIP-219).

What is sent on a connection arrives in the order in which it was sent, and so do the answers, as over TCP: what is
faster on its way waits for what is before it.

A client that has waited for an answer for `request_timeout` closes the connection and opens another: what is under way
on it has failed, all of it, and what was not read is gone (NetworkClient.handleTimedOutRequests). What is still on the
way then is handled when it comes.

When the process of a node dies, its connections break: what it had been asked and not answered is gone, read or not,
and what is sent to it as well. Its kernel closes them, and the client hears so behind the answers that are on their
way, as late as an answer would come; then all that is under way on it has failed (NetworkClient.handleDisconnections).

Not modelled: how long it takes to connect, and the pause before it (reconnect.backoff.ms); connections that are idle
for too long (connections.max.idle.ms).
"""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

from sim.models.clock import Clock, Signal
from sim.models.logs.batch import Batch
from sim.policies.log_times import behind


class UnderWay(Protocol):
    """A request of a producer (`produce_request.py`)."""

    batches: list[Batch]
    node: int
    connection: Connection

    def begin(self) -> None:
        """Its node has read it."""

    def forget(self) -> None:
        """It is on its way no longer."""

    def way_back(self) -> float:
        """Seconds that an answer takes; less than 0: it is lost."""

    def fail(self) -> None:
        """Its connection is closed."""


class Connection:
    """Of one producer to one node."""

    __slots__ = ("answered", "arrived", "broken", "busy", "env", "open", "silent_until", "under_way", "unread")

    def __init__(self, env: Clock, silent_until: float = -math.inf):
        self.env = env
        self.open = True
        self.broken = False  # its node was lost, of which its client has not heard
        self.under_way: dict[UnderWay, None] = {}  # requests whose answer is waited for
        self.unread: deque[UnderWay] = deque()  # of these, what the node has not read
        self.busy = False  # a request is handled, or the channel is muted for a quota
        self.silent_until = silent_until  # s; for a quota its client sends nothing before
        self.arrived = 0.0  # s; when the last request that was sent arrives
        self.answered = 0.0  # s; when the last answer that was sent does

    def on_its_way(self, delay: float) -> float:
        """Seconds until a request arrives that is sent now, and would take so many alone."""
        delay = behind(self.env.now, delay, self.arrived)
        self.arrived = self.env.now + delay
        return delay

    def on_its_way_back(self, delay: float) -> float:
        """The same of an answer."""
        if self.open:
            delay = behind(self.env.now, delay, self.answered)
            self.answered = self.env.now + delay
        return delay

    def read(self, request: UnderWay) -> None:
        """A request has come: it is handled when those before it are answered."""
        if self.broken:
            request.forget()
        elif self.busy:
            self.unread.append(request)
        else:
            self.busy = self.open  # one that is closed has nothing behind it
            request.begin()

    def read_on(self, throttle: float) -> None:
        """The request that was handled is answered: the next one, after so many seconds."""
        if not self.open:
            return
        if throttle > 0.0 or self.unread:
            self.env.hold(Signal(self._next), throttle)
        else:
            self.busy = False

    def _next(self, _: object) -> None:
        if self.unread:
            self.unread.popleft().begin()
        else:
            self.busy = False

    def break_off(self) -> float:
        """Its node is lost: seconds until its client hears so; less than 0: it does not."""
        self.broken = True
        self._forget_unread()
        delay = next(iter(self.under_way)).way_back()
        return self.on_its_way_back(delay) if delay >= 0.0 else delay

    def close(self) -> None:
        """Its client has closed it, or is gone."""
        self.open = self.broken = self.busy = False
        self.under_way.clear()
        self._forget_unread()

    def _forget_unread(self) -> None:
        while self.unread:
            self.unread.popleft().forget()
