"""Which member of a consumer group reads which partitions: Kafka's range assignor, for one topic (semantics.md 6.5).

Plain Python only: rebalances are rare. Left out: sticky and cooperative assignment.
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
