"""How a producer of a log collects records into batches, sends them, and tries again."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import Duration, Few, Flag, Leaves, Size, Spec
from sim.vocabulary import Outcome, Stage

Acks = Literal["all", "1", "0", 1, 0]
MOST_IN_FLIGHT = 5  # of an idempotent producer: a partition remembers that many batches of each (ProducerConfig)


class Producer(Spec):
    """The producer that each replica has which publishes to the broker. Names and defaults: Kafka's client (4.x,
    ProducerConfig).

    A batch of a partition is sent when it is full, when its first record has waited for `linger`, when memory is short,
    or along with another to the same node. Whoever publishes waits until its record is acknowledged.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.TIMEOUT, Outcome.ERROR),
        stages=(Stage.CALL,),
        series=("blocked", "produce_requests", "batches", "buffered"),
    )
    linger: Duration = 5e-3
    """How long the first record of a batch waits for others (linger.ms: 5 ms since 4.0, 0 before; KIP-1030)."""
    batch: Annotated[Size, Field(gt=0)] = 16384.0
    """Bytes of a batch, one for each partition (batch.size)."""
    max_in_flight: Few = 5
    """Requests under way to one node of the broker, which handles those of one producer one after the other
    (max.in.flight.requests.per.connection); an idempotent producer may have 5 at most.
    """
    buffer: Annotated[Size, Field(gt=0)] = 33554432.0
    """Memory for batches, sent or not; each takes its full size (buffer.memory)."""
    max_block: Duration = 60.0
    """How long whoever publishes waits for memory before it is a timeout (max.block.ms)."""
    acks: Acks | None = None
    """What an acknowledgement says; without a word what `acks` of the broker says."""
    idempotent: Flag = True
    """Whether the broker knows a batch again that is sent twice, and keeps the order (enable.idempotence)."""
    request_timeout: Annotated[Duration, Field(gt=0)] = 30.0
    """How long an answer is waited for before the batch is sent again, with all that is under way to the same node
    (request.timeout.ms).
    """
    delivery_timeout: Annotated[Duration, Field(gt=0)] = 120.0
    """From when on a batch is given up, all tries together (delivery.timeout.ms)."""
    retry_backoff: Annotated[Duration, Field(gt=0)] = 0.1
    """The first pause between two tries, which doubles, give or take 20 % (retry.backoff.ms)."""
    retry_backoff_max: Annotated[Duration, Field(gt=0)] = 1.0
    """The longest pause (retry.backoff.max.ms)."""

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.delivery_timeout < self.linger + self.request_timeout:
            raise ValueError(
                "found a delivery_timeout shorter than linger and request_timeout together, expected at least their sum"
            )
        if self.batch > self.buffer:
            raise ValueError("found a batch larger than the buffer, in which no batch would ever fit")
        if self.idempotent and self.max_in_flight > MOST_IN_FLIGHT:
            raise ValueError(
                f"found max_in_flight: {self.max_in_flight} of an idempotent producer, which may have "
                f"{MOST_IN_FLIGHT} at most; expected max_in_flight: {MOST_IN_FLIGHT}, or idempotent: false"
            )
        said = "idempotent" in self.model_fields_set and self.idempotent
        if said and self.acks is not None and str(self.acks) != "all":
            raise ValueError(
                f"found idempotent: true with acks: {self.acks}; expected acks: all, which an idempotent producer "
                "needs, or no word of it: then it is none"
            )
        return self

    def acks_of(self, broker: str) -> str:
        """Its own, or what the broker says."""
        return broker if self.acks is None else str(self.acks)

    def knows_again(self, acks: str) -> bool:
        """Whether it is idempotent: silently not, where `acks` contradict that which were said
        (ProducerConfig.postProcessAndValidateIdempotenceConfigs; more than 5 in flight are an error there since 4.0).
        """
        return self.idempotent and acks == "all"
