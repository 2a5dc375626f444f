"""Parts of a scenario in Python, as `sim/spec/membership.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


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
