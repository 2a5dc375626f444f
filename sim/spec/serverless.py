"""Functions: instances that are started by the requests themselves."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sim.spec.base import Duration, Few, Leaves, Many, Spec
from sim.spec.distribution import AnyDistribution
from sim.vocabulary import Outcome, Stage


class Scaling(Spec):
    """How many instances may be started: so many at once, refilled evenly in `per`, and never more than that."""

    starts: Many = 1000
    """So many new ones."""
    per: Duration = Field(default=10.0, gt=0)
    """In so long."""


class Serverless(Spec):
    """`serverless: {cold_start: 400ms, idle_timeout: 10m}`: a request has an instance to itself, as on AWS Lambda; or
    up to `concurrency` share one, as Knative's containerConcurrency has it.

    A request goes to the instance that was used last and has room. Without one it starts a new instance and waits for
    its cold start; with a `concurrency` others that come meanwhile wait for it too. Where there are `limit` instances,
    or more were started than `scaling` allows, it is answered `rate_limited` (429), before any other limit of the
    service. An instance that nobody uses for `idle_timeout` is gone. A crash takes all of them.

    The defaults are those of AWS Lambda ("Lambda scaling behavior", "Lambda quotas"); when an idle instance goes, and
    how long a start takes, it does not say. The service has one replica with unlimited workers, which stands for the
    whole function; its `cost` is the price of an instance, warm or not, by time.

    Not modelled: provisioned and reserved concurrency, a price by request and by the time of its work, what a cold
    start costs each caller behind a queue, Knative's autoscaler (its target, its panic, its activator).
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.RATE_LIMITED,),
        stages=(Stage.OTHER,),
        series=("instances", "cold_starts", "throttles"),
    )
    cold_start: AnyDistribution
    """From the request that starts an instance until that can work."""
    idle_timeout: Duration = Field(gt=0)
    """How long an instance stays that nobody uses."""
    concurrency: Many = 1
    """Requests that share an instance at once."""
    limit: Few = 1000
    """The most instances: the quota of concurrent executions."""
    scaling: Scaling = Scaling()
    """How fast there may be more of them."""
