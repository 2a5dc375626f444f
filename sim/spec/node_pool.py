"""Node pools: the machines on which replicas stand, as many as Kubernetes' cluster autoscaler finds needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from sim.spec.base import Between, Duration, Few, Leaves, Price, Share, Spec
from sim.spec.cpu import MILLI
from sim.spec.distribution import AnyDistribution
from sim.vocabulary import EventKind

Space = tuple[int, int]  # thousandths of a core and replicas, that a node has room for yet

_PODS = 110  # maxPods of the kubelet
_ALL_CORES = 10**12  # of a node that has no bound of cores


class NodePool(Spec):
    """`node_pools: {general: {cores: 8, max: 10, start: 2m}}`: nodes of one kind, on which replicas of services stand
    that say `node_pool: general`. A replica asks for the `request` of its `cpu`, else for its `cores`, else for the
    limit of its `cpu`, which Kubernetes takes for the request where that is not said; without any of them for no core.

    A replica that no node has room for is pending. It is not there and not paid for, until it finds room: on the node
    with the most cores free (kube-scheduler's LeastAllocated), who came first first. Kubernetes' cluster autoscaler
    looks every `scan_interval`: it starts as many nodes as hold what is pending, first fit and the largest first, those
    under way included. A node is unneeded while less than a share `scale_down_utilization_threshold` of it is asked for
    and the other nodes have room for what stands there. Once it was so for longer than `scale_down_unneeded_time` it
    goes: up to ten empty ones at once, else one, whose replicas are drained, and started elsewhere at the same moment,
    as an eviction without a PodDisruptionBudget does it. Nodes are paid for from their start until their end.

    Names and defaults are those of the cluster autoscaler (FAQ.md, main.go), but for the time that a node takes: it has
    none, and clouds take from half a minute to several. At the beginning there are as many nodes as the replicas need.

    Not modelled: memory, other pods and daemons, several pools to choose from (expanders), affinity and spread, pods
    that displace others, disruption budgets, nodes that fail or never come (max-node-provision-time), spot instances.
    """

    leaves: ClassVar[Leaves] = Leaves(
        events=(
            EventKind.REPLICA_PENDING,
            EventKind.NODE_STARTING,
            EventKind.NODE_READY,
            EventKind.NODE_DRAINING,
            EventKind.NODE_STOPPED,
        ),
        series=("nodes", "nodes_paid", "replicas_pending"),
    )
    cores: Few | None = None
    """Cores that a node has for replicas (allocatable); without it only their number bounds them."""
    replicas: Few = _PODS
    """How many replicas a node holds at most: maxPods of the kubelet."""
    min: Annotated[int, Between(0, 1000)] = 1
    """The fewest nodes."""
    max: Annotated[int, Between(1, 1000)]
    """The most nodes."""
    start: AnyDistribution
    """From the decision for a node until replicas can be put there: a machine, its boot, joining the cluster."""
    cost: Price = 0.0
    """The price of a node, by time."""
    scan_interval: Duration = Field(default=10.0, gt=0)
    """How often the cluster autoscaler looks."""
    scale_down_unneeded_time: Duration = Field(default=600.0, ge=0)
    """For how long a node must be unneeded before it goes."""
    scale_down_utilization_threshold: Share = 0.5
    """Below which share of a node asked for it may be unneeded."""
    scale_down_delay_after_add: Duration = Field(default=600.0, ge=0)
    """For how long no node goes after the decision for a new one."""
    scale_down_delay_after_delete: Duration | None = None
    """For how long no node goes after another one; a `scan_interval` where nothing is said."""

    @property
    def delay_after_delete(self) -> float:
        """Seconds, the default included."""
        return self.scan_interval if self.scale_down_delay_after_delete is None else self.scale_down_delay_after_delete

    @property
    def space(self) -> Space:
        """What an empty node has room for: thousandths of a core, replicas."""
        return (_ALL_CORES if self.cores is None else self.cores * MILLI, self.replicas)

    def asked_for(self, cores: int, replicas: int) -> float:
        """The share of a node that so many thousandths of a core and replicas are: of its cores, or of its replicas
        where cores have no bound.
        """
        return cores / (self.cores * MILLI) if self.cores is not None else replicas / self.replicas

    def first_fit(self, asked: Iterable[int], nodes: Sequence[Space] = ()) -> list[int]:
        """Of replicas that ask for so many thousandths of a core: the number of the node of each, those that have
        `nodes` left first and then new ones; the first that has room.
        """
        left = list(nodes)
        found = []
        for cores in asked:
            place = next((place for place, room in enumerate(left) if room[0] >= cores and room[1] >= 1), len(left))
            if place == len(left):
                left.append(self.space)
            left[place] = (left[place][0] - cores, left[place][1] - 1)
            found.append(place)
        return found

    @model_validator(mode="after")
    def _least_before_most(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"found min {self.min} above max {self.max}")
        return self
