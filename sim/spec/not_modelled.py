"""Well-known words that the language lacks, and what to say to those who write them.

Whoever adds one of them to the language takes its line out; a test says when that was forgotten.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from sim.errors import did_you_mean

_SLIP = 0.86  # from here on two words are the same one, misspelt; `lock_timeout` and `deadlock_timeout` are two
_REPLICAS = "it is `autoscaling: {min: 2, max: 10, metrics: [{cpu: 70%}]}` of a service"
_FUNCTION = "it is `serverless: {cold_start: 400ms, idle_timeout: 10m}` of a service with `workers: unlimited`"
_NODES = "it is `node_pools: {general: {cores: 8, max: 10, start: 2m}}`, and `node_pool: general` of a service"
_VERTICAL = "it is `vertical_scaling: {mode: recreate}` of a service with a `cpu` limit"
_HEDGE = "it is `hedge: {after: p95, max: 1}` of a policy"
_DEADLINE = "it is `deadline: propagate` of a policy, and of traffic with a `timeout`"
_SAGA = "it is the step `saga: [{do: [...], undo: [...]}]`"
_CONNECTIONS = "the connections of a caller are `pool: {size: 20, max_pending: 50, acquire_timeout: 2s}` of its policy"
_CONCURRENCY = (
    "what a service does at once is `workers`; what a caller has open at once is `bulkhead: "
    "{max_concurrent_calls: 20}` of its policy"
)
_PAUSES = "collections that stop the world are `pauses: {every: {exponential: 10s}, for: 50ms}` of a service"
_MEMORY = f"memory is not modelled; {_PAUSES}"
_LAW = "the Universal Scalability Law is `contention: {serial: 3%, crosstalk: 0.01%}` of a service"
_RATE = "a rate is written with its unit: `arrivals: {poisson: 100/s}`"
_USERS = "users who wait for their answer are `arrivals: {closed: {users: 50, think: 1s}}`"
_PATIENCE = "how long people wait is `patience: {exponential: 2s}` of traffic"
_UNIT = "a duration is written with its unit: `timeout: 250ms`"
_RETRY = "it is `retry: {max_attempts: 3}` of a policy; the first try counts as one"
_PRODUCER = "it is `producer: {linger: 5ms, batch: 16KiB, acks: all}` of a log broker"
_RETENTION = "it is `retention: {time: 7d, size: 1GiB}` of a topic"
_SPREAD = "the spread is `cv`, the standard deviation over the mean"
_QUEUE = "the bound of a queue is `queue: {capacity: 100}`"
_LIMITS = (
    "limits are `rate_limits` of the gateway, of a route or of a service; those of a caller are "
    "`rate_limit` of a policy"
)
_CLASSES = "who is served first is `queue: {discipline: priority, classes: {checkout: 0, browse: 1}}` of a service"
_DEAD = (
    "a message of a topic is a dead letter after `max_deliveries` of its consumer; of a queue as its `dead_letter` says"
)
_HEALTH = "it is `health_checks: {interval: 10s, timeout: 1s, unhealthy_threshold: 3}` of a service"
_SESSIONS = "it is the step `session: {in: replica}` of an endpoint"
_LOCK = "it is the step `lock: stock` with `key: item`, `timeout: 1s` and `do: [...]`"
_COMMITS = "it is both phases within the locks that they hold, the step `lock`, with its `held_after_crash`"
_STICKY = "it is `load_balancing: ring_hash` of a service: a user has the same replica while that is there"
_TLS = "connections, TLS and bandwidth are not modelled; `network` has latency and loss"
_TOKEN = "it is `token: {from: idp.token, lives: 1h, refresh_before: 60s}` of a call, or of a route"

_BACKLOG = "it is `listen_backlog` of a `queue`: a number, or `linux`, `nginx`, `tomcat` ..."
INSTEAD = {
    "autoscaler": _REPLICAS,
    "hpa": _REPLICAS,
    "vpa": _VERTICAL,
    "vertical_pod_autoscaler": _VERTICAL,
    "cluster_autoscaler": _NODES,
    "lambda": _FUNCTION,
    "faas": _FUNCTION,
    "cold_starts": _FUNCTION,
    "provisioned_concurrency": "it is `provisioned` of a `serverless`",
    "reserved_concurrency": "it is `reserved` of a `serverless`",
    "node_group": _NODES,
    "node_groups": _NODES,
    "max_replicas": _REPLICAS,
    "min_replicas": _REPLICAS,
    "healthchecks": _HEALTH,
    "health_check": _HEALTH,
    "healthcheck": _HEALTH,
    "readiness_probe": _HEALTH,
    "liveness_probe": "a probe that restarts a replica is not modelled; one that tells callers is `health_checks`",
    "sessions": _SESSIONS,
    "mutex": _LOCK,
    "row_lock": _LOCK,
    "select_for_update": _LOCK,
    "lock_wait_timeout": "it is `timeout` of the step `lock`",
    "innodb_lock_wait_timeout": "it is `timeout` of the step `lock`; InnoDB has 50s",
    "lock_timeout": "it is `timeout` of the step `lock`",
    "lease": "how long a lock outlives its holder is `held_after_crash` of the step `lock`",
    "two_phase_commit": _COMMITS,
    "xa": _COMMITS,
    "session_affinity": _STICKY,
    "sticky": _STICKY,
    "sticky_sessions": _STICKY,
    "availability_zones": "it is `zones: [a, b, c]` of a service, and the fault `{zone: a, at: 5m}`",
    "topology": "it is `zones: [a, b, c]` of a service, and `load_balancing: {zone_aware: {}}`",
    "instances": "it is `replicas`",
    "pods": "it is `replicas`",
    "client_credentials": _TOKEN,
    "access_token": _TOKEN,
    "credentials": _TOKEN,
    "expires_in": "how long a token is good is `lives`",
    "refresh_margin": "how long before the end of a token another is asked for is `refresh_before`",
    "hedging": _HEDGE,
    "deadline_propagation": _DEADLINE,
    "grpc_timeout": _DEADLINE,
    "compensate": _SAGA,
    "compensation": _SAGA,
    "prefetch_count": "it is `prefetch` of a consumer of a queue; of a topic `max_poll_records`",
    "linger_ms": _PRODUCER,
    "batch_size": _PRODUCER,
    "buffer_memory": _PRODUCER,
    "max_block_ms": _PRODUCER,
    "enable_idempotence": _PRODUCER,
    "retention_ms": _RETENTION,
    "retention_bytes": _RETENTION,
    "cleanup_policy": "a topic is compacted by `compaction: {}` of it, and deletes by `retention`",
    "min_insync": "it is `min_insync_replicas` of a topic",
    "cpu": "it is `cores` of a service, or `cpu` for a limit",
    "cpus": "it is `cores` of a service, or `cpu` for a limit",
    "cpu_limit": "it is `cpu` of a service: `cpu: 500m`",
    "backlog": _BACKLOG,
    "somaxconn": _BACKLOG,
    "accept_count": _BACKLOG,
    "memory": _MEMORY,
    "heap": _MEMORY,
    "gc": _PAUSES,
    "gc_pauses": _PAUSES,
    "garbage_collection": _PAUSES,
    "stop_the_world": _PAUSES,
    "leak": "a replica that becomes slower until it is restarted is `ageing: {slow: 3x, over: 1h}` of a service",
    "memory_leak": "a replica that becomes slower until it is restarted is `ageing: {slow: 3x, over: 1h}` of a service",
    "usl": _LAW,
    "scalability": _LAW,
    "connections": _CONNECTIONS,
    "connection_pool": _CONNECTIONS,
    "max_connections": _CONNECTIONS,
    "pool_size": _CONNECTIONS,
    "concurrency_limit": _CONCURRENCY,
    "max_concurrency": _CONCURRENCY,
    "threads": _CONCURRENCY,
    "queue_size": _QUEUE,
    "queue_length": _QUEUE,
    "max_queue": _QUEUE,
    "rps": _RATE,
    "qps": _RATE,
    "requests_per_second": _RATE,
    "abandonment": _PATIENCE,
    "abandon_after": _PATIENCE,
    "reneging": _PATIENCE,
    "vus": _USERS,
    "virtual_users": _USERS,
    "concurrent_users": _USERS,
    "think_time": _USERS,
    "retries": _RETRY,
    "max_retries": _RETRY,
    "retry_count": _RETRY,
    "timeout_ms": _UNIT,
    "timeout_seconds": _UNIT,
    "delay_ms": _UNIT,
    "latency_ms": _UNIT,
    "delay": "time that passes is the step `wait`; between services it is `latency` of `network`, also as a fault",
    "sleep": "time that passes is the step `wait`",
    "p50": "it is `median`",
    "p75": "a lognormal takes two of mean, cv, median, p95, p99, sigma; a measured column is `empirical`",
    "p90": "a lognormal takes two of mean, cv, median, p95, p99, sigma; a measured column is `empirical`",
    "p999": "a lognormal takes two of mean, cv, median, p95, p99, sigma; a measured column is `empirical`",
    "normal": "a normal would be negative at times; `gamma` or `lognormal` with `mean` and `cv` come nearest",
    "gaussian": "a normal would be negative at times; `gamma` or `lognormal` with `mean` and `cv` come nearest",
    "std": _SPREAD,
    "stddev": _SPREAD,
    "throttle": _LIMITS,
    "throttling": _LIMITS,
    "limit_req": _LIMITS,
    "rate_limiting": _LIMITS,
    "sla": "what a route promises is `objective: {latency: 300ms, availability: 99.9%}`",
    "slo": "what a route promises is `objective: {latency: 300ms, availability: 99.9%}`",
    "tls": _TLS,
    "bandwidth": _TLS,
    "dlq": _DEAD,
    "dead_letter_queue": _DEAD,
    "dead_letter_exchange": "it is `dead_letter` of a queue",
    "x_delivery_limit": "it is `delivery_limit` of a quorum queue",
    "auto_ack": "it is `ack: automatic` of a consumer of a queue",
    "requeue": "it is `on_failure: requeue` of a consumer of a queue",
    "publisher_confirms": "it is `confirm: each` of a publication",
}


def hint_for(word: str, known: Iterable[str]) -> str:
    """What ends an 'unknown word' message: what the language has instead of a word of the trade, or the nearest known
    word.
    """
    known = set(known)
    instead = instead_of(word)
    if instead is None or difflib.get_close_matches(word, sorted(known), n=1, cutoff=_SLIP):
        return did_you_mean(word, known)
    return f"; {instead}"


def instead_of(word: str) -> str | None:
    """What to write instead of a word that other tools know, however they spell it (`maxRetries`, `max-retries`); None:
    nothing is known of it.
    """
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word[:60]).replace("-", "_").replace(".", "_").lower()
    return INSTEAD.get(plain)
