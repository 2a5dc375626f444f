"""Replicas that are shut down in order and come back, one after the other."""

from __future__ import annotations

from sim.models.behaviours import behaviour
from sim.models.clock import CONTROL, Signal
from sim.models.task import Replica
from sim.models.world import World
from sim.policies.base import passed
from sim.spec.restart import Restart as Spec
from sim.vocabulary import EventKind

LOOK = 0.1  # s; between two looks at whether it has finished


@behaviour(Spec)
class Restart:
    """One after the other is retired, stopped when it has finished, and started again."""

    def __init__(self, fault: Spec, world: World):
        self.world = world
        self.host = world.host(fault.of)
        self.host.keep_track()
        self.one_by_one, self.grace, self.takes = fault.one_by_one, fault.grace, fault.takes

    def begin(self) -> None:
        """Say when each has its turn."""
        for replica in self.host.replicas:
            turn = Signal.calling(self._retire, replica)
            self.world.env.schedule(turn, CONTROL, replica.index * self.one_by_one)

    def end(self) -> None:
        """It goes on to its last replica."""

    def _retire(self, replica: Replica) -> None:
        if not replica.down and not replica.draining:
            self.host.retire(replica)
            self._look(replica, self.world.env.now + self.grace)

    def _look(self, replica: Replica, until: float) -> None:
        """Stop it when it has finished, or has had its time."""
        env, host = self.world.env, self.host
        # It has crashed meanwhile, and comes back as crashed ones do; or it drains, and does not come back at all.
        if replica.down or replica.draining:
            return
        if not host.is_done(replica) and not passed(env.now, until):
            env.schedule(Signal(lambda _: self._look(replica, until)), CONTROL, LOOK)
            return
        host.crash(replica, EventKind.REPLICA_STOPPED)
        self.world.forget(replica)
        env.schedule(Signal(lambda _: host.restart(replica)), CONTROL, self.takes)
