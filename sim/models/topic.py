"""Topics of a log broker: partitions, publication with acks and replication, and readers that see only what is
replicated.

A replica has one producer for all that it publishes, as Spring's DefaultKafkaProducerFactory makes one, and each
producer sticks to a partition of its own for messages without a key (KIP-794: the state is the producer's, not the
topic's). A crash ends it.

Not modelled: batching and linger of producers, capacity and disks, leader election, ISR changes, retention, compaction
and transactions, where a broker says no word of them (`nodes`, `producer`, `retention` ...), and the order of what one
producer sends again (`max.in.flight.requests.per.connection`).
"""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

from sim.chance.shared import quickest
from sim.models.call import Call
from sim.models.clock import Signal, Turn
from sim.models.context import Context
from sim.models.destination import Destination, Hearing, Kept, Sent, Store
from sim.models.ending import answer
from sim.models.layers.attempt import Attempt, Unheard
from sim.models.outcomes import OK, QUEUED, UNREACHABLE
from sim.models.recorder import Recorder
from sim.models.request import Request
from sim.models.task import Activity, Process, Replica, Task
from sim.policies import partitioner as partitioners
from sim.records.tables import Book
from sim.spec.broker import LogBroker
from sim.spec.broker import Topic as Spec
from sim.spec.policy import PRODUCER
from sim.spec.step import Publish
from sim.vocabulary import MessageEnd, Stage

STICKY_RECORDS = 16  # how many records of 1 KiB fill a batch.size of 16 KiB (KIP-794)


class Pending(Protocol):
    """A transaction (`logs/transactions.py`)."""

    open: bool
    committed: bool

    def add(self, message: Message) -> None:
        """A record of it is written."""


class Reader(Protocol):
    """What a topic knows of a consumer group (`models/consumer.py`)."""

    name_index: int
    ended: list[int]  # by MessageEnd

    def readable(self, message: Message) -> None:
        """A record has become readable."""

    def count_unended(self) -> int:
        """Readable messages that have not ended, found by looking."""

    def write_unended(self) -> None:
        """Append their rows: the clock has stopped."""

    def end_unread(self, message: Message, how: int) -> None:
        """A record that nobody could read has ended: it is lost with the leader that alone had it."""

    def set_offline(self, index: int, offline: bool) -> None:
        """Whether nobody leads a partition from now on."""

    def lose(self, index: int, first: int) -> None:
        """Records from this offset on are lost, of which some could be read."""

    def delete_before(self, index: int, first: int) -> None:
        """Records before this offset are deleted, read or not."""

    def settle(self, index: int) -> None:
        """A transaction of a partition has ended."""

    def drop(self, index: int, offsets: set[int]) -> None:
        """These records were replaced by later ones of their key."""


class Broker:
    """A log broker, up or down."""

    def __init__(self, context: Context, name: str, spec: LogBroker):
        self.context = context
        self.spec = spec
        self.env = context.env
        self.name = name
        self.acks = str(spec.acks)
        self.replication = spec.replication
        self.topics: list[Topic] = []
        self.others: dict[str, Destination] = {}  # what else can be published to
        self.stores: list[Kept] = []  # what else keeps messages
        self.down = 0
        self.waiting: list[Task] = []  # consumers and relays that wait for it to come back

    def fail(self) -> None:
        """Go down: publications that wait for replicas are not acknowledged.

        Whether their records are kept, nobody hears.
        """
        self.down += 1
        for topic in self.topics:
            for partition in topic.partitions:
                for message in partition.unreadable:
                    if message.waiter is not None:
                        self.env.wake(message.waiter)
                        message.waiter = None

    def restore(self) -> None:
        """Wake all who wait."""
        waiting, self.waiting = self.waiting, []
        for task in waiting:
            self.env.wake(task)


class Message(Signal):
    """One published event; as an event of the clock it is its own replication."""

    __slots__ = (
        "available",
        "chain",
        "flow",
        "lost",
        "number",
        "offset",
        "partition",
        "path",
        "published",
        "replicated",
        "request",
        "site",
        "size",
        "topic",
        "transaction",
        "waiter",
    )

    def __init__(self, request: Request, chain: int, path: int, published: float, topic: Topic, site: int, flow: int):
        super().__init__(topic.replicated)
        self.partition: Partition
        self.offset: int
        self.topic = topic
        self.site = site
        self.number = topic.recorder.next_message()
        self.request = request
        self.chain = chain
        self.path = path
        self.flow = flow  # of which it comes: the publication, or the row of an outbox
        self.published = published
        self.size = topic.site_sizes[site]  # bytes
        self.available = math.nan
        self.replicated = False
        self.transaction: Pending | None = None  # of which it is a part
        self.lost = False  # with the leader that alone had it
        self.waiter: Turn | None = None  # the publisher, under acks: all

    @property
    def event(self) -> tuple[int, int]:
        """What an order publishes from one place is one event, however often it is sent: (order, site)."""
        return self.request.id, self.site

    @property
    def readable(self) -> bool:
        """It and all before it in its partition are replicated."""
        return not math.isnan(self.available)

    def write(self, recorder: Recorder, group: int, end: float, deliveries: int, how: int) -> None:
        """Append its row for one group: when and how it ended there, nan and QUEUED where it has not."""
        recorder.messages.append(
            self.number,
            self.request.id,
            self.offset,
            self.published,
            self.available,
            end,
            self.partition.index,
            self.topic.name_index,
            group,
            min(deliveries, 32767),  # the column is narrow
            how,
        )


