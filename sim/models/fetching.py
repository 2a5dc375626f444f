"""The fetches of a consumer that says how much it waits for: one under way to each node that leads partitions of it.

A fetch is answered when there are `min` bytes in what its node leads, or when it has waited for `wait`: then with what
there is, and an answer with nothing is followed by the next fetch at once (fetch.min.bytes, fetch.max.wait.ms;
DelayedFetch). The next fetch to a node goes out when a poll has taken what the last one brought (AbstractFetch:
partitions with records in the buffer are not fetched), so that it waits while its consumer is busy.

Not modelled: the most bytes of a fetch and of a partition; that an answer which comes while its consumer is busy holds
what there was then, and not what there is when it polls; nor the way of such an answer.
"""

from __future__ import annotations

import math
from typing import Protocol

from sim.models.clock import Clock, Signal
from sim.models.group import GroupPartition, Member
from sim.models.link import Hop
from sim.policies.log_times import answered_at
from sim.spec.consuming import Fetch


class Fetcher(Member, Protocol):
    """A consumer, as its fetches know it (`consumer.py`)."""

    env: Clock
    fetch_hop: Hop


class NodeFetch:
    """The fetch to one node."""

    __slots__ = ("began", "buffered", "number", "partitions")

    def __init__(self, began: float) -> None:
        self.began = began  # s
        self.number = 0  # of this fetch among those of its consumer, by which its way is drawn
        self.buffered = False  # it is answered, and not all was polled
        self.partitions: list[GroupPartition] = []  # with something to read, when somebody looked last


class Fetching:
    """The fetches of one consumer."""

    def __init__(self, consumer: Fetcher, spec: Fetch):
        self.consumer = consumer
        self.spec = spec
        self.began = 0.0  # s; when its consumer began to poll
        self.at: dict[int, NodeFetch] = {}  # by the node
        self.sent = 0
        self.answered: list[NodeFetch] = []  # when somebody looked last
        self.due = math.inf  # s; when another one will be
        self.next_look = math.inf  # s; when somebody will look for that

    def begin(self) -> None:
        """Its consumer begins to poll: what one that died had fetched is gone with it."""
        self.began, self.at, self.answered = self.consumer.env.now, {}, []

    def closed(self) -> list[GroupPartition]:
        """The partitions whose records are not here yet."""
        self._look_at_all()
        return [partition for its in self.at.values() if its not in self.answered for partition in its.partitions]

    def _look_at_all(self) -> None:
        """Which are answered by now, and when another will be."""
        self.answered, self.due = [], math.inf
        for fetch in self.at.values():
            fetch.partitions = []
        for partition in self.consumer.partitions:
            if partition.owner is self.consumer and not partition.offline and partition.readable:
                leader = partition.readable[0].message.partition.leader or 0
                self.at.setdefault(leader, NodeFetch(self.began)).partitions.append(partition)
        for _, fetch in sorted(self.at.items()):
            if fetch.partitions:
                self._look_at(fetch)
            else:
                fetch.buffered = False

    def _look_at(self, fetch: NodeFetch) -> None:
        found, first = 0.0, math.inf
        for partition in fetch.partitions:
            first = min(first, max(fetch.began, partition.readable[0].message.available))
            for delivery in partition.readable:
                found += delivery.message.size
                if found >= self.spec.min:
                    break
        due = self._due(fetch, first)
        if fetch.buffered or found >= self.spec.min or due <= self.consumer.env.now:
            self.answered.append(fetch)
        else:
            self.due = min(self.due, due)

    def _due(self, fetch: NodeFetch, first: float) -> float:
        """When it is answered with what there is since then: the waits are one after the other."""
        hop = self.consumer.fetch_hop
        cycle = hop.travel(fetch.number, 0) + self.spec.wait + hop.travel(fetch.number, 1)
        return answered_at(fetch.began, first, cycle)

    def polled(self) -> None:
        """A poll has taken what it could: where all was taken, the next fetch goes out."""
        for fetch in self.answered:
            fetch.buffered = any(partition.readable for partition in fetch.partitions)
            if not fetch.buffered:
                self.sent += 1
                fetch.began, fetch.number = self.consumer.env.now, self.sent

    def enough(self) -> bool:
        """Whether what can be read now is to be sent; otherwise it is sent when the wait is over."""
        self._look_at_all()
        if self.answered or any(partition.retries for partition in self.consumer.partitions):
            return True
        self.be_patient()
        return False

    def be_patient(self) -> None:
        """Look when the first of them has waited for long enough, unless somebody looks before, and will look again."""
        if self.due < self.next_look:
            env = self.consumer.env
            wait = self.due - env.now
            self.next_look = env.now + wait
            env.hold(Signal(self._look), wait)

    def _look(self, _: object) -> None:
        if self.consumer.env.now >= self.next_look:
            self.next_look = math.inf
        if self.consumer.idle and self.enough():
            self.consumer.wake_up()
