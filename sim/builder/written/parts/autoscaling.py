"""Parts of a scenario in Python, as `sim/spec/autoscaling.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, part


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


def starting(*, time: Mapping[str, Any] | str | None = None, warm_up: Mapping[str, Any] | str | None = None) -> Part:
    """How a replica starts: scheduled, pulled, started and found ready, all of which takes a time that is paid for.

    time: From the decision until it is ready.
    warm_up: How slow it is at first; also after a crash.
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
