"""A batch of a producer: records of one partition that are sent together."""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.models.logs.record import Record
from sim.models.logs.replicated import ReplicatedPartition, ReplicatedTopic
from sim.models.logs.transactions import Transaction
from sim.models.topic import Message


class Batch:
    """Records of one partition that are sent together."""

    __slots__ = (
        "attempts",
        "closed",
        "due",
        "epoch",
        "messages",
        "partition",
        "producer",
        "records",
        "sequence",
        "size",
        "ticket",
        "topic",
        "transaction",
    )

    def __init__(
        self, producer: object, topic: ReplicatedTopic, partition: ReplicatedPartition, sequence: int, due: float
    ):
        self.producer = producer
        self.topic = topic
        self.partition = partition
        self.sequence = sequence
        self.due = due  # s; when its linger, or the pause before its next try, is over
        self.records: list[Record] = []
        self.messages: list[Message] = []  # as which the broker has them
        self.size = 0.0
        self.attempts = 0
        self.epoch = 0  # of its partition's leader, when it was sent last
        self.transaction: Transaction | None = None  # of which all its records are a part
        self.closed = False  # no more records come in
        self.ticket = 0  # changes when it is over

    @property
    def first(self) -> Record:
        """By which its way is drawn."""
        return self.records[0]

    @property
    def chain(self) -> int:
        """Of the present try."""
        return link_chain(self.first.chain, 0, self.attempts) if self.attempts else self.first.chain
