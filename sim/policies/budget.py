"""The retry budget: Finagle's RetryBudget, on util's leaky TokenBucket and its WindowedAdder, rule for rule.

A deposit (one for each original request, never for a retry) adds 1000 tokens, a withdrawal (one for each retry) takes
floor(1000 / ratio) of them if the balance allows. The balance is the sum of a window of ten slices of ttl / 10, the
current one included, plus a standing reserve of min_per_second * ttl withdrawals; withdrawals are negative entries of
the current slice, so that what was taken from the reserve comes back after a ttl. A slice ends at the first use after
its time, and the next begins then: slices are not aligned to the clock, and tokens live about a ttl. With ratio 0 a
withdrawal costs 1 and only the reserve pays.

Sources: twitter/finagle finagle-core service/RetryBudget.scala; twitter/util TokenBucket.newLeakyBucket,
WindowedAdder.scala; semantics.md 2.3. Where it departs: times are seconds, not whole milliseconds; any ttl and a
fractional min_per_second are allowed; tokens are floats with whole values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.base import Ring, dtype_of, noise, policy, reached
from sim.spec.policy import Budget

SLICES = 9  # finished slices that are kept, beside the current one
SCALE = 1000.0


@dataclass(slots=True)
class BudgetRow:
    """One budget, in tokens and seconds."""

    head: int = 0  # the oldest finished slice, next to be written
    current: float = 0.0  # deposits less withdrawals of the current slice
    since: float = 0.0  # when the current slice began
    slice: float = 1.0  # its length
    reserve: float = 0.0
    deposit: float = SCALE
    cost: float = 1.0  # of a withdrawal


BUDGET = dtype_of(BudgetRow)


def new_budget(spec: Budget) -> tuple[BudgetRow, Ring]:
    """A budget that holds its reserve only. Ring: nine slices."""
    row = BudgetRow(slice=max(spec.ttl, 1e-6) / 10.0)
    if spec.ratio == 0.0:
        row.deposit = 0.0
    else:
        row.cost = float(math.floor(min(SCALE / spec.ratio, 1e18)))
    row.reserve = float(math.floor(spec.min_per_second * spec.ttl * row.cost + 1e-6))
    return row, [0.0] * SLICES


@policy
def deposit(row: BudgetRow, ring: Ring, now: float) -> None:
    """An original request was sent."""
    if reached(now, row.since + row.slice):
        finish_slice(row, ring, now)
    row.current += row.deposit


@policy
def withdraw(row: BudgetRow, ring: Ring, now: float) -> int:
    """May a retry be sent? 1: yes, and it is paid for. 0: no, and nothing is taken."""
    if tokens(row, ring, now) >= row.cost:
        row.current -= row.cost
        return 1
    return 0


@policy
def balance(row: BudgetRow, ring: Ring, now: float) -> float:
    """How many retries could be sent now: a whole number, negative when withdrawals outlived the deposits that paid for
    them.

    Asking is a use, and may end a slice: for tests and debuggers, not for a gauge that must not disturb what it
    measures.
    """
    return tokens(row, ring, now) // row.cost


@policy
def tokens(row: BudgetRow, ring: Ring, now: float) -> float:
    """The balance in tokens."""
    if reached(now, row.since + row.slice):
        finish_slice(row, ring, now)
    total = row.current
    for i in range(SLICES):
        total += ring[i]
    return total + row.reserve


@policy
def finish_slice(row: BudgetRow, ring: Ring, now: float) -> None:
    """Put the current slice into the window, then empty slices for the time in which nobody came."""
    ring[row.head] = row.current
    row.head = (row.head + 1) % SLICES
    slices = (now - row.since + noise(now)) / row.slice  # at least 1
    skipped = SLICES
    if slices < SLICES + 1:
        skipped = math.floor(slices) - 1
    for _ in range(skipped):
        ring[row.head] = 0.0
        row.head = (row.head + 1) % SLICES
    row.current = 0.0
    row.since = now
