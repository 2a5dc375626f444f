"""Scenarios in Python, with the words of the language and the completion of an editor.

    import sim
    from sim.builder import arrivals, distribution, scenario, service, step, traffic

    study = scenario(
        duration="5m",
        traffic={"shoppers": traffic(sends="shop.buy", arrivals=arrivals.poisson("40/s"))},
        services={"shop": service(workers=4, endpoints={"buy": [step.work(distribution.exponential("60ms"))]})},
    )
    sim.compare(study)

Every function gives the map that a file would hold, so maps written by hand may stand in their places; `scenario` reads
the whole as `sim.load` reads a file, and tells the same errors.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from sim.builder.saying import Part
from sim.builder.written import arrivals, authentication, backoff, broker, distribution, fault, step
from sim.builder.written.parts.ageing import ageing
from sim.builder.written.parts.arrivals import diurnal, flash_crowd, rows, segment
from sim.builder.written.parts.autoscaling import (
    autoscaling,
    draining,
    lag,
    scaling_behavior,
    scaling_metric,
    scaling_pace,
    scaling_rules,
    scheduled,
    starting,
    warm_up,
)
from sim.builder.written.parts.balancing import (
    balancing,
    nginx_passive_checks,
    outlier_detection,
    passive_health_checks,
    zone_aware,
)
from sim.builder.written.parts.breaking import (
    circuit_breaker,
    cockatiel_breaker,
    cockatiel_count,
    cockatiel_sampling,
    go_breaker,
    hystrix_breaker,
    opossum_breaker,
    polly_breaker,
    purgatory_breaker,
    resilience4j_breaker,
)
from sim.builder.written.parts.broker import topic
from sim.builder.written.parts.budgets import aws_quota, budget, envoy_retries, envoy_retry_budget, grpc_throttling
from sim.builder.written.parts.caller_limit import caller_limit, resilience4j_rate_limiter
from sim.builder.written.parts.cluster import nodes, quota
from sim.builder.written.parts.composed import alternative
from sim.builder.written.parts.concurrency import (
    aimd_limit,
    concurrency_limit_params,
    envoy_gradient,
    gradient2_limit,
    min_rtt_calc_params,
    vegas_limit,
    windowed_limit,
)
from sim.builder.written.parts.consuming import commit, fetch, transaction
from sim.builder.written.parts.contention import contention
from sim.builder.written.parts.counting import how_many
from sim.builder.written.parts.cpu import cpu_limit
from sim.builder.written.parts.credentials import client_credentials
from sim.builder.written.parts.gateway import gateway, keys, route, translate
from sim.builder.written.parts.health import health_checks
from sim.builder.written.parts.idempotency import idempotency
from sim.builder.written.parts.library_backoffs import (
    tenacity_exponential,
    tenacity_incrementing,
    tenacity_jitter,
    tenacity_random,
)
from sim.builder.written.parts.limit_store import limit_store
from sim.builder.written.parts.limits import period, rate_limit
from sim.builder.written.parts.membership import membership
from sim.builder.written.parts.network import link, link_between, network
from sim.builder.written.parts.node_pool import node_pool
from sim.builder.written.parts.phases import branch
from sim.builder.written.parts.policy import bulkhead, call_policy, hedge, pool, retry, thread_pool
from sim.builder.written.parts.process_pauses import process_pauses
from sim.builder.written.parts.producer import producer
from sim.builder.written.parts.queue_broker import (
    binding,
    confirm_batch,
    dead_letter,
    exchange,
    message_queue,
    queue_nodes,
)
from sim.builder.written.parts.queueing import queue
from sim.builder.written.parts.release import abort, blue_green, canary, canary_step, new_version
from sim.builder.written.parts.response_cache import response_cache
from sim.builder.written.parts.retention import compaction, retention
from sim.builder.written.parts.saga import saga_step
from sim.builder.written.parts.scenario import ledger, recording, scenario
from sim.builder.written.parts.serverless import billing, scaling, serverless
from sim.builder.written.parts.service import consume, endpoint, retry_topic, service, stock
from sim.builder.written.parts.step import effect_options, take_options
from sim.builder.written.parts.traffic import objective, popularity, traffic, users, virtual_users
from sim.builder.written.parts.vertical import vertical_scaling
from sim.builder.written.parts.visit import visit

__all__ = [
    "Part",
    "abort",
    "ageing",
    "aimd_limit",
    "alternative",
    "arrivals",
    "authentication",
    "autoscaling",
    "aws_quota",
    "backoff",
    "balancing",
    "billing",
    "binding",
    "blue_green",
    "branch",
    "broker",
    "budget",
    "bulkhead",
    "call_policy",
    "caller_limit",
    "canary",
    "canary_step",
    "circuit_breaker",
    "client_credentials",
    "cockatiel_breaker",
    "cockatiel_count",
    "cockatiel_sampling",
    "commit",
    "compaction",
    "concurrency_limit_params",
    "confirm_batch",
    "consume",
    "contention",
    "cpu_limit",
    "dead_letter",
    "distribution",
    "diurnal",
    "draining",
    "effect_options",
    "endpoint",
    "envoy_gradient",
    "envoy_retries",
    "envoy_retry_budget",
    "exchange",
    "fault",
    "fetch",
    "flash_crowd",
    "gateway",
    "go_breaker",
    "gradient2_limit",
    "grpc_throttling",
    "health_checks",
    "hedge",
    "how_many",
    "hystrix_breaker",
    "idempotency",
    "keys",
    "lag",
    "ledger",
    "limit_store",
    "link",
    "link_between",
    "membership",
    "message_queue",
    "min_rtt_calc_params",
    "network",
    "new_version",
    "nginx_passive_checks",
    "node_pool",
    "nodes",
    "objective",
    "opossum_breaker",
    "outlier_detection",
    "passive_health_checks",
    "period",
    "polly_breaker",
    "pool",
    "popularity",
    "process_pauses",
    "producer",
    "purgatory_breaker",
    "queue",
    "queue_nodes",
    "quota",
    "rate_limit",
    "recording",
    "resilience4j_breaker",
    "resilience4j_rate_limiter",
    "response_cache",
    "retention",
    "retry",
    "retry_topic",
    "route",
    "rows",
    "saga_step",
    "scaling",
    "scaling_behavior",
    "scaling_metric",
    "scaling_pace",
    "scaling_rules",
    "scenario",
    "scheduled",
    "segment",
    "serverless",
    "service",
    "starting",
    "step",
    "stock",
    "take_options",
    "tenacity_exponential",
    "tenacity_incrementing",
    "tenacity_jitter",
    "tenacity_random",
    "thread_pool",
    "topic",
    "traffic",
    "transaction",
    "translate",
    "users",
    "vegas_limit",
    "vertical_scaling",
    "virtual_users",
    "visit",
    "warm_up",
    "windowed_limit",
    "zone_aware",
]
