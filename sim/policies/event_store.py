"""What an event store decides: how much is to be replayed, and whether somebody else has appended meanwhile.

Versions stand in numbers, one for each aggregate: how many events it has. A snapshot is there of every so many of them
(Fowler, "Event Sourcing"; Young, "CQRS Documents", ch. 2 on expected versions).
"""

from __future__ import annotations

from sim.policies.base import Ring, policy


@policy
def aggregate_of(item: int, user: int, by_item: bool, by_user: bool) -> int:
    """Which aggregate a request is about; the first, where nobody tells them apart."""
    if by_item:
        return max(item, 0)
    return max(user, 0) if by_user else 0


@policy
def version_of(versions: Ring, key: int) -> float:
    """How many events the aggregate has."""
    return versions[key]


@policy
def to_replay(versions: Ring, known: Ring, key: int, snapshot_every: int, in_memory: bool) -> int:
    """How many events are to be replayed until its present state is known.

    `known` is what this replica keeps of each: how many events it has seen, and one more, so that 0 is nothing.
    """
    version = versions[key]
    if in_memory and known[key] > 0.0:
        return int(version - (known[key] - 1.0))
    if snapshot_every > 0:
        return int(version) % snapshot_every
    return int(version)


@policy
def append(versions: Ring, key: int, seen: float, count: int) -> bool:
    """Append so many events, where its version is the one that was seen; False: somebody else was faster."""
    if versions[key] != seen:
        return False
    versions[key] = seen + count
    return True


@policy
def keep_in_memory(known: Ring, key: int, version: float, in_memory: bool) -> None:
    """This replica has seen so many events of it."""
    if in_memory:
        known[key] = version + 1.0
