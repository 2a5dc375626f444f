"""Parts of a scenario in Python, as `sim/spec/service.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


def consume(
    *,
    group: str | None = None,
    do: Sequence[Mapping[str, Any] | str],
    auto_offset_reset: Literal["earliest", "latest"] | None = None,
    consumers: Mapping[str, Any] | int | str | None = None,
    max_poll_records: Mapping[str, Any] | int | str | None = None,
    fetch: Mapping[str, Any] | str | None = None,
    commit: Mapping[str, Any] | str | None = None,
    transaction: Mapping[str, Any] | str | None = None,
    isolation: Literal["read_uncommitted", "read_committed"] | None = None,
    retry_topic: Mapping[str, Any] | str | None = None,
    max_deliveries: Mapping[str, Any] | int | str | None = None,
    idempotent: bool | None = None,
    session_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    membership: Mapping[str, Any] | str | None = None,
    prefetch: Literal["unlimited"] | Mapping[str, Any] | int | str | None = None,
    ack: Literal["manual", "automatic"] | None = None,
    on_failure: Literal["requeue", "nack_requeue", "reject"] | None = None,
    priority: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """How a service consumes a topic, as one consumer group, or a queue. Defaults: Kafka's consumer and Spring
    Kafka's error handler; AMQP 0-9-1.

    group: The consumer group of a topic: every group gets every message once. A queue has none.
    do: The steps for each message.
    auto_offset_reset: Where a group begins that has no offset: at the `earliest` message, or with what comes from
        now on.
    consumers: Members of the group in each replica; each is a thread of its own.
    max_poll_records: Messages that a member takes at once.
    fetch: Of a topic: how much the broker collects before it answers; without it each record as it comes.
    commit: Of a topic: when offsets are committed, after a `batch` where nothing is said.
    transaction: Of a topic: each record in a transaction, with what is published while it is handled.
    isolation: Of a topic: whether the group reads records of transactions that are open or aborted
        (isolation.level).
    retry_topic: Where a failed message is tried again without blocking its partition.
    max_deliveries: Without a retry topic: how often a message is tried in place, before it is dead-lettered.
    idempotent: Whether the id of a message is written with its effects, so that a duplicate is skipped.
    session_timeout: Until the partitions of a crashed member move to others.
    membership: How the group rebalances; without it members are static and rebalances take no time.
    prefetch: Of a queue: how many messages each consumer may have unacknowledged; 0 is unlimited (basic.qos).
    ack: Of a queue: whether a message is done with when it was handled, or already when it is sent.
    on_failure: Of a queue: back into it by basic.reject, which counts as a failed delivery, or by basic.nack, which
        does not; or given up.
    priority: Of a queue: a consumer of a higher one gets messages as long as it can take some (x-priority).
    """
    return part(locals())


def endpoint(
    *,
    do: Sequence[Mapping[str, Any] | str],
    answers_with: Mapping[str, Literal["error", "shed", "rate_limited", "refused"]] | None = None,
    idempotency: Mapping[str, Any] | str | None = None,
) -> Part:
    """Steps, and what their failures are answered with where that is no `error`: `{do: [...], answers_with:
    {breaker_open: shed}}`, or just the steps.

    do: The steps, one after the other.
    answers_with: What failures are answered with where that is no `error`: `{breaker_open: shed}`.
    idempotency: Whether the same call of a request, which comes again, is answered from what was answered before.
    """
    return part(locals())


def retry_topic(
    *,
    delays: Sequence[Literal[0] | Mapping[str, Any] | str] | None = None,
    attempts: Mapping[str, Any] | int | str | None = None,
    backoff: Mapping[str, Any] | str | None = None,
) -> Part:
    """Non-blocking redelivery: failure k goes to the k-th delay topic; after the last the message is dead-lettered.

    delays: The delay of each retry topic, one after the other, in the place of `attempts` and `backoff`.
    attempts: How often a message is delivered before it is dead-lettered, the first time included (attempts).
    backoff: The pause before each retry: the delay of its topic (backOff).
    """
    return part(locals())


def service(
    *,
    replicas: Mapping[str, Any] | int | str | None = None,
    workers: Literal["unlimited"] | Mapping[str, Any] | int | str,
    concurrency: Literal["threads", "event_loop"] | None = None,
    pinned: bool | None = None,
    cores: Mapping[str, Any] | float | str | None = None,
    cpu: Mapping[str, Any] | str | None = None,
    contention: Mapping[str, Any] | str | None = None,
    pauses: Mapping[str, Any] | str | None = None,
    zones: Sequence[str] | None = None,
    clock_skew: Sequence[Literal[0] | Mapping[str, Any] | str] | None = None,
    queue: Mapping[str, Any] | str | None = None,
    rate_limits: Sequence[Mapping[str, Any] | Sequence[Any] | str] | None = None,
    serverless: Mapping[str, Any] | str | None = None,
    node_pool: str | None = None,
    autoscaling: Mapping[str, Any] | str | None = None,
    vertical_scaling: Mapping[str, Any] | str | None = None,
    start: Mapping[str, Any] | str | None = None,
    ageing: Mapping[str, Any] | str | None = None,
    drain: Mapping[str, Any] | str | None = None,
    load_balancing: Literal["round_robin", "random", "least_request", "power_of_two", "two_choices"]
    | Mapping[str, Any]
    | str
    | None = None,
    health_checks: Mapping[str, Any] | str | None = None,
    cost: Mapping[str, Any] | str | None = None,
    stock: Mapping[str, Any] | str | None = None,
    endpoints: Mapping[str, Mapping[str, Any] | Sequence[Any] | str] | None = None,
    consumes: Mapping[str, Mapping[str, Any] | str] | None = None,
) -> Part:
    """One service. Every replica has its own workers, cores and queue.

    replicas: How many there are, each with workers, cores and queue of its own.
    workers: Threads of each replica, held while a callee answers; or loop threads; or `unlimited`.
    concurrency: `threads` hold a worker until the end; an `event_loop` lets go of it while something is waited for.
    pinned: Of an `event_loop`: whether each connection belongs to one of the threads, as in nginx, Envoy, Netty and
        Node's cluster: a busy one delays its connections though others are idle. A user has one connection, and
        users go round the threads; who comes without a user, or calls from another service, comes by any.
    cores: What each replica computes on; without it every worker has a core of its own. A whole number: so many
        cores, of which nobody else has a part. A fraction such as `0.5`: the limit of `cpu`, for it takes one to
        give half a core.
    cpu: How much each replica may compute in every period of 100 ms, as `limits.cpu` of Kubernetes: `500m`.
    contention: By how much its threads slow one another when several compute at once; without it they do not.
    pauses: Whether each replica stands still now and then, as in a garbage collection.
    zones: In which zones its replicas are, one after the other and from the first again: `[a, b, c]`.
    clock_skew: By how much the clocks of its replicas are ahead of the right time, one after the other and from the
        first again: `[0s, 2s, -500ms]`. Rate limits that read the clock of their node count by it (`clock` of a
        rate limit).
    queue: Where requests wait for a worker.
    rate_limits: How many requests its endpoints let pass, counted on a worker before their steps; all of them must.
    serverless: Whether requests start instances themselves; then it has one replica, with unlimited workers.
    node_pool: On whose nodes its replicas stand, one of `node_pools`; without it there is always room.
    autoscaling: Whether replicas come and go by themselves; `replicas` is then how many there are at the beginning.
    vertical_scaling: Whether its `cpu` limit grows and shrinks with what its replicas use.
    start: How long a replica takes to start, where it is started while the system runs, and how slow it is at
        first.
    ageing: Whether a replica becomes slower the longer it lives, until it is restarted.
    drain: How long a replica that is to go may take to end what is inside.
    load_balancing: How its callers choose a replica, each on its own: the name of a policy, or a map with more
        about it.
    health_checks: How callers learn which replicas are there; without it they know who is down, and never who is
        frozen.
    cost: The price of a replica, by time.
    stock: What there is to be sold.
    endpoints: What can be called, by name: steps.
    consumes: The topics it consumes, and what it does with each message.
    """
    return part(locals())


def stock(*, items: Mapping[str, Any] | int | str) -> Part:
    """Finite stock: `items` units of each kind of item (of one kind where traffic names no items).

    items: Units of each kind of item; of one kind where traffic names no items.
    """
    return part(locals())
