"""Parts of a scenario in Python, as `sim/spec/node_pool.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def node_pool(
    *,
    cores: Mapping[str, Any] | int | str | None = None,
    replicas: Mapping[str, Any] | int | str | None = None,
    min: Mapping[str, Any] | int | str | None = None,
    max: Mapping[str, Any] | int | str,
    start: Mapping[str, Any] | str,
    cost: Mapping[str, Any] | str | None = None,
    scan_interval: Literal[0] | Mapping[str, Any] | str | None = None,
    scale_down_unneeded_time: Literal[0] | Mapping[str, Any] | str | None = None,
    scale_down_utilization_threshold: Mapping[str, Any] | float | str | None = None,
    scale_down_delay_after_add: Literal[0] | Mapping[str, Any] | str | None = None,
    scale_down_delay_after_delete: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """`node_pools: {general: {cores: 8, max: 10, start: 2m}}`: nodes of one kind, on which replicas of services
    stand that say `node_pool: general`. A replica asks for the `request` of its `cpu`, else for its `cores`, else
    for the limit of its `cpu`, which Kubernetes takes for the request where that is not said; without any of them
    for no core.

    cores: Cores that a node has for replicas (allocatable); without it only their number bounds them.
    replicas: How many replicas a node holds at most: maxPods of the kubelet.
    min: The fewest nodes.
    max: The most nodes.
    start: From the decision for a node until replicas can be put there: a machine, its boot, joining the cluster.
    cost: The price of a node, by time.
    scan_interval: How often the cluster autoscaler looks.
    scale_down_unneeded_time: For how long a node must be unneeded before it goes.
    scale_down_utilization_threshold: Below which share of a node asked for it may be unneeded.
    scale_down_delay_after_add: For how long no node goes after the decision for a new one.
    scale_down_delay_after_delete: For how long no node goes after another one; a `scan_interval` where nothing is
        said.
    """
    return part(locals())
