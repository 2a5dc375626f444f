"""A producer: records are put into batches, one open batch for each partition, and batches sent to the nodes that lead.

A node is sent to when one batch for it is full or has waited for `linger` (or memory is short), and takes along one
batch of every other partition that it leads, up to 1 MiB, as long as fewer than `max_in_flight` requests are under way
to it; it handles them one by one (`connection.py`). What fails is put back, in the order of its sequence where the
producer is idempotent, and sent again after a pause, until `delivery_timeout`. An idempotent producer's batches are
known again by the broker; those of others are written as often as they arrive. Who finds no memory waits for it, in
order, for `max_block`.

Not modelled: compression, the overhead of records and batches, several producers in one replica, metadata requests (a
new leader is known when it is elected), batches that are split for their size, and records larger than a request.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

from sim.chance.chain import link_chain
from sim.models.clock import Clock, Signal, Turn
from sim.models.draws import Draw
from sim.models.logs.batch import Batch
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.connection import Connection
from sim.models.logs.record import Ack, Record
from sim.models.logs.replicated import ReplicatedPartition, ReplicatedTopic
from sim.models.outcomes import ERROR, OK, TIMEOUT, UNREACHABLE
from sim.models.task import Task
from sim.models.timers import TimerQueue
from sim.policies import partitioner as partitioners
from sim.policies.retry import client_pause
from sim.spec.producer import Producer as Spec

MAX_REQUEST = 1048576.0  # bytes of one request (max.request.size)


class Blocked:
    """A publisher that waits for memory."""

    __slots__ = ("placed", "producer", "record", "task", "ticket", "topic")

    def __init__(self, task: Task, topic: ReplicatedTopic, record: Record, producer: Producer):
        self.producer = producer
        self.task = task
        self.topic = topic
        self.record = record
        self.placed = False
        self.ticket = 0


class Deadlines:
    """Until when batches and requests of all producers of a broker are waited for."""

    def __init__(self, env: Clock, spec: Spec):
        self.batches = TimerQueue(env, spec.delivery_timeout, lambda batch: batch.producer.expire(batch))
        self.requests = TimerQueue(env, spec.request_timeout, lambda request: request.time_out())


class Producer:
    """That of one replica of a service, for all topics of a broker."""

    def __init__(self, broker: ClusteredBroker, service: str, spec: Spec, chance: Draw, deadlines: Deadlines):
        self.deadlines = deadlines
        self.broker = broker
        self.env = broker.env
        self.service = service
        self.spec = spec
        self.acks = spec.acks_of(broker.acks)
        self.idempotent = spec.knows_again(self.acks)
        self.chance = chance
        self.closed = False
        self.open: dict[ReplicatedPartition, deque[Batch]] = {}  # not sent yet, or to be sent again
        self.sequences: dict[ReplicatedPartition, int] = {}
        self.connections = [Connection(self.env) for _ in broker.nodes]
        self.free = spec.buffer
        self.blocked: deque[Blocked] = deque()
        self.built_in: dict[ReplicatedTopic, partitioners.BuiltInRow] = {}
        self.woken_at = math.inf  # s; when the sender looks next
        self.requests = 0
        self.batches = 0
        self.live: dict[Batch, None] = {}  # not over

    # -- records in --------------------------------------------------------------------------------------------------

    def unblock(self, waiting: Blocked) -> None:
        """It waits no longer."""
        waiting.ticket += 1
        if waiting in self.blocked:
            self.blocked.remove(waiting)

    def partition_of(self, topic: ReplicatedTopic, record: Record) -> ReplicatedPartition:
        """Where it goes: by its key, in turn, or where the producer is now."""
        if topic.spec.partitioner == "round_robin":
            if record.turn < 0:
                record.turn = topic.in_turn(self)
            return topic.partitions[record.turn]
        keyed = topic.keyed(record.request, record.key)
        if keyed >= 0:
            return topic.partitions[keyed]
        sticky = self.built_in.get(topic)
        if sticky is None:
            sticky = self.built_in[topic] = partitioners.new_built_in(len(topic.partitions), self.spec.batch)
        u = topic.chance(record.request.id, record.chain)
        return topic.partitions[partitioners.peek(sticky, self._queued(topic), u)]

    def takes(self, topic: ReplicatedTopic, record: Record) -> bool:
        """Put it into a batch; False: there is no memory for a new one."""
        partition = self.partition_of(topic, record)
        line = self.open.setdefault(partition, deque())
        last = line[-1] if line else None
        if last is None or last.closed or last.size + record.size > self.spec.batch:
            if last is not None and not last.closed:
                last.closed = True
            if self.free < self._memory(record.size):
                self.drain()
                return False
            last = self._new_batch(topic, partition, record.size)
            line.append(last)
        last.records.append(record)
        last.size += record.size
        last.closed = last.size >= self.spec.batch
        sticky = self.built_in.get(topic)
        if sticky is not None and topic.keyed(record.request, record.key) < 0:
            u = topic.chance(record.request.id, link_chain(record.chain, 1, 0))
            partitioners.sent(sticky, record.size, last.closed, self._queued(topic), u)
        self.drain()
        return True

    def _memory(self, size: float) -> float:
        return max(size, self.spec.batch)

    def _new_batch(self, topic: ReplicatedTopic, partition: ReplicatedPartition, size: float) -> Batch:
        sequence = self.sequences.get(partition, 0)
        self.sequences[partition] = sequence + 1
        batch = Batch(self, topic, partition, sequence, self.env.now + self.spec.linger)
        self.free -= self._memory(size)
        self.live[batch] = None
        self.deadlines.batches.arm(batch)
        return batch

    def _queued(self, topic: ReplicatedTopic) -> list[int]:
        return [len(self.open.get(partition, ())) for partition in topic.partitions]

    # -- batches out -------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Send what is ready; look again when the next batch will be."""
        if self.closed:
            return
        ready, soonest = self._look()
        while self._send_to(ready):
            ready, soonest = self._look()
        wait = soonest - self.env.now
        if self.env.now + wait < self.woken_at:
            self.woken_at = self.env.now + wait
            self.env.hold(Signal(self._woken), wait)

    def _look(self) -> tuple[list[int], float]:
        """The nodes that something is ready for, and when more will be, s."""
        now, soonest = self.env.now, math.inf
        ready: dict[int, None] = {}
        exhausted = bool(self.blocked)
        for partition, line in self.open.items():
            if not line:
                continue
            batch = line[0]
            backing_off = batch.attempts > 0 and batch.due > now
            full = len(line) > 1 or batch.closed
            if partition.leader is None:
                soonest = min(soonest, now + self.spec.retry_backoff)
            elif backing_off or not (full or exhausted or batch.due <= now):
                soonest = min(soonest, batch.due)
            elif self.connections[partition.leader].silent_until > now:
                soonest = min(soonest, self.connections[partition.leader].silent_until)
            else:
                ready[partition.leader] = None
        return sorted(ready), soonest

    def _send_to(self, nodes: list[int]) -> bool:
        """One request to each of these nodes that may have one more; whether there was any."""
        sent = [self._send(node) for node in nodes if len(self.connections[node].under_way) < self.spec.max_in_flight]
        return any(sent)

    def _woken(self, _: object) -> None:
        if self.env.now >= self.woken_at:
            self.woken_at = math.inf
        self.drain()

    def _send(self, node: int) -> bool:
        """One request to a node, with a batch of each partition that it leads; whether there was any."""
        now, size = self.env.now, 0.0
        taken: list[Batch] = []
        for partition, line in self.open.items():
            if not line or partition.leader != node or (line[0].attempts > 0 and line[0].due > now):
                continue
            if taken and size + line[0].size > MAX_REQUEST:
                break
            batch = line.popleft()
            batch.closed = True
            size += batch.size
            taken.append(batch)
        if taken:
            self.requests += 1
            self.batches += len(taken)
            ProduceRequest(self, node, taken).go()
        return bool(taken)

    # -- what becomes of them ----------------------------------------------------------------------------------------

    def answered(self, request: ProduceRequest, outcomes: list[tuple[Batch, int]]) -> None:
        """An answer has come, or none is waited for."""
        if self.closed:
            return
        del request.connection.under_way[request]
        self._hear(outcomes)
        self.drain()

    def disconnect(self, request: ProduceRequest) -> None:
        """A request is waited for no longer: nor are the others of its connection."""
        if self.closed:
            return
        failed, connection = list(request.connection.under_way), request.connection
        self.connections[request.node] = Connection(self.env, connection.silent_until)
        connection.close()
        for other in failed:
            other.fail()
            self._hear([(batch, TIMEOUT if other is request else UNREACHABLE) for batch in other.batches])
        self.drain()

    def _hear(self, outcomes: list[tuple[Batch, int]]) -> None:
        """What became of the batches of a request."""
        for batch, outcome in outcomes:
            if batch not in self.live:
                continue
            if not outcome:
                self._end(batch, OK)
            else:
                self._again(batch)

    def _again(self, batch: Batch) -> None:
        """Put it back for another try, after a pause."""
        luck = self.chance(batch.first.request.id, batch.chain)
        pause = client_pause(batch.attempts, self.spec.retry_backoff, self.spec.retry_backoff_max, luck)
        batch.attempts += 1
        batch.due = self.env.now + pause
        line = self.open.setdefault(batch.partition, deque())
        behind = 0
        while self.idempotent and behind < len(line) and line[behind].sequence < batch.sequence:
            behind += 1
        line.insert(behind, batch)

    def expire(self, batch: Batch) -> None:
        """It has had its time."""
        line = self.open[batch.partition]
        if batch in line:
            line.remove(batch)
        self._end(batch, TIMEOUT)
        self.drain()

    def _end(self, batch: Batch, outcome: int) -> None:
        del self.live[batch]
        batch.ticket += 1
        self.free += self._memory(batch.size)
        for record in batch.records:
            record.end(outcome)
        while self.blocked and self.takes(self.blocked[0].topic, self.blocked[0].record):
            waiting = self.blocked[0]
            waiting.placed = True
            self.unblock(waiting)
            self.env.wake(waiting.task)

    def close(self) -> None:
        """Its replica is gone, with what was not sent."""
        self.closed = True
        for batch in self.live:
            batch.ticket += 1
            for record in batch.records:
                record.task = None
                record.end(UNREACHABLE)
        self.live.clear()
        self.open.clear()
        self.blocked.clear()
        for connection in self.connections:
            connection.close()


