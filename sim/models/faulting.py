"""How faults come and go: each is a class made from (spec, world) with `begin()` and `end()`, registered as
steps are.
"""

from __future__ import annotations

from typing import Protocol

from sim.models.behaviours import behaviour_of
from sim.models.clock import CONTROL, Signal
from sim.models.context import Context
from sim.models.recorder import Recorder
from sim.spec.fault import Fault
from sim.vocabulary import EventKind


class Harm(Protocol):
    """The behaviour of one fault."""

    def begin(self) -> None:
        """Do the harm."""

    def end(self) -> None:
        """Undo it."""


class FaultEvent(Signal):
    """The beginning or the end of a fault, as an event of the clock."""

    __slots__ = ("begins", "harm", "name", "recorder")

    def __init__(self, recorder: Recorder, name: str, harm: Harm, begins: bool):
        super().__init__(self._come)
        self.recorder = recorder
        self.name = name
        self.harm = harm
        self.begins = begins

    def _come(self, _: object) -> None:
        self.recorder.event(EventKind.FAULT_BEGAN if self.begins else EventKind.FAULT_ENDED, self.name)
        if self.begins:
            self.harm.begin()
        else:
            self.harm.end()


def plan(world: Context, fault: Fault) -> None:
    """Make the fault and schedule its beginning and end. `world` is what all behaviours of faults are given."""
    harm: Harm = behaviour_of(fault)(fault, world)
    name = fault.name or type(fault).__name__.lower()
    world.env.schedule(FaultEvent(world.recorder, name, harm, begins=True), CONTROL, fault.at)
    if fault.lasts is not None:
        world.env.schedule(FaultEvent(world.recorder, name, harm, begins=False), CONTROL, fault.at + fault.lasts)
