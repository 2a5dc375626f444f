"""A service: replicas, workers, cores, queue, stock, endpoints, and the topics it consumes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sim.spec.base import UNLIMITED, Between, Count, Duration, Few, Flag, Many, Price, Spec, Workers
from sim.spec.policy import AnswersWith
from sim.spec.step import AnyStep

LoadBalancing = Literal["round_robin", "random", "least_request", "power_of_two", "two_choices"]


class Queue(Spec):
    """Where requests wait for a worker, one per replica."""

    capacity: Count = UNLIMITED
    discipline: Literal["fifo", "lifo"] = "fifo"
    timeout: Duration | None = None  # a request that waited this long is shed


class Stock(Spec):
    """Finite stock: `items` units of each kind of item (of one kind where traffic names no items)."""

    positional = "items"
    items: Annotated[int, Between(0, 10**15)]


class RetryTopic(Spec):
    """Non-blocking redelivery: failure k goes to the k-th delay topic; after the last the message is dead-lettered."""

    positional = "delays"
    delays: tuple[Duration, ...] = Field(min_length=1)


class Consume(Spec):
    """How a service consumes a topic, as one consumer group. Defaults: Kafka's consumer and Spring Kafka's error handler.

    A consumer is a thread of its own beside the workers. One per replica is what a Java KafkaConsumer, kafkajs, and a Spring Kafka listener
    container (`concurrency` 1) have.
    """

    group: str
    do: tuple[AnyStep, ...]
    auto_offset_reset: Literal["earliest", "latest"] = "latest"
    consumers: Few = 1  # per replica
    max_poll_records: Many = 500
    retry_topic: RetryTopic | None = None
    max_deliveries: Many = 10  # without a retry topic: in place, blocking the partition
    idempotent: Flag = False  # processed(message id) is written with the effects; a duplicate is skipped
    session_timeout: Duration = 45.0  # until a crashed member's partitions move


class Endpoint(Spec):
    """Steps, and what their failures are answered with where that is no `error`: `{do: [...], answers_with: {breaker_open: shed}}`, or just the steps."""

    positional = "do"
    do: tuple[AnyStep, ...]
    answers_with: AnswersWith = Field(default_factory=dict)


class Service(Spec):
    """One service. Every replica has its own workers, cores and queue."""

    replicas: Few = 1
    workers: Workers  # threads per replica, held while a callee answers; or loop threads
    concurrency: Literal["threads", "event_loop"] = "threads"
    cores: Few | None = None
    queue: Queue = Queue()
    load_balancing: LoadBalancing = "round_robin"  # of its callers, each on its own
    cost: Price = 0.0
    stock: Stock | None = None
    endpoints: dict[str, Endpoint] = Field(default_factory=dict)
    consumes: dict[str, Consume] = Field(default_factory=dict)
