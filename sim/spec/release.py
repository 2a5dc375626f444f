"""How a new version is released: a few replicas first, or all of them beside the old ones; and when it goes back."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from sim.spec.base import Between, Duration, Factor, Share, Spec


class NewVersion(Spec):
    """How the replicas of a deployment differ from those before: a bad deployment is `{slow: 3x, errors: 10%}`."""

    slow: Factor = Field(default=1.0, gt=0)
    """How many times as long its work and waits take."""
    errors: Share = 0.0
    """The share of its attempts that end at once with an error."""


class Abort(Spec):
    """When a canary is given up: a measurement of the attempts that ended in the new version fails, and the old version
    comes back at once. Argo Rollouts' background analysis; an interval without attempts says nothing.

    Failed are attempts that a caller would see as a server's error: those that a rate limit or an authentication turns
    away are not.
    """

    errors: Share | None = None
    """The largest share of attempts that may fail."""
    p99: Duration | None = Field(default=None, gt=0)
    """What the 99th percentile of the time of attempts may be at most."""
    interval: Duration = Field(default=60.0, gt=0)
    """How often it is measured, from the beginning on, and over how long; a minute as in Flagger."""
    failure_limit: Annotated[int, Between(0, 1000)] = 0
    """How many measurements may fail (failureLimit): with 0 the first one is too many."""

    @model_validator(mode="after")
    def _looks_at_something(self) -> Self:
        if self.errors is None and self.p99 is None:
            raise ValueError("found neither `errors` nor `p99`, expected what is measured")
        return self


class CanaryStep(Spec):
    """A share of the replicas is new for a while."""

    weight: Share = Field(gt=0, lt=1)
    """Which share of the replicas is new (setWeight), and so of the requests, where callers choose evenly."""
    pause: Duration
    """For how long, from when all of them are ready."""


class Canary(Spec):
    """Some replicas are new at first, then more, then all: Argo Rollouts' canary without a traffic router.

    Of those wanted the share of a step is new, rounded to the next whole number, but at least one, and at least one is
    old. Behind the last step all are new.
    """

    positional = "steps"
    steps: tuple[CanaryStep, ...] = Field(min_length=1)
    """One after the other: `[{weight: 20%, pause: 5m}, {weight: 50%, pause: 5m}]`."""
    abort: Abort | None = None
    """When it goes back; without it whatever happens is released."""

    @model_validator(mode="after")
    def _grows(self) -> Self:
        weights = [step.weight for step in self.steps]
        if weights != sorted(weights):
            raise ValueError("found a step with a smaller weight than the one before, expected that they grow")
        return self


class BlueGreen(Spec):
    """As many new replicas as wanted start beside the old ones, and nobody is sent to them; when all are ready, all are
    sent to them from one moment to the next, and the old ones go after a delay. Argo Rollouts' blue-green.

    Consumers of topics and queues in new replicas begin before that: only callers are switched.
    """

    positional = "scale_down_delay"
    scale_down_delay: Duration = 30.0
    """How long the old ones stay for those who still send to them (scaleDownDelaySeconds)."""
