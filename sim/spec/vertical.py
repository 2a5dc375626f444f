"""How much CPU each replica of a service has, from what it used: Kubernetes' VerticalPodAutoscaler."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import MOST, Between, Duration, Leaves, Share, Spec
from sim.spec.cpu import Millicores
from sim.vocabulary import EventKind


class VerticalScaling(Spec):
    """The `cpu` limit of a service follows what its replicas used: Kubernetes' VerticalPodAutoscaler, step by step.

    Every `interval` its recommender adds what each ready replica used in the last `metrics_window` to a histogram, in
    which a sample weighs what the replica asked for, half as much after each `half_life`. The target is the 90th
    percentile of it and 15 % more; the range around it, from percentiles 50 and 95, is the wider the less is known: the
    upper bound is twice that after a day, 25 times after an hour. Then its updater replaces replicas that ask for less
    than the lower bound or more than the upper one, or that are older than `lifetime_threshold` and would change by
    `update_threshold`: those first that are to grow, most change first, and so many at once that
    `eviction_tolerance` of those wanted may be missing.

    What replicas ask for is changed (`request` of `cpu`), and their limit in proportion (controlledValues:
    RequestsAndLimits): so one that stands still at its limit has used no more than that, and gets some 15 to 30 % more
    at a time. Replicas that start are given the target of that moment. Their price is in proportion to the limit:
    `cost` is that of the first one.

    The defaults are those of the recommender and the updater; their constants have their source in
    `sim/policies/vertical.py`.

    Not modelled: memory and OOM kills, history from before the run (checkpoints, Prometheus), controlledValues:
    RequestsOnly, PodDisruptionBudgets, evictionRequirements, a limit on evictions in time, nodes that have no room for
    more (a resize in place always succeeds, and of a `node_pool` each replica has what it asked for at first), the CPU
    boost at start-up. Recommender and updater look at the same moments, the recommender first; replicas that start are
    left alone, and so are all while a deployment goes on.
    """

    leaves: ClassVar[Leaves] = Leaves(
        events=(
            EventKind.REPLICA_RESIZED,
            EventKind.REPLICA_DRAINING,
            EventKind.REPLICA_STARTING,
            EventKind.REPLICA_READY,
            EventKind.REPLICA_STOPPED,
        ),
        series=("cpu_target",),
    )
    mode: Literal["recreate", "in_place_or_recreate", "initial", "recommend"] = "recreate"
    """What is done about it (updateMode): `recreate` evicts, `in_place_or_recreate` changes the limit of the running
    replica, `initial` is only for those that start, `recommend` (Off) is only shown.
    """
    min_allowed: Millicores | None = None
    """Never less (minAllowed); the recommender itself goes down to 25m."""
    max_allowed: Millicores | None = None
    """Never more (maxAllowed)."""
    interval: Duration = Field(default=60.0, gt=0)
    """How often both look (recommender-interval, updater-interval)."""
    metrics_window: Duration = Field(default=15.0, gt=0)
    """Over how long use is measured: the resolution of the metrics server as it is shipped."""
    target_percentile: Share = 0.9
    """Of use, for the target (target-cpu-percentile)."""
    lower_bound_percentile: Share = 0.5
    """For the lower bound (recommendation-lower-bound-cpu-percentile)."""
    upper_bound_percentile: Share = 0.95
    """For the upper bound (recommendation-upper-bound-cpu-percentile)."""
    margin: Share = 0.15
    """What is added to each (recommendation-margin-fraction)."""
    half_life: Duration = Field(default=86400.0, gt=0)
    """After so long a sample weighs half as much (cpu-histogram-decay-half-life)."""
    min_replicas: Annotated[int, Between(0, MOST)] = 2
    """With fewer nobody is replaced or resized (min-replicas, minReplicas of an updatePolicy)."""
    eviction_tolerance: Share = 0.5
    """Which share of the replicas may be missing for it (eviction-tolerance)."""
    update_threshold: Share = 0.1
    """Within the range: by how much it must change at least (pod-update-threshold)."""
    lifetime_threshold: Duration = Field(default=43200.0, ge=0)
    """Within the range: how old a replica must be (in-recommendation-bounds-eviction-lifetime-threshold)."""

    @property
    def replaces(self) -> bool:
        """Whether replicas are evicted."""
        return self.mode == "recreate"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.metrics_window > self.interval:
            raise ValueError("found a metrics_window that is longer than the interval, expected at most as long")
        if self.min_allowed is not None and self.max_allowed is not None and self.min_allowed > self.max_allowed:
            raise ValueError(f"found min_allowed {self.min_allowed:g} above max_allowed {self.max_allowed:g}")
        return self
