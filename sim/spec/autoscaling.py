"""How many replicas a service has from moment to moment: Kubernetes' HPA, KEDA, a schedule; how one starts and ends."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import Between, Duration, Factor, Few, Leaves, Number, Rate, Share, Spec
from sim.spec.distribution import AnyDistribution, Constant
from sim.vocabulary import EventKind, Outcome

_Most = Annotated[int, Between(1, 1000)]
_Least = Annotated[int, Between(0, 1000)]
_Positive = Annotated[Number, Field(gt=0)]
GROUP_TARGET, QUEUE_TARGET = 10.0, 20.0  # messages for each replica


class Lag(Spec):
    """What waits to be handled: the messages that a consumer group has not ended, as KEDA's Kafka scaler sees them, or
    those of a queue, as its RabbitMQ scaler does in the mode QueueLength: ready and handed out, not acknowledged yet.
    """

    group: str | None = None
    """The consumer group, a member of which the service has."""
    queue: str | None = None
    """The queue, of which the service is a consumer."""
    target: _Positive | None = None
    """Messages for each replica: 10 of a group (lagThreshold), 20 of a queue (queueLength) where nothing is said."""

    @property
    def for_each(self) -> float:
        """Messages for each replica, the defaults of KEDA included (kafka_scaler.go, rabbitmq_scaler.go)."""
        if self.target is not None:
            return float(self.target)
        return GROUP_TARGET if self.group is not None else QUEUE_TARGET

    @property
    def of(self) -> str:
        """The group, or the queue."""
        return self.group or self.queue or ""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.group is None) == (self.queue is None):
            found = "nothing" if self.group is None else "group and queue together"
            raise ValueError(f"found {found}, expected one of group, queue")
        return self


class ScalingMetric(Spec):
    """What is looked at, and how much of it each replica is to have: one of these."""

    cpu: Share | None = Field(default=None, gt=0)
    """Use of the replica's `cores`, as a share: averageUtilization. Cut to a whole per cent, as by the controller."""
    workers: Share | None = Field(default=None, gt=0)
    """Share of the workers that are held."""
    requests: Rate | None = Field(default=None, gt=0)
    """Attempts that arrive at a replica per second."""
    in_flight: _Positive | None = None
    """Attempts that are inside a replica, those who wait included, at the moment when it is measured."""
    queue: _Positive | None = None
    """Attempts that wait for a worker of a replica, on average."""
    lag: Lag | None = None
    """Messages that a consumer group or a queue has not ended, so many for each replica: it takes no heed of who is
    ready.
    """

    @property
    def word(self) -> str:
        """Which of them it is."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        said = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(said) != 1:
            found = f"{' and '.join(said)} together" if said else "nothing"
            raise ValueError(f"found {found}, expected one of {', '.join(type(self).model_fields)}")
        return self


class ScalingPace(Spec):
    """By how much the number of replicas may change within a period."""

    pods: Few | None = None
    """By so many replicas."""
    percent: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """By so many per cent of what there were when the period began."""
    period: Duration = Field(default=15.0, gt=0, le=1800)
    """How long the period is."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.pods is None) == (self.percent is None):
            found = "pods and percent together" if self.pods is not None else "neither pods nor percent"
            raise ValueError(f"found {found}, expected one of them")
        return self


class ScalingRules(Spec):
    """How fast it goes in one direction, and how steady a wish must be."""

    stabilization: Duration = Field(default=0.0, ge=0, le=3600)
    """For how long earlier wishes count: upwards the least of them holds, downwards the most."""
    policies: tuple[ScalingPace, ...] = Field(min_length=1)
    """By how much it may change."""
    select: Literal["max", "min", "disabled"] = "max"
    """Whether the policy that allows most counts, or least; `disabled`: not in this direction."""


_UP = ScalingRules(policies=(ScalingPace(pods=4), ScalingPace(percent=100.0)))
_DOWN = ScalingRules.model_validate({"stabilization": "300s", "policies": [{"percent": 100.0}]})


class ScalingBehavior(Spec):
    """How fast it goes upwards and downwards; the defaults are those of Kubernetes."""

    scale_up: ScalingRules = _UP
    """Without it: at once, by four or by as many again in 15 s, whichever is more."""
    scale_down: ScalingRules = _DOWN
    """Without it: all at once, but not below what was wanted at any time of the last five minutes."""


class Scheduled(Spec):
    """At least so many replicas from one time to another, as KEDA's cron scaler has them."""

    at: Duration
    """When it begins, from the start of the run, warm-up included."""
    lasts: Duration = Field(alias="for", gt=0)
    """For how long."""
    replicas: _Most
    """How many there are to be."""


