"""How the members of a consumer group are noticed when they come and go, and how the group rebalances then."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import Duration, Flag, Leaves, Spec
from sim.vocabulary import EventKind

ASSIGNORS = {
    "eager": ("range", "roundrobin", "sticky"),
    "cooperative": ("cooperative-sticky",),
    "consumer": ("uniform", "range"),
}
"""Of each protocol, the first by default."""


class Membership(Spec):
    """A group that rebalances as Kafka's does. Defaults: Kafka's consumer.

    Every member notices at its next heartbeat and joins when it polls next. `eager` (range, what a consumer does by
    default) gives all its partitions up then, and gets them back when the last member has joined. `cooperative`
    (cooperative-sticky) goes on with what it has, and gives up only what moves to another, which takes a second round.
    `consumer` (KIP-848, group.protocol since 4.0): the broker decides who is to have what, and each member comes there
    at its own heartbeats, without any round.
    """

    leaves: ClassVar[Leaves] = Leaves(events=(EventKind.REBALANCE_BEGAN, EventKind.PARTITIONS_ASSIGNED))
    positional = "protocol"
    protocol: Literal["eager", "cooperative", "consumer"] = "eager"
    """Whether all partitions stand still in a rebalance (`eager`), or only those that move (`cooperative`), one member
    after the other (`consumer`).
    """
    assignor: Literal["range", "roundrobin", "sticky", "cooperative-sticky", "uniform"] | None = None
    """How partitions are dealt out (partition.assignment.strategy): `range` for an eager group, or `roundrobin` or
    `sticky`; `cooperative-sticky` for a cooperative one; the broker's `uniform` under `consumer`, or its `range`.
    """
    static: Flag = False
    """Whether a member keeps its identity over a restart, and so its partitions, for as long as its session lasts
    (group.instance.id).
    """
    heartbeat_interval: Annotated[Duration, Field(gt=0)] = 3.0
    """Time between two heartbeats of a member (heartbeat.interval.ms); under `consumer` the broker says 5 s
    (group.consumer.heartbeat.interval.ms).
    """
    max_poll_interval: Annotated[Duration, Field(gt=0)] = 300.0
    """A member that handles one batch for longer than this leaves its group (max.poll.interval.ms)."""

    @property
    def beat(self) -> float:
        """Seconds between two heartbeats."""
        said = "heartbeat_interval" in self.model_fields_set
        return self.heartbeat_interval if said or self.protocol != "consumer" else 5.0

    @property
    def strategy(self) -> str:
        """The assignor that is said, or that of the protocol."""
        return self.assignor or ASSIGNORS[self.protocol][0]

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        known = ASSIGNORS[self.protocol]
        if self.strategy not in known:
            raise ValueError(
                f"found assignor: {self.strategy} under protocol: {self.protocol}; expected {' or '.join(known)}"
            )
        return self
