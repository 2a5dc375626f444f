"""Which member of a consumer group reads which partitions: Kafka's range assignor and its cooperative-sticky one, for
one topic (semantics.md 6.5).

Plain Python only: rebalances are rare. Left out: several topics at once, and subscriptions that differ.
"""

from __future__ import annotations

from itertools import pairwise


def range_assign(members: int, partitions: int) -> list[list[int]]:
    """The partitions of member 0, 1, ...: contiguous, the first `partitions % members` members have one more.

    Without members: nothing.
    """
    share, extra = divmod(partitions, members) if members else (0, 0)
    firsts = [member * share + min(member, extra) for member in range(members + 1)]
    return [list(range(first, last)) for first, last in pairwise(firsts)]


def sticky_assign(owned: list[list[int]], partitions: int) -> list[list[int]]:
    """The partitions of member 0, 1, ... where each had those in `owned`: counts differ by one at most, and as many as
    possible stay where they are. Without members: nothing.
    """
    if not owned:
        return []
    share, extra = divmod(partitions, len(owned))
    kept: list[list[int]] = [[] for _ in owned]
    for member in sorted(range(len(owned)), key=lambda member: -len(owned[member])):
        room = share + (1 if extra > 0 else 0)
        kept[member] = owned[member][:room]
        extra -= len(kept[member]) > share
    free = sorted(set(range(partitions)) - {partition for its in kept for partition in its})
    for partition in free:
        min(kept, key=len).append(partition)
    return [sorted(its) for its in kept]
