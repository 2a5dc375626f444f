"""Brokers. A `log` broker keeps what is published and remembers an offset per group, as Kafka does."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, WithJsonSchema

from sim.spec.base import Few, Leaves, Spec, Tagged, register
from sim.spec.distribution import AnyDistribution, Distribution
from sim.vocabulary import MessageEnd, Stage


def _sticky(value: object) -> object:
    """The word for null, since null in the patch of a variant means that the key is removed."""
    return None if value == "sticky" else value


_KEYS = WithJsonSchema({"enum": ["order", "user", "item", "sticky", None]})
Key = Annotated[Literal["order", "user", "item"] | None, BeforeValidator(_sticky), _KEYS]


class Topic(Spec):
    """A topic; `key` decides the partition (murmur2), null or `sticky` is Kafka's sticky partitioner."""

    partitions: Few = 1
    """How many there are; each keeps its order, and is read by one member of a group."""
    key: Key = "order"
    """What decides the partition of a message (murmur2); `sticky`: none, as Kafka's sticky partitioner."""


class Broker(Spec):
    """Base of the brokers. Its `kind` is the word under which its class is registered."""

    topics: dict[str, Topic]
    """The topics, by name."""

    @property
    def confirms(self) -> bool:
        """Whether a publisher hears that its event has arrived, and waits for it."""
        return True

    @property
    def confirms_after(self) -> Distribution | None:
        """Time until then, besides the way there and back."""
        return None


AnyBroker = Annotated[Broker, Tagged("broker")]


@register("broker", "log")
class LogBroker(Broker):
    """A Kafka-like log.

    `replication` is the time until followers have a record: until then `acks: all` waits and nobody reads it.
    """

    leaves: ClassVar[Leaves] = Leaves(
        stages=(Stage.REPLICATION,), ends=(MessageEnd.EXPIRED, MessageEnd.DROPPED, MessageEnd.LOST)
    )
    kind: Literal["log"]
    """`log`: it keeps what is published, and remembers an offset per group, as Kafka does."""
    acks: Literal["all", "1", "0", 1, 0] = "all"
    """What a publisher waits for: all followers, the leader, or nothing."""
    replication: AnyDistribution | None = None
    """Time until the followers have a record; until then nobody reads it."""

    @property
    def confirms(self) -> bool:
        """Unless `acks` is 0."""
        return str(self.acks) != "0"

    @property
    def confirms_after(self) -> Distribution | None:
        """With `acks: all`, when the followers have it."""
        return self.replication if str(self.acks) == "all" else None
