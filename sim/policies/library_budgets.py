"""What bounds retries in further libraries, beside Finagle's budget and gRPC's throttle.

    aws    the retry quota of the SDK's standard mode. A bucket of tokens: a retry takes its cost or is not made, by
           what it follows: throttled, timeout, other. A good answer brings back what the last retry of its call took,
           or `increment` where that had none; never more than there were (botocore retries/quota.py, standard.py).
    envoy  retries at once, of which one is from the decision until its attempt has ended, the pause included: fewer
           than `most`, or than max(least, floor(share * calls under way)). An attempt that was answered is still under
           way when it is decided about, one that timed out or never got there is not (router/retry_state_impl.cc,
           upstream/resource_manager_impl.h; semantics.md 1.7).

Each call remembers what its last retry took (`paid`, of Envoy 1; NOTHING: it had none).

Left out: long polling of the SDK, which pauses also where the quota is empty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.policies.base import dtype_of, policy
from sim.spec.budgets import Budget
from sim.vocabulary import Outcome

AWS, ENVOY = range(2)
_OK, _TIMEOUT, _THROTTLED = int(Outcome.OK), int(Outcome.TIMEOUT), int(Outcome.RATE_LIMITED)
_ANSWERED = sum(1 << outcome for outcome in (Outcome.ERROR, Outcome.SHED, Outcome.RATE_LIMITED, Outcome.REFUSED))
NOT_ALLOWED = NOTHING = -1


@dataclass(slots=True)
class LibraryBudgetRow:
    """The budget of one caller towards one callee."""

    kind: int = AWS
    capacity: int = 0  # tokens at most
    available: int = 0
    cost: int = 0
    throttling_cost: int = 0
    timeout_cost: int = 0
    increment: int = 0
    most: int = -1  # retries at once; -1: by share
    least: int = 0
    share: float = 0.0
    under_way: int = 0  # attempts
    retries: int = 0  # at once


LIBRARY_BUDGET = dtype_of(LibraryBudgetRow)


def new_library_budget(spec: Budget) -> LibraryBudgetRow | None:
    """One that nothing was taken from; None where the spec names neither."""
    if (aws := spec.aws) is not None:
        late = aws.retry_cost if aws.timeout_retry_cost is None else aws.timeout_retry_cost
        costs = aws.retry_cost, aws.throttling_retry_cost, late
        return LibraryBudgetRow(AWS, aws.initial_capacity, aws.initial_capacity, *costs, aws.no_retry_increment)
    if (envoy := spec.envoy) is not None:
        if (budget := envoy.retry_budget) is None:
            return LibraryBudgetRow(ENVOY, most=envoy.max_retries)
        return LibraryBudgetRow(ENVOY, least=budget.min_retry_concurrency, share=budget.budget_percent)
    return None


@policy
def attempt_begins(row: LibraryBudgetRow) -> None:
    """An attempt sets out."""
    row.under_way += 1


@policy
def attempt_ends(row: LibraryBudgetRow, outcome: int, paid: int) -> None:
    """It has ended so; `paid` is what the last retry of its call took."""
    row.under_way -= 1
    if row.kind == ENVOY:
        row.retries -= paid > 0
    elif outcome == _OK:
        back = paid if paid != NOTHING else row.increment
        row.available = row.available + back if row.available + back < row.capacity else row.capacity


@policy
def take(row: LibraryBudgetRow, outcome: int) -> int:
    """May a call whose attempt ended so be tried again? What that takes; NOT_ALLOWED, and nothing is taken."""
    if row.kind == ENVOY:
        most = row.most
        if most < 0:
            share = math.floor(row.share * (row.under_way + ((_ANSWERED >> outcome) & 1)))
            most = share if share > row.least else row.least
        if row.retries >= most:
            return NOT_ALLOWED
        row.retries += 1
        return 1
    cost = row.cost
    if outcome == _THROTTLED:
        cost = row.throttling_cost
    elif outcome == _TIMEOUT:
        cost = row.timeout_cost
    if cost > row.available:
        return NOT_ALLOWED
    row.available -= cost
    return cost


@policy
def forget(row: LibraryBudgetRow, paid: int, begun: int) -> None:
    """The caller was killed: `begun` is 1 in an attempt, 0 in a pause."""
    row.under_way -= begun
    if row.kind == ENVOY:
        row.retries -= paid > 0
