"""Parts of a scenario in Python, as `sim/spec/budgets.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def aws_quota(
    *,
    initial_capacity: Mapping[str, Any] | int | str | None = None,
    retry_cost: Mapping[str, Any] | int | str | None = None,
    throttling_retry_cost: Mapping[str, Any] | int | str | None = None,
    timeout_retry_cost: Mapping[str, Any] | int | str | None = None,
    no_retry_increment: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """The retry quota of the AWS SDK's standard mode: a retry takes tokens, a good answer brings back those of the
    last retry, or one where there was none.

    initial_capacity: Tokens at the beginning, and at most.
    retry_cost: What a retry takes.
    throttling_retry_cost: What one takes after an answer that was throttled.
    timeout_retry_cost: What one takes after a timeout; without it `retry_cost`.
    no_retry_increment: What a good answer brings back that needed no retry.
    """
    return part(locals())


def budget(
    *,
    ratio: Mapping[str, Any] | float | str | None = None,
    min_per_second: Mapping[str, Any] | float | str | None = None,
    ttl: Literal[0] | Mapping[str, Any] | str | None = None,
    grpc: Mapping[str, Any] | str | None = None,
    envoy: Mapping[str, Any] | str | None = None,
    aws: Mapping[str, Any] | str | None = None,
) -> Part:
    """Finagle's RetryBudget: a request deposits `ratio` of a retry, `min_per_second` is a standing allowance, tokens
    live `ttl`.

    ratio: Retries that each request pays for; must be said unless `grpc`, `envoy` or `aws` is.
    min_per_second: Retries that are always allowed, each second.
    ttl: How long a request's payment can be spent.
    grpc: Counts tokens as gRPC does, in the place of the three others.
    envoy: Counts retries that are under way at once as Envoy does, in the place of the others.
    aws: Counts tokens as the AWS SDK does, in the place of the others.
    """
    return part(locals())


def envoy_retries(
    *, max_retries: Mapping[str, Any] | int | str | None = None, retry_budget: Mapping[str, Any] | str | None = None
) -> Part:
    """Envoy's bound of the retries at once, of a cluster's circuit breakers: from the decision until that attempt
    has ended a retry counts, its pause included.

    max_retries: Retries at once.
    retry_budget: A share of what is under way, in the place of `max_retries`.
    """
    return part(locals())


def envoy_retry_budget(
    *,
    budget_percent: Mapping[str, Any] | float | str | None = None,
    min_retry_concurrency: Mapping[str, Any] | int | str | None = None,
) -> Part:
    """Envoy's RetryBudget: retries may be a share of what is under way.

    budget_percent: Retries at once, as a share of the calls that are under way or wait for a connection.
    min_retry_concurrency: Retries at once that are always allowed.
    """
    return part(locals())


def grpc_throttling(*, max_tokens: Mapping[str, Any] | int | str, token_ratio: Mapping[str, Any] | float | str) -> Part:
    """gRPC's retryThrottling: retries are made while more than half of the tokens are there (gRFC A6).

    max_tokens: Tokens at the beginning, and at most; a failure that could be tried again takes one.
    token_ratio: What an answer brings back; three digits after the point count.
    """
    return part(locals())