class ProduceRequest:
    """One request under way: to its node, until what `acks` asks for has happened there, and back."""

    def __init__(self, producer: Producer, node: int, batches: list[Batch]):
        self.producer = producer
        self.broker = producer.broker
        self.env = producer.env
        self.node = node
        self.batches = batches
        self.size = sum(batch.size for batch in batches)
        self.outcomes: dict[Batch, int] = {}
        self.connection = producer.connections[node]
        self.connection.under_way[self] = None
        self.over = False  # for the producer
        self.ticket = 0  # of its wait for an answer
        self.read = False  # by its node
        self.told = False  # the answer is on its way

    def go(self) -> None:
        """On its way; whoever hears nothing in time sends again."""
        first = self.batches[0].first
        for batch in self.batches:  # what is on its way relates to its requests, whether or not anybody waits
            for record in batch.records:
                record.request.alive += 1
        if self.producer.acks != "0":
            self.producer.deadlines.requests.arm(self)
        delay = first.hop.delay(first.request.id, self.batches[0].chain)
        if delay < 0.0:
            self.forget()
            if self.producer.acks == "0":
                self._tell(OK)
        elif delay > 0.0:
            self.env.hold(Signal(self._arrive), delay)
        else:
            self._arrive(None)
        if self.producer.acks == "0" and delay >= 0.0:
            self._tell(OK)

    def _tell(self, outcome: int) -> None:
        """The producer hears no more than this: it has sent them."""
        self.over = True
        self.env.hold(Signal(lambda _: self.producer.answered(self, [(b, outcome) for b in self.batches])), 0.0)

    def time_out(self) -> None:
        """Its producer waits no longer."""
        self.producer.disconnect(self)

    def fail(self) -> None:
        """Its connection is closed."""
        self.over = True
        self.ticket += 1

    @property
    def _nobody_there(self) -> bool:
        return bool(self.broker.down or self.broker.nodes[self.node].down)

    def _arrive(self, _: object) -> None:
        if self._nobody_there:
            self._refused()
        else:
            self.connection.read(self)

    def begin(self) -> None:
        """Its node has read it, and is at it."""
        self.read = True
        if self._nobody_there:
            self._refused()
            return
        delay = self.broker.busy(self.node, self.size)
        if delay > 0.0:
            self.env.hold(Signal(self._handle), delay)
        else:
            self._handle(None)

    def _refused(self) -> None:
        """Nobody is there."""
        for batch in self.batches:
            self.outcomes[batch] = UNREACHABLE
        self._answer()

    def _handle(self, _: object) -> None:
        acks = self.producer.acks
        for batch in self.batches:
            outcome = batch.topic.refuses(batch.partition, acks)
            if not outcome and batch.partition.leader != self.node:
                outcome = UNREACHABLE  # NOT_LEADER_OR_FOLLOWER
            if not outcome and not self._is_known(batch):
                outcome = self._append(batch)
            if outcome:
                self.outcomes[batch] = outcome
        for batch in self.batches:
            if batch not in self.outcomes:
                self._wait_for(batch, acks)
        if len(self.outcomes) == len(self.batches) and not self.told:
            self._answer()

    def _is_known(self, batch: Batch) -> bool:
        """Whether the broker has it already, and nothing of it was lost meanwhile."""
        return self.producer.idempotent and bool(batch.messages) and not any(its.lost for its in batch.messages)

    def _append(self, batch: Batch) -> int:
        if self.producer.idempotent:
            earlier = (other for other in self.producer.live if other.partition is batch.partition)
            if any(other.sequence < batch.sequence and not other.messages for other in earlier):
                return ERROR  # OUT_OF_ORDER_SEQUENCE_NUMBER: one before it is still to come
        topic = batch.topic
        batch.messages = [topic.append_record(batch.partition, record, batch.attempts) for record in batch.records]
        return OK

    def _wait_for(self, batch: Batch, acks: str) -> None:
        last: Any = batch.messages[-1]
        if acks != "all":
            batch.topic.acknowledge(batch.messages)
            self._settle(batch, OK)
        elif last.readable or last.lost:
            self._committed(batch)
        else:
            before = last.waiter  # of an earlier try, which was waited for no longer
            last.waiter = Ack(lambda: self._committed(batch, before))

    def _committed(self, batch: Batch, before: Turn | None = None) -> None:
        """All in-sync replicas have it, or its leader is gone."""
        if before is not None:
            self.env.wake(before)
        last = batch.messages[-1]
        few = len(batch.partition.in_sync) < batch.topic.spec.min_insync_replicas
        self._settle(batch, UNREACHABLE if not last.readable else ERROR if few else OK)

    def _settle(self, batch: Batch, outcome: int) -> None:
        self.outcomes[batch] = outcome
        if len(self.outcomes) == len(self.batches):
            self._answer()

    def _answer(self) -> None:
        """What became of all of them, as soon as the last is known."""
        self.told = True
        throttle = 0.0 if self._nobody_there else self.broker.throttle(self.node, self.producer.service, self.size)
        first = self.batches[0].first
        delay = first.back.delay(first.request.id, self.batches[0].chain)
        if delay >= 0.0 and self.producer.acks != "0":
            self.env.hold(Signal(lambda _: self._back(throttle)), delay)
        self.forget()
        if self.read:
            self.connection.read_on(throttle)

    def _back(self, throttle: float) -> None:
        if not self.over:
            self.over = True
            self.ticket += 1
            if throttle > 0.0:
                self.connection.silent_until = self.env.now + throttle
            self.producer.answered(self, [(batch, self.outcomes[batch]) for batch in self.batches])

    def forget(self) -> None:
        """It is on its way no longer."""
        for batch in self.batches:
            for record in batch.records:
                record.request.done()
