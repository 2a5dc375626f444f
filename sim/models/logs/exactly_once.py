"""A consumer that handles each record in a transaction."""

from __future__ import annotations

from sim.models.consumer import Consumer
from sim.models.group import Delivery
from sim.models.handler import DONE_WITH
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.transactions import FENCED, Transaction
from sim.models.task import Activity, Task
from sim.spec.consuming import Transaction as Spec

ONE_WAYS = 4  # of TxnOffsetCommit and EndTxn, there and back


class ExactlyOnce:
    """What a consumer does around each record."""

    def __init__(self, consumer: Consumer, broker: ClusteredBroker, spec: Spec):
        self.consumer = consumer
        self.broker = broker
        self.spec = spec
        self.present: Transaction | None = None
        consumer.transacted = self.run
        consumer.gone = self.leave

    def run(self, task: Task, delivery: Delivery) -> Activity:
        """The outcome of the steps; they and the offset are committed together, or it has failed."""
        self._fence()
        consumer, broker = self.consumer, self.broker
        present = self.present = broker.transactions[task] = Transaction(broker.coordinator, self, self.spec.timeout)
        outcome = yield from consumer.deliver(task, delivery)
        del broker.transactions[task]
        if outcome in DONE_WITH and not consumer.evicted:
            yield from consumer.reach_broker(task)
            delay = self._commit_delay(delivery.message.number)
            if delay > 0.0:
                broker.env.hold(task, delay)
                yield
            if not present.open:
                outcome = FENCED
        present.end(outcome in DONE_WITH and not consumer.evicted)
        self.present = None
        return outcome

    def _commit_delay(self, number: int) -> float:
        """Seconds until it is committed, or it is heard with the first answer that it was aborted."""
        assert self.present is not None
        delay = 0.0
        for way in range(ONE_WAYS if self.present.open else ONE_WAYS // 2):  # a sum that any engine rounds alike
            delay += self.consumer.fetch_hop.travel(number, way)
        return delay

    def leave(self) -> None:
        """It has died: its transaction is open until it is back, or until its time is over."""
        self.broker.transactions.pop(self.consumer.task, None)

    def _fence(self) -> None:
        """initTransactions: what the one before left open is aborted."""
        if self.present is not None:
            self.present.end(False)
            self.present = None
