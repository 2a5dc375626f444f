"""Back-offs in Python: a function for each word, which gives what a file would hold.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, named


def constant(delay: Literal[0] | Mapping[str, Any] | str) -> Part:
    """The same pause before each retry.

    delay: The pause.
    """
    return named("constant", locals())


def exponential(
    base: Literal[0] | Mapping[str, Any] | str,
    *,
    multiplier: Mapping[str, Any] | float | str | None = None,
    throttled_base: Literal[0] | Mapping[str, Any] | str | None = None,
    max: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """`base * multiplier**(k-1)` before retry k, at most `max` (AWS Architecture Blog, "Exponential Backoff and
    Jitter").

    base: The first pause.
    multiplier: How many times as long each is as the one before.
    throttled_base: In the place of `base` after an answer `rate_limited`: in botocore's standard mode 1 s, where
        `base` is 50 ms.
    max: No pause is longer.
    """
    return named("exponential", locals())


def finagle(
    *,
    jitter: Literal["decorrelated", "equal", "exponential"],
    start: Literal[0] | Mapping[str, Any] | str,
    maximum: Literal[0] | Mapping[str, Any] | str,
) -> Part:
    """Finagle's jittered Backoff (Backoff.scala), in nanoseconds. The first pause is always `start`; then

    jitter: `Backoff.decorrelatedJittered`, `equalJittered` or `exponentialJittered`.
    start: The first pause.
    maximum: No pause is longer.
    """
    return named("finagle", locals())


def grpc(
    *,
    initial_backoff: Literal[0] | Mapping[str, Any] | str,
    max_backoff: Literal[0] | Mapping[str, Any] | str,
    backoff_multiplier: Mapping[str, Any] | float | str,
) -> Part:
    """Of gRPC's retryPolicy (gRFC A6): initial_backoff * random(0.8, 1.2) before the first retry, then
    min(initial_backoff * backoff_multiplier^(n-1), max_backoff) * random(0.8, 1.2). The jitter comes after the
    cap: a pause may be a fifth longer than `max_backoff`. The first one is not capped, as A6 and grpc-java have
    it; grpc-go caps it as well, which differs where `initial_backoff` is above `max_backoff`. Until 2024 the
    jitter was `full`.

    initial_backoff: The first pause; gRPC has no default.
    max_backoff: No pause is longer, before its jitter.
    backoff_multiplier: How many times as long each is as the one before.
    """
    return named("grpc", locals())


def linear(
    base: Literal[0] | Mapping[str, Any] | str, *, max: Literal[0] | Mapping[str, Any] | str | None = None
) -> Part:
    """`base`, twice `base`, three times `base` ... at most `max`.

    base: The first pause, and by how much each is longer than the one before.
    max: No pause is longer.
    """
    return named("linear", locals())


def polly(
    delay: Literal[0] | Mapping[str, Any] | str | None = None,
    *,
    backoff_type: Literal["constant", "linear", "exponential"] | None = None,
    max_delay: Literal[0] | Mapping[str, Any] | str | None = None,
    use_jitter: bool | None = None,
) -> Part:
    """RetryStrategyOptions of Polly 8 (RetryHelper.cs), in ticks of 100 ns, with its defaults. With `use_jitter`
    constant and linear pauses are spread by a quarter either way, and exponential ones are
    DecorrelatedJitterBackoffV2: t = n - 1 + U(0, 1), f(t) = 2^t tanh(sqrt(4 t)), a pause is delay / 1.4 times
    what f grew by since the one before. The cap comes last.

    backoff_type: How pauses grow: not, by `delay` each, or twofold.
    delay: The first pause.
    max_delay: No pause is longer.
    use_jitter: Whether they are spread.
    """
    return named("polly", locals())


def resilience4j(
    wait_duration: Literal[0] | Mapping[str, Any] | str | None = None,
    *,
    exponential_backoff_multiplier: Mapping[str, Any] | float | str | None = None,
    exponential_max_wait_duration: Literal[0] | Mapping[str, Any] | str | None = None,
    randomized_wait_factor: Mapping[str, Any] | float | str | None = None,
) -> Part:
    """IntervalFunction of resilience4j, by its settings of a retry, in whole milliseconds: each pause is cut before
    it is multiplied, again after it is randomized, and only then capped. Randomized it is evenly between (1 - f)
    d and (1 + f) d + 1 ms, one millisecond at least (IntervalFunctionCompanion.randomize).

    wait_duration: The first pause.
    exponential_backoff_multiplier: How many times as long each is as the one before (1.5 where
        enableExponentialBackoff says no other); null: they do not grow.
    exponential_max_wait_duration: No pause is longer, of those that grow.
    randomized_wait_factor: By which share a pause may be shorter or longer (0.5 where enableRandomizedWait says no
        other); null: none.
    """
    return named("resilience4j", locals())


def sequence(delays: Sequence[Literal[0] | Mapping[str, Any] | str]) -> Part:
    """These pauses one after the other, and the last one from then on (tenacity's wait_chain of wait_fixed,
    cockatiel's IterableBackoff).

    delays: The pauses.
    """
    return named("sequence", locals())


def tenacity(
    *,
    wait_exponential: Mapping[str, Any] | str | None = None,
    wait_random_exponential: Mapping[str, Any] | str | None = None,
    wait_exponential_jitter: Mapping[str, Any] | str | None = None,
    wait_incrementing: Mapping[str, Any] | str | None = None,
    wait_random: Mapping[str, Any] | str | None = None,
) -> Part:
    """One of the waits of tenacity (Python, tenacity/wait.py), in the words of their arguments; what counts seconds
    there is a duration here. `wait_fixed` is `constant`, `wait_chain` of those is `sequence`.

    wait_exponential: Grows, between `min` and `max`.
    wait_random_exponential: Evenly between `min` and what wait_exponential says.
    wait_exponential_jitter: Grows, and a little is added.
    wait_incrementing: Grows by the same each time.
    wait_random: Evenly between two times.
    """
    return named("tenacity", locals())
