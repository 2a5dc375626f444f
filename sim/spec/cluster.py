"""The nodes of a log broker: who leads and who follows, and how long it takes until another one leads."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sim.spec.base import Between, Duration, Flag, Leaves, Rate, Size, Spec
from sim.vocabulary import EventKind


class Nodes(Spec):
    """The nodes of a log broker. Defaults: Kafka's broker (KRaft). Capacity of a node is for what is published to the
    leaders on it; what consumers and followers fetch takes none of it.

    Each partition is led by one of its replicas, in turn node after node. When a node is gone, the controller notices
    after `session_timeout`, takes it out of the in-sync replicas, and lets the first of those that are left lead.
    """

    leaves: ClassVar[Leaves] = Leaves(
        events=(EventKind.LEADER_LOST, EventKind.LEADER_ELECTED, EventKind.ISR_SHRANK, EventKind.ISR_EXPANDED),
        series=("offline", "under_replicated", "lost"),
    )
    positional = "count"
    count: Annotated[int, Between(1, 1000)] = 1
    """How many nodes there are."""
    session_timeout: Duration = 9.0
    """Until the controller counts a node as gone (broker.session.timeout.ms)."""
    election: Duration = 0.05
    """From then on until another replica leads and clients know it; Kafka says no figure, this is an assumption."""
    replica_lag_time_max: Annotated[Duration, Field(gt=0)] = 30.0
    """A follower that lacks what was written longer ago than this is out of sync; looked at twice in such a time
    (replica.lag.time.max.ms).
    """
    unclean_leader_election: Flag = False
    """Whether one that is out of sync may lead where no other is left, and what it lacks is lost
    (unclean.leader.election.enable).
    """
    requests: Annotated[Rate, Field(gt=0)] | None = None
    """Requests that a node can handle, of whoever publishes; without it no limit."""
    network: Annotated[Size, Field(gt=0)] | None = None
    """Bytes of what is published that a node can receive in a second; without it no limit."""
    disk: Annotated[Size, Field(gt=0)] | None = None
    """Bytes of what is published that a node can write in a second, as a leader; without it no limit."""

    @property
    def limited(self) -> bool:
        """Whether a request takes a node any time."""
        return not (self.requests is None and self.network is None and self.disk is None)


class Quota(Spec):
    """What one service may send to a node of a broker, which reads nothing more of whoever is over it for a while.

    The rate is that of a window of eleven seconds; over the quota the answer is sent at once, and says for how long the
    node mutes the channel and the producer is silent: as long as it takes to bring the average back
    (ClientQuotaManager: (rate - quota) / quota x window, quota.window.num 11 of 1 s each; KIP-219).
    """

    produce: Annotated[Size, Field(gt=0)] | None = None
    """Bytes in a second that each publishing service may send to one node (producer_byte_rate)."""
    windows: Annotated[int, Between(2, 100_000)] = 11
    """Samples over which the rate is taken, at least two: of one alone there is no time that has passed
    (quota.window.num).
    """
    window: Annotated[Duration, Field(gt=0)] = 1.0
    """Length of each (quota.window.size.seconds)."""
