"""How the members of a consumer group are noticed when they come and go, and how the group rebalances then."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

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
    assignor: Literal["range", "roundrobin", "sticky", "cooperative-sticky"] | None = None
    """How partitions are dealt out (partition.assignment.strategy): `range` for an eager group, or `roundrobin` or
    `sticky`; `cooperative-sticky` for a cooperative one.
    """
    static: Flag = False
    """Whether a member keeps its identity over a restart, and so its partitions, for as long as its session lasts
    (group.instance.id).
    """
    heartbeat_interval: Annotated[Duration, Field(gt=0)] = 3.0
    """Time between two heartbeats of a member (heartbeat.interval.ms)."""
    max_poll_interval: Annotated[Duration, Field(gt=0)] = 300.0
    """A member that handles one batch for longer than this leaves its group (max.poll.interval.ms)."""

    @property
    def strategy(self) -> str:
        """The assignor that is said, or that of the protocol."""
        return self.assignor or ("range" if self.protocol == "eager" else "cooperative-sticky")

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if (self.strategy == "cooperative-sticky") != (self.protocol == "cooperative"):
            raise ValueError(
                f"found assignor: {self.strategy} under protocol: {self.protocol}; expected cooperative-sticky under "
                "cooperative, and range, roundrobin or sticky under eager"
            )
        return self
