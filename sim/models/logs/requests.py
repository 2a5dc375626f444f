"""Publications straight to the leader of a partition: one request for each record, where there is no `producer`.

Not modelled: their connections; a node handles them side by side.
"""

from __future__ import annotations

from sim.models.destination import Sent
from sim.models.logs.replicated import ReplicatedPartition, ReplicatedTopic
from sim.models.logs.transactions import FENCED
from sim.models.outcomes import ERROR, OK, UNREACHABLE
from sim.models.task import Activity, Process, Task
from sim.models.topic import Message, PublishTarget, TopicStore
from sim.vocabulary import Stage


class ReplicatedTarget(PublishTarget):
    """A replicated topic as something that can be called: one request for each record."""

    topic: ReplicatedTopic

    def sent(self, attempt: Task, sender: Task) -> None:
        """It is a part of the transaction that is open where it comes from, whoever waits for it when it arrives."""
        broker = self.topic.broker
        transaction = broker.transaction_of(sender)
        if transaction is not None:
            broker.transactions[attempt] = transaction

    def _serve(self, task: Task) -> Process:
        """Append at the leader, wait for what `acks` asks for, and acknowledge."""
        topic, broker, request = self.topic, self.topic.broker, task.request
        outcome = UNREACHABLE if broker.down else OK
        if not outcome:
            partition = topic.place(request, task.chain, self.key, task.producer)
            outcome = yield from admitted(task, topic, partition, self.size)
        transaction = broker.transactions.pop(task, None)
        if not outcome and transaction is not None and not transaction.open:
            outcome = FENCED
        if not outcome:
            message = transaction.known(topic, self.site, task.path) if transaction is not None else None
            if message is None:
                sent = Sent(request, task.chain, task.path, task.flow)
                message = topic.append_to(partition, sent, self.site, transaction)
            outcome = yield from wait_for(task, topic, [message], broker.acks)
            topic.recorder.stage(task, Stage.ANSWER, self.where)
        if outcome:
            task.where = self.where
        yield from self._end(task, outcome)


class ReplicatedStore(TopicStore):
    """Where the relay of an outbox publishes."""

    topic: ReplicatedTopic

    def run(self, task: Task, rows: list[Sent]) -> Activity:
        """1 when all are acknowledged, 0 when they have to be published again."""
        topic, acks = self.topic, self.topic.broker.acks
        if topic.broker.down:
            return 0
        messages = []
        for row in rows:
            partition = topic.place(row.request, row.chain, self.key, task.replica)
            if (yield from admitted(task, topic, partition, self.size)):
                return 0
            messages.append(topic.append_to(partition, row, self.site))
        outcome = yield from wait_for(task, topic, messages, acks)
        return 0 if outcome else 1


def admitted(task: Task, topic: ReplicatedTopic, partition: ReplicatedPartition, size: float) -> Activity:
    """What a request hears from the leader of a partition, at once or when the node has done with it; OK: to append."""
    broker = topic.broker
    outcome = topic.refuses(partition, broker.acks)
    if not outcome:
        node = broker.nodes[partition.leader or 0]
        delay, life = broker.busy(node.index, size), node.life
        if delay > 0.0:
            topic.env.hold(task, delay)
            yield
            outcome = topic.refuses(partition, broker.acks) if node.life == life else UNREACHABLE
    return outcome


def wait_for(task: Task, topic: ReplicatedTopic, messages: list[Message], acks: str) -> Activity:
    """Until all are acknowledged: OK; ERROR where too few replicas are in sync by then
    (NOT_ENOUGH_REPLICAS_AFTER_APPEND); UNREACHABLE where the leader is gone.
    """
    for message in messages:
        if acks != "all":
            topic.acknowledge([message])
            continue
        if not message.readable and not message.lost:
            before, message.waiter = message.waiter, task  # an earlier try, which may be waited for no longer
            yield
            if before is not None:
                topic.env.wake(before)
        if not message.readable:
            return UNREACHABLE
        if len(message.partition.in_sync) < topic.spec.min_insync_replicas:  # type: ignore[attr-defined]
            return ERROR
    return OK
