"""Active health checks of the replicas of a service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sim.spec.base import Duration, Few, Leaves, Spec
from sim.vocabulary import EventKind


class HealthChecks(Spec):
    """`health_checks: {interval: 5s, timeout: 1s}`: callers learn by checks alone that a replica is gone, frozen or
    slow, and that it is back; without them they know at once who has crashed and who is back, and never who is frozen.

    The words and rules are Envoy's (health_check.proto, health_checker_base_impl.cc); Envoy has no defaults, and those
    here are of a readiness probe of Kubernetes. As with Kubernetes one checks for all callers. The next check of a
    replica begins an `interval` after the last one has ended. One that crashed or refuses fails its check at once, one
    that is frozen or that nobody hears when the `timeout` is over, and so does one that is slowed until it `takes`
    longer. A new replica is sent nobody before its first check, which has to pass once. One that is to go, by
    autoscaling, a deployment or a restart, is known to all at once.
    """

    leaves: ClassVar[Leaves] = Leaves(
        events=(EventKind.REPLICA_UNHEALTHY, EventKind.REPLICA_HEALTHY), series=("healthy",)
    )
    interval: Duration = Field(default=10.0, gt=0)
    """From the end of a check of a replica until the next one."""
    unhealthy_interval: Duration | None = Field(default=None, gt=0)
    """The same of one that is unhealthy; without it `interval`, as in Envoy. Kong has one for each."""
    timeout: Duration = Field(default=1.0, gt=0)
    """A check without an answer by then has failed."""
    unhealthy_threshold: Few = 3
    """Checks in a row that must fail until nobody is sent to a replica."""
    healthy_threshold: Few = 1
    """Checks in a row that must pass until it is sent somebody again."""
    takes: Duration = 0.0
    """Time until a replica that nothing slows answers a check, there and back. No worker is needed for it."""
