"""What is published to: an exchange, or a queue through the default exchange.

The broker reads what comes, routes it, and confirms it, where its publisher asked for that: an unroutable message at
once (with `mandatory` it was returned, which is an error), any other when all its queues have it; one that a queue
refuses is nacked. While an alarm lasts nothing is read. Who does not wait for confirms is held back by an alarm, and by
a queue that has too much before it (credit flow): the connection is not read from.

Not modelled: exchange-to-exchange bindings, alternate exchanges, AMQP transactions, several channels of one replica
(all that publish from one step share one), and messages of a batch that are lost on their way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from sim.models.call import Call
from sim.models.context import Context
from sim.models.destination import Hearing, Sent
from sim.models.ending import answer
from sim.models.layers.attempt import Attempt
from sim.models.outcomes import ERROR, OK, UNREACHABLE
from sim.models.queues.letter import Publication, Waiter
from sim.models.queues.queue import Queue
from sim.models.task import Activity, Process, Replica, Task
from sim.spec.queue_broker import QueueBroker as Spec
from sim.spec.step import Publish
from sim.vocabulary import Stage


class Reads(Protocol):
    """The broker, as those know it who publish (`queue_broker.py`)."""

    name: str
    spec: Spec
    down: int
    sites: int  # that publish to it
    blocked: list[Task]  # who waits for the end of an alarm
    waiters: dict[Waiter, None]  # who waits for confirms

    @property
    def blocks(self) -> bool:
        """Whether publishers have to wait."""

    def routes(self, destination: str, key: str, headers: Mapping[str, str]) -> list[Queue]:
        """The queues that get a message."""

    def tell_priorities_apart(self) -> None:
        """Somebody publishes with a priority."""

    def publish(self, publication: Publication, queues: list[Queue]) -> None:
        """Put it into each of these queues."""

    def node_of(self, replica: Replica) -> int:
        """To which it is connected; -1: there are none."""


class Exchange:
    """Something of a queue broker that a publication can name."""

    def __init__(self, context: Context, broker: Reads, name: str):
        self.context = context
        self.env = context.env
        self.broker = broker
        self.name = name
        self.policy = broker.spec.publisher_policy
        self.where = context.recorder.name(name)

    def target(self, spec: Publish) -> PublishTarget:
        """This exchange as something to call."""
        return PublishTarget(self, spec)

    def hearing(self, call: Call, spec: Publish) -> Hearing | None:
        """Without confirms the publisher goes on as soon as it could send; in batches it waits for the last of each."""
        if spec.confirm is None:
            return Blocking(self, call, spec)
        return Batched(call, spec.confirm.batch) if spec.confirm.batch > 1 else None

    def store(self, spec: Publish) -> ExchangeStore:
        """For the relay of an outbox."""
        return ExchangeStore(self, spec)


class Sender:
    """One place that publishes to an exchange: where its messages go is known beforehand."""

    def __init__(self, exchange: Exchange, spec: Publish):
        self.exchange = exchange
        self.key = spec.routing_key
        self.headers = dict(spec.headers)
        self.mandatory = spec.mandatory
        broker = exchange.broker
        self.site = broker.sites  # a queue may get events by several exchanges
        broker.sites += 1
        self.queues = broker.routes(exchange.name, self.key, self.headers)
        self.priority = spec.priority
        if spec.priority is not None:
            broker.tell_priorities_apart()
        stream = f"{exchange.name}.expiration"
        self.expiration = exchange.context.sampler(spec.expiration, stream) if spec.expiration is not None else None

    def send(self, sent: Sent, node: int) -> Publication:
        """It has reached the broker, which routes it."""
        longest = self.expiration(sent.request.id, sent.chain) if self.expiration is not None else math.inf
        publication = Publication(*sent, self.site, self.key, self.headers, longest, self.priority, node)
        self.exchange.broker.publish(publication, self.queues)
        publication.refused = publication.refused or (self.mandatory and not self.queues)
        return publication

    def wait_for(self, task: Task, waiter: Waiter) -> Activity:
        """Until all publications are confirmed: OK, ERROR where one is nacked, UNREACHABLE where the broker
        goes down.
        """
        broker = self.exchange.broker
        if waiter.open:
            broker.waiters[waiter] = None
            waiter.task = task
            yield
            broker.waiters.pop(waiter, None)
        return UNREACHABLE if waiter.broken else ERROR if waiter.refused else OK

    def read(self, task: Task) -> Activity:
        """OK when the broker reads what has come; UNREACHABLE while it is down."""
        broker = self.exchange.broker
        while broker.blocks and not broker.down:
            broker.blocked.append(task)
            yield
        return UNREACHABLE if broker.down else OK


class PublishTarget:
    """An exchange as something that can be called, from one site."""

    counts = False
    publishes = True

    def __init__(self, exchange: Exchange, spec: Publish):
        self.exchange = exchange
        self.env = exchange.env
        self.sender = Sender(exchange, spec)
        self.batched = spec.confirm is not None and spec.confirm.batch > 1
        self.batches: dict[Replica, Waiter] = {}  # by producer: what it has published since the last time it waited
        self.only = exchange.context.nowhere
        self.component = exchange.broker.name
        self.where = exchange.where
        self.hop_stream = exchange.name

    def choose(self, _caller: Replica, _entity: int, _chain: int) -> Replica | None:
        """The broker, as one place."""
        return self.only

    def over(self, _caller: Replica, _replica: Replica, outcome: int = -1, began: float = 0.0) -> None:
        """Nothing to balance."""

    def arrive(self, task: Task) -> None:
        """A publication has reached the broker."""
        task.run(self._serve(task))

    def _serve(self, task: Task) -> Process:
        """Read, route, and confirm where somebody waits for it."""
        outcome = yield from self.sender.read(task)
        if not outcome:
            node = self.exchange.broker.node_of(task.producer)
            publication = self.sender.send(Sent(task.request, task.chain, task.path, task.flow), node)
            waiter = self._waiter(task, publication, node)
            if task.caller is not None:
                outcome = yield from self.sender.wait_for(task, waiter)
            self.exchange.context.recorder.stage(task, Stage.ANSWER, self.where)
        if outcome:
            task.where = self.where
        if task.caller is not None:
            delay = 0.0 if task.back is None else task.back.delay(task.request.id, task.chain)
            if delay > 0.0:
                self.env.hold(task, delay)
                yield
            if delay >= 0.0:
                answer(task, outcome, self.env)
        task.request.done()
        task.silence()
        yield

    def _waiter(self, task: Task, publication: Publication, node: int) -> Waiter:
        """Of this one, or of its batch, which the one ends that somebody waits for."""
        waiter = self.batches.get(task.producer) if self.batched else None
        if waiter is None:
            waiter = Waiter(self.env.wake, node)
            if self.batched:
                self.batches[task.producer] = waiter
        if self.batched or task.caller is not None:
            waiter.add(publication)
        if task.caller is not None:
            self.batches.pop(task.producer, None)
        return waiter


class Blocking:
    """A publisher that waits for no confirms. Only when the broker does not read from its connection it is held back:
    for an alarm, or because a queue cannot keep up (credit flow).
    """

    def __init__(self, exchange: Exchange, call: Call, spec: Publish):
        self.env = exchange.env
        self.broker = exchange.broker
        self.queues = self.broker.routes(exchange.name, spec.routing_key, spec.headers)
        self.call = call
        self.attempt = Attempt(call, call.run)

    def run(self, task: Task) -> Activity:
        """Send it as soon as it is read, and go on."""
        broker = self.broker
        while broker.blocks and not broker.down:
            self.call.host.let_go(task)
            broker.blocked.append(task)
            yield
        delay = max((queue.process.until_credit() for queue in self.queues), default=0.0)
        if delay > 0.0:
            self.call.host.let_go(task)
            self.env.hold(task, delay)
            yield
        self.attempt.send_and_forget(task)
        return OK


class Batched:
    """A publisher that goes on at once, but for the last message of each batch, with which it waits for all of them."""

    def __init__(self, call: Call, batch: int):
        self.call = call
        self.attempt = Attempt(call, call.run)
        self.batch = batch
        self.sent: dict[Replica, int] = {}

    def run(self, task: Task) -> Activity:
        """Send it; the last of a batch is a call under the policy, and its outcome that of the batch."""
        count = self.sent[task.replica] = self.sent.get(task.replica, 0) + 1
        if count % self.batch:
            self.attempt.send_and_forget(task)
            return OK
        self.call.host.let_go(task)
        return (yield from self.call.run(task))


class ExchangeStore:
    """Where the relay of an outbox publishes; it waits for all confirms."""

    def __init__(self, exchange: Exchange, spec: Publish):
        self.key: str | None = None
        self.sender = Sender(exchange, spec)
        self.site = self.sender.site

    def run(self, task: Task, rows: list[Sent]) -> Activity:
        """1 when all are confirmed, 0 when they have to be published again."""
        if (yield from self.sender.read(task)):
            return 0
        exchange = self.sender.exchange
        node = exchange.broker.node_of(task.replica)
        waiter = Waiter(exchange.env.wake, node)
        for row in rows:
            waiter.add(self.sender.send(row, node))
        return 0 if (yield from self.sender.wait_for(task, waiter)) else 1
