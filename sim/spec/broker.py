"""Brokers. A `log` broker keeps what is published and remembers an offset per group, as Kafka does."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sim.spec.base import Spec
from sim.spec.distribution import AnyDistribution, Distribution


class Topic(Spec):
    """A topic; `key` decides the partition (murmur2), null is Kafka's sticky partitioner."""

    partitions: int = Field(default=1, ge=1, le=100_000)
    key: Literal["order", "user", "item"] | None = "order"


class LogBroker(Spec):
    """A Kafka-like log. `replication` is the time until followers have a record: until then `acks: all` waits and nobody reads it."""

    kind: Literal["log"]
    acks: Literal["all", "1", "0", 1, 0] = "all"
    replication: AnyDistribution | None = None
    topics: dict[str, Topic]
