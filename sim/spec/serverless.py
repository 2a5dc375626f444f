"""Functions: instances that are started by the requests themselves."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from sim.spec.base import Between, Duration, Few, Leaves, Many, Number, Price, Spec
from sim.spec.distribution import AnyDistribution
from sim.vocabulary import Outcome, Stage


class Scaling(Spec):
    """How many instances may be started: so many at once, refilled evenly in `per`, and never more than that."""

    starts: Many = 1000
    """So many new ones."""
    per: Duration = Field(default=10.0, gt=0)
    """In so long."""


class Billing(Spec):
    """What a function costs, as AWS Lambda counts: by requests, by the time for which an instance has one, cold start
    included, and by the time for which an instance is provisioned.

    Lambda's list for an x86 function of 1 GB in us-east-1 ("AWS Lambda Pricing"): `{request: 2e-7, run: 0.06/h,
    provisioned: 0.015/h, run_provisioned: 0.035/h}`, which is $0.20 for a million requests, and $0.0000166667,
    $0.0000041667 and $0.0000097222 for a GB-second. Nothing is free where nothing is said: a price is 0.
    """

    request: Annotated[Number, Field(ge=0, le=1e9)] = 0.0
    """The price of a request."""
    run: Price = 0.0
    """The price of an instance that works, by time."""
    provisioned: Price = 0.0
    """The price of a provisioned instance, whatever it does, by time."""
    run_provisioned: Price = 0.0
    """The price of a provisioned instance that works, by time, beside that."""


class Serverless(Spec):
    """`serverless: {cold_start: 400ms, idle_timeout: 10m}`: a request has an instance to itself, as on AWS Lambda; or
    up to `concurrency` share one, as Knative's containerConcurrency has it.

    A request goes to the instance that was used last and has room. Without one it starts a new instance and waits for
    its cold start; with a `concurrency` others that come meanwhile wait for it too. Where there are `limit` instances,
    or more were started than `scaling` allows, it is answered `rate_limited` (429), before any other limit of the
    service. An instance that nobody uses for `idle_timeout` is gone. A crash takes all of them; those that are
    `provisioned` are there again with the service.

    Requests go to `provisioned` instances first, which have started before the run and never go; those that find none
    of them free spill over to the others, with a cold start where need be. What is `reserved` for a function is also
    the most that it may have; all functions without it share what is left of `account_concurrency` of the scenario,
    where that is said.

    The defaults are those of AWS Lambda ("Lambda scaling behavior", "Lambda quotas", "Configuring provisioned
    concurrency", "Configuring reserved concurrency"); when an idle instance goes, and how long a start takes, it does
    not say. The service has one replica with unlimited workers, which stands for the whole function; its `cost` is the
    price of an instance, warm or not, by time; as AWS has it, that is `billing`.

    Not modelled: the time until provisioned instances are there (some 6,000 a minute), their number by Application Auto
    Scaling, versions and aliases, ten requests per second for each that may run at once, the free tier and discounts,
    billing by whole milliseconds, what a cold start costs each caller behind a queue, Knative's autoscaler (its target,
    its panic, its activator).
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.RATE_LIMITED,),
        stages=(Stage.OTHER,),
        series=("instances", "cold_starts", "throttles", "spillover", "executions", "running", "running_provisioned"),
    )
    cold_start: AnyDistribution
    """From the request that starts an instance until that can work."""
    idle_timeout: Duration = Field(gt=0)
    """How long an instance stays that nobody uses."""
    concurrency: Many = 1
    """Requests that share an instance at once."""
    limit: Few = 1000
    """The most instances: the quota of concurrent executions."""
    reserved: Few | None = None
    """So many are for it alone, and it has no more (reserved concurrency); in the place of `limit`."""
    provisioned: Annotated[int, Between(0, 100_000)] = 0
    """So many are always ready (provisioned concurrency)."""
    billing: Billing | None = None
    """What it costs by what it does, in the place of the service's `cost`."""
    scaling: Scaling = Scaling()
    """How fast there may be more of them."""

    @property
    def most(self) -> int:
        """Instances that there may be."""
        return self.limit if self.reserved is None else self.reserved

    @property
    def claimed(self) -> int:
        """How many are for it alone, of what all functions have together."""
        return self.provisioned if self.reserved is None else self.reserved

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.reserved is not None and "limit" in self.model_fields_set:
            raise ValueError("found `limit` beside `reserved`, which is one; expected one of them")
        if self.provisioned > self.most:
            word = "limit" if self.reserved is None else "reserved"
            raise ValueError(f"found {self.provisioned:,} provisioned, expected at most {self.most:,} ({word})")
        return self
