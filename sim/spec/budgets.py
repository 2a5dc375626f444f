"""What bounds the retries of a caller, all its calls together: budgets of Finagle, gRPC, Envoy and the AWS SDK."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from sim.spec.base import Between, Duration, Leaves, Number, Ratio, Share, Spec
from sim.vocabulary import EventKind

_MOST = 2**31 - 1
_Whole = Annotated[int, Between(0, _MOST)]


class GrpcThrottling(Spec):
    """gRPC's retryThrottling: retries are made while more than half of the tokens are there (gRFC A6)."""

    max_tokens: Annotated[int, Between(1, 1000)]
    """Tokens at the beginning, and at most; a failure that could be tried again takes one."""
    token_ratio: Annotated[Number, Field(gt=0, le=1000)]
    """What an answer brings back; three digits after the point count."""


class EnvoyRetryBudget(Spec):
    """Envoy's RetryBudget: retries may be a share of what is under way."""

    positional = "budget_percent"
    budget_percent: Share = 0.2
    """Retries at once, as a share of the calls that are under way or wait for a connection."""
    min_retry_concurrency: _Whole = 3
    """Retries at once that are always allowed."""


class EnvoyRetries(Spec):
    """Envoy's bound of the retries at once, of a cluster's circuit breakers: from the decision until that attempt has
    ended a retry counts, its pause included.
    """

    max_retries: _Whole = 3
    """Retries at once."""
    retry_budget: EnvoyRetryBudget | None = None
    """A share of what is under way, in the place of `max_retries`."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.retry_budget is not None and "max_retries" in self.model_fields_set:
            raise ValueError("found max_retries beside retry_budget, which replaces it, as in Envoy")
        return self


class AwsQuota(Spec):
    """The retry quota of the AWS SDK's standard mode: a retry takes tokens, a good answer brings back those of the last
    retry, or one where there was none.

    By default as botocore since 1.44; SDKs before: `retry_cost: 5, timeout_retry_cost: 10` (the published reference).
    Throttled is an answer `rate_limited` (429).
    """

    initial_capacity: Annotated[int, Between(1, _MOST)] = 500
    """Tokens at the beginning, and at most."""
    retry_cost: _Whole = 14
    """What a retry takes."""
    throttling_retry_cost: _Whole = 5
    """What one takes after an answer that was throttled."""
    timeout_retry_cost: _Whole | None = None
    """What one takes after a timeout; without it `retry_cost`."""
    no_retry_increment: _Whole = 1
    """What a good answer brings back that needed no retry."""


class Budget(Spec):
    """Finagle's RetryBudget: a request deposits `ratio` of a retry, `min_per_second` is a standing allowance, tokens
    live `ttl`.
    """

    leaves: ClassVar[Leaves] = Leaves(events=(EventKind.BUDGET_EXHAUSTED,))
    positional = "ratio"
    ratio: Ratio = 0.0
    """Retries that each request pays for; must be said unless `grpc`, `envoy` or `aws` is."""
    min_per_second: Number = Field(default=0.0, ge=0, le=1e9)
    """Retries that are always allowed, each second."""
    ttl: Duration = Field(default=10.0, gt=0)
    """How long a request's payment can be spent."""
    grpc: GrpcThrottling | None = None
    """Counts tokens as gRPC does, in the place of the three others."""
    envoy: EnvoyRetries | None = None
    """Counts retries that are under way at once as Envoy does, in the place of the others."""
    aws: AwsQuota | None = None
    """Counts tokens as the AWS SDK does, in the place of the others."""

    @property
    def of_library(self) -> bool:
        """Whether it is none of a ratio."""
        return self.grpc is not None or self.envoy is not None or self.aws is not None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        said = [name for name in ("grpc", "envoy", "aws") if name in self.model_fields_set]
        if not said and "ratio" not in self.model_fields_set:
            raise ValueError("the field 'ratio' is missing")
        if said and len(self.model_fields_set) > 1:
            raise ValueError(f"found other fields beside {said[0]}, which counts in its own words: {_WORDS[said[0]]}")
        return self


_WORDS = {
    "grpc": "max_tokens, token_ratio",
    "envoy": "max_retries, or retry_budget",
    "aws": "initial_capacity, retry_cost, throttling_retry_cost ...",
}
