"""Harm, declared beside the load: each fault has a name, a beginning, and mostly an end."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import Choice, Duration, Factor, Few, Flag, Share, Spec, register, word_of
from sim.spec.distribution import AnyDistribution


class Fault(Spec):
    """Base of the faults: `at` counts from time 0, warm-up included; without `for` it lasts to the end. `of` is a service or `gateway`."""

    name: str | None = None
    at: Duration
    lasts: Duration | None = Field(default=None, alias="for", gt=0)

    @property
    def end(self) -> float:
        """Seconds from the start of the run; inf: never. A crash without an end of its own ends when the replicas start again."""
        lasts = self.lasts if self.lasts is not None else getattr(self, "restart_after", None)
        return math.inf if lasts is None else self.at + float(lasts)

    @property
    def described(self) -> str:
        """The name of a fault that was given none: `outage of payments`, `network between orders and payments`."""
        subject = getattr(self, "of", None) or getattr(self, "broker", None)
        between = getattr(self, "between", None)
        if between:
            return f"{word_of(self)} between {between[0]} and {between[1]}"
        return f"{word_of(self)} of {subject}" if subject else word_of(self)


AnyFault = Annotated[Fault, Choice("fault")]


@register("fault", "outage")
class Outage(Fault):
    """A service, or `gateway`, is down: `hang` freezes it, `refuse` answers unreachable at once, `blackhole` drops packets both ways.

    Who comes to a frozen process and finds no idle worker waits outside, and is let in, queued or shed at the thaw, in order of arrival.
    """

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
    replicas: Few = 1
    restart_after: Duration | None = None


@register("fault", "network")
class NetworkFault(Fault):
    """The link between two components: `latency` is added, `loss` drops messages, `partition` drops all."""

    between: tuple[str, str]
    latency: AnyDistribution | None = None
    loss: Share | None = None
    partition: Flag = False

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.latency is None and self.loss is None and not self.partition:
            raise ValueError("a network fault needs latency, loss or partition: true")
        return self


@register("fault", "broker_down")
class BrokerDown(Fault):
    """A broker neither accepts nor delivers; publishing is unreachable at once."""

    positional = "broker"
    broker: str
