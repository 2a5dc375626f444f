"""Harm that befalls a queue broker without taking it down: an alarm, a slow disk."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sim.spec.base import Factor, Leaves, register
from sim.spec.fault import Fault
from sim.vocabulary import EventKind


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
    simpy_only = True
    refers_to: ClassVar[dict[str, str]] = {"broker": "queue broker"}
    positional = "broker"
    broker: str
    """Which broker, of kind `queue`."""


@register("fault", "slow_disk")
class SlowDisk(Fault):
    """The disks of a queue broker: until a message is confirmed it takes `by` times as long."""

    simpy_only = True
    refers_to: ClassVar[dict[str, str]] = {"of": "queue broker"}
    positional = "of"
    of: str
    """Which broker, of kind `queue`."""
    by: Factor = Field(gt=0)
    """How many times as long a commit takes that begins now."""

    @property
    def detail(self) -> str:
        """By how much."""
        return f"{self.by:g}x"
