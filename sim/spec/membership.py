"""How the members of a consumer group are noticed when they come and go, and how the group rebalances then."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sim.spec.base import Duration, Flag, Leaves, Spec
from sim.vocabulary import EventKind


class Membership(Spec):
    """A group that rebalances as Kafka's classic protocol does. Defaults: Kafka's consumer.

    Every member notices at its next heartbeat and joins when it polls next. `eager` (range, what a consumer does by
    default) gives all its partitions up then, and gets them back when the last member has joined. `cooperative`
    (cooperative-sticky) goes on with what it has, and gives up only what moves to another, which takes a second round.
    """

    simpy_only: ClassVar[bool] = True
    leaves: ClassVar[Leaves] = Leaves(events=(EventKind.REBALANCE_BEGAN, EventKind.PARTITIONS_ASSIGNED))
    positional = "protocol"
    protocol: Literal["eager", "cooperative"] = "eager"
    """Whether all partitions stand still in a rebalance (`eager`), or only those that move (`cooperative`)."""
    static: Flag = False
    """Whether a member keeps its identity over a restart, and so its partitions, for as long as its session lasts
    (group.instance.id).
    """
    heartbeat_interval: Annotated[Duration, Field(gt=0)] = 3.0
    """Time between two heartbeats of a member (heartbeat.interval.ms)."""
    max_poll_interval: Annotated[Duration, Field(gt=0)] = 300.0
    """A member that handles one batch for longer than this leaves its group (max.poll.interval.ms)."""
