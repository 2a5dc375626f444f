"""A retry budget, and what the event log hears of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sim.models.guards import Memory
from sim.models.outcomes import OK
from sim.policies import budget as budgets
from sim.policies import library_budgets as libraries
from sim.policies import throttle as throttling
from sim.policies.base import passed
from sim.spec import policy as spec
from sim.vocabulary import QUIET


class RetryBudget(Memory):
    """The state of one budget (`policies/budget.py`, `throttle.py`, `library_budgets.py`)."""

    def __init__(self, budget: spec.Budget):
        self.row: Any
        self.tokens: Any
        self.row, self.tokens = budgets.new_budget(budget)
        grpc = budget.grpc
        self.throttle = throttling.new_throttle(grpc.max_tokens, grpc.token_ratio) if grpc is not None else None
        self.library: Any = libraries.new_library_budget(budget)
        self.last_refusal = -math.inf  # s

    def renewed(self, policy: spec.CallPolicy) -> RetryBudget:
        """That of a replica that starts again."""
        assert policy.retry is not None
        assert policy.retry.budget is not None
        return RetryBudget(policy.retry.budget)

    def deposit(self, now: float) -> None:
        """A request that is no retry begins."""
        budgets.deposit(self.row, self.tokens, now)

    def refused(self, now: float, tell: Callable[[], None]) -> None:
        """A retry was not within it; `tell` is called where a spell begins in which none is."""
        if passed(now, self.last_refusal + QUIET):
            tell()
        self.last_refusal = now


class Spending:
    """What one call has to do with a budget: what its last retry took, and whether an attempt is under way."""

    __slots__ = ("budget", "paid", "under_way")

    def __init__(self, budget: RetryBudget):
        self.budget = budget
        self.paid = libraries.NOTHING
        self.under_way = False

    def begin(self) -> None:
        """An attempt sets out."""
        if self.budget.library is not None:
            self.under_way = True
            libraries.attempt_begins(self.budget.library)

    def hear(self, outcome: int, retryable: int) -> None:
        """How it has ended, and whether that may be tried again."""
        budget = self.budget
        if budget.throttle is not None:
            if outcome == OK:
                throttling.succeeded(budget.throttle)
            elif retryable:
                throttling.failed(budget.throttle)
        elif budget.library is not None:
            self.under_way = False
            libraries.attempt_ends(budget.library, outcome, self.paid)
            self.paid = libraries.NOTHING

    def withdraw(self, outcome: int, now: float, tell: Callable[[], None]) -> bool:
        """Whether one more retry, of an attempt that ended so, is within the budget; else `tell` may be called."""
        budget = self.budget
        if budget.throttle is not None:
            allowed = bool(throttling.allows(budget.throttle))
        elif budget.library is not None:
            self.paid = libraries.take(budget.library, outcome)
            allowed = self.paid != libraries.NOT_ALLOWED
        else:
            allowed = bool(budgets.withdraw(budget.row, budget.tokens, now))
        if not allowed:
            budget.refused(now, tell)
        return allowed

    def forget(self) -> None:
        """There will be no further attempt, and the one that is under way ends for nobody."""
        if self.budget.library is not None:
            libraries.forget(self.budget.library, self.paid, int(self.under_way))
