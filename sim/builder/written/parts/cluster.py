"""Parts of a scenario in Python, as `sim/spec/cluster.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def nodes(
    *,
    count: Mapping[str, Any] | int | str | None = None,
    session_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    election: Literal[0] | Mapping[str, Any] | str | None = None,
    replica_lag_time_max: Literal[0] | Mapping[str, Any] | str | None = None,
    unclean_leader_election: bool | None = None,
    requests: Mapping[str, Any] | str | None = None,
    network: Mapping[str, Any] | str | None = None,
    disk: Mapping[str, Any] | str | None = None,
) -> Part:
    """The nodes of a log broker. Defaults: Kafka's broker (KRaft). Capacity of a node is for what is published to
    the leaders on it; what consumers and followers fetch takes none of it.

    count: How many nodes there are.
    session_timeout: Until the controller counts a node as gone (broker.session.timeout.ms).
    election: From then on until another replica leads and clients know it; Kafka says no figure, this is an
        assumption.
    replica_lag_time_max: A follower that lacks what was written longer ago than this is out of sync; looked at
        twice in such a time (replica.lag.time.max.ms).
    unclean_leader_election: Whether one that is out of sync may lead where no other is left, and what it lacks is
        lost (unclean.leader.election.enable).
    requests: Requests that a node can handle, of whoever publishes; without it no limit.
    network: Bytes of what is published that a node can receive in a second; without it no limit.
    disk: Bytes of what is published that a node can write in a second, as a leader; without it no limit.
    """
    return part(locals())


def quota(
    *,
    produce: Mapping[str, Any] | str | None = None,
    windows: Mapping[str, Any] | int | str | None = None,
    window: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """What one service may send to a node of a broker, which reads nothing more of whoever is over it for a while.

    produce: Bytes in a second that each publishing service may send to one node (producer_byte_rate).
    windows: Samples over which the rate is taken, at least two: of one alone there is no time that has passed
        (quota.window.num).
    window: Length of each (quota.window.size.seconds).
    """
    return part(locals())
