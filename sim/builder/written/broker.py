"""Brokers in Python: a function for each word, which gives what a file would hold.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def log(
    *,
    topics: Mapping[str, Mapping[str, Any] | str],
    acks: Literal["all", "1", "0", 1, 0] | None = None,
    replication: Mapping[str, Any] | str | None = None,
    nodes: Mapping[str, Any] | str | None = None,
    producer: Mapping[str, Any] | str | None = None,
    quota: Mapping[str, Any] | str | None = None,
) -> Part:
    """A Kafka-like log.

    topics: The topics, by name.
    acks: What a publisher waits for: all followers, the leader, or nothing.
    replication: Time until the followers have a record; until then nobody reads it.
    nodes: Its nodes, each of which can be lost or be too busy; by default as many as a topic has replicas.
    producer: The producers of whoever publishes: batches, memory, tries; without it each record is a request of its
        own.
    quota: How much of what a service may send before its answers are held back.
    """
    return part({"kind": "log", **locals()})


def queue(
    *,
    exchanges: Mapping[str, Mapping[str, Any] | str] | None = None,
    queues: Mapping[str, Mapping[str, Any] | str],
    work: Mapping[str, Any] | str | None = None,
    message_size: Mapping[str, Any] | str | None = None,
    disk: Mapping[str, Any] | str | None = None,
    disk_free_limit: Mapping[str, Any] | str | None = None,
    recovery_interval: Literal[0] | Mapping[str, Any] | str | None = None,
    nodes: Mapping[str, Any] | str | None = None,
) -> Part:
    """A RabbitMQ-like broker (4.3): what is acknowledged is gone. A channel is not in confirm mode unless a
    publication says `confirm`.

    exchanges: Where to publish, by name; without any, straight to a queue (the default exchange).
    queues: What can be consumed, by name.
    work: The broker's own work for one message in one queue, whose process takes one after the other; without it
        none.
    message_size: Bytes of one message on disk, for the disk alarm.
    disk: Room for messages; without it there is no end of it.
    disk_free_limit: With less room left than this all publishers are blocked until there is more again
        (disk_free_limit).
    recovery_interval: Time between two tries of a consumer to come back to the broker (5 s in Spring and in the
        Java client).
    nodes: Its nodes, each of which can be lost; without it the broker is up or down as a whole.
    """
    return part({"kind": "queue", **locals()})
