"""Transactions: what a consumer publishes while it handles a record becomes visible when that is handled, or never.

A transaction ends with the record: committed when it was handled well, which takes two round trips (TxnOffsetCommit,
EndTxn), else aborted. It begins for the broker with its first record (KIP-890), and one that is open for longer than
`timeout` from then on is aborted, whoever lives, when the coordinator looks next, every ten seconds
(TransactionStateManager.timedOutTransactions, TransactionCoordinator.abortTimedOutTransactions). That bumps the epoch
of its producer: what that still publishes, and its commit, is refused (INVALID_PRODUCER_EPOCH; answered as
`unauthorized`, which nobody tries again), and the record counts as one that failed. A transaction left open by a crash
holds back whoever reads committed records until then, or until the consumer handles its next record, for which it
fences the one that died.

A publication is known again when its request is tried again (an idempotent producer is part of a transactional one):
what the transaction has of the same place and the same way to it is not written twice.

Not modelled: several records in one transaction, the coordinator as a node and its markers as records of their own,
the time that initTransactions takes, transactions of publishers that consume nothing, a commit that waits for
publications of which the steps do not wait for the end, and an abort that keeps back what its producer has not sent
(it is sent, and refused); transaction.max.timeout.ms, and effects other than on the log (which stay, whatever becomes
of the transaction).
"""

from __future__ import annotations

import math

from sim.models.clock import Signal
from sim.models.outcomes import UNAUTHORIZED
from sim.models.topic import Broker, Message, Topic
from sim.policies.log_times import until_look

CHECK = 10.0  # s; transaction.abort.timed.out.transaction.cleanup.interval.ms
FENCED = UNAUTHORIZED


class Transaction:
    """One transaction, open, committed or aborted."""

    __slots__ = ("began", "committed", "coordinator", "messages", "open", "owner", "timeout")

    def __init__(self, coordinator: Coordinator, owner: object, timeout: float) -> None:
        self.coordinator = coordinator
        self.owner = owner  # who has one after the other, and a producer for them
        self.timeout = timeout
        self.began = math.inf  # s; for the broker
        self.open = True
        self.committed = False
        self.messages: list[Message] = []

    def add(self, message: Message) -> None:
        """A record of it is written."""
        if not self.messages:
            self.began = self.coordinator.begins(self)
        self.messages.append(message)

    def known(self, topic: Topic, site: int, path: int) -> Message | None:
        """The record of it that was written of this publication before, unless it was lost."""
        same = (message for message in self.messages if message.topic is topic and message.site == site)
        return next((message for message in same if message.path == path and not message.lost), None)

    def end(self, committed: bool) -> None:
        """What waited for it can be read, or never will be."""
        if not self.open:
            return
        self.open = False
        self.committed = committed
        self.coordinator.begun.pop(self, None)
        for message in self.messages:
            for group in message.topic.groups:
                group.settle(message.partition.index)


class Coordinator:
    """Knows the transactions of a broker that have begun, and aborts those whose time is over."""

    def __init__(self, broker: Broker):
        self.broker = broker
        self.begun: dict[Transaction, None] = {}  # and are open, in the order in which they began
        self.looks = False  # there is a look to come

    def begins(self, transaction: Transaction) -> float:
        """The first record of a transaction is written: when that is, s."""
        self.begun[transaction] = None
        self._look_later()
        return self.broker.env.now

    def _look_later(self) -> None:
        if not self.looks:
            self.looks = True
            env = self.broker.env
            env.hold(Signal(self._look), until_look(env.now, CHECK))

    def _look(self, _: object) -> None:
        self.looks = False
        now = self.broker.env.now
        over = [] if self.broker.down else [its for its in self.begun if its.began + its.timeout < now]
        for transaction in over:
            transaction.end(False)
        if self.begun:
            self._look_later()
