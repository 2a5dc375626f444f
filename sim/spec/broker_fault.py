"""Harm that befalls a broker: it is down, or a node of it, its nodes are split, it is out of memory, its disks slow."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sim.spec.base import Between, Factor, Leaves, register
from sim.spec.fault import Fault
from sim.vocabulary import EventKind, MessageEnd, Outcome


@register("fault", "broker_down")
class BrokerDown(Fault):
    """A broker neither accepts nor delivers; publishing is unreachable at once. With `node`, only that one is down:
    after an election others lead what they have a copy of (partitions with replicas, quorum queues).
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.UNREACHABLE,), events=(EventKind.FAULT_BEGAN, EventKind.FAULT_ENDED)
    )
    positional = "broker"
    broker: str
    """Which broker."""
    node: Annotated[int, Between(0, 999)] | None = None
    """Which of its nodes (0, 1, ...); without it all of it. Node p modulo their number leads partition p of a log; of a
    queue broker `queue_leader_locator` says who leads what.
    """


@register("fault", "broker_split")
class BrokerSplit(Fault):
    """Nodes of a queue broker do not hear the others, nor the others them (a network partition); clients reach all.

    A quorum queue goes on where a majority of its members is, and who is connected to the other side publishes without
    a confirm until it is over, and consumes nothing. `partition_handling` of `nodes` says whether a minority stops. One
    broker has one split at a time.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.UNREACHABLE,),
        events=(EventKind.FAULT_BEGAN, EventKind.FAULT_ENDED, EventKind.LEADER_LOST, EventKind.LEADER_ELECTED),
        ends=(MessageEnd.LOST,),
        series=("offline",),
    )
    refers_to: ClassVar[dict[str, str]] = {"broker": "queue broker"}
    positional = "broker"
    broker: str
    """Which broker, of kind `queue` and with `nodes`."""
    nodes: Annotated[tuple[Annotated[int, Between(0, 61)], ...], Field(min_length=1)]
    """Which of its nodes (0, 1, ...) are on one side; all others are on the other."""

    @property
    def detail(self) -> str:
        """Who is on one side."""
        return f"nodes {', '.join(map(str, self.nodes))}"


@register("fault", "alarm")
class Alarm(Fault):
    """A memory alarm of a queue broker: whoever publishes is blocked, consumers go on (vm_memory_high_watermark)."""

    leaves: ClassVar[Leaves] = Leaves(
        events=(
            EventKind.FAULT_BEGAN,
            EventKind.FAULT_ENDED,
            EventKind.PUBLISHERS_BLOCKED,
            EventKind.PUBLISHERS_RELEASED,
        ),
        series=("blocked",),
    )
    refers_to: ClassVar[dict[str, str]] = {"broker": "queue broker"}
    positional = "broker"
    broker: str
    """Which broker, of kind `queue`."""


@register("fault", "slow_disk")
class SlowDisk(Fault):
    """The disks of a broker: until a message is confirmed it takes `by` times as long. Of a log, until followers on its
    nodes have it; with `node`, until that one has. A quorum queue waits for the fastest majority of its members.
    """

    refers_to: ClassVar[dict[str, str]] = {"of": "broker"}
    positional = "of"
    of: str
    """Which broker."""
    node: Annotated[int, Between(0, 999)] | None = None
    """Of a broker with nodes: which one (0, 1, ...)."""
    by: Factor = Field(gt=0)
    """How many times as long a commit takes that begins now."""

    @property
    def detail(self) -> str:
        """By how much."""
        return f"{self.by:g}x"
