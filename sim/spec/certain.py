"""Whether anything in a scenario is random at all: where nothing is, one replication is as good as a hundred.

A scenario is certain only if every part of it is known to be. What is not in the list (a plug-in, a broker, a new word)
is taken to draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sim.spec import (
    arrivals,
    autoscaling,
    balancing,
    cache,
    cache_write,
    clock,
    composed,
    concurrency,
    counting,
    cpu,
    fault,
    gateway,
    health,
    idempotency,
    limit_store,
    limits,
    measured,
    network,
    node_pool,
    policy,
    release,
    saga,
    scenario,
    serverless,
    service,
    session,
    step,
    traffic,
    vertical,
    view,
)
from sim.spec.base import Spec
from sim.spec.distribution import Constant

_Certain = Callable[[Any], bool]


def is_certain(said: scenario.Scenario) -> bool:
    """Whether no draw can decide anything: two replications would be the same to the last request."""
    return (
        not said.plugins
        and not said.brokers
        and all(_RULES[type(part)](part) if type(part) in _RULES else False for part in _parts(said))
    )


def _parts(value: object) -> Iterator[Spec]:
    """Everything that is said, however deep."""
    if isinstance(value, Spec):
        yield value
        for name in type(value).model_fields:
            yield from _parts(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _parts(item)


def _whole(share: float | None) -> bool:
    """A share of nobody or of all needs no coin."""
    return share in (None, 0.0, 1.0)


def _always(part: Spec) -> bool:
    del part
    return True


_NEVER_DRAW: tuple[type[Spec], ...] = (
    scenario.Scenario,
    scenario.Ledger,
    scenario.Recording,
    arrivals.Deterministic,
    arrivals.Closed,
    traffic.Objective,
    arrivals.Rows,
    service.Endpoint,
    service.Queue,
    service.Stock,
    cpu.CpuLimit,
    vertical.VerticalScaling,
    autoscaling.Autoscaling,
    autoscaling.Draining,
    autoscaling.Lag,
    autoscaling.ScalingBehavior,
    autoscaling.ScalingMetric,
    autoscaling.ScalingPace,
    autoscaling.ScalingRules,
    autoscaling.Scheduled,
    autoscaling.Starting,
    autoscaling.WarmUp,
    step.Work,
    step.Wait,
    step.Call,
    step.Perform,
    step.Effect,
    step.EffectOptions,
    step.Take,
    step.TakeOptions,
    step.Reply,
    step.Parallel,
    composed.Background,
    composed.Alternative,
    composed.Race,
    composed.Repeat,
    saga.Saga,
    saga.SagaStep,
    saga.Retract,
    session.Session,
    view.ViewWrite,
    view.ViewApply,
    view.ViewRead,
    policy.CallPolicy,
    policy.ConstantBackoff,
    policy.LinearBackoff,
    policy.ExponentialBackoff,
    policy.SequenceBackoff,
    policy.Budget,
    policy.GrpcThrottling,
    policy.EnvoyRetries,
    policy.EnvoyRetryBudget,
    policy.AwsQuota,
    policy.CircuitBreaker,
    policy.Bulkhead,
    policy.ThreadPool,
    concurrency.AimdLimit,
    concurrency.Gradient2Limit,
    concurrency.WindowedLimit,
    balancing.Balancing,
    policy.PollyBreaker,
    policy.OpossumBreaker,
    policy.HystrixBreaker,
    policy.GoBreaker,
    policy.PurgatoryBreaker,
    policy.Pool,
    policy.Hedge,
    policy.CallerLimit,
    policy.Resilience4jRateLimiter,
    idempotency.Idempotency,
    gateway.Gateway,
    gateway.Route,
    gateway.RateLimit,
    health.HealthChecks,
    limits.Period,
    limit_store.LimitStore,
    fault.StoreDown,
    clock.ClockStep,
    gateway.Translate,
    network.Network,
    node_pool.NodePool,
    fault.Outage,
    fault.Slow,
    fault.Crash,
    fault.Flush,
    fault.Deploy,
    cache_write.CacheWrite,
    release.Abort,
    serverless.Scaling,
    serverless.Serverless,
    serverless.Billing,
    release.BlueGreen,
    release.Canary,
    release.CanaryStep,
    fault.Zone,
    Constant,
    measured.Replayed,
)

_RULES: dict[type[Spec], _Certain] = {
    **dict.fromkeys(_NEVER_DRAW, _always),
    traffic.Traffic: lambda its: (
        its.users is None
        and its.items is None
        and all(isinstance(value, str) for value in its.headers.values())
        and (len(its.mix) == 1 or getattr(its.arrivals, "route", None) is not None)
    ),
    arrivals.Replay: lambda its: not its.is_series and its.times == 1.0,
    service.Service: lambda its: (
        its.replicas == 1
        or (
            its.load_balancing.zone_aware is None
            and its.load_balancing.policy in ("round_robin", "least_request", "ring_hash", "maglev")
            if isinstance(its.load_balancing, balancing.Balancing)
            else its.load_balancing == "round_robin"
        )
    ),
    policy.Resilience4jBreaker: lambda its: not its.randomized_wait_factor,
    balancing.OutlierDetection: lambda its: not its.draws,
    step.Fail: lambda its: _whole(its.share),
    step.Refuse: lambda its: _whole(its.share),
    composed.Choose: lambda its: all(_whole(share) for share in its.shares),
    counting.HowMany: lambda its: its.exactly is not None,
    cache.Cache: lambda its: _whole(its.hit) and not its.jitter,
    policy.Retry: lambda its: its.jitter == "none",
    gateway.Jwt: lambda its: all(map(_whole, (its.invalid, its.expired, its.malformed))),
    gateway.OAuth: lambda its: _whole(its.invalid),
    network.Link: lambda its: _whole(its.loss),
    network.LinkBetween: lambda its: _whole(its.loss),
    release.NewVersion: lambda its: _whole(its.errors),
    fault.Errors: lambda its: _whole(its.share),
    fault.NetworkFault: lambda its: _whole(its.loss),
}
