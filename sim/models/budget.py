"""A retry budget, and what the event log hears of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sim.models.guards import Memory
from sim.policies import budget as budgets
from sim.policies import throttle as throttling
from sim.policies.base import passed
from sim.spec import policy as spec
from sim.vocabulary import QUIET


class RetryBudget(Memory):
    """The state of one budget (`policies/budget.py`)."""

    def __init__(self, budget: spec.Budget):
        self.row: Any
        self.tokens: Any
        self.row, self.tokens = budgets.new_budget(budget)
        grpc = budget.grpc
        self.throttle = throttling.new_throttle(grpc.max_tokens, grpc.token_ratio) if grpc is not None else None
        self.last_refusal = -math.inf  # s

    def renewed(self, policy: spec.CallPolicy) -> RetryBudget:
        """That of a replica that starts again."""
        assert policy.retry is not None
        assert policy.retry.budget is not None
        return RetryBudget(policy.retry.budget)

    def deposit(self, now: float) -> None:
        """A request that is no retry begins."""
        budgets.deposit(self.row, self.tokens, now)

    def hear(self, good: bool) -> None:
        """How an attempt ended: with an answer, or in a way that may be tried again (gRPC counts these)."""
        if self.throttle is not None:
            if good:
                throttling.succeeded(self.throttle)
            else:
                throttling.failed(self.throttle)

    def withdraw(self, now: float, tell: Callable[[], None]) -> bool:
        """Whether one more retry is within the budget; `tell` is called where a spell begins in which none is."""
        if self.throttle is not None:
            allowed = bool(throttling.allows(self.throttle))
        else:
            allowed = bool(budgets.withdraw(self.row, self.tokens, now))
        if allowed:
            return True
        if passed(now, self.last_refusal + QUIET):
            tell()
        self.last_refusal = now
        return False
