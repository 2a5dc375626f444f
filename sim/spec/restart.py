"""A deployment: the replicas of a service are shut down in order and started again, one after the other."""

from __future__ import annotations

from typing import ClassVar

from sim.spec.base import Duration, Leaves, register
from sim.spec.fault import Fault
from sim.vocabulary import EventKind, Outcome


@register("fault", "restart")
class Restart(Fault):
    """Every replica is shut down in order and started again, one after the other.

    From then on nobody chooses it. It finishes the requests that it has, and its consumers what they have in hand; then
    it is gone, at the latest after `grace`, and is back after `takes`.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.UNREACHABLE,),
        events=(
            EventKind.FAULT_BEGAN,
            EventKind.FAULT_ENDED,
            EventKind.REPLICA_STOPPED,
            EventKind.REPLICA_RESTARTED,
        ),
    )
    positional = "of"
    of: str
    """The service, or `gateway`."""
    one_by_one: Duration = 30.0
    """Time from the shutdown of one replica to that of the next."""
    grace: Duration = 30.0
    """How long it may take to finish (terminationGracePeriodSeconds); then it is killed."""
    takes: Duration = 5.0
    """From when it is gone until it is back."""

    @property
    def detail(self) -> str:
        """One after the other."""
        return "one by one"