class Partition:
    """One partition: the next offset, and what is not readable yet, in order."""

    __slots__ = ("end", "index", "unreadable")
    leader: int | None = 0  # the node that leads, of several (`logs/replicated.py`)

    def __init__(self, index: int):
        self.index = index
        self.end = 0
        self.unreadable: deque[Message] = deque()


class Topic:
    """A topic and the groups that read it."""

    policy = PRODUCER

    def __init__(self, context: Context, broker: Broker, name: str, spec: Spec):
        self.env = context.env
        self.recorder = context.recorder
        self.broker = broker
        self.name = name
        self.name_index = context.recorder.name(name)
        self.spec = spec
        self.key = spec.key
        self.size = spec.message_size
        self.partitions = [Partition(index) for index in range(spec.partitions)]
        self.groups: list[Reader] = []
        self.stickies: dict[Replica, partitioners.StickyRow] = {}  # of the producers that have published without a key
        self.chance = context.uniform(f"{name}.sticky")
        self.partition_of = quickest(partitioners.partition_of, "(int64, int64)")
        self.replication = (
            context.sampler(broker.replication, f"{name}.replication") if broker.replication is not None else None
        )
        self.published = 0
        self.site_sizes: list[float] = []  # bytes of a message of each place that publishes here
        broker.topics.append(self)

    def target(self, spec: Publish) -> PublishTarget:
        """This topic as something to call; the key of the publication overrides the topic's own."""
        return PublishTarget(self, spec.key or self.key, spec.size or self.size)

    def hearing(self, call: Call, _spec: Publish) -> Hearing | None:
        """Under `acks: 0` there is no ack to wait for, and nothing for a policy to guard."""
        return Unheard(Attempt(call, call.run)) if self.broker.acks == "0" else None

    def store(self, spec: Publish) -> Store:
        """For the relay of an outbox."""
        return TopicStore(self, spec.key or self.key, spec.size or self.size)

    def new_site(self, size: float) -> int:
        """The number of one more place that publishes here, messages of so many bytes: what an order publishes from one
        place is one event, however often it is sent.
        """
        self.site_sizes.append(size)
        return self.sites - 1

    @property
    def sites(self) -> int:
        """How many places publish here."""
        return len(self.site_sizes)

    def append(
        self, request: Request, chain: int, path: int, key: str | None, site: int, producer: Replica, flow: int
    ) -> Message:
        """Write an event of this producer to the log; it is readable when it and all before it in its partition are
        replicated.
        """
        partition = self.partitions[self._partition(request, chain, key, producer)]
        return self.append_to(partition, Sent(request, chain, path, flow), site)

    def append_to(self, partition: Partition, sent: Sent, site: int, transaction: Pending | None = None) -> Message:
        """Write an event to this partition."""
        message = self.new_message(sent, site, transaction)
        self.write(message, partition)
        return message

    def new_message(self, sent: Sent, site: int, transaction: Pending | None) -> Message:
        """An event that is to be written."""
        message = Message(sent.request, sent.chain, sent.path, self.env.now, self, site, sent.flow)
        message.transaction = transaction
        self.published += 1
        sent.request.alive += len(self.groups)
        return message

    def write(self, message: Message, partition: Partition) -> None:
        """Give it the next offset of its partition, and let it be replicated."""
        self.into_partition(message, partition)
        self.replicate_after(message, self.replication_time(message.request.id, message.chain))
        self.note_unreadable(message)

    @staticmethod
    def into_partition(message: Message, partition: Partition) -> None:
        """It stands behind all that the partition has."""
        message.partition = partition
        message.offset = partition.end
        partition.end += 1
        partition.unreadable.append(message)

    def replication_time(self, entity: int, chain: int) -> float:
        """Seconds until followers have an event."""
        return self.replication(entity, chain) if self.replication is not None else 0.0

    def replicate_after(self, message: Message, seconds: float) -> None:
        """Its followers have it after a while, or at once."""
        if seconds > 0.0:
            self.env.hold(message, seconds)
        else:
            self.replicated(message)

    def note_unreadable(self, message: Message) -> None:
        """Whoever is told of stages hears that it waits for its replicas, where it does."""
        if not message.readable:
            self.recorder.note(message.request, message.flow, Stage.REPLICATION, self.name_index)

    def replicated(self, message: Message) -> None:
        """Followers have it: the high watermark passes all replicated records at the head of the partition."""
        message.replicated = True
        unreadable = message.partition.unreadable
        now = self.env.now
        while unreadable and unreadable[0].replicated:
            readable = unreadable.popleft()
            readable.available = now
            for group in self.groups:
                group.readable(readable)
            if readable.waiter is not None:
                self.env.wake(readable.waiter)

    def forget_producer(self, replica: Replica) -> None:
        """It has crashed: its next producer begins with another partition."""
        self.stickies.pop(replica, None)

    def keyed(self, request: Request, key: str | None) -> int:
        """The partition that the key of an event decides; -1 where it has none."""
        count = len(self.partitions)
        if count == 1:
            return 0
        if key == "order":
            return int(self.partition_of(request.id, count))
        if key == "user" and request.user >= 0:
            return int(self.partition_of(request.user, count))
        if key == "item" and request.item >= 0:
            return int(self.partition_of(request.item, count))
        return -1

    def _partition(self, request: Request, chain: int, key: str | None, producer: Replica) -> int:
        keyed = self.keyed(request, key)
        if keyed >= 0:
            return keyed
        count = len(self.partitions)
        row = self.stickies.get(producer)
        if row is None:
            row = self.stickies[producer] = partitioners.new_sticky(count, STICKY_RECORDS)
        return int(partitioners.sticky(row, self.chance(request.id, chain)))

    def write_unended(self) -> None:
        """Append the rows of messages that have not ended: the clock has stopped."""
        for group in self.groups:
            group.write_unended()
        for partition in self.partitions:
            for message in partition.unreadable:
                for group in self.groups:
                    message.write(self.recorder, group.name_index, math.nan, 0, QUEUED)

    def book(self) -> Book:
        """Published x groups = ends + still queued, counted from the rows."""
        ended = {end.word: sum(group.ended[end] for group in self.groups) for end in MessageEnd}
        left = sum(group.count_unended() for group in self.groups) + sum(
            len(partition.unreadable) for partition in self.partitions
        ) * len(self.groups)
        return Book(
            self.name, self.published * len(self.groups), {word: count for word, count in ended.items() if count}, left
        )


