"""The CPU quota of a control group: what its threads may compute in each period; then they stand still until the next.

CFS bandwidth control of Linux (kernel/sched/fair.c, Documentation/scheduler/sched-bwc.rst): at the beginning of each
period the quota is there anew, and nothing of the one before (cpu.max.burst 0). Threads on several cores at once use it
up together: four threads 100 ms in 25 ms.

Left out: periods of all groups begin at time 0, where Linux gives each an offset by chance; cores fetch their part in
slices of 5 ms (sched_cfs_bandwidth_slice_us), and may keep up to 1 ms of one that they do not use.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.base import dtype_of, policy

PART = 1e-9  # of a quota, that counts as nothing: less than the nanoseconds in which Linux counts


@dataclass(slots=True)
class QuotaRow:
    """The quota of one replica. Periods have numbers, from 0."""

    quota: float = 0.0  # core-seconds in each period
    period: float = 0.1  # s
    number: int = 0  # of the period that `left` is of
    left: float = 0.0  # core-seconds
    throttled: int = 0  # whether all threads stand still
    times: int = 0  # that they did so far (nr_throttled of cpu.stat)
    area: float = 0.0  # s for which they did, less `throttled * now`


QUOTA = dtype_of(QuotaRow)


def new_quota(limit: float, period: float) -> QuotaRow:
    """Of which nothing has been used. `limit` in cores, `period` in s."""
    return QuotaRow(quota=limit * period, period=period, left=limit * period)


@policy
def spend(row: QuotaRow, cores: int, since: float, now: float) -> None:
    """So many cores have been busy from `since` to now, in which nobody was throttled."""
    number = math.floor(now / row.period)
    if number > row.number:
        row.number = number
        row.left = row.quota
    row.left -= cores * max(now - max(since, row.number * row.period), 0.0)


@policy
def lasts(row: QuotaRow, cores: int, now: float) -> float:
    """Seconds until so many busy cores will have used up what there is, this period's or the next one's; infinite:
    never, since they use no more than each period brings.
    """
    to_end = until_next(row, now)
    if row.left + PART * row.quota < cores * to_end:
        return max(row.left / cores, 0.0)
    if row.quota * (1.0 + PART) >= cores * row.period:
        return math.inf
    return to_end + row.quota / cores


@policy
def until_next(row: QuotaRow, now: float) -> float:
    """Seconds until the next period begins."""
    return max((row.number + 1) * row.period - now, 0.0)


@policy
def throttle(row: QuotaRow, now: float) -> None:
    """It is used up."""
    row.left = 0.0
    row.throttled = 1
    row.times += 1
    row.area -= now


@policy
def resize(row: QuotaRow, quota: float, now: float) -> None:
    """Another quota from now on, all of which is there at once: Linux refills the group that it changes, and threads
    that stood still go on (tg_set_cfs_bandwidth of kernel/sched).
    """
    row.number = max(row.number, math.floor(now / row.period))
    row.quota = quota
    row.left = quota
    if row.throttled:
        row.throttled = 0
        row.area += now


@policy
def resume(row: QuotaRow, now: float) -> None:
    """Another period has begun, perhaps more than one."""
    row.number = max(row.number + 1, math.floor(now / row.period))
    row.left = row.quota
    row.throttled = 0
    row.area += now
