"""Publications by way of a producer: whoever publishes waits for its record, and so does the relay of an outbox.

Not modelled: callbacks (a publication is waited for, unless `acks` is 0), and flushing.
"""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.models.call import Call
from sim.models.destination import Sent
from sim.models.logs.producer import Blocked, Producer
from sim.models.logs.record import Record, waits
from sim.models.logs.replicated import ReplicatedTopic
from sim.models.outcomes import OK, REFUSED, TIMEOUT
from sim.models.task import Activity, Killed, Task
from sim.models.timers import TimerQueue
from sim.spec.producer import Producer as Spec
from sim.spec.step import Publish
from sim.vocabulary import Stage


class Producing:
    """A publication from one site, in the place of its call."""

    def __init__(self, topic: ReplicatedTopic, call: Call, step: Publish, spec: Spec):
        self.topic = topic
        self.env = topic.env
        self.call = call
        self.spec = spec
        self.key = step.key or topic.key
        self.size = step.size or topic.size
        self.site = topic.new_site(self.size)
        self.hears = spec.acks_of(topic.broker.acks) != "0"
        self.memory = Memory(topic, spec.max_block)

    def run(self, task: Task) -> Activity:
        """The outcome, or that of the fallback."""
        call = self.call
        call.host.let_go(task)
        outcome = yield from self._produce(task)
        if outcome in (OK, REFUSED) or call.fallback is None:
            return call.failed(task, outcome) if outcome not in (OK, REFUSED) else outcome
        outcome = yield from call.fallback.run(task)
        if outcome == OK:
            task.degraded = True
        return outcome

    def _produce(self, task: Task) -> Activity:
        call = self.call
        call.recorder.stage(task, Stage.CALL, call.target.where)
        record = self._record(task)
        producer = self.topic.broker.producer_of(call.caller, task.replica, record.transaction)
        outcome = yield from self.memory.put(task, producer, record)
        if outcome or not self.hears:
            return outcome
        if record.outcome < 0:
            waits(task, record, self.env.wake)
            try:
                yield
                if call.frozen(task):
                    yield from call.thaw(task)
            except Killed:
                record.task = None
                raise
        return record.outcome

    def _record(self, task: Task) -> Record:
        call = self.call
        chain, path = link_chain(task.chain, call.salt, 0), link_chain(task.path, call.salt, 0)
        record = Record(task.request, chain, path, task.flow, self.size, (call.hop, call.back))
        record.key, record.site = self.key, self.site
        record.transaction = self.topic.broker.transaction_of(task)
        return record


class Memory:
    """Who publishes waits for memory, in order, as long as it may."""

    def __init__(self, topic: ReplicatedTopic, max_block: float):
        self.topic = topic
        self.patience = TimerQueue(topic.env, max_block, self._give_up)

    def put(self, task: Task, producer: Producer, record: Record) -> Activity:
        """Into a batch, as soon as there is memory; TIMEOUT where there is none in time."""
        record.request.alive += 1
        if not producer.blocked and producer.takes(self.topic, record):
            return OK
        waiting = Blocked(task, self.topic, record, producer)
        producer.blocked.append(waiting)
        self.patience.arm(waiting)
        producer.drain()
        try:
            yield
        except Killed:
            producer.unblock(waiting)
            record.request.done()
            raise
        if waiting.placed:
            return OK
        record.request.done()
        return TIMEOUT

    def _give_up(self, waiting: Blocked) -> None:
        """TimeoutException: no memory within max.block.ms."""
        waiting.producer.unblock(waiting)
        self.topic.env.wake(waiting.task)


class Here:
    """No way at all: the relay itself travels."""

    def delay(self, _entity: int, _chain: int) -> float:
        """None."""
        return 0.0


HERE = Here()


class ProducedStore:
    """Where the relay of an outbox publishes through the producer of its replica."""

    def __init__(self, topic: ReplicatedTopic, step: Publish, spec: Spec):
        self.topic = topic
        self.memory = Memory(topic, spec.max_block)
        self.key: str | None = step.key or topic.key
        self.size = step.size or topic.size
        self.site = topic.new_site(self.size)

    def run(self, task: Task, rows: list[Sent]) -> Activity:
        """1 when all are acknowledged, 0 when they have to be published again."""
        producer: Producer = self.topic.broker.producer_of(task.replica.host.name, task.replica)
        records = []
        for row in rows:
            record = Record(row.request, row.chain, row.path, row.flow, self.size, (HERE, HERE))
            record.key, record.site = self.key, self.site
            records.append(record)
            if (yield from self.memory.put(task, producer, record)):
                return 0
        for record in records:
            if record.outcome < 0 and producer.acks != "0":
                waits(task, record, self.topic.env.wake)
                yield
        return 1 if all(record.outcome <= OK for record in records) else 0
