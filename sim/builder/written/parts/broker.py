"""Parts of a scenario in Python, as `sim/spec/broker.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def topic(
    *,
    partitions: Mapping[str, Any] | int | str | None = None,
    key: Literal["order", "user", "item", "sticky", None] | None = None,
    key_header: str | None = None,
    partitioner: Literal["built_in", "round_robin"] | None = None,
    replication_factor: Mapping[str, Any] | int | str | None = None,
    min_insync_replicas: Mapping[str, Any] | int | str | None = None,
    message_size: Mapping[str, Any] | str | None = None,
    retention: Mapping[str, Any] | str | None = None,
    compaction: Mapping[str, Any] | str | None = None,
) -> Part:
    """A topic; `key` decides the partition (murmur2), null or `sticky` is Kafka's sticky partitioner.

    partitions: How many there are; each keeps its order, and is read by one member of a group.
    key: What decides the partition of a message (murmur2); `sticky`: none, as Kafka's sticky partitioner.
    key_header: A key of one's own, in the place of `key`: the value of this header of a request (murmur2); who has
        none has no key.
    partitioner: `round_robin`: each producer takes the partitions in turn, whatever the key
        (RoundRobinPartitioner).
    replication_factor: How many nodes have each partition, the leader included; with 1, `replication` of the broker
        says when a record is safe.
    min_insync_replicas: With fewer in sync than this a publication under `acks: all` is refused, and nothing that
        is written under other acks can be read until there are enough (min.insync.replicas; KAFKA-15583, since
        3.7).
    message_size: Bytes of a message, where its publication does not say; for batches, retention, capacity and
        quotas.
    retention: What is deleted, by time or size; without it nothing is.
    compaction: Whether only the latest record of each key is kept.
    """
    return part(locals())
