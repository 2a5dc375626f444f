"""Connections of a pool: who comes takes the one that was used last, or opens one where there may be one more.

Where the pool may shrink, those that nobody has used for `idle_timeout` are closed; that is worked out when somebody
comes, since nobody else could tell. Words and defaults are HikariCP's; a new one is opened by who needs it, as in Go's
database/sql.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.policies.base import Ring, dtype_of, passed, policy
from sim.spec.policy import Pool
from sim.vocabulary import Outcome

NONE = 0  # none is to be had
IDLE = 1  # one that is open
NEW = 2  # one that has to be opened

_BROKEN = 1 << Outcome.TIMEOUT | 1 << Outcome.UNREACHABLE  # an answer may still come on it, or none ever


@dataclass(slots=True)
class PoolRow:
    """The connections of one pool."""

    size: int = 1
    idle: int = 0
    busy: int = 0
    shrinks: int = 0  # whether idle ones are closed
    idle_timeout: float = 0.0  # s


POOL = dtype_of(PoolRow)


def new_pool(spec: Pool, warm: bool) -> tuple[PoolRow, Ring]:
    """One with the connections that are there from the beginning, or with none.

    Ring: since when each is idle, s; the one that was used last comes last.
    """
    there = spec.size if spec.minimum_idle is None else min(spec.minimum_idle, spec.size)
    shrinks = spec.minimum_idle is not None and spec.minimum_idle < spec.size
    row = PoolRow(spec.size, there if warm else 0, 0, int(shrinks), spec.idle_timeout)
    return row, [0.0] * spec.size


@policy
def take(row: PoolRow, ring: Ring, now: float) -> int:
    """IDLE or NEW: who asks has it; NONE."""
    if row.shrinks and row.idle > 0 and passed(now, ring[row.idle - 1] + row.idle_timeout):
        row.idle = 0  # the others have not been used for longer still
    if row.idle > 0:
        row.idle -= 1
        row.busy += 1
        return IDLE
    if row.busy < row.size:
        row.busy += 1
        return NEW
    return NONE


@policy
def is_whole_after(outcome: int) -> bool:
    """Whether the connection of an attempt that has ended so is of use to another."""
    return (_BROKEN >> outcome) & 1 == 0


@policy
def put_back(row: PoolRow, ring: Ring, now: float, whole: bool) -> None:
    """It is idle from now on; one that is of no use any more is closed."""
    row.busy -= 1
    if whole:
        ring[row.idle] = now
        row.idle += 1
