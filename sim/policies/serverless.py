"""Whether a function may start one more instance now (AWS Lambda, "Lambda scaling behavior": at most 1,000 in every ten
seconds, refilled all the time, and what is not used is not saved up).
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.policies.base import NOISE, dtype_of, policy


@dataclass(slots=True)
class StartsRow:
    """Of one function. Times in seconds."""

    most: float = 1000.0  # starts at once
    rate: float = 100.0  # 1/s; how fast they come back
    left: float = 1000.0
    at: float = 0.0  # when that was so


STARTS = dtype_of(StartsRow)


@policy
def may_start(row: StartsRow, now: float) -> bool:
    """Whether one is left; then it is used up."""
    row.left = min(row.most, row.left + (now - row.at) * row.rate)
    row.at = now
    if row.left < 1.0 - row.most * NOISE:
        return False
    row.left -= 1.0
    return True
