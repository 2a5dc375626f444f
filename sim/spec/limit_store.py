"""The store in which all replicas count the requests of one rate limit: what it takes, and what becomes of requests
when it is down.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sim.spec.base import Duration, Flag, Spec
from sim.spec.distribution import AnyDistribution


class LimitStore(Spec):
    """A store such as Redis, which every request is counted in: Kong's `policy: redis`, Spring Cloud Gateway.

    A request waits for the round trip before it is limited, without a worker in an event loop, else on it. Of a limit
    of the preset `kong` it is one round trip for each of its `rates`, one after the other. What the fault `store_down`
    befalls does not count, and does not answer: a request passes unlimited, or is an error (500).
    """

    name: str = Field(default="redis", min_length=1, max_length=100)
    """Which one: limits that name the same store lose it together (`{store_down: redis}`)."""
    latency: AnyDistribution
    """What a round trip takes; of Redis in the same data centre some 0.1 to 1 ms."""
    timeout: Annotated[Duration, Field(gt=0)] = 2.0
    """How long an answer is waited for while the store hangs (Kong's redis.timeout, 2000 ms)."""
    fault_tolerant: Flag = True
    """Whether requests pass while the store is down (Kong's default, and what Spring always does), or are answered with
    an error (Kong's `fault_tolerant: false`).
    """
