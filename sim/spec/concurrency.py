"""Limits of concurrency that adapt to what is measured: Netflix's concurrency-limits, Envoy's gradient controller."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from sim.spec.base import Between, Duration, Factor, Many, Ratio, Share, Spec

_Positive = Annotated[Duration, Field(gt=0)]


class WindowedLimit(Spec):
    """Netflix's WindowedLimit: the algorithm hears the mean of a window, and the most that were under way in it."""

    window: _Positive = 1.0
    """How long one is, at least; it ends with an answer (minWindowTime, maxWindowTime)."""
    window_size: Annotated[int, Between(1, 1_000_000)] = 10
    """Answers without which a window tells nothing."""
    min_rtt_threshold: Duration = 100e-6
    """What took less is left out."""


class _Netflix(Spec):
    windowed: WindowedLimit | None = None
    """Windows, in the place of each answer."""


class AimdLimit(_Netflix):
    """Netflix's AIMDLimit: one more after an answer where half of the places are in use, a tenth less after a drop."""

    initial_limit: Many = 20
    """At the beginning."""
    min_limit: Many = 20
    """Never less."""
    max_limit: Many = 200
    """Never more."""
    backoff_ratio: Annotated[Ratio, Field(ge=0.5, lt=1)] = 0.9
    """What is left after a drop."""
    timeout: _Positive = 5.0
    """What took longer counts as a drop."""


class VegasLimit(_Netflix):
    """Netflix's VegasLimit, after TCP Vegas: it estimates how many wait, from the least time that an answer took."""

    initial_limit: Many = 20
    """At the beginning."""
    max_concurrency: Many = 1000
    """Never more."""
    smoothing: Annotated[Share, Field(gt=0)] = 1.0
    """How much of a new limit is taken over."""
    probe_multiplier: Annotated[int, Between(1, 1_000_000)] = 30
    """After so many times the limit, or half of that, the least time is measured anew."""


class Gradient2Limit(_Netflix):
    """Netflix's Gradient2Limit: the limit falls as answers take longer than they do in the long run."""

    initial_limit: Many = 20
    """At the beginning."""
    min_limit: Many = 20
    """Never less."""
    max_concurrency: Many = 200
    """Never more."""
    smoothing: Annotated[Share, Field(gt=0)] = 0.2
    """How much of a new limit is taken over."""
    queue_size: Annotated[int, Between(0, 1_000_000)] = 4
    """By how much it grows while nothing waits."""
    rtt_tolerance: Annotated[Factor, Field(ge=1)] = 1.5
    """How many times as long as in the long run an answer may take."""
    long_window: Annotated[int, Between(1, 1_000_000)] = 600
    """Answers of the long run."""


class ConcurrencyLimitParams(Spec):
    """How often Envoy sets the limit, and how high."""

    concurrency_update_interval: _Positive
    """How often it is set."""
    max_concurrency_limit: Many = 1000
    """Never more."""


class MinRttCalcParams(Spec):
    """How Envoy measures the time of an answer without load."""

    interval: _Positive | None = None
    """How often it is measured; a millisecond at least."""
    fixed_value: _Positive | None = None
    """The time itself, in whole microseconds, where it is not measured: then nothing is but how long answers take."""
    request_count: Annotated[int, Between(1, 1_000_000)] = 50
    """Answers that it takes."""
    jitter: Share = 0.15
    """By how much an interval is longer at most."""
    min_concurrency: Many = 3
    """The limit meanwhile, and never less."""
    buffer: Ratio = 0.25
    """By how much answers may take longer than without load."""

    @model_validator(mode="after")
    def _measured_or_fixed(self) -> Self:
        if (self.interval is None) == (self.fixed_value is None):
            found = "neither `interval` nor `fixed_value`" if self.interval is None else "`interval` and `fixed_value`"
            raise ValueError(f"found {found}, expected one of them: the time without load is measured, or said")
        return self


class EnvoyGradient(Spec):
    """Envoy's adaptive concurrency filter, with its gradient controller."""

    concurrency_limit_params: ConcurrencyLimitParams
    """How often the limit is set, and how high."""
    min_rtt_calc_params: MinRttCalcParams
    """How the time without load is measured."""
    sample_aggregate_percentile: Share = 0.5
    """Which time of those measured stands for all."""


class AdaptiveLimit(Spec):
    """Base of what may adapt: one of four algorithms."""

    aimd: AimdLimit | None = None
    """AIMD of Netflix's concurrency-limits, in the place of a number."""
    vegas: VegasLimit | None = None
    """Vegas, likewise."""
    gradient2: Gradient2Limit | None = None
    """Gradient2, likewise."""
    envoy: EnvoyGradient | None = None
    """Envoy's gradient controller, likewise."""

    @property
    def algorithm(self) -> str:
        """Its name; empty: none."""
        return next((name for name in ALGORITHMS if getattr(self, name) is not None), "")

    @property
    def adaptive_most(self) -> int:
        """Never more at once."""
        if self.aimd is not None:
            return self.aimd.max_limit
        if self.envoy is not None:
            return self.envoy.concurrency_limit_params.max_concurrency_limit
        its = self.vegas or self.gradient2
        return its.max_concurrency if its is not None else 0

    @model_validator(mode="after")
    def _one_algorithm(self) -> Self:
        said = [name for name in ALGORITHMS if getattr(self, name) is not None]
        if len(said) > 1:
            raise ValueError(f"found {' and '.join(said)}, expected one of them")
        return self


ALGORITHMS = ("aimd", "vegas", "gradient2", "envoy")
