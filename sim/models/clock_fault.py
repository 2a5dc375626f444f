"""What the fault `clock` does: the clocks of replicas are set, and set back."""

from __future__ import annotations

from sim.models.behaviours import behaviour
from sim.models.fault import first_up
from sim.models.task import Replica
from sim.models.world import World
from sim.spec import clock as spec


@behaviour(spec.ClockStep)
class ClockStep:
    """The clocks of all replicas, or of the first that are up, are set by so much; steps that overlap add up."""

    def __init__(self, fault: spec.ClockStep, world: World):
        self.host = world.host(fault.of)
        self.by = fault.by
        self.count = fault.replicas
        self.struck: list[Replica] = []

    def begin(self) -> None:
        """Set."""
        self.struck = self.host.replicas if self.count is None else first_up(self.host, self.count)
        for replica in self.struck:
            replica.skew += self.by

    def end(self) -> None:
        """Set back."""
        for replica in self.struck:
            replica.skew -= self.by
