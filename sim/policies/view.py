"""What is known of a view: the last write of each key, and the last one that the view shows.

A write is known by when its request arrived (seconds; -1: there is none). So a message that is delivered twice, or
after a newer one, moves nothing back.
"""

from __future__ import annotations

from sim.policies.base import Ring, policy

NONE = -1.0


@policy
def advance(versions: Ring, key: int, version: float) -> None:
    """This write, if none that came later is there already."""
    versions[key] = max(versions[key], version)


@policy
def is_behind(shown: Ring, written: Ring, key: int) -> bool:
    """Whether the last write of this key is not shown yet."""
    return shown[key] < written[key]
