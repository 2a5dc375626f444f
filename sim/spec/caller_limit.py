"""The rate limit of a caller, by which calls wait for their turn."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.base import Duration, Few, Leaves, Many, Rate, Spec
from sim.vocabulary import EventKind, Outcome, Stage


class Resilience4jRateLimiter(Spec):
    """RateLimiterConfig of resilience4j, names in snake_case, with its defaults, by which it hardly ever limits
    anybody.
    """

    limit_for_period: Many = 50
    """Permits at the start of each period."""
    limit_refresh_period: Duration = Field(default=500e-9, gt=0)
    """The length of a period, counted from time 0."""
    timeout_duration: Duration = 5.0
    """How long a call waits for its permit; one that would wait longer waits as long, and is refused then."""


class CallerLimit(Spec):
    """Calls leave at no more than `rate`; further ones wait for their turn up to `wait` (0: are refused at once), in
    the order in which they came.

    By itself it is Go's x/time/rate, which is a leaky bucket as a queue: `burst` calls go at once after a rest.
    `preset: guava` is SmoothBursty, whose
    permits of one idle second are stored; `resilience4j` counts in periods; `preset: aws_adaptive` is the limiter of
    the AWS SDK's adaptive retry mode (botocore), which has no settings: its rate follows the answers that are
    `rate_limited` (429), and calls wait without a bound. A refusal is the caller's own,
    `rate_limited`. It stands inside the breaker
    and before `timeout`, as in resilience4j, so that a wait counts for the total timeout alone.
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.RATE_LIMITED,),
        events=(EventKind.LIMITING_BEGAN, EventKind.LIMITING_ENDED),
        stages=(Stage.OTHER,),
        series=("passed", "turned_away", "in_line"),
    )
    positional = "rate"
    rate: Rate = Field(default=100.0, gt=0)
    """Calls per second; must be said unless `resilience4j` or `preset: aws_adaptive` is."""
    burst: Few = 1
    """How many may go at once after a rest; of `preset: guava` it is what a second brings."""
    wait: Duration = 0.0
    """How long a call waits for its turn; who would wait longer is refused at once."""
    preset: Literal["guava", "aws_adaptive"] | None = None
    """`guava`: Guava's RateLimiter, `wait` is the timeout of tryAcquire; `aws_adaptive`: the AWS SDK's adaptive mode.
    """
    warm_up: Duration = 0.0
    """Of `preset: guava`: the warmupPeriod of SmoothWarmingUp, in which one that was idle comes to its rate, from a
    third of it; 0: SmoothBursty.
    """
    resilience4j: Resilience4jRateLimiter | None = None
    """Counts as that library does, in the place of the others."""

    @property
    def adapts(self) -> bool:
        """Whether its rate follows what is answered."""
        return self.preset == "aws_adaptive"

    @property
    def mean_rate(self) -> float:
        """What it lets through, per second; infinite where that is for the callee to say."""
        if self.adapts:
            return math.inf
        if self.resilience4j is None:
            return self.rate
        return self.resilience4j.limit_for_period / self.resilience4j.limit_refresh_period

    @property
    def longest(self) -> float:
        """No call waits longer, seconds."""
        if self.adapts:
            return math.inf
        return self.wait if self.resilience4j is None else self.resilience4j.timeout_duration

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        said = self.model_fields_set
        if self.resilience4j is not None and said - {"resilience4j"}:
            raise ValueError(
                f"found {' and '.join(sorted(said - {'resilience4j'}))} beside resilience4j, which says all of it "
                "in its own words"
            )
        if self.adapts:
            if others := " and ".join(sorted(said - {"preset"})):
                raise ValueError(f"found {others} beside preset aws_adaptive, which has none")
            return self
        if self.resilience4j is None and "rate" not in said:
            raise ValueError("the field 'rate' is missing")
        if self.warm_up and self.preset != "guava":
            raise ValueError("`warm_up` is a word of the preset guava")
        if self.preset is not None and "burst" in said:
            raise ValueError("found burst beside preset guava, which stores what one second brings")
        return self