class TopicStore:
    """Where the relay of an outbox publishes, under one key."""

    def __init__(self, topic: Topic, key: str | None, size: float):
        self.topic = topic
        self.key = key
        self.size = size  # bytes
        self.site = topic.new_site(size)

    def run(self, task: Task, rows: list[Sent]) -> Activity:
        """1 when all are acknowledged, 0 when they have to be published again."""
        topic, broker = self.topic, self.topic.broker
        if broker.down:
            return 0
        messages = [
            topic.append(row.request, row.chain, row.path, self.key, self.site, task.replica, row.flow) for row in rows
        ]
        if broker.acks == "all":
            for message in messages:
                if not message.readable:
                    message.waiter = task
                    yield
                    if not message.readable:  # the broker has gone down meanwhile
                        return 0
        return 1


class PublishTarget:
    """A topic as something that can be called, under one key, from one site."""

    counts = False
    publishes = True

    def __init__(self, topic: Topic, key: str | None, size: float):
        self.topic = topic
        self.key = key
        self.size = size  # bytes
        self.site = topic.new_site(size)
        self.only = topic.broker.context.nowhere
        self.component = topic.broker.name
        self.where = topic.name_index
        self.hop_stream = topic.name

    def choose(self, _caller: Replica, _entity: int, _chain: int) -> Replica | None:
        """The broker, as one place."""
        return self.only

    def over(self, caller: Replica, replica: Replica, outcome: int = -1, began: float = 0.0) -> None:
        """Nothing to balance."""

    def arrive(self, task: Task) -> None:
        """A publication has reached the broker."""
        task.run(self._serve(task))

    def _serve(self, task: Task) -> Process:
        """Append, wait for what `acks` asks for, and acknowledge."""
        topic, broker, request = self.topic, self.topic.broker, task.request
        outcome = OK
        if broker.down:
            outcome = UNREACHABLE
            task.where = self.where
        else:
            message = topic.append(request, task.chain, task.path, self.key, self.site, task.producer, task.flow)
            if broker.acks == "all" and not message.readable:
                message.waiter = task
                yield
                if not message.readable:  # the broker has gone down meanwhile
                    outcome = UNREACHABLE
                    task.where = self.where
            topic.recorder.stage(task, Stage.ANSWER, self.where)
        yield from self._end(task, outcome)

    def _end(self, task: Task, outcome: int) -> Process:
        """Tell the publisher, if it still hears, and be over."""
        env = self.topic.env
        if task.caller is not None:
            delay = 0.0 if task.back is None else task.back.delay(task.request.id, task.chain)
            if delay > 0.0:
                env.hold(task, delay)
                yield
            if delay >= 0.0:
                answer(task, outcome, env)
        task.request.done()
        task.silence()
        yield
