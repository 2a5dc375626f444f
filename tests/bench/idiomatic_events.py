"""The event-driven flow of event_flow.yaml as SimPy's documentation would have it: processes, resources, a store for each consumer, a monitor.

As in `idiomatic.py` it keeps what our records keep: a row per order, a row per message and group, and the state of every station and group at
each change; and nothing of what is derived from those.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import simpy

from tests.bench.idiomatic import Station


@dataclass
class Order:
    """One request, and what became of it behind the topic."""

    number: int
    arrival: float
    end: float = nan
    completion: float = nan
    effects: int = 0
    outcome: str = ""


@dataclass
class Message:
    """One published event."""

    order: Order
    partition: int
    offset: int
    published: float


@dataclass
class Delivery:
    """One message as one group ended it."""

    message: Message
    group: str
    end: float


class Group:
    """A consumer group: an inbox for each member, a distribution of work, and its accounts."""

    def __init__(self, env: simpy.Environment, name: str, members: int, work):
        self.env, self.name, self.work = env, name, work
        self.inboxes = [simpy.Store(env) for _ in range(members)]
        self.lag, self.busy, self.busy_time, self.samples = 0, 0, 0.0, []

    def note(self) -> None:
        self.samples.append((self.env.now, self.lag, self.busy))


class EventFlow:
    """Gateway, orders, a topic, and the groups of inventory and payments. A member takes its partitions as one line, in the order of publication."""

    HOP, TIMEOUT, PARTITIONS, MOST_RECORDS = 0.0005, 1.0, 12, 10

    def __init__(self, env: simpy.Environment, seed: int):
        self.env = env
        self.rng = rng = np.random.default_rng(seed)
        self.gateway = Station(env, "gateway", 8, lambda: rng.exponential(0.001))
        self.orders = Station(env, "orders", 32, lambda: rng.exponential(0.005))
        self.reservations = Group(env, "reservations", 4, lambda: rng.exponential(0.010))
        self.charges = Group(env, "charges", 12, lambda: rng.lognormal(np.log(0.040) - 0.5, 1.0))
        self.groups = (self.reservations, self.charges)
        self.offsets = [0] * self.PARTITIONS
        self.rows: list[Order] = []
        self.deliveries: list[Delivery] = []

    def run(self, rate: float, duration: float) -> None:
        for group in self.groups:
            for inbox in group.inboxes:
                self.env.process(self.member(group, inbox))
        self.env.process(self.arrivals(rate))
        self.env.run(until=duration)

    def arrivals(self, rate: float):
        number = 0
        while True:
            yield self.env.timeout(self.rng.exponential(1 / rate))
            self.env.process(self.request(Order(number, self.env.now)))
            number += 1

    def request(self, order: Order):
        self.gateway.offered += 1
        with self.gateway.workers.request() as place:
            self.gateway.note()
            yield place
            self.gateway.note()
            started = self.env.now
            yield self.env.timeout(self.gateway.work())
            self.gateway.busy_time += self.env.now - started
        self.gateway.note()
        order.outcome = yield from self.create(order)
        self.gateway.outcomes[order.outcome] += 1
        order.end = self.env.now
        self.rows.append(order)

    def create(self, order: Order):
        yield self.env.timeout(self.HOP)
        self.orders.offered += 1
        with self.orders.workers.request() as place:
            self.orders.note()
            yield place
            self.orders.note()
            started = self.env.now
            yield self.env.timeout(self.orders.work())
            publication = self.env.process(self.publish(order))
            yield publication | self.env.timeout(self.TIMEOUT)
            outcome = "ok" if publication.processed else "timeout"
            self.orders.busy_time += self.env.now - started
        self.orders.note()
        self.orders.outcomes[outcome] += 1
        yield self.env.timeout(self.HOP)
        return outcome

    def publish(self, order: Order):
        yield self.env.timeout(self.HOP)
        partition = int(self.rng.random() * self.PARTITIONS)
        message = Message(order, partition, self.offsets[partition], self.env.now)
        self.offsets[partition] += 1
        for group in self.groups:
            group.lag += 1
            group.note()
            yield group.inboxes[partition * len(group.inboxes) // self.PARTITIONS].put(message)
        yield self.env.timeout(self.HOP)

    def member(self, group: Group, inbox: simpy.Store):
        while True:
            fetching = not inbox.items
            batch = [(yield inbox.get())]
            if fetching:
                yield self.env.timeout(self.HOP)
            while inbox.items and len(batch) < self.MOST_RECORDS:
                batch.append((yield inbox.get()))
            group.busy += 1
            group.note()
            started = self.env.now
            ended = []
            for message in batch:
                yield self.env.timeout(group.work())
                ended.append(Delivery(message, group.name, self.env.now))
                message.order.effects += 1
                if message.order.effects == len(self.groups):
                    message.order.completion = self.env.now
            group.busy_time += self.env.now - started
            self.deliveries += ended  # the commit
            group.lag -= len(batch)
            group.busy -= 1
            group.note()
