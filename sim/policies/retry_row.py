"""The row of a retry rule: ours and those of libraries read the same one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.base import dtype_of

CONSTANT, LINEAR, EXPONENTIAL = range(3)
NONE, FULL, EQUAL, DECORRELATED, SPREAD = range(5)

GIVES_UP, IGNORES, CUTS = range(3)  # what becomes of a Retry-After that is longer than is waited for

OURS = 0  # whose rule: `retry.py`; the others are in `library_backoffs.py`
(
    SEQUENCE,
    RESILIENCE4J,
    GRPC,
    FINAGLE_DECORRELATED,
    FINAGLE_EQUAL,
    FINAGLE_EXPONENTIAL,
    POLLY,
    POLLY_V2,
    TENACITY,
    TENACITY_RANDOM,
    TENACITY_JITTER,
) = range(1, 12)


@dataclass(slots=True)
class RetryRow:
    """The rule of one policy; nothing in it changes. Times in seconds."""

    rule: int = OURS
    growth: int = CONSTANT
    jitter: int = NONE
    mask: int = 0  # bit i: outcome i is tried again
    max_attempts: int = 1  # the first one counted
    steps: int = 0  # pauses of a sequence
    first_step: int = 0  # where they begin in the ring
    begin: float = 0.0  # what stands in the place of the pause before the first
    base: float = 0.0
    multiplier: float = 1.0
    increment: float = 0.0  # by which each is longer
    least: float = 0.0
    longest: float = math.inf
    throttled: float = -1.0  # base after an answer that was rate limited; negative: the same
    most_told: float = math.inf  # the longest Retry-After that is waited for, where one is
    beyond: int = GIVES_UP
    spread: float = 0.0  # the share by which a pause may be shorter or longer; tenacity: seconds that are added


RETRY = dtype_of(RetryRow)
