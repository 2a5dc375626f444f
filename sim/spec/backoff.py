"""The pause before each retry: constant, growing, or one after the other as they are listed."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from sim.spec.base import Duration, Factor, Spec, register
from sim.spec.choice import Choice


class Backoff(Spec):
    """Base of the back-off rules: the pause before each retry."""

    def pause(self, number: int) -> float | None:
        """Seconds before retry `number`, from 1, before it is jittered; None: nobody knows, and on paper it counts for
        nothing.
        """
        del number
        return None

    @property
    def most(self) -> float:
        """Seconds that no pause exceeds, jitter included; infinite where there is no such bound."""
        return math.inf


AnyBackoff = Annotated[Backoff, Choice("backoff")]


@register("backoff", "constant")
class ConstantBackoff(Backoff):
    """The same pause before each retry."""

    positional = "delay"
    delay: Duration
    """The pause."""

    def pause(self, number: int) -> float:
        """Always the delay."""
        del number
        return self.delay


@register("backoff", "linear")
class LinearBackoff(Backoff):
    """`base`, twice `base`, three times `base` ... at most `max`."""

    positional = "base"
    base: Duration
    """The first pause, and by how much each is longer than the one before."""
    longest: Duration | None = Field(default=None, alias="max")
    """No pause is longer."""

    def pause(self, number: int) -> float:
        """base x number."""
        return min(self.base * number, self.most)

    @property
    def most(self) -> float:
        """`max`."""
        return math.inf if self.longest is None else self.longest


@register("backoff", "exponential")
class ExponentialBackoff(Backoff):
    """`base * multiplier**(k-1)` before retry k, at most `max` (AWS Architecture Blog, "Exponential Backoff and
    Jitter").
    """

    positional = "base"
    base: Duration
    """The first pause."""
    multiplier: Factor = Field(default=2.0, gt=0)
    """How many times as long each is as the one before."""
    throttled_base: Duration | None = None
    """In the place of `base` after an answer `rate_limited`: in botocore's standard mode 1 s, where `base` is 50 ms."""
    longest: Duration | None = Field(default=None, alias="max")
    """No pause is longer."""

    def pause(self, number: int) -> float:
        """base x multiplier^(number - 1), which grows no more where it is a trillion times the base."""
        return min(self.base * min(self.multiplier ** min(number - 1, 60), 1e12), self.most)

    @property
    def most(self) -> float:
        """`max`."""
        return math.inf if self.longest is None else self.longest


@register("backoff", "sequence")
class SequenceBackoff(Backoff):
    """These pauses one after the other, and the last one from then on (tenacity's wait_chain of wait_fixed, cockatiel's
    IterableBackoff).
    """

    positional = "delays"
    delays: Annotated[tuple[Duration, ...], Field(min_length=1, max_length=1000)]
    """The pauses."""

    def pause(self, number: int) -> float:
        """The one of its number, or the last."""
        return self.delays[min(number, len(self.delays)) - 1]
