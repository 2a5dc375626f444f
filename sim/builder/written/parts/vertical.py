"""Parts of a scenario in Python, as `sim/spec/vertical.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def vertical_scaling(
    *,
    mode: Literal["recreate", "in_place_or_recreate", "initial", "recommend"] | None = None,
    min_allowed: Mapping[str, Any] | float | str | None = None,
    max_allowed: Mapping[str, Any] | float | str | None = None,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
    metrics_window: Literal[0] | Mapping[str, Any] | str | None = None,
    target_percentile: Mapping[str, Any] | float | str | None = None,
    lower_bound_percentile: Mapping[str, Any] | float | str | None = None,
    upper_bound_percentile: Mapping[str, Any] | float | str | None = None,
    margin: Mapping[str, Any] | float | str | None = None,
    half_life: Literal[0] | Mapping[str, Any] | str | None = None,
    min_replicas: Mapping[str, Any] | int | str | None = None,
    eviction_tolerance: Mapping[str, Any] | float | str | None = None,
    update_threshold: Mapping[str, Any] | float | str | None = None,
    lifetime_threshold: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """The `cpu` limit of a service follows what its replicas used: Kubernetes' VerticalPodAutoscaler, step by step.

    mode: What is done about it (updateMode): `recreate` evicts, `in_place_or_recreate` changes the limit of the
        running replica, `initial` is only for those that start, `recommend` (Off) is only shown.
    min_allowed: Never less (minAllowed); the recommender itself goes down to 25m.
    max_allowed: Never more (maxAllowed).
    interval: How often both look (recommender-interval, updater-interval).
    metrics_window: Over how long use is measured: the resolution of the metrics server as it is shipped.
    target_percentile: Of use, for the target (target-cpu-percentile).
    lower_bound_percentile: For the lower bound (recommendation-lower-bound-cpu-percentile).
    upper_bound_percentile: For the upper bound (recommendation-upper-bound-cpu-percentile).
    margin: What is added to each (recommendation-margin-fraction).
    half_life: After so long a sample weighs half as much (cpu-histogram-decay-half-life).
    min_replicas: With fewer nobody is replaced or resized (min-replicas, minReplicas of an updatePolicy).
    eviction_tolerance: Which share of the replicas may be missing for it (eviction-tolerance).
    update_threshold: Within the range: by how much it must change at least (pod-update-threshold).
    lifetime_threshold: Within the range: how old a replica must be
        (in-recommendation-bounds-eviction-lifetime-threshold).
    """
    return part(locals())
