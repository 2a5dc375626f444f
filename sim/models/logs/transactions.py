"""Transactions: what a consumer publishes while it handles a record becomes visible when that is handled, or never.

A transaction ends with the record: committed when it was handled well, which takes two round trips (TxnOffsetCommit,
EndTxn), else aborted. One that is left open by a crash holds back whoever reads committed records, until the consumer
is back and fences the one that died, or until `timeout` is over, which the broker notices within ten seconds.

Not modelled: several records in one transaction, the coordinator and its markers as records of their own, transactions
of publishers that consume nothing, effects other than on the log (which stay, whatever becomes of the transaction).
"""

from __future__ import annotations

import math

from sim.models.clock import CONTROL, Clock, Signal
from sim.models.topic import Message

CHECK = 10.0  # s; transaction.abort.timed.out.transaction.cleanup.interval.ms


class Transaction:
    """One transaction, open, committed or aborted."""

    __slots__ = ("committed", "messages", "open")

    def __init__(self) -> None:
        self.open = True
        self.committed = False
        self.messages: list[Message] = []

    def end(self, committed: bool) -> None:
        """What waited for it can be read, or never will be."""
        if not self.open:
            return
        self.open = False
        self.committed = committed
        for message in self.messages:
            for group in message.topic.groups:
                group.settle(message.partition.index)

    def abort_in(self, env: Clock, timeout: float) -> None:
        """It is left open: aborted when its time is over, at the next look."""
        env.schedule(Signal(lambda _: self.end(False)), CONTROL, abort_delay(env.now, timeout))


def abort_delay(now: float, timeout: float) -> float:
    """Seconds until the broker notices that the time of a transaction is over which was left open now."""
    return math.ceil((now + timeout) / CHECK) * CHECK - now
