"""The parts of a scenario in Python, and the scenario itself.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part
from sim.experiments.shipped import load
from sim.spec.study import Study


def alternative(*, share: Mapping[str, Any] | float | str | None = None, do: Sequence[Mapping[str, Any] | str]) -> Part:
    """One way to go on, and how often it is taken.

    share: How often it is taken; without one: whenever no other branch is. At most one branch goes without.
    do: Its steps.
    """
    return part(locals())


def autoscaling(
    *,
    min: Mapping[str, Any] | int | str | None = None,
    max: Mapping[str, Any] | int | str,
    metrics: Sequence[Mapping[str, Any] | str] | None = None,
    scheduled: Sequence[Mapping[str, Any] | str] | None = None,
    behavior: Mapping[str, Any] | str | None = None,
    sync_period: Literal[0] | Mapping[str, Any] | str | None = None,
    tolerance: Mapping[str, Any] | float | str | None = None,
    metrics_window: Literal[0] | Mapping[str, Any] | str | None = None,
    metrics_delay: Literal[0] | Mapping[str, Any] | str | None = None,
    initial_readiness_delay: Literal[0] | Mapping[str, Any] | str | None = None,
    cpu_initialization_period: Literal[0] | Mapping[str, Any] | str | None = None,
    polling_interval: Literal[0] | Mapping[str, Any] | str | None = None,
    cooldown_period: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """A service has as many replicas as its metrics ask for. Kubernetes' HorizontalPodAutoscaler, step by step.

    min: The fewest replicas; with 0 there may be none (KEDA).
    max: The most replicas.
    metrics: What is looked at. Kubernetes takes `cpu: 80%` where nothing is said.
    scheduled: More replicas at times that are known beforehand.
    behavior: How fast it goes.
    sync_period: How often the controller looks.
    tolerance: How far from its target a metric may be without a change.
    metrics_window: How often replicas are measured, and over how long: the resolution of the metrics server as it
        is shipped.
    metrics_delay: How old a measurement is before the controller can see it.
    initial_readiness_delay: After so long a replica that has never been ready is no longer taken for one that
        starts (`cpu` only).
    cpu_initialization_period: For so long after its start a replica is measured only from when it was ready on
        (`cpu` only).
    polling_interval: With `min: 0`: how often KEDA looks whether there is anything to do.
    cooldown_period: With `min: 0`: how long there must be nothing to do before the last replica goes.
    """
    return part(locals())


def balancing(
    *,
    policy: Literal[
        "round_robin", "random", "least_request", "power_of_two", "two_choices", "peak_ewma", "ring_hash", "maglev"
    ]
    | None = None,
    weights: Sequence[Mapping[str, Any] | int | str] | None = None,
    decay: Literal[0] | Mapping[str, Any] | str | None = None,
    ring_size: Mapping[str, Any] | int | str | None = None,
    table_size: Mapping[str, Any] | int | str | None = None,
    outlier_detection: Mapping[str, Any] | str | None = None,
    slow_start: Literal[0] | Mapping[str, Any] | str | None = None,
    panic_threshold: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """`load_balancing: {policy: least_request, weights: [2, 1, 1]}`: each caller on its own, by what it knows
    itself.

    policy: How a replica is chosen. `peak_ewma`: Finagle's, of two at random the lower latency times requests under
        way. `ring_hash` and `maglev`: a user always has the same one, while it is there.
    weights: Of `round_robin` and `least_request`: one for each replica; nginx's smooth weighted round robin, and
        its least_conn.
    decay: Of `peak_ewma`: the time in which an observation loses its weight.
    ring_size: Of `ring_hash`: points on the ring, for all replicas together (Envoy's minimum_ring_size).
    table_size: Of `maglev`: places of its table, a prime number (Envoy's table_size).
    outlier_detection: Replicas that fail are left out for a while.
    slow_start: Of `round_robin` and `least_request`: a replica that comes back gets its share little by little for
        as long, a tenth of it at first (Envoy).
    panic_threshold: Where fewer replicas than this share are left, nobody is left out any more (Envoy's
        healthy_panic_threshold).
    """
    return part(locals())


def binding(
    *,
    queue: str,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    match: Literal["all", "any"] | None = None,
) -> Part:
    """From an exchange to one queue, by a routing key, a pattern of one, or headers.

    queue: The queue that gets what matches.
    key: The routing key; under a topic exchange a pattern, in which `*` is one word and `#` any number of them.
    headers: What the headers of a message must say, under a headers exchange.
    match: Whether all of the headers must say so, or any of them (x-match).
    """
    return part(locals())


def branch(*, probability: Mapping[str, Any] | float | str, mean: Literal[0] | Mapping[str, Any] | str) -> Part:
    """One exponential of a hyperexponential, and how often it is taken.

    probability: How often it is this one.
    mean: The mean of this one.
    """
    return part(locals())


def budget(
    *,
    ratio: Mapping[str, Any] | float | str | None = None,
    min_per_second: Mapping[str, Any] | float | str | None = None,
    ttl: Literal[0] | Mapping[str, Any] | str | None = None,
    grpc: Mapping[str, Any] | str | None = None,
) -> Part:
    """Finagle's RetryBudget: a request deposits `ratio` of a retry, `min_per_second` is a standing allowance, tokens
    live `ttl`.

    ratio: Retries that each request pays for; must be said unless `grpc` is.
    min_per_second: Retries that are always allowed, each second.
    ttl: How long a request's payment can be spent.
    grpc: Counts tokens as gRPC does, in the place of the three others.
    """
    return part(locals())


def bulkhead(
    *, max_concurrent_calls: Mapping[str, Any] | int | str, max_wait: Literal[0] | Mapping[str, Any] | str | None = None
) -> Part:
    """At most `max_concurrent_calls` at once; further ones wait up to `max_wait` (0: are refused at once).

    max_concurrent_calls: Calls at once.
    max_wait: How long a further one waits for its place; 0: it is refused at once.
    """
    return part(locals())


def call_policy(
    *,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    total_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    on_timeout: Literal["abandon", "cancel"] | None = None,
    deadline: Literal["propagate"] | None = None,
    retry: Mapping[str, Any] | str | None = None,
    hedge: Mapping[str, Any] | str | None = None,
    circuit_breaker: Mapping[str, Any] | str | None = None,
    rate_limit: Mapping[str, Any] | str | None = None,
    bulkhead: Mapping[str, Any] | str | None = None,
    pool: Mapping[str, Any] | str | None = None,
    scope: Literal["replica", "service"] | None = None,
) -> Part:
    """fallback( total_timeout( retry( hedge( breaker( rate_limit( timeout( bulkhead( pool( call ))))))))): the one
    order of interceptors.

    timeout: Of one attempt.
    total_timeout: Of all attempts and pauses together: then the call ends as a timeout.
    on_timeout: Whether the callee works on for nobody (`abandon`) or is stopped (`cancel`).
    deadline: `propagate`: the callee is told until when its answer is waited for, and no call under this policy
        waits longer than the caller itself is waited for (gRPC). What cannot end in time is not begun, and what is
        late is cancelled.
    retry: Whether a failed call is tried again, and when.
    hedge: Whether the same is asked once more where an answer takes long.
    circuit_breaker: When nobody calls any more for a while.
    rate_limit: How many calls may leave per second; further ones wait for their turn, or are refused.
    bulkhead: How many calls there may be at once.
    pool: The connections by which calls are made.
    scope: Whether breaker, limit, bulkhead, pool and budget are of each `replica` of the caller, or of the whole
        `service`.
    """
    return part(locals())


def caller_limit(
    *,
    rate: Mapping[str, Any] | str | None = None,
    burst: Mapping[str, Any] | int | str | None = None,
    wait: Literal[0] | Mapping[str, Any] | str | None = None,
    preset: Literal["guava"] | None = None,
    resilience4j: Mapping[str, Any] | str | None = None,
) -> Part:
    """Calls leave at no more than `rate`; further ones wait for their turn up to `wait` (0: are refused at once), in
    the order in which they came.

    rate: Calls per second; must be said unless `resilience4j` is.
    burst: How many may go at once after a rest; of `preset: guava` it is what a second brings.
    wait: How long a call waits for its turn; who would wait longer is refused at once.
    preset: Guava's RateLimiter: `wait` is the timeout of tryAcquire.
    resilience4j: Counts as that library does, in the place of the others.
    """
    return part(locals())


def circuit_breaker(
    *,
    failures: Mapping[str, Any] | int | str | None = None,
    within: Literal[0] | Mapping[str, Any] | str | None = None,
    open_for: Literal[0] | Mapping[str, Any] | str | None = None,
    half_open_calls: Mapping[str, Any] | int | str | None = None,
    resilience4j: Mapping[str, Any] | str | None = None,
    consecutive: Mapping[str, Any] | int | str | None = None,
    polly: Mapping[str, Any] | str | None = None,
    opossum: Mapping[str, Any] | str | None = None,
    hystrix: Mapping[str, Any] | str | None = None,
    gobreaker: Mapping[str, Any] | str | None = None,
) -> Part:
    """Opens at `failures` failed attempts `within` a time, for `open_for`; or, with `resilience4j`, as that library
    counts.

    failures: Failed attempts from which it opens.
    within: The time within which they are counted.
    open_for: How long nobody calls.
    half_open_calls: Calls that then try whether the callee is well again.
    resilience4j: Counts as that library does, in the place of the four others.
    consecutive: Opens at so many failures in a row, in the place of `failures` and `within` (pybreaker's fail_max,
        cockatiel).
    polly: Counts as Polly (.NET) does, in the place of all others.
    opossum: Counts as opossum (Node.js) does, in the place of all others.
    hystrix: Counts as Hystrix does, in the place of all others.
    gobreaker: Counts as sony/gobreaker does, in the place of all others.
    """
    return part(locals())


def commit(
    *,
    when: Literal["batch", "record", "before", "automatic"] | None = None,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """When a consumer tells its group where it is: what it guarantees follows from that.

    when: After a `batch` or a `record`, `before` it is handled, or now and then (`automatic`).
    interval: Of `automatic`: the time between two commits (auto.commit.interval.ms).
    """
    return part(locals())


def compaction(
    *,
    min_dirty: Mapping[str, Any] | float | str | None = None,
    min_lag: Literal[0] | Mapping[str, Any] | str | None = None,
    segment_size: Mapping[str, Any] | str | None = None,
    segment_time: Literal[0] | Mapping[str, Any] | str | None = None,
    check: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """A topic that keeps the latest record of each key (cleanup.policy: compact). Names and defaults: LogConfig.

    min_dirty: The share that must be new (min.cleanable.dirty.ratio).
    min_lag: How long a record is left alone (min.compaction.lag.ms).
    segment_size: Bytes after which a new segment begins; the newest is never cleaned (segment.bytes: 1 GiB).
    segment_time: Time after which a new segment begins (segment.ms: 7 days).
    check: Time between two looks (log.cleaner.backoff.ms: 15 s).
    """
    return part(locals())


def confirm_batch(*, batch: Mapping[str, Any] | int | str | None = None) -> Part:
    """Confirms are waited for once in so many messages of a replica.

    batch: After how many messages the publisher waits until all of them are confirmed.
    """
    return part(locals())


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


def dead_letter(*, exchange: str | None = None, routing_key: str | None = None) -> Part:
    """Where a queue republishes what it gives up: rejected, expired, over its length, or over its delivery limit.

    exchange: The exchange; without a word the default one, whose routing keys are names of queues
        (x-dead-letter-exchange).
    routing_key: The routing key, in the place of the message's own (x-dead-letter-routing-key).
    """
    return part(locals())


def diurnal(
    *,
    mean: Mapping[str, Any] | str,
    amplitude: Mapping[str, Any] | float | str,
    period: Literal[0] | Mapping[str, Any] | str | None = None,
    phase: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """rate(t) = mean * (1 + amplitude * sin(2 pi (t - phase) / period)), with t in seconds from the start of its
    segment.

    mean: The rate around which it swings.
    amplitude: How far it swings, as a share of the mean.
    period: How long one swing takes: a day.
    phase: When the rate first passes its mean on the way up.
    """
    return part(locals())


def draining(
    *,
    grace: Literal[0] | Mapping[str, Any] | str | None = None,
    pre_stop: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """How a replica ends: nobody is sent to it any more; what is inside goes on until the grace is over.

    grace: How long it may take (terminationGracePeriodSeconds); what is inside then is `unreachable`.
    pre_stop: For how long it takes what is on its way to it, even if it is empty (a preStop hook that sleeps).
    """
    return part(locals())


def effect_options(*, idempotent: bool | None = None) -> Part:
    """How an effect behaves when it runs twice.

    idempotent: Whether a second time is recognised and leaves nothing behind.
    """
    return part(locals())


def endpoint(
    *,
    do: Sequence[Mapping[str, Any] | str],
    answers_with: Mapping[str, Literal["error", "shed", "rate_limited", "refused"]] | None = None,
) -> Part:
    """Steps, and what their failures are answered with where that is no `error`: `{do: [...], answers_with:
    {breaker_open: shed}}`, or just the steps.

    do: The steps, one after the other.
    answers_with: What failures are answered with where that is no `error`: `{breaker_open: shed}`.
    """
    return part(locals())


def exchange(
    *,
    type: Literal["direct", "topic", "fanout", "headers"] | None = None,
    bindings: Mapping[str, Sequence[str] | str] | Sequence[Mapping[str, Any] | str] | None = None,
) -> Part:
    """Where messages are published to. It keeps nothing: what no binding matches is dropped, or returned to who says
    `mandatory`.

    type: How it matches: the routing key (`direct`), a pattern of it (`topic`), nothing at all (`fanout`), or
        `headers`.
    bindings: Its queues: `{order.created: payments}` by routing key or pattern, `[a, b]` for a fanout, or a list of
        maps.
    """
    return part(locals())


def fetch(
    *, min: Mapping[str, Any] | str | None = None, wait: Literal[0] | Mapping[str, Any] | str | None = None
) -> Part:
    """How much a broker collects before it answers a consumer that waits. Defaults: Kafka's consumer.

    min: Bytes that it waits for (fetch.min.bytes).
    wait: And how long it does: then it answers with what there is (fetch.max.wait.ms).
    """
    return part(locals())


def flash_crowd(
    *,
    base: Mapping[str, Any] | str,
    peak: Mapping[str, Any] | str,
    rise: Literal[0] | Mapping[str, Any] | str | None = None,
    decay: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """A linear rise from `base` to `peak`, then an exponential decay back towards `base` with time constant `decay`.

    base: The rate before the crowd comes, and long after.
    peak: The highest rate.
    rise: How long the rate takes from base to peak.
    decay: Time constant of the fall: after it 37 % of the excess is left.
    """
    return part(locals())


def gateway(
    *,
    replicas: Mapping[str, Any] | int | str | None = None,
    workers: Literal["unlimited"] | Mapping[str, Any] | int | str,
    concurrency: Literal["threads", "event_loop"] | None = None,
    queue: Mapping[str, Any] | str | None = None,
    work: Mapping[str, Any] | str | None = None,
    authentication: Mapping[str, Any] | str | None = None,
    rate_limits: Sequence[Mapping[str, Any] | Sequence[Any] | str] | None = None,
    routes: Mapping[str, Mapping[str, Any] | str],
    cost: Mapping[str, Any] | str | None = None,
) -> Part:
    """Queue and worker, authentication, limits, routing, translation: in this order.

    replicas: How many there are, each with workers, queue and limits per node of its own.
    workers: What each replica does at once, or `unlimited`.
    concurrency: `event_loop`: a worker is held for the gateway's own work only; `threads`: until the answer is
        there.
    queue: Where requests wait for a worker.
    work: Routing and overhead of each request.
    authentication: How the gateway knows who asks.
    rate_limits: How many requests it lets pass; all of them must.
    routes: What it offers, by the names that traffic sends to.
    cost: The price of a replica, by time.
    """
    return part(locals())


def go_breaker(
    *,
    max_requests: Mapping[str, Any] | int | str | None = None,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    consecutive_failures: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """Settings of sony/gobreaker, names in snake_case, with its defaults.

    max_requests: Calls that may try when half-open, and must all be good.
    interval: How often a closed one forgets its failures; 0: never.
    timeout: How long it stays open.
    consecutive_failures: It opens at more than so many failures in a row (ReadyToTrip).
    """
    return part(locals())


def grpc_throttling(*, max_tokens: Mapping[str, Any] | int | str, token_ratio: Mapping[str, Any] | float | str) -> Part:
    """gRPC's retryThrottling: retries are made while more than half of the tokens are there (gRFC A6).

    max_tokens: Tokens at the beginning, and at most; a failure that could be tried again takes one.
    token_ratio: What an answer brings back; three digits after the point count.
    """
    return part(locals())


def hedge(
    *,
    after: Literal[0] | str | None = None,
    max: Mapping[str, Any] | int | str | None = None,
    cancel: bool | None = None,
    extra_load: Mapping[str, Any] | float | str | None = None,
    on: Sequence[Literal["timeout", "error", "unreachable", "shed", "rate_limited", "bulkhead_full", "breaker_open"]]
    | None = None,
) -> Part:
    """Where no good answer has come `after` a time, the same is asked once more, up to `max` times; the first good
    answer counts.

    after: When one more is asked: a duration (0: all at once), or a percentile of the answers so far.
    max: Copies beside the first.
    cancel: Whether losers are cancelled at the callee, or work on for nobody.
    extra_load: Copies that each call pays for, so that no more than this share is added (Finagle's maxExtraLoad,
        without the ten a second that it always allows).
    on: After which answers the next copy is sent at once; others end the call.
    """
    return part(locals())


def how_many(
    *,
    exactly: Mapping[str, Any] | int | str | None = None,
    uniform: Sequence[Any] | None = None,
    geometric: Mapping[str, Any] | float | str | None = None,
    poisson: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """A number of times: `3`, `{uniform: [1, 5]}`, `{geometric: 3}`, `{poisson: 2}`.

    exactly: So many times.
    uniform: Any whole number from the first to the second, both included, each as likely.
    geometric: Once, and after each time once more with the same chance: the mean, at least 1.
    poisson: As many as independent occasions happen to be: the mean; it may be 0 times.
    """
    return part(locals())


def hystrix_breaker(
    *,
    request_volume_threshold: Mapping[str, Any] | int | str | None = None,
    error_threshold_percentage: Mapping[str, Any] | float | str | None = None,
    sleep_window: Literal[0] | Mapping[str, Any] | str | None = None,
    rolling_stats: Literal[0] | Mapping[str, Any] | str | None = None,
    health_snapshot_interval: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Properties of Hystrix, names in snake_case, with its defaults; its timeout is that of the policy.

    request_volume_threshold: Calls in the window before it judges.
    error_threshold_percentage: Percentage of failures from which it opens.
    sleep_window: How long it stays open.
    rolling_stats: The window.
    health_snapshot_interval: How often it judges.
    """
    return part(locals())


def lag(
    *, group: str | None = None, queue: str | None = None, target: Mapping[str, Any] | float | str | None = None
) -> Part:
    """What waits to be handled: the messages that a consumer group has not ended, as KEDA's Kafka scaler sees them,
    or those of a queue, as its RabbitMQ scaler does in the mode QueueLength: ready and handed out, not
    acknowledged yet.

    group: The consumer group, a member of which the service has.
    queue: The queue, of which the service is a consumer.
    target: Messages for each replica: 10 of a group (lagThreshold), 20 of a queue (queueLength) where nothing is
        said.
    """
    return part(locals())


def ledger(*, charge: str | None = None, reservation: str | None = None) -> Part:
    """Which effects are money and which are goods, for the business ledger.

    charge: The effect by which a customer pays; twice for one order is a double charge.
    reservation: The effect by which goods are set aside; a charge without it is counted.
    """
    return part(locals())


def link(
    *, latency: Mapping[str, Any] | str | None = None, loss: Mapping[str, Any] | float | str | None = None
) -> Part:
    """One direction of a hop.

    latency: Of one direction.
    loss: The share of messages that never arrive.
    """
    return part(locals())


def link_between(
    *,
    latency: Mapping[str, Any] | str | None = None,
    loss: Mapping[str, Any] | float | str | None = None,
    between: Sequence[Any],
) -> Part:
    """The link between two named components (services, `gateway`, brokers), both directions alike.

    latency: Of one direction.
    loss: The share of messages that never arrive.
    between: The two components: services, `gateway`, brokers.
    """
    return part(locals())


def membership(
    *,
    protocol: Literal["eager", "cooperative", "consumer"] | None = None,
    assignor: Literal["range", "roundrobin", "sticky", "cooperative-sticky", "uniform"] | None = None,
    static: bool | None = None,
    heartbeat_interval: Literal[0] | Mapping[str, Any] | str | None = None,
    max_poll_interval: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """A group that rebalances as Kafka's does. Defaults: Kafka's consumer.

    protocol: Whether all partitions stand still in a rebalance (`eager`), or only those that move (`cooperative`),
        one member after the other (`consumer`).
    assignor: How partitions are dealt out (partition.assignment.strategy): `range` for an eager group, or
        `roundrobin` or `sticky`; `cooperative-sticky` for a cooperative one; the broker's `uniform` under
        `consumer`, or its `range`.
    static: Whether a member keeps its identity over a restart, and so its partitions, for as long as its session
        lasts (group.instance.id).
    heartbeat_interval: Time between two heartbeats of a member (heartbeat.interval.ms); under `consumer` the broker
        says 5 s (group.consumer.heartbeat.interval.ms).
    max_poll_interval: A member that handles one batch for longer than this leaves its group (max.poll.interval.ms).
    """
    return part(locals())


def message_queue(
    *,
    type: Literal["classic", "quorum"] | None = None,
    commit: Mapping[str, Any] | str | None = None,
    max_length: Mapping[str, Any] | int | str | None = None,
    overflow: Literal["drop-head", "reject-publish", "reject-publish-dlx"] | None = None,
    message_ttl: Literal[0] | Mapping[str, Any] | str | None = None,
    dead_letter: Mapping[str, Any] | str | None = None,
    delivery_limit: Mapping[str, Any] | int | str | None = None,
    single_active_consumer: bool | None = None,
    consumer_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """One queue. What it hands out unacknowledged comes back when the consumer dies; at its head it gives up what
    has expired.

    type: `classic`: on one node. `quorum`: on a majority of replicas before anybody hears of it, with a delivery
        limit.
    commit: Until it is confirmed: a majority of a quorum queue has it (1 ms), or the disk of a classic queue (at
        once).
    max_length: How many may wait in it, those handed out not counted (x-max-length).
    overflow: What gives way over its length: the oldest, or the new one, which its publisher hears of (x-overflow).
    message_ttl: How long a message may wait in it (x-message-ttl).
    dead_letter: Where what it gives up goes; without it, nowhere.
    delivery_limit: How often a delivery may fail: 20 on a quorum queue, -1 is without end; a classic queue has none
        (x-delivery-limit).
    single_active_consumer: Whether only one consumer gets messages, and the next only when that one is gone.
    consumer_timeout: How long a quorum queue waits for an acknowledgement before it closes the consumer's channel.
    """
    return part(locals())


def network(
    *, default: Mapping[str, Any] | str | None = None, links: Sequence[Mapping[str, Any] | str] | None = None
) -> Part:
    """All links; without a `default` they are instantaneous.

    default: Every link that is not listed.
    links: Links that differ from it.
    """
    return part(locals())


def nodes(
    *,
    count: Mapping[str, Any] | int | str | None = None,
    session_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    election: Literal[0] | Mapping[str, Any] | str | None = None,
    replica_lag_time_max: Literal[0] | Mapping[str, Any] | str | None = None,
    unclean_leader_election: bool | None = None,
    requests: Mapping[str, Any] | str | None = None,
    network: Mapping[str, Any] | str | None = None,
    disk: Mapping[str, Any] | str | None = None,
) -> Part:
    """The nodes of a log broker. Defaults: Kafka's broker (KRaft).

    count: How many nodes there are.
    session_timeout: Until the controller counts a node as gone (broker.session.timeout.ms).
    election: From then on until another replica leads and clients know it; Kafka says no figure, this is an
        assumption.
    replica_lag_time_max: A follower that lacks what was written longer ago than this is out of sync; looked at
        twice in such a time (replica.lag.time.max.ms).
    unclean_leader_election: Whether one that is out of sync may lead where no other is left, and what it lacks is
        lost (unclean.leader.election.enable).
    requests: Requests that a node can handle, of producers and consumers together; without it no limit.
    network: Bytes that a node can send and receive in a second, its followers' included; without it no limit.
    disk: Bytes that a node can write in a second; without it no limit.
    """
    return part(locals())


def objective(
    *,
    latency: Literal[0] | Mapping[str, Any] | str | None = None,
    availability: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """What a route promises.

    latency: By when an answer is in time.
    availability: The share of requests that are to be answered well.
    """
    return part(locals())


def opossum_breaker(
    *,
    error_threshold_percentage: Mapping[str, Any] | float | str | None = None,
    volume_threshold: Mapping[str, Any] | int | str | None = None,
    rolling_count_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    rolling_count_buckets: Mapping[str, Any] | int | str | None = None,
    reset_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Options of opossum (Node.js), names in snake_case, with its defaults; its `timeout` is that of the policy.

    error_threshold_percentage: Percentage of failures above which it opens.
    volume_threshold: Invocations in the window before it judges; with the default the first failure may open it.
    rolling_count_timeout: The window.
    rolling_count_buckets: Buckets of the window.
    reset_timeout: How long it stays open.
    """
    return part(locals())


def outlier_detection(
    *,
    consecutive_5xx: Mapping[str, Any] | int | str | None = None,
    consecutive_gateway_failure: Mapping[str, Any] | int | str | None = None,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
    base_ejection_time: Literal[0] | Mapping[str, Any] | str | None = None,
    max_ejection_time: Literal[0] | Mapping[str, Any] | str | None = None,
    max_ejection_percent: Mapping[str, Any] | float | str | None = None,
    always_eject_one_host: bool | None = None,
    success_rate: bool | None = None,
    success_rate_minimum_hosts: Mapping[str, Any] | int | str | None = None,
    success_rate_request_volume: Mapping[str, Any] | int | str | None = None,
    success_rate_stdev_factor: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """Envoy's outlier detection (source/common/upstream/outlier_detection_impl.cc), by each caller's replica for
    itself, as each Envoy decides alone.

    consecutive_5xx: Answers of 5xx in a row from which a replica is ejected; null: however many there are.
    consecutive_gateway_failure: The same of 502, 503 and 504 alone: shed, unreachable, timeouts; Envoy counts 5 and
        enforces none of it by default.
    interval: How often it is looked who returns, and at the success rates.
    base_ejection_time: For how long a replica is ejected the first time.
    max_ejection_time: No ejection is longer, or than `base_ejection_time` where that is.
    max_ejection_percent: Percentage of replicas that may be ejected at once: with fewer than ten and the default
        nobody ever is.
    always_eject_one_host: Whether one may be ejected whatever the percentage.
    success_rate: Whether replicas are ejected whose success rate is far below that of the others, at the end of an
        interval.
    success_rate_minimum_hosts: Replicas with enough requests that it takes to compare them.
    success_rate_request_volume: Requests in an interval that it takes to judge a replica.
    success_rate_stdev_factor: Thousandths of a standard deviation below the mean from which a replica is ejected.
    """
    return part(locals())


def period(*, rate: Mapping[str, Any] | str, window: Literal[0] | Mapping[str, Any] | str | None = None) -> Part:
    """One of several rates that are kept at once, each counted in a window of its own: `[10/s, 100/m]`.

    rate: How many pass, on average.
    window: In which they are counted: by default the unit that the rate is written in.
    """
    return part(locals())


def polly_breaker(
    *,
    failure_ratio: Mapping[str, Any] | float | str | None = None,
    minimum_throughput: Mapping[str, Any] | int | str | None = None,
    sampling_duration: Literal[0] | Mapping[str, Any] | str | None = None,
    break_duration: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """CircuitBreakerStrategyOptions of Polly 8, names in snake_case, with its defaults.

    failure_ratio: Share of failures from which it opens.
    minimum_throughput: Calls in the window before it judges.
    sampling_duration: The window.
    break_duration: How long it stays open.
    """
    return part(locals())


def pool(
    *,
    size: Mapping[str, Any] | int | str | None = None,
    max_pending: Literal["unlimited"] | Mapping[str, Any] | int | str | None = None,
    acquire_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    minimum_idle: Mapping[str, Any] | int | str | None = None,
    idle_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    connect: Mapping[str, Any] | str | None = None,
) -> Part:
    """Connections of a caller's replica: an attempt has one to itself (HTTP/1.1, JDBC), and waits in line where all
    are taken.

    size: Connections at once.
    max_pending: How many may wait for one; further ones are refused at once.
    acquire_timeout: How long one is waited for; 0: not at all.
    minimum_idle: How many are there from the beginning of a run; by default as many as there may be. A replica that
        starts again has none.
    idle_timeout: An idle connection is closed after as long, where `minimum_idle` is below `size`; else all stay,
        as in HikariCP.
    connect: How long it takes to open one, TLS included; without it no time.
    """
    return part(locals())


def popularity(
    *,
    count: Mapping[str, Any] | int | str,
    popularity: Literal["uniform"] | Mapping[str, Mapping[str, Any] | float | str] | None = None,
) -> Part:
    """How often each of `count` users (or items) appears: uniform, or Zipf with the given exponent.

    count: How many there are.
    popularity: How often each appears: `uniform`, or `{zipf: EXPONENT}`.
    """
    return part(locals())


def producer(
    *,
    linger: Literal[0] | Mapping[str, Any] | str | None = None,
    batch: Mapping[str, Any] | str | None = None,
    max_in_flight: Mapping[str, Any] | int | str | None = None,
    buffer: Mapping[str, Any] | str | None = None,
    max_block: Literal[0] | Mapping[str, Any] | str | None = None,
    acks: Literal["all", "1", "0", 1, 0] | None = None,
    idempotent: bool | None = None,
    request_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    delivery_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    retry_backoff: Literal[0] | Mapping[str, Any] | str | None = None,
    retry_backoff_max: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """The producer that each replica has which publishes to the broker. Names and defaults: Kafka's client (4.x,
    ProducerConfig).

    linger: How long the first record of a batch waits for others (linger.ms: 5 ms since 4.0, 0 before; KIP-1030).
    batch: Bytes of a batch, one for each partition (batch.size).
    max_in_flight: Requests under way to one node of the broker (max.in.flight.requests.per.connection).
    buffer: Memory for batches, sent or not; each takes its full size (buffer.memory).
    max_block: How long whoever publishes waits for memory before it is a timeout (max.block.ms).
    acks: What an acknowledgement says; without a word what `acks` of the broker says.
    idempotent: Whether the broker knows a batch again that is sent twice, and keeps the order (enable.idempotence).
    request_timeout: How long an answer is waited for before the batch is sent again (request.timeout.ms).
    delivery_timeout: From when on a batch is given up, all tries together (delivery.timeout.ms).
    retry_backoff: The first pause between two tries, which doubles, give or take 20 % (retry.backoff.ms).
    retry_backoff_max: The longest pause (retry.backoff.max.ms).
    """
    return part(locals())


def queue(
    *,
    capacity: Literal["unlimited"] | Mapping[str, Any] | int | str | None = None,
    discipline: Literal["fifo", "lifo", "priority", "codel", "adaptive_lifo", "edf", "fair"] | None = None,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    by: Literal["endpoint", "traffic", "user", "consumer", "header"] | None = None,
    header: str | None = None,
    classes: Mapping[str, Mapping[str, Any] | int | str] | None = None,
    push_out: bool | None = None,
    deadlines: Mapping[str, Literal[0] | Mapping[str, Any] | str] | None = None,
    drop_late: bool | None = None,
    target: Literal[0] | Mapping[str, Any] | str | None = None,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Where requests wait for a worker, one per replica.

    capacity: How many may wait in each replica; further ones are shed.
    discipline: Who is served first: who came first (`fifo`) or last (`lifo`), by `priority` of their class, by
        deadline (`edf`), in turns (`fair`), or as a library drops and turns round (`codel`, `adaptive_lifo`).
    timeout: Who has waited as long as this is shed.
    by: What tells classes, deadlines or turns apart: the `endpoint` (of a gateway the route) by default, of `fair`
        the `user`.
    header: Of `by: header`: which one (`headers` of traffic).
    classes: Of `priority`: name -> its class, 0 first; who is not named comes after all who are.
    push_out: Of `priority`: where the queue is full, the newest of the last class is shed for a newcomer of an
        earlier one.
    deadlines: Of `edf`: name -> by when after its arrival a request is to be begun; who is not named comes after
        all who are.
    drop_late: Of `edf`: who is not begun by its deadline is shed when its turn comes.
    target: Of `codel`: the wait that is no sign of overload.
    interval: Of `codel` and `adaptive_lifo`: how long there must be a standing queue.
    """
    return part(locals())


def quota(
    *,
    produce: Mapping[str, Any] | str | None = None,
    windows: Mapping[str, Any] | int | str | None = None,
    window: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """What one service may send to a broker, which holds back its answers to whoever is over it.

    produce: Bytes in a second that each publishing service may send (producer_byte_rate).
    windows: Samples over which the rate is taken (quota.window.num).
    window: Length of each (quota.window.size.seconds).
    """
    return part(locals())


def rate_limit(
    *,
    per: Literal["user", "route", "all", "consumer", "ip", "header", "traffic"]
    | Sequence[Literal["user", "route", "all", "consumer", "ip", "header", "traffic"]],
    rate: Mapping[str, Any] | str | None = None,
    rates: Sequence[Mapping[str, Any] | str] | None = None,
    burst: Mapping[str, Any] | int | str | None = None,
    window: Literal[0] | Mapping[str, Any] | str | None = None,
    window_from: Literal["clock", "first_request"] | None = None,
    algorithm: Literal["fixed_window", "token_bucket", "sliding_window_counter", "sliding_log", "gcra", "leaky_bucket"]
    | None = None,
    preset: Literal[
        "nginx", "kong", "kong-advanced", "spring-cloud-gateway", "envoy-local", "resilience4j", "guava", "aws"
    ]
    | None = None,
    scope: Literal["cluster", "node"] | None = None,
    delay: Mapping[str, Any] | int | str | None = None,
    nodelay: bool | None = None,
    wait: Literal[0] | Mapping[str, Any] | str | None = None,
    header: str | None = None,
    when: Mapping[str, Sequence[str] | str] | None = None,
    anonymous: Literal["shared", "ip", "free", "refused"] | None = None,
    status: Literal[429, 503] | Mapping[str, Any] | str | None = None,
    retry_after: Literal["exact", "whole_seconds", "none"] | None = None,
    disable_penalty: bool | None = None,
    requested_tokens: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """At most `rate` per user, per route, or in all. A refusal is a 429 with Retry-After, and uses up nothing. Whose
    algorithm it is:

    per: Whose requests are counted together: of one `user`, `route` (or endpoint), `consumer`, `ip`, `header` (its
        value), `traffic`, or `all`; of a list each combination has a count of its own.
    rate: How many pass, on average; must be said, here or in `rates`.
    rates: Several rates at once, in the place of `rate`: `[10/s, 100/m]`. A request must pass all, and counts for
        none where one refuses it.
    burst: How many may come at once, of `token_bucket` and `gcra`; of `leaky_bucket` how many more than one, 0 by
        default.
    window: Of `fixed_window`, `sliding_window_counter` and `sliding_log`: by default the unit that the rate is
        written in.
    window_from: Whether a `fixed_window` is one of the clock, or begins with the first request of its key.
    algorithm: How it counts; by default `fixed_window`, or `token_bucket` where a burst is said.
    preset: The library that decides so, with its defaults for the words below.
    scope: One count for all replicas (`cluster`), or one in each (`node`).
    delay: Of `leaky_bucket`: so many of the burst are not held, as nginx's `delay=`.
    nodelay: Of `leaky_bucket`: nobody of the burst is held, as nginx's `nodelay`.
    wait: Of `resilience4j` and `guava`: for how long a request may be held until its turn comes.
    header: Of `per: header`: which one (`headers` of traffic).
    when: Only requests whose headers have one of these values are counted: `{x-tier: free}`.
    anonymous: Requests that lack what they are counted by: all under one key (`shared`), by their address (`ip`,
        Kong), not at all (`free`, nginx), `refused`.
    status: What a refusal is answered with: 429, which is `rate_limited`, or 503, which a caller sees as `shed`.
    retry_after: Whether a refusal says when to come again: `exact`, in `whole_seconds` (RFC 9110 has no others), at
        least 1, or not at all.
    disable_penalty: Of `kong-advanced`: what is refused does not count.
    requested_tokens: Of `spring-cloud-gateway`: tokens that a request takes.
    """
    return part(locals())


def recording(
    *,
    keep: Literal["rows", "summary"] | None = None,
    interval: Literal[0] | str | None = None,
    spans: Literal["none", "all", "exemplars"] | None = None,
) -> Part:
    """What is kept of a run: a row for every request and message, or a summary that does not grow with their number.

    keep: A row for every request and message, or a summary whose size does not grow with their number.
    interval: Time between two points of the time series.
    spans: One row per attempt on a service: of no requests, of all, or of the slowest and of a sample
        (`exemplars`).
    """
    return part(locals())


def resilience4j_breaker(
    *,
    failure_rate_threshold: Mapping[str, Any] | float | str | None = None,
    slow_call_rate_threshold: Mapping[str, Any] | float | str | None = None,
    slow_call_duration_threshold: Literal[0] | Mapping[str, Any] | str | None = None,
    sliding_window_type: Literal["count_based", "time_based"] | None = None,
    sliding_window_size: Mapping[str, Any] | int | str | None = None,
    minimum_number_of_calls: Mapping[str, Any] | int | str | None = None,
    permitted_number_of_calls_in_half_open_state: Mapping[str, Any] | int | str | None = None,
    wait_duration_in_open_state: Literal[0] | Mapping[str, Any] | str | None = None,
    max_wait_duration_in_half_open_state: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """CircuitBreakerConfig of resilience4j, names in snake_case, with its defaults.

    failure_rate_threshold: Percentage of failed calls in the window from which it opens.
    slow_call_rate_threshold: Percentage of slow calls in the window from which it opens.
    slow_call_duration_threshold: From when on a call is slow.
    sliding_window_type: Whether the window counts calls or seconds.
    sliding_window_size: Calls, or whole seconds.
    minimum_number_of_calls: Calls in the window before it judges.
    permitted_number_of_calls_in_half_open_state: Calls that try whether the callee is well again.
    wait_duration_in_open_state: How long it stays open.
    max_wait_duration_in_half_open_state: How long it waits for the calls that try before it opens again; 0: for
        ever.
    """
    return part(locals())


def resilience4j_rate_limiter(
    *,
    limit_for_period: Mapping[str, Any] | int | str | None = None,
    limit_refresh_period: Literal[0] | Mapping[str, Any] | str | None = None,
    timeout_duration: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """RateLimiterConfig of resilience4j, names in snake_case, with its defaults, by which it hardly ever limits
    anybody.

    limit_for_period: Permits at the start of each period.
    limit_refresh_period: The length of a period, counted from time 0.
    timeout_duration: How long a call waits for its permit; one that would wait longer waits as long, and is refused
        then.
    """
    return part(locals())


def retention(
    *,
    time: Literal[0] | Mapping[str, Any] | str | None = None,
    size: Mapping[str, Any] | str | None = None,
    segment_size: Mapping[str, Any] | str | None = None,
    segment_time: Literal[0] | Mapping[str, Any] | str | None = None,
    check: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """What a topic deletes, whether anybody has read it or not. Names and defaults: Kafka's LogConfig.

    time: How old a record may become (retention.ms: 7 days); null: as old as it likes.
    size: Bytes that a partition keeps at least (retention.bytes: without limit).
    segment_size: Bytes after which a new segment begins (segment.bytes: 1 GiB).
    segment_time: Time after which a new segment begins (segment.ms: 7 days).
    check: Time between two looks (log.retention.check.interval.ms: 5 minutes).
    """
    return part(locals())


def retry(
    *,
    max_attempts: Mapping[str, Any] | int | str | None = None,
    backoff: Mapping[str, Any] | str | None = None,
    jitter: Literal["none", "full", "equal", "decorrelated"] | Mapping[str, Any] | float | str | None = None,
    budget: Mapping[str, Any] | Sequence[Any] | float | str | None = None,
    on: Sequence[Literal["timeout", "error", "unreachable", "shed", "rate_limited", "bulkhead_full", "breaker_open"]]
    | None = None,
) -> Part:
    """Try again: `max_attempts` counts the first call. Attempts and pause by default: resilience4j's RetryConfig
    (`maxAttempts` 3, `waitDuration` 500 ms).

    max_attempts: Attempts in all; the first call counts as one.
    backoff: The pause before each retry.
    jitter: How the pause is spread: `none`, `full`, `equal`, `decorrelated`, or a share of it such as 20%.
    budget: What bounds the retries of all calls together.
    on: After which answers it is tried again.
    """
    return part(locals())


def retry_topic(*, delays: Sequence[Literal[0] | Mapping[str, Any] | str]) -> Part:
    """Non-blocking redelivery: failure k goes to the k-th delay topic; after the last the message is dead-lettered.

    delays: The delay of each retry topic, one after the other.
    """
    return part(locals())


def route(
    *,
    to: str,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    per_try_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    policy: Mapping[str, Any] | str | None = None,
    translate: Mapping[str, Any] | str | None = None,
    authenticate: bool | None = None,
    rate_limits: Sequence[Mapping[str, Any] | Sequence[Any] | str] | None = None,
    gateway_limits: Literal["replaced", "kept"] | None = None,
    objective: Mapping[str, Any] | str | None = None,
    completes_with: Sequence[str] | None = None,
    answers_with: Mapping[str, Literal["error", "shed", "rate_limited", "refused"]] | None = None,
) -> Part:
    """A route to an endpoint. `timeout` is that of all attempts and back-offs together (Envoy's and Istio's),
    `per_try_timeout` that of each attempt.

    to: The endpoint, as `service.endpoint`.
    timeout: Of all attempts and pauses together, as Envoy's and Istio's.
    per_try_timeout: Of each attempt; goes before the `timeout` of the policy.
    policy: How the call is guarded: the name of a policy, or one written here.
    translate: Protocol translation on the gateway's workers.
    authenticate: Whether requests of this route are authenticated.
    rate_limits: Limits of this route alone, in the place of those of the gateway, as in Kong, nginx and Envoy the
        nearest one holds.
    gateway_limits: Whether limits of the route's own stand in the place of the gateway's, or beside them (`kept`):
        then it has to pass both.
    objective: What the route promises.
    completes_with: The effects that must exist before an order counts as complete.
    answers_with: What failures are answered with where that is no `error`: `{breaker_open: shed}`.
    """
    return part(locals())


def rows(
    *,
    values: Sequence[Mapping[str, Any] | float | str],
    lengths: Sequence[Mapping[str, Any] | float | str] | None = None,
    after: Mapping[str, Any] | float | str | None = None,
    began: Mapping[str, Any] | int | str | None = None,
    clock: Literal["start", "local", "utc"] | None = None,
    unit: str | None = None,
    routes: Sequence[str] | None = None,
    shares: Sequence[Mapping[str, Any] | float | str] | None = None,
    route: Sequence[Mapping[str, Any] | int | str] | None = None,
    user: Sequence[Mapping[str, Any] | int | str] | None = None,
    users: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """What the loader has read of a recorded file, embedded in the document; nobody writes it by hand.

    values: Seconds from the first row, sorted; or of a series its rates or counts.
    lengths: How long each value of a series holds, in seconds.
    after: Seconds from the zero that all recordings of the scenario share to the first row.
    began: When the file begins: ns since 1970, or since the start that it counts from.
    clock: What the times count from; `local` are dates without a zone.
    unit: The unit in which plain numbers were taken.
    routes: What the rows ask for.
    shares: How many of the rows ask for each.
    route: The place among `routes` of each row's.
    user: The number of each row's user.
    users: How many users the rows name.
    """
    return part(locals())


def saga_step(*, do: Sequence[Mapping[str, Any] | str], undo: Sequence[Mapping[str, Any] | str] | None = None) -> Part:
    """One transaction, and what undoes it.

    do: What is done.
    undo: What undoes it; without any there is nothing to undo.
    """
    return part(locals())


def scaling_behavior(
    *, scale_up: Mapping[str, Any] | str | None = None, scale_down: Mapping[str, Any] | str | None = None
) -> Part:
    """How fast it goes upwards and downwards; the defaults are those of Kubernetes.

    scale_up: Without it: at once, by four or by as many again in 15 s, whichever is more.
    scale_down: Without it: all at once, but not below what was wanted at any time of the last five minutes.
    """
    return part(locals())


def scaling_metric(
    *,
    cpu: Mapping[str, Any] | float | str | None = None,
    workers: Mapping[str, Any] | float | str | None = None,
    requests: Mapping[str, Any] | str | None = None,
    in_flight: Mapping[str, Any] | float | str | None = None,
    queue: Mapping[str, Any] | float | str | None = None,
    lag: Mapping[str, Any] | Sequence[Any] | str | None = None,
) -> Part:
    """What is looked at, and how much of it each replica is to have: one of these.

    cpu: Use of the replica's `cores`, as a share: averageUtilization. Cut to a whole per cent, as by the
        controller.
    workers: Share of the workers that are held.
    requests: Attempts that arrive at a replica per second.
    in_flight: Attempts that are inside a replica, those who wait included, at the moment when it is measured.
    queue: Attempts that wait for a worker of a replica, on average.
    lag: Messages that a consumer group or a queue has not ended, so many for each replica: it takes no heed of who
        is ready.
    """
    return part(locals())


def scaling_pace(
    *,
    pods: Mapping[str, Any] | int | str | None = None,
    percent: Mapping[str, Any] | float | str | None = None,
    period: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """By how much the number of replicas may change within a period.

    pods: By so many replicas.
    percent: By so many per cent of what there were when the period began.
    period: How long the period is.
    """
    return part(locals())


def scaling_rules(
    *,
    stabilization: Literal[0] | Mapping[str, Any] | str | None = None,
    policies: Sequence[Mapping[str, Any] | str],
    select: Literal["max", "min", "disabled"] | None = None,
) -> Part:
    """How fast it goes in one direction, and how steady a wish must be.

    stabilization: For how long earlier wishes count: upwards the least of them holds, downwards the most.
    policies: By how much it may change.
    select: Whether the policy that allows most counts, or least; `disabled`: not in this direction.
    """
    return part(locals())


def scenario(
    *,
    version: Literal[1] = 1,
    name: str | None = None,
    duration: Literal["recording"] | Literal[0] | str,
    warmup: Literal["auto"] | Literal[0] | str | None = None,
    seed: int | None = None,
    traffic: Mapping[str, Mapping[str, Any] | str],
    gateway: Mapping[str, Any] | str | None = None,
    network: Mapping[str, Any] | str | None = None,
    services: Mapping[str, Mapping[str, Any] | str],
    policies: Mapping[str, Mapping[str, Any] | str] | None = None,
    brokers: Mapping[str, Mapping[str, Any] | str] | None = None,
    ledger: Mapping[str, Any] | str | None = None,
    faults: Sequence[Mapping[str, Any] | str] | None = None,
    record: Mapping[str, Any] | str | None = None,
    expect: Sequence[str] | None = None,
    plugins: Sequence[str] | None = None,
    variants: Mapping[str, Mapping[str, Any]] | None = None,
) -> Study:
    """A system, its load and the harm done to it. All times in seconds.

    version: The version of the scenario language: 1.
    name: What the scenario is called in tables and reports.
    duration: How long is simulated, warm-up included.
    warmup: From when on figures count; what arrives before fills the system.
    seed: What all luck comes from: the same seed, the same run.
    traffic: The populations of clients, by name.
    gateway: The single entry before the services; without it clients send to endpoints.
    network: Latency and loss between components.
    services: The services, by name.
    policies: How callers guard their calls, by names that steps and routes refer to.
    brokers: The brokers with their topics, by name.
    ledger: Which effects are money and which are goods.
    faults: The harm done to the system, and when.
    record: What is kept of a run.
    expect: What must hold, each as `p99(response) < 800ms`; a run that fails one ends with exit code 1.
    plugins: The files of code that the scenario needs, relative to its own; each must be allowed by the user.
    variants: Patches on all that, by name; the first is the baseline.
    """
    return load(part(locals()))


def scheduled(
    *,
    at: Literal[0] | Mapping[str, Any] | str,
    for_: Literal[0] | Mapping[str, Any] | str,
    replicas: Mapping[str, Any] | int | str,
) -> Part:
    """At least so many replicas from one time to another, as KEDA's cron scaler has them.

    at: When it begins, from the start of the run, warm-up included.
    for_: For how long.
    replicas: How many there are to be.
    """
    return part(locals())


def segment(
    *,
    for_: Literal[0] | Mapping[str, Any] | str | None = None,
    rate: Mapping[str, Any] | str | None = None,
    from_: Mapping[str, Any] | str | None = None,
    to: Mapping[str, Any] | str | None = None,
    diurnal: Mapping[str, Any] | str | None = None,
    flash_crowd: Mapping[str, Any] | str | None = None,
) -> Part:
    """A piece of a rate profile: constant `rate`, a ramp `from` .. `to`, a `diurnal` wave or a `flash_crowd`.

    for_: How long the piece takes; the last one may go on for ever.
    rate: Requests per second, the same throughout.
    from_: The rate at the beginning of a ramp.
    to: The rate at the end of a ramp.
    diurnal: The rate as a sine wave.
    flash_crowd: The rate of a sudden crowd.
    """
    return part(locals())


def service(
    *,
    replicas: Mapping[str, Any] | int | str | None = None,
    workers: Literal["unlimited"] | Mapping[str, Any] | int | str,
    concurrency: Literal["threads", "event_loop"] | None = None,
    cores: Mapping[str, Any] | int | str | None = None,
    queue: Mapping[str, Any] | str | None = None,
    rate_limits: Sequence[Mapping[str, Any] | Sequence[Any] | str] | None = None,
    autoscaling: Mapping[str, Any] | str | None = None,
    start: Mapping[str, Any] | str | None = None,
    drain: Mapping[str, Any] | str | None = None,
    load_balancing: Literal["round_robin", "random", "least_request", "power_of_two", "two_choices"]
    | Mapping[str, Any]
    | str
    | None = None,
    cost: Mapping[str, Any] | str | None = None,
    stock: Mapping[str, Any] | str | None = None,
    endpoints: Mapping[str, Mapping[str, Any] | Sequence[Any] | str] | None = None,
    consumes: Mapping[str, Mapping[str, Any] | str] | None = None,
) -> Part:
    """One service. Every replica has its own workers, cores and queue.

    replicas: How many there are, each with workers, cores and queue of its own.
    workers: Threads of each replica, held while a callee answers; or loop threads; or `unlimited`.
    concurrency: `threads` hold a worker until the end; an `event_loop` lets go of it while something is waited for.
    cores: What each replica computes on; without it every worker has a core of its own.
    queue: Where requests wait for a worker.
    rate_limits: How many requests its endpoints let pass, counted on a worker before their steps; all of them must.
    autoscaling: Whether replicas come and go by themselves; `replicas` is then how many there are at the beginning.
    start: How long a replica takes to start, where it is started while the system runs, and how slow it is at
        first.
    drain: How long a replica that is to go may take to end what is inside.
    load_balancing: How its callers choose a replica, each on its own: the name of a policy, or a map with more
        about it.
    cost: The price of a replica, by time.
    stock: What there is to be sold.
    endpoints: What can be called, by name: steps.
    consumes: The topics it consumes, and what it does with each message.
    """
    return part(locals())


def starting(*, time: Mapping[str, Any] | str | None = None, warm_up: Mapping[str, Any] | str | None = None) -> Part:
    """How a replica starts: scheduled, pulled, started and found ready, all of which takes a time that is paid for.

    time: From the decision until it is ready.
    warm_up: How slow it is at first; also after a crash.
    """
    return part(locals())


def stock(*, items: Mapping[str, Any] | int | str) -> Part:
    """Finite stock: `items` units of each kind of item (of one kind where traffic names no items).

    items: Units of each kind of item; of one kind where traffic names no items.
    """
    return part(locals())


def take_options(*, check_to_write: Mapping[str, Any] | str | None = None) -> Part:
    """How stock is taken: with `check_to_write`, check and write are separate steps and may race.

    check_to_write: Time between looking whether there is one and taking it; meanwhile others look, too.
    """
    return part(locals())


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
    min_insync_replicas: With fewer in sync than this a publication under `acks: all` is refused
        (min.insync.replicas).
    message_size: Bytes of a message, where its publication does not say; for batches, retention, capacity and
        quotas.
    retention: What is deleted, by time or size; without it nothing is.
    compaction: Whether only the latest record of each key is kept.
    """
    return part(locals())


def traffic(
    *,
    sends: Mapping[str, Mapping[str, Any] | float | str] | str | None = None,
    arrivals: Mapping[str, Any] | str,
    visit: Mapping[str, Any] | Sequence[Any] | str | None = None,
    users: Mapping[str, Any] | str | None = None,
    consumer: str | None = None,
    headers: Mapping[str, Mapping[str, Mapping[str, Any] | float | str] | str] | None = None,
    items: Mapping[str, Any] | Sequence[Any] | str | None = None,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    deadline: Literal["propagate"] | None = None,
    retry: Mapping[str, Any] | str | None = None,
    honor_retry_after: bool | None = None,
    objective: Mapping[str, Any] | str | None = None,
    completes_with: Sequence[str] | None = None,
) -> Part:
    """One population of clients. Latency is counted from the intended arrival.

    sends: A route, or `service.endpoint` where there is no gateway; a map from such names to shares gives a mix.
    arrivals: When requests come.
    visit: Whether what arrives is a person with several requests, and not a request.
    users: Who sends them, where users are told apart by limits, keys or caches.
    consumer: On whose behalf they are sent, a consumer in Kong's sense (limits by `consumer`); without it each user
        is one.
    headers: What they carry, for limits and priorities: `{x-tier: gold}`, or shares, `{x-tier: {gold: 10%, free:
        90%}}`; a user always has the same.
    items: What they are about: the catalogue, whose item 0 is the same item in all traffic.
    timeout: The client's own patience, per attempt; without it clients wait for ever.
    deadline: `propagate`: what clients call is told until when they wait, and stops then (gRPC); else a service
        works on.
    retry: Whether clients try again, and when.
    honor_retry_after: Whether a client that was rate limited waits as long as the Retry-After of the answer says.
    objective: What is promised to these clients, where no gateway route says it.
    completes_with: The effects that must exist before an order counts as complete.
    """
    return part(locals())


def transaction(*, timeout: Literal[0] | Mapping[str, Any] | str | None = None) -> Part:
    """Each record is handled in a transaction: what is published meanwhile to topics of the same broker, and that
    the record was handled, become visible together or not at all (exactly once, inside of Kafka). Effects outside
    come about as often as the record is handled.

    timeout: How long one may be left open (transaction.timeout.ms).
    """
    return part(locals())


def translate(
    *, to: Literal["grpc"], work: Mapping[str, Any] | str, response_work: Mapping[str, Any] | str | None = None
) -> Part:
    """Protocol translation on the gateway's workers; `response_work` on the way back.

    to: The protocol of the service behind.
    work: What a request takes on its way in.
    response_work: What an answer takes on its way back.
    """
    return part(locals())


def users(
    *,
    count: Mapping[str, Any] | int | str,
    popularity: Literal["uniform"] | Mapping[str, Mapping[str, Any] | float | str] | None = None,
    addresses: Mapping[str, Any] | int | str | None = None,
    population: str | None = None,
) -> Part:
    """The users of one traffic. Those of two traffics are different people, for limits, keys and caches, unless both
    name one `population`.

    count: How many there are.
    popularity: How often each appears: `uniform`, or `{zipf: EXPONENT}`.
    addresses: How many IP addresses they share, as evenly as can be (limits by `ip`); by default each user has one
        of their own.
    population: The name under which several traffics share their users; by default that of the traffic.
    """
    return part(locals())


def visit(
    *,
    requests: Mapping[str, Any] | Sequence[Any] | float | str | None = None,
    journey: Sequence[str] | None = None,
    think: Mapping[str, Any] | str | None = None,
    leaves_after_failure: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """What arrives is a person, who sends a request, thinks, and sends the next: a partly open system.

    requests: How many requests somebody sends, each by the shares of `sends`; at least 1, at most 1000.
    journey: Or which, one after the other: routes or endpoints. Then `sends` is not said.
    think: The pause between an answer and the next request.
    leaves_after_failure: Which share leaves after a request that was not answered well; a request that timed out is
        one.
    """
    return part(locals())


def warm_up(
    *, slow: Mapping[str, Any] | float | str, decay: Literal[0] | Mapping[str, Any] | str | None = None
) -> Part:
    """A process that has just started is slow at first: its code is not compiled yet, its pools are empty.

    slow: How many times as long the first work takes.
    decay: After so long it is e times less, and so on.
    """
    return part(locals())
