"""A consumer that handles each record in a transaction."""

from __future__ import annotations

from sim.models.consumer import Consumer
from sim.models.group import Delivery
from sim.models.handler import DONE_WITH
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.transactions import Transaction
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
        """The outcome of the steps; they and the offset are committed together."""
        self._fence()
        consumer, env = self.consumer, self.broker.env
        present = self.present = self.broker.transactions[task] = Transaction()
        outcome = yield from consumer.deliver(task, delivery)
        del self.broker.transactions[task]
        well = outcome in DONE_WITH and not consumer.evicted
        if well:
            yield from consumer.reach_broker(task)
            hop, number = consumer.fetch_hop, delivery.message.number
            delay = 0.0
            for way in range(ONE_WAYS):  # one after the other: a sum that any engine rounds alike
                delay += hop.travel(number, way)
            if delay > 0.0:
                env.hold(task, delay)
                yield
        present.end(well and not consumer.evicted)
        self.present = None
        return outcome

    def leave(self) -> None:
        """It has died: its transaction is open until it is back, or until its time is over."""
        if self.present is not None:
            self.broker.transactions.pop(self.consumer.task, None)
            self.present.abort_in(self.broker.env, self.spec.timeout)

    def _fence(self) -> None:
        """initTransactions: what the one before left open is aborted."""
        if self.present is not None:
            self.present.end(False)
            self.present = None
