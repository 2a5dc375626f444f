"""Brokers with topics. A `log` broker keeps what is published and remembers an offset per group, as Kafka does; of
queues see `queue_broker.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from sim.spec.base import Between, Few, Leaves, Size, Spec, register
from sim.spec.choice import Tagged
from sim.spec.cluster import Nodes, Quota
from sim.spec.distribution import AnyDistribution, Distribution
from sim.spec.policy import PRODUCER, CallPolicy
from sim.spec.producer import Producer
from sim.spec.retention import Compaction, Retention
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
    key_header: str | None = None
    """A key of one's own, in the place of `key`: the value of this header of a request (murmur2); who has none has no
    key.
    """
    partitioner: Literal["built_in", "round_robin"] = "built_in"
    """`round_robin`: each producer takes the partitions in turn, whatever the key (RoundRobinPartitioner)."""
    replication_factor: Annotated[int, Between(1, 1000)] = 1
    """How many nodes have each partition, the leader included; with 1, `replication` of the broker says when a record
    is safe.
    """
    min_insync_replicas: Annotated[int, Between(1, 1000)] = 1
    """With fewer in sync than this a publication under `acks: all` is refused, and nothing that is written under other
    acks can be read until there are enough (min.insync.replicas; KAFKA-15583, since 3.7).
    """
    message_size: Annotated[Size, Field(gt=0)] = 1024.0
    """Bytes of a message, where its publication does not say; for batches, retention, capacity and quotas."""
    retention: Retention | None = None
    """What is deleted, by time or size; without it nothing is."""
    compaction: Compaction | None = None
    """Whether only the latest record of each key is kept."""

    @property
    def deep(self) -> bool:
        """Whether it has more than partitions and keys."""
        kept = self.retention is not None or self.compaction is not None
        placed = self.key_header is not None or self.partitioner != "built_in"
        return kept or placed or self.replication_factor > 1 or self.min_insync_replicas > 1

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.min_insync_replicas > self.replication_factor:
            raise ValueError(
                f"found min_insync_replicas: {self.min_insync_replicas} of {self.replication_factor} replicas: nothing "
                "could ever be published; expected at most the replication_factor"
            )
        if self.compaction is not None and self.key is None and self.key_header is None:
            raise ValueError("found compaction of a topic without a key, by which its records replace one another")
        return self


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
    nodes: Nodes | None = None
    """Its nodes, each of which can be lost or be too busy; by default as many as a topic has replicas."""
    producer: Producer | None = None
    """The producers of whoever publishes: batches, memory, tries; without it each record is a request of its own."""
    quota: Quota | None = None
    """How much of what a service may send before its answers are held back."""

    @property
    def most_replicas(self) -> int:
        """Of a topic."""
        return max((topic.replication_factor for topic in self.topics.values()), default=1)

    @property
    def has_nodes(self) -> bool:
        """Whether nodes make a difference."""
        return self.nodes is not None or self.most_replicas > 1

    @property
    def deep(self) -> bool:
        """Whether more of it is said than what a topic of its own needs."""
        said = self.producer is not None or self.quota is not None or self.has_nodes
        return said or any(topic.deep for topic in self.topics.values())

    @model_validator(mode="after")
    def _enough_nodes(self) -> Self:
        if self.nodes is not None and self.nodes.count < self.most_replicas:
            raise ValueError(
                f"found {self.nodes.count} nodes for {self.most_replicas} replicas of a topic, expected a node for each"
            )
        if self.quota is not None and self.producer is None:
            raise ValueError("found a quota without a producer, whose answers it holds back; expected both")
        return self

    @property
    def confirms(self) -> bool:
        """Unless `acks` is 0."""
        return self.heard_acks != "0"

    @property
    def confirms_after(self) -> Distribution | None:
        """With `acks: all`, when the followers have it."""
        return self.replication if self.heard_acks == "all" else None

    @property
    def heard_acks(self) -> str:
        """What publishers wait for: what their producer says, else the broker."""
        return self.producer.acks_of(str(self.acks)) if self.producer is not None else str(self.acks)
