"""A producer: records are put into batches, one open batch for each partition, and batches sent to the nodes that lead.

A node is sent to when one batch for it is full or has waited for `linger` (or memory is short), and takes along one
batch of every other partition that it leads, up to 1 MiB, as long as fewer than `max_in_flight` requests are under way
to it; the next request begins with the partition that found no room in the last (RecordAccumulator, drainIndex). The
node handles them one by one (`connection.py`). What fails is put back and sent again after a pause, or at once where
its partition has got another leader meanwhile (KIP-951, ProducerBatch.hasLeaderChangedForTheOngoingRetry), until
`delivery_timeout`. Batches of an idempotent producer are known again by the broker; those of others are written as
often as they arrive. They are put back in the order of their sequence, and sent again one at a time: the next when the
first is acknowledged, or given up (RecordAccumulator.insertInSequenceOrder, shouldStopDrainBatchesForPartition). With
`max_in_flight: 1` a partition has one batch under way, whoever leads it (mutePartition). Who finds no memory waits for
it, in order, for `max_block`. A consumer that handles records in transactions has a producer of its own (a
transactional.id), and a batch is of one transaction.

Not modelled: compression, the overhead of records and batches, several producers in one replica, metadata requests (a
new leader is known when it is elected), batches that are split for their size, and records larger than a request.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import takewhile

from sim.chance.chain import link_chain
from sim.models.clock import Clock, Signal
from sim.models.draws import Draw
from sim.models.logs.batch import Batch
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.connection import Connection, UnderWay
from sim.models.logs.produce_request import ProduceRequest
from sim.models.logs.record import Record
from sim.models.logs.replicated import ReplicatedPartition, ReplicatedTopic
from sim.models.logs.transactions import FENCED
from sim.models.outcomes import OK, TIMEOUT, UNREACHABLE
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
        self.answers = deadlines.requests
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
        self.no_room: dict[int, ReplicatedPartition] = {}  # in the last request to each node
        self.woken_at = math.inf  # s; when the sender looks next
        self.requests = 0
        self.batches = 0
        self.live: dict[Batch, None] = {}  # not over
        self.live_of: dict[ReplicatedPartition, dict[Batch, None]] = {}  # of each partition

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
        sticky = self._sticky(topic)
        u, queued = topic.chance(record.request.id, record.chain), self._queued(topic)
        present = topic.partitions[partitioners.peek(sticky, queued, u)]
        if self._open_batch(present, record) is None:
            partitioners.sent(sticky, 0.0, True, queued, u)
        return topic.partitions[sticky.partition]

    def _sticky(self, topic: ReplicatedTopic) -> partitioners.BuiltInRow:
        sticky = self.built_in.get(topic)
        if sticky is None:
            sticky = self.built_in[topic] = partitioners.new_built_in(len(topic.partitions), self.spec.batch)
        return sticky

    def _open_batch(self, partition: ReplicatedPartition, record: Record) -> Batch | None:
        """The batch that a record goes into; one that has no room for it, or is of another transaction, is complete."""
        line = self.open.setdefault(partition, deque())
        if not line:
            return None
        last = line[-1]
        other = last.transaction is not record.transaction
        last.closed = last.closed or last.size + record.size > self.spec.batch or other
        return None if last.closed else last

    def takes(self, topic: ReplicatedTopic, record: Record) -> bool:
        """Put it into a batch; False: there is no memory for a new one."""
        partition = self.partition_of(topic, record)
        last = self._open_batch(partition, record)
        if last is None:
            if self.free < self._memory(record.size):
                self.drain()
                return False
            last = self._new_batch(topic, partition, record.size)
            last.transaction = record.transaction
            self.open[partition].append(last)
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
        self.live[batch] = self.live_of.setdefault(partition, {})[batch] = None
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
            full = len(line) > 1 or batch.closed
            if partition.leader is None:
                soonest = min(soonest, now + self.spec.retry_backoff)
            elif self._is_behind(batch):
                continue  # what it waits for is answered, or given up
            elif self._backs_off(batch) or not (full or exhausted or batch.due <= now):
                soonest = min(soonest, batch.due)
            elif self.connections[partition.leader].silent_until > now:
                soonest = min(soonest, self.connections[partition.leader].silent_until)
            else:
                ready[partition.leader] = None
        return sorted(ready), soonest

    def _backs_off(self, batch: Batch) -> bool:
        """Whether it is in the pause between two tries, which nobody waits for who has another leader to send to."""
        return batch.attempts > 0 and batch.due > self.env.now and batch.epoch == batch.partition.epoch

    def _is_behind(self, batch: Batch) -> bool:
        """Whether one before it is under way which has to be over first: nothing else before it is not over."""
        if self.spec.max_in_flight > 1 and not (self.idempotent and batch.attempts):
            return False
        return next(self.earlier(batch), None) is not None

    def earlier(self, batch: Batch) -> Iterator[Batch]:
        """Those of its partition that came before it and are not over, the oldest first."""
        return takewhile(lambda other: other.sequence < batch.sequence, self.live_of.get(batch.partition, ()))

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
        size = 0.0
        taken: list[Batch] = []
        for partition, line in self._in_turn(node):
            if not line or partition.leader != node or self._backs_off(line[0]) or self._is_behind(line[0]):
                continue
            if taken and size + line[0].size > MAX_REQUEST:
                self.no_room[node] = partition
                break
            batch = line.popleft()
            batch.closed = True
            batch.epoch = partition.epoch
            size += batch.size
            taken.append(batch)
        if taken:
            self.requests += 1
            self.batches += len(taken)
            ProduceRequest(self, node, taken).go()
        return bool(taken)

    def _in_turn(self, node: int) -> Iterable[tuple[ReplicatedPartition, deque[Batch]]]:
        """What is open, from the partition on that found no room in the last request to a node."""
        first = self.no_room.pop(node, None)
        if first is None:
            return self.open.items()
        lines = list(self.open.items())
        begin = next(place for place, (partition, _) in enumerate(lines) if partition is first)
        return lines[begin:] + lines[:begin]

    # -- what becomes of them ----------------------------------------------------------------------------------------

    def answered(self, request: UnderWay, outcomes: list[tuple[Batch, int]]) -> None:
        """An answer has come, or none is waited for."""
        if self.closed:
            return
        del request.connection.under_way[request]
        self._hear(outcomes)
        self.drain()

    def disconnect(self, request: UnderWay) -> None:
        """A request is waited for no longer: nor are the others of its connection."""
        if self.closed:
            return
        failed = list(request.connection.under_way)
        self._connect_anew(request.node)
        for other in failed:
            other.fail()
            self._hear([(batch, TIMEOUT if other is request else UNREACHABLE) for batch in other.batches])
        self.drain()

    def node_lost(self, node: int) -> None:
        """What it was asked is gone with it; of a connection on which nothing is under way there is nothing to hear."""
        connection = self.connections[node]
        if not connection.under_way:
            self._connect_anew(node)
        elif not connection.broken:
            first, delay = next(iter(connection.under_way)), connection.break_off()
            if delay >= 0.0:
                self.env.hold(Signal(lambda _: self.disconnect(first) if connection.open else None), delay)

    def _connect_anew(self, node: int) -> None:
        connection = self.connections[node]
        self.connections[node] = Connection(self.env, connection.silent_until)
        connection.close()

    def _hear(self, outcomes: list[tuple[Batch, int]]) -> None:
        """What became of the batches of a request."""
        for batch, outcome in outcomes:
            if batch not in self.live:
                continue
            if outcome in (OK, FENCED):
                self._end(batch, outcome)
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
        del self.live[batch], self.live_of[batch.partition][batch]
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
        self.live_of.clear()
        self.open.clear()
        self.blocked.clear()
        for connection in self.connections:
            connection.close()
