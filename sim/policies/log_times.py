"""When what a log broker and its clients wait for happens; seconds all. See `models/logs` and `models/fetching.py`."""

from __future__ import annotations

import math

from sim.policies.base import policy

LAST_DIGIT = 2.0**-52  # of a float, relative to it, at most


@policy
def behind(now: float, delay: float, last: float) -> float:
    """Seconds from now until what would take `delay` alone arrives, not before `last`: more by the last digit of that,
    so that a sum of floats puts nobody before another.
    """
    return delay if now + delay >= last else last - now + last * LAST_DIGIT


@policy
def answered_at(began: float, first: float, cycle: float) -> float:
    """When a fetch is answered with what there is since `first`: it began to wait at `began`, and an answer with
    nothing is followed by the next fetch, each `cycle` after the one before.
    """
    return began + (math.floor((first - began) / cycle) + 1) * cycle


@policy
def until_look(now: float, every: float) -> float:
    """Seconds until somebody looks next who looks at every multiple of `every`."""
    return every - now % every
