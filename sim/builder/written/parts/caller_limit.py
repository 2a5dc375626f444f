"""Parts of a scenario in Python, as `sim/spec/caller_limit.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def caller_limit(
    *,
    rate: Mapping[str, Any] | str | None = None,
    burst: Mapping[str, Any] | int | str | None = None,
    wait: Literal[0] | Mapping[str, Any] | str | None = None,
    preset: Literal["guava", "aws_adaptive"] | None = None,
    warm_up: Literal[0] | Mapping[str, Any] | str | None = None,
    resilience4j: Mapping[str, Any] | str | None = None,
) -> Part:
    """Calls leave at no more than `rate`; further ones wait for their turn up to `wait` (0: are refused at once), in
    the order in which they came.

    rate: Calls per second; must be said unless `resilience4j` or `preset: aws_adaptive` is.
    burst: How many may go at once after a rest; of `preset: guava` it is what a second brings.
    wait: How long a call waits for its turn; who would wait longer is refused at once.
    preset: `guava`: Guava's RateLimiter, `wait` is the timeout of tryAcquire; `aws_adaptive`: the AWS SDK's
        adaptive mode.
    warm_up: Of `preset: guava`: the warmupPeriod of SmoothWarmingUp, in which one that was idle comes to its rate,
        from a third of it; 0: SmoothBursty.
    resilience4j: Counts as that library does, in the place of the others.
    """
    return part(locals())


def resilience4j_rate_limiter(
    *,
    limit_for_period: Mapping[str, Any] | int | str | None = None,
    limit_refresh_period: Literal[0] | Mapping[str, Any] | str | None = None,
    timeout_duration: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """RateLimiterConfig of resilience4j, names in snake_case, with its defaults, by which it hardly ever limits
    anybody.

    limit_for_period: Permits at the start of each period.
    limit_refresh_period: The length of a period, counted from time 0.
    timeout_duration: How long a call waits for its permit; one that would wait longer waits as long, and is refused
        then.
    """
    return part(locals())
