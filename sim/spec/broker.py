"""Brokers with topics. A `log` broker keeps what is published and remembers an offset per group, as Kafka does; of
queues see `queue_broker.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, WithJsonSchema

from sim.spec.base import Few, Leaves, Spec, Tagged, register
from sim.spec.distribution import AnyDistribution, Distribution
from sim.spec.policy import PRODUCER, CallPolicy
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


class MessageBroker(Spec):
    """Base of everything that takes messages and hands them on. Its `kind` is the word under which its class is
    registered.
    """

    system: ClassVar[str] = "kafka"  # as the conventions of OpenTelemetry call its like (messaging.system)

    @property
    def partitioned(self) -> Mapping[str, Topic]:
        """Its topics by name, where it has any: logs of which each partition is read by one member of a group."""
        return {}

    @property
    def destinations(self) -> tuple[str, ...]:
        """The names that may be published to."""
        return tuple(self.partitioned)

    @property
    def sources(self) -> tuple[str, ...]:
        """The names that may be consumed."""
        return tuple(self.partitioned)

    @property
    def publisher_policy(self) -> CallPolicy:
        """Of a publication that names none."""
        return PRODUCER

    @property
    def confirms(self) -> bool:
        """Whether a publisher hears that its event has arrived, and waits for it."""
        return True

    @property
    def confirms_after(self) -> Distribution | None:
        """Time until then, besides the way there and back."""
        return None

    def reached(self, destination: str) -> tuple[str, ...]:
        """Whatever may be consumed and a message published there may come to, at once or later."""
        return (destination,)


class Broker(MessageBroker):
    """Base of the brokers that have topics, ours and those of plug-ins."""

    topics: dict[str, Topic]
    """The topics, by name."""

    @property
    def partitioned(self) -> Mapping[str, Topic]:
        """Its topics."""
        return self.topics


AnyBroker = Annotated[MessageBroker, Tagged("broker")]


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
