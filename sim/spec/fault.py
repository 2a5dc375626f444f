"""Harm, declared beside the load: each fault has a name, a beginning, and mostly an end."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from sim.spec.base import Choice, Duration, Factor, Share, Spec, register
from sim.spec.distribution import AnyDistribution


class Fault(Spec):
    """Base of the faults: `at` counts from time 0, warm-up included; without `for` it lasts to the end."""

    name: str | None = None
    at: Duration
    lasts: Duration | None = Field(default=None, alias="for")


AnyFault = Annotated[Fault, Choice("fault")]


@register("fault", "outage")
class Outage(Fault):
    """A service is down: `hang` freezes it, `refuse` answers unreachable at once, `blackhole` drops packets both ways."""

    positional = "of"
    of: str
    how: Literal["hang", "refuse", "blackhole"] = "hang"


@register("fault", "slow")
class Slow(Fault):
    """Work and waits that begin during the fault take `by` times as long."""

    of: str
    by: Factor = Field(gt=0)


@register("fault", "errors")
class Errors(Fault):
    """A share of the attempts that reach a worker end at once with an error."""

    of: str
    share: Share


@register("fault", "crash")
class Crash(Fault):
    """`replicas` replicas die with all they hold; each starts empty after `restart_after` (without it they stay down)."""

    of: str
    replicas: int = Field(default=1, ge=1)
    restart_after: Duration | None = None


@register("fault", "network")
class NetworkFault(Fault):
    """The link between two components: `latency` is added, `loss` drops messages, `partition` drops all."""

    between: tuple[str, str]
    latency: AnyDistribution | None = None
    loss: Share | None = None
    partition: bool = False


@register("fault", "broker_down")
class BrokerDown(Fault):
    """A broker neither accepts nor delivers; publishing is unreachable at once."""

    positional = "broker"
    broker: str
