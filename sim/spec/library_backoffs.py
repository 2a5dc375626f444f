"""Back-offs of libraries in their own words: how they jitter and round, and whether the cap comes before that."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.backoff import Backoff
from sim.spec.base import Duration, Factor, Flag, Share, Spec, register

Positive = Annotated[Duration, Field(gt=0)]
Whole = Annotated[Duration, Field(ge=0.001)]  # resilience4j refuses less than a millisecond
_FAR = 60  # retries after which nothing that grows is looked at any more on paper


class LibraryBackoff(Backoff):
    """One whose jitter is its own: `jitter` of the retry is not said beside it."""

    library: ClassVar[str] = ""

    def between(self, number: int) -> tuple[float, float]:
        """The shortest and the longest pause before retry `number`, from 1, in seconds."""
        raise NotImplementedError

    def pause(self, number: int) -> float:
        """The mean of these."""
        low, high = self.between(number)
        return (low + high) / 2.0


@register("backoff", "resilience4j")
class Resilience4jInterval(LibraryBackoff):
    """IntervalFunction of resilience4j, by its settings of a retry, in whole milliseconds: each pause is cut before it
    is multiplied, again after it is randomized, and only then capped. Randomized it is evenly between (1 - f) d and
    (1 + f) d + 1 ms, one millisecond at least (IntervalFunctionCompanion.randomize).
    """

    library = "resilience4j"
    positional = "wait_duration"
    wait_duration: Whole = 0.5
    """The first pause."""
    exponential_backoff_multiplier: Annotated[Factor, Field(ge=1)] | None = None
    """How many times as long each is as the one before (1.5 where enableExponentialBackoff says no other); null: they
    do not grow.
    """
    exponential_max_wait_duration: Whole | None = None
    """No pause is longer, of those that grow."""
    randomized_wait_factor: Annotated[Share, Field(ge=0, lt=1)] | None = None
    """By which share a pause may be shorter or longer (0.5 where enableRandomizedWait says no other); null: none."""

    def between(self, number: int) -> tuple[float, float]:
        """(1 - f) d to (1 + f) d."""
        grown = (self.exponential_backoff_multiplier or 1.0) ** min(number - 1, _FAR)
        spread = self.randomized_wait_factor or 0.0
        full = self.wait_duration * min(grown, 1e12)
        return min(full * (1.0 - spread), self.most), min(full * (1.0 + spread), self.most)

    @property
    def most(self) -> float:
        """The cap, of pauses that grow."""
        capped = self.exponential_backoff_multiplier is not None and self.exponential_max_wait_duration is not None
        return self.exponential_max_wait_duration if capped else super().most  # type: ignore[return-value]

    @model_validator(mode="after")
    def _caps_what_grows(self) -> Self:
        if self.exponential_max_wait_duration is not None and self.exponential_backoff_multiplier is None:
            raise ValueError(
                "found exponential_max_wait_duration without exponential_backoff_multiplier, expected both: it caps "
                "what grows"
            )
        return self


@register("backoff", "grpc")
class GrpcBackoff(LibraryBackoff):
    """Of gRPC's retryPolicy (gRFC A6): initial_backoff * random(0.8, 1.2) before the first retry, then
    min(initial_backoff * backoff_multiplier^(n-1), max_backoff) * random(0.8, 1.2). The jitter comes after the cap: a
    pause may be a fifth longer than `max_backoff`. The first one is not capped, as A6 and grpc-java have it; grpc-go
    caps it as well, which differs where `initial_backoff` is above `max_backoff`. Until 2024 the jitter was `full`.
    """

    library = "grpc"
    initial_backoff: Positive
    """The first pause; gRPC has no default."""
    max_backoff: Positive
    """No pause is longer, before its jitter."""
    backoff_multiplier: Annotated[Factor, Field(gt=0)]
    """How many times as long each is as the one before."""

    def between(self, number: int) -> tuple[float, float]:
        """Four fifths to six fifths."""
        full = self.initial_backoff
        if number > 1:
            full = min(full * min(self.backoff_multiplier ** min(number - 1, _FAR), 1e12), self.max_backoff)
        return 0.8 * full, 1.2 * full


@register("backoff", "finagle")
class FinagleBackoff(LibraryBackoff):
    """Finagle's jittered Backoff (Backoff.scala), in nanoseconds. The first pause is always `start`; then

    decorrelated: evenly between the pause before and three times that, or `maximum`;
    equal: h to 2h, where h is `start` before the second retry and doubles from there; from where that is beyond
    `maximum` on always `maximum`;
    exponential: up to 2^n times the pause before, n = 1 before the second retry; from where that reaches `maximum` on
    always `maximum`.
    """

    library = "finagle"
    jitter: Literal["decorrelated", "equal", "exponential"]
    """`Backoff.decorrelatedJittered`, `equalJittered` or `exponentialJittered`."""
    start: Positive
    """The first pause."""
    maximum: Positive
    """No pause is longer."""

    def between(self, number: int) -> tuple[float, float]:
        """The outermost values that luck may bring."""
        if number == 1:
            return self.start, self.start
        if self.jitter == "decorrelated":
            return self.start, min(self.start * 3.0 ** min(number - 1, _FAR), self.maximum)
        if self.jitter == "equal":
            half = self.start * 2.0 ** min(number - 2, _FAR)
            return min(half, self.maximum), min(2.0 * half, self.maximum)
        return 0.0, min(self.start * 2.0 ** min(number * (number - 1) // 2, _FAR), self.maximum)

    @property
    def most(self) -> float:
        """`maximum`."""
        return self.maximum

    @model_validator(mode="after")
    def _starts_below(self) -> Self:
        if self.start > self.maximum:
            raise ValueError("found a start above maximum, expected one that is at most as long")
        return self


@register("backoff", "polly")
class PollyBackoff(LibraryBackoff):
    """RetryStrategyOptions of Polly 8 (RetryHelper.cs), in ticks of 100 ns, with its defaults. With `use_jitter`
    constant and linear pauses are spread by a quarter either way, and exponential ones are DecorrelatedJitterBackoffV2:
    t = n - 1 + U(0, 1), f(t) = 2^t tanh(sqrt(4 t)), a pause is delay / 1.4 times what f grew by since the one before.
    The cap comes last.
    """

    library = "polly"
    positional = "delay"
    backoff_type: Literal["constant", "linear", "exponential"] = "constant"
    """How pauses grow: not, by `delay` each, or twofold."""
    delay: Positive = 2.0
    """The first pause."""
    max_delay: Positive | None = None
    """No pause is longer."""
    use_jitter: Flag = False
    """Whether they are spread."""

    def between(self, number: int) -> tuple[float, float]:
        """The outermost values that luck may bring; of V2 up to what f may grow by."""
        grown = {"constant": 1.0, "linear": 1.0 * number, "exponential": 2.0 ** min(number - 1, _FAR)}
        full = self.delay * grown[self.backoff_type]
        low, high = full, full
        if self.use_jitter:
            low, high = (0.0, 2.0 * full) if self.backoff_type == "exponential" else (0.75 * full, 1.25 * full)
        return min(low, self.most), min(high, self.most)

    @property
    def most(self) -> float:
        """`max_delay`."""
        return super().most if self.max_delay is None else self.max_delay


class TenacityExponential(Spec):
    """Arguments of wait_exponential and wait_random_exponential: `multiplier * exp_base^(n-1)` before retry n."""

    multiplier: Duration = 1.0
    """The first pause."""
    exp_base: Annotated[Factor, Field(gt=0)] = 2.0
    """How many times as long each is as the one before."""
    least: Duration = Field(default=0.0, alias="min")
    """No pause is shorter."""
    longest: Duration | None = Field(default=None, alias="max")
    """No pause is longer."""


class TenacityJitter(TenacityExponential):
    """Arguments of wait_exponential_jitter: `multiplier * exp_base^(n-1)` and an even share of `jitter`, kept between
    `min` and `max` (`multiplier` was called `initial` before tenacity 9.2).
    """

    jitter: Duration = 1.0
    """What is added at most."""


class TenacityIncrementing(Spec):
    """Arguments of wait_incrementing: `start + increment * (n-1)`."""

    start: Duration = 0.0
    """The first pause."""
    increment: Duration = 100.0
    """By how much each is longer than the one before."""
    longest: Duration | None = Field(default=None, alias="max")
    """No pause is longer."""


class TenacityRandom(Spec):
    """Arguments of wait_random: evenly between two times."""

    least: Duration = Field(default=0.0, alias="min")
    """The shortest pause."""
    longest: Duration = Field(default=1.0, alias="max")
    """The longest pause."""


@register("backoff", "tenacity")
class TenacityWait(LibraryBackoff):
    """One of the waits of tenacity (Python, tenacity/wait.py), in the words of their arguments; what counts seconds
    there is a duration here. `wait_fixed` is `constant`, `wait_chain` of those is `sequence`.
    """

    library = "tenacity"
    wait_exponential: TenacityExponential | None = None
    """Grows, between `min` and `max`."""
    wait_random_exponential: TenacityExponential | None = None
    """Evenly between `min` and what wait_exponential says."""
    wait_exponential_jitter: TenacityJitter | None = None
    """Grows, and a little is added."""
    wait_incrementing: TenacityIncrementing | None = None
    """Grows by the same each time."""
    wait_random: TenacityRandom | None = None
    """Evenly between two times."""

    def between(self, number: int) -> tuple[float, float]:
        """As the one that is said has it."""
        power = min(number - 1, _FAR)
        if (its := self.wait_exponential or self.wait_random_exponential) is not None:
            high = max(its.least, _capped(its.multiplier * its.exp_base**power, its.longest))
            return (high if self.wait_exponential is not None else min(its.least, high)), high
        if (its_own := self.wait_exponential_jitter) is not None:
            low = its_own.multiplier * its_own.exp_base**power
            bounds = _capped(low, its_own.longest), _capped(low + its_own.jitter, its_own.longest)
            return max(its_own.least, bounds[0]), max(its_own.least, bounds[1])
        if (rising := self.wait_incrementing) is not None:
            full = _capped(rising.start + rising.increment * (number - 1), rising.longest)
            return full, full
        assert self.wait_random is not None
        return self.wait_random.least, self.wait_random.longest

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        said = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(said) != 1:
            found = " beside ".join(said) if said else "none of them"
            raise ValueError(f"found {found}, expected one of {', '.join(type(self).model_fields)}")
        return self


def _capped(pause: float, longest: float | None) -> float:
    return min(pause, 1e12) if longest is None else min(pause, longest)
