"""Clocks that go wrong: by how much those of replicas are from the right time, and the fault that sets one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Self

from pydantic import model_validator

from sim.spec.base import Few, Leaves, Offset, register
from sim.spec.fault import Fault, of_replicas
from sim.units import show_duration
from sim.vocabulary import EventKind

SkewRange = tuple[float, float]
"""How far behind the right time (negative) and how far ahead of it the clocks of a component can be, seconds."""
NO_SKEW: SkewRange = (0.0, 0.0)
MOST_WINDOWS = 1_000  # that clocks may be apart: the counts of so many are kept of each key


@register("fault", "clock")
class ClockStep(Fault):
    """The clocks of replicas jump by so much, forward or back (`by: -3s`), as after a step of ntpd or the pause of a
    virtual machine; when the fault is over they jump back.

    What reads them: rate limits that go by the clock of their node (`clock` of a rate limit says which do). Everything
    else goes by the right time: timeouts and pauses, which count on a monotonic clock, the expiry of tokens and caches.
    """

    leaves: ClassVar[Leaves] = Leaves(events=(EventKind.FAULT_BEGAN, EventKind.FAULT_ENDED))
    positional = "of"
    of: str
    """The service, or `gateway`."""
    by: Offset
    """By how much: `3s` ahead, `-3s` behind."""
    replicas: Few | None = None
    """Of how many replicas, the first that are up when it begins; of all of them where it is not said."""

    @property
    def detail(self) -> str:
        """By how much, and of how many of them."""
        return f"{'+' if self.by > 0.0 else ''}{show_duration(self.by)}{of_replicas(self.replicas)}"

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.by == 0.0:
            raise ValueError("by: found 0s, expected a time by which clocks are set, such as 3s or -3s")
        return self


def skew_range(skews: Sequence[float], component: str, faults: Iterable[Fault]) -> SkewRange:
    """Between what the clocks of a component can be at any time: the skews that stand, and steps that may overlap."""
    every = (which for fault in faults for which in (fault, fault.inner))
    steps = [fault.by for fault in every if isinstance(fault, ClockStep) and fault.of == component]
    low = min(skews, default=0.0) + sum(by for by in steps if by < 0.0)
    high = max(skews, default=0.0) + sum(by for by in steps if by > 0.0)
    return low, high
