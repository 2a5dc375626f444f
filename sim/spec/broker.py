"""Brokers. A `log` broker keeps what is published and remembers an offset per group, as Kafka does."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema

from sim.spec.base import Few, Spec
from sim.spec.distribution import AnyDistribution


def _sticky(value: object) -> object:
    """The word for null, since null in the patch of a variant means that the key is removed."""
    return None if value == "sticky" else value


_KEYS = WithJsonSchema({"enum": ["order", "user", "item", "sticky", None]})
Key = Annotated[Literal["order", "user", "item"] | None, BeforeValidator(_sticky), _KEYS]


class Topic(Spec):
    """A topic; `key` decides the partition (murmur2), null or `sticky` is Kafka's sticky partitioner."""

    partitions: Few = 1
    key: Key = "order"


class LogBroker(Spec):
    """A Kafka-like log. `replication` is the time until followers have a record: until then `acks: all` waits and nobody reads it."""

    kind: Literal["log"]
    acks: Literal["all", "1", "0", 1, 0] = "all"
    replication: AnyDistribution | None = None
    topics: dict[str, Topic]
