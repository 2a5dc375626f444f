"""Until when a set of keys that was fetched is good."""

from __future__ import annotations

from sim.policies.base import periods, policy


@policy
def good_until(now: float, cache: float, rotated_every: float) -> float:
    """The end of the cache, or the next rotation of the keys where that is sooner, seconds; where `rotated_every` is 0
    they are never rotated.
    """
    end = now + cache
    if rotated_every > 0.0:
        rotation = (periods(now, rotated_every) + 1) * rotated_every
        return rotation if rotation < end else end
    return end