class Autoscaling(Spec):
    """A service has as many replicas as its metrics ask for. Kubernetes' HorizontalPodAutoscaler, step by step.

    Every `sync_period` each metric proposes a number from what was seen last, and the largest counts; within the
    `tolerance` nothing changes. Replicas that are not ready yet, and those of which nothing is known, are counted as
    the controller counts them. With `min: 0` it is KEDA's ScaledObject: it looks every `polling_interval` whether
    there is anything to do, goes from none to one at once, and back to none after `cooldown_period` without.

    Nodes that must start first are a `node_pool` of the service; limits that grow are its `vertical_scaling`.

    Not modelled: requests that wait for the first replica (they are `unreachable`), and what asking for metrics costs.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.UNREACHABLE,),
        events=(
            EventKind.SCALED,
            EventKind.REPLICA_STARTING,
            EventKind.REPLICA_READY,
            EventKind.REPLICA_DRAINING,
            EventKind.REPLICA_STOPPED,
        ),
        series=("replicas", "replicas_wanted", "replicas_paid"),
    )
    min: _Least = 1
    """The fewest replicas; with 0 there may be none (KEDA)."""
    max: _Most
    """The most replicas."""
    metrics: tuple[ScalingMetric, ...] = ()
    """What is looked at. Kubernetes takes `cpu: 80%` where nothing is said."""
    scheduled: tuple[Scheduled, ...] = ()
    """More replicas at times that are known beforehand."""
    behavior: ScalingBehavior = ScalingBehavior()
    """How fast it goes."""
    sync_period: Duration = Field(default=15.0, gt=0)
    """How often the controller looks."""
    tolerance: Share = 0.1
    """How far from its target a metric may be without a change."""
    metrics_window: Duration = Field(default=15.0, gt=0)
    """How often replicas are measured, and over how long: the resolution of the metrics server as it is shipped."""
    metrics_delay: Duration = Field(default=0.0, ge=0)
    """How old a measurement is before the controller can see it."""
    initial_readiness_delay: Duration = Field(default=30.0, ge=0)
    """After so long a replica that has never been ready is no longer taken for one that starts (`cpu` only)."""
    cpu_initialization_period: Duration = Field(default=300.0, ge=0)
    """For so long after its start a replica is measured only from when it was ready on (`cpu` only)."""
    polling_interval: Duration = Field(default=30.0, gt=0)
    """With `min: 0`: how often KEDA looks whether there is anything to do."""
    cooldown_period: Duration = Field(default=300.0, ge=0)
    """With `min: 0`: how long there must be nothing to do before the last replica goes."""

    @property
    def measured(self) -> tuple[ScalingMetric, ...]:
        """What is looked at, the default of Kubernetes included."""
        return self.metrics or (() if self.scheduled else (ScalingMetric(cpu=0.8),))

    @model_validator(mode="after")
    def _least_before_most(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"found min {self.min} above max {self.max}")
        for scheduled in self.scheduled:
            if scheduled.replicas > self.max:
                raise ValueError(f"found {scheduled.replicas} scheduled replicas, expected at most max, {self.max}")
        if self.min == 0 and not any(metric.lag for metric in self.metrics) and not self.scheduled:
            raise ValueError("found min: 0 without a `lag` or `scheduled`: nothing would ever start the first replica")
        return self


class WarmUp(Spec):
    """A process that has just started is slow at first: its code is not compiled yet, its pools are empty.

    Work takes 1 + (slow - 1) e^(-t / decay) times as long, t after it was ready.
    """

    slow: Factor = Field(ge=1)
    """How many times as long the first work takes."""
    decay: Duration = Field(default=30.0, gt=0)
    """After so long it is e times less, and so on."""


class Starting(Spec):
    """How a replica starts: scheduled, pulled, started and found ready, all of which takes a time that is paid for."""

    positional = "time"
    time: AnyDistribution = Constant(value=0.0)
    """From the decision until it is ready."""
    warm_up: WarmUp | None = None
    """How slow it is at first; also after a crash."""


class Draining(Spec):
    """How a replica ends: nobody is sent to it any more; what is inside goes on until the grace is over."""

    positional = "grace"
    grace: Duration = Field(default=30.0, ge=0)
    """How long it may take (terminationGracePeriodSeconds); what is inside then is `unreachable`."""
    pre_stop: Duration = Field(default=0.0, ge=0)
    """For how long it takes what is on its way to it, even if it is empty (a preStop hook that sleeps)."""
