"""A request of a producer: batches on their way to one node, what that makes of them, and the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from sim.models.clock import Clock, Signal, Turn
from sim.models.logs.batch import Batch
from sim.models.logs.cluster import ClusteredBroker
from sim.models.logs.connection import Connection, UnderWay
from sim.models.logs.record import Ack
from sim.models.logs.transactions import FENCED
from sim.models.outcomes import ERROR, OK, UNREACHABLE
from sim.models.timers import TimerQueue


class Sender(Protocol):
    """A producer, as its requests know it (`producer.py`)."""

    broker: ClusteredBroker
    env: Clock
    service: str
    acks: str
    idempotent: bool
    connections: list[Connection]
    answers: TimerQueue  # until when they are waited for

    def earlier(self, batch: Batch) -> Iterator[Batch]:
        """Those of its partition that came before it and are not over."""

    def answered(self, request: UnderWay, outcomes: list[tuple[Batch, int]]) -> None:
        """An answer has come, or none is waited for."""

    def disconnect(self, request: UnderWay) -> None:
        """A request is waited for no longer: nor are the others of its connection."""


class ProduceRequest:
    """One request under way: to its node, until what `acks` asks for has happened there, and back."""

    def __init__(self, producer: Sender, node: int, batches: list[Batch]):
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
        self.life = 0  # of its node, when that read it
        self.told = False  # the answer is on its way

    def go(self) -> None:
        """On its way; whoever hears nothing in time sends again."""
        first = self.batches[0].first
        for batch in self.batches:  # what is on its way relates to its requests, whether or not anybody waits
            for record in batch.records:
                record.request.alive += 1
        if self.producer.acks != "0":
            self.producer.answers.arm(self)
        delay = first.hop.delay(first.request.id, self.batches[0].chain)
        if delay < 0.0:
            self.forget()
            if self.producer.acks == "0":
                self._tell(OK)
        elif (delay := self.connection.on_its_way(delay)) > 0.0:
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
        if self._nobody_there and not self.connection.broken:
            self._refused()
        else:
            self.connection.read(self)

    def begin(self) -> None:
        """Its node has read it, and is at it."""
        self.read = True
        self.life = self.broker.nodes[self.node].life
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

    @property
    def _is_gone(self) -> bool:
        """Whether it was lost with the node that had read it."""
        return self.read and self.life != self.broker.nodes[self.node].life

    def _handle(self, _: object) -> None:
        if self._is_gone:
            self.forget()
            return
        acks = self.producer.acks
        for batch in self.batches:
            outcome = batch.topic.refuses(batch.partition, acks)
            if not outcome and batch.partition.leader != self.node:
                outcome = UNREACHABLE  # NOT_LEADER_OR_FOLLOWER
            if not outcome and batch.transaction is not None and not batch.transaction.open:
                outcome = FENCED
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
        if self.producer.idempotent and any(not other.messages for other in self.producer.earlier(batch)):
            return ERROR  # OUT_OF_ORDER_SEQUENCE_NUMBER: one before it is still to come
        topic = batch.topic
        batch.messages = topic.append_batch(batch.partition, batch.records, batch.attempts)
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
        if self._is_gone:
            self.forget()
            return
        self.told = True
        throttle = 0.0 if self._nobody_there else self.broker.throttle(self.node, self.producer.service, self.size)
        delay = self.way_back()
        if delay >= 0.0 and self.producer.acks != "0":
            self.env.hold(Signal(lambda _: self._back(throttle)), self.connection.on_its_way_back(delay))
        self.forget()
        if self.read:
            self.connection.read_on(throttle)

    def way_back(self) -> float:
        """Seconds that an answer takes; less than 0: it is lost."""
        first = self.batches[0].first
        return first.back.delay(first.request.id, self.batches[0].chain)

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
