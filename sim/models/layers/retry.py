"""Retries: another attempt, at once or after a pause, as long as rule, budget and total timeout allow it."""

from __future__ import annotations

import math
from typing import Any

from sim.chance.chain import link_chain
from sim.models.call import Call, Layer, Run
from sim.models.outcomes import OK, TIMEOUT
from sim.models.task import Activity, Task
from sim.policies import budget as budgets
from sim.policies import retry as retries
from sim.policies.base import passed, reached
from sim.spec import policy as spec
from sim.vocabulary import QUIET, EventKind, Stage


class BudgetMemory:
    """The retry budget of one caller towards one callee."""

    def __init__(self, budget: spec.Budget):
        self.row: Any
        self.tokens: Any
        self.row, self.tokens = budgets.new_budget(budget)
        self.last_refusal = -math.inf  # s

    def renewed(self, policy: spec.CallPolicy) -> BudgetMemory:
        """A new budget."""
        assert policy.retry is not None
        assert policy.retry.budget is not None
        return BudgetMemory(policy.retry.budget)


class Retry(Layer):
    """Attempts until one is good, or hopeless, or one too many."""

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        assert call.policy.retry is not None
        self.rule = retries.new_retry(call.policy.retry)
        self.budgeted = call.policy.retry.budget is not None
        self.timed = call.policy.total_timeout is not None
        self.jitter = call.world.uniform(f"{call.site}.backoff")

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where there may be a second attempt."""
        return call.policy.retry is not None and call.policy.retry.max_attempts > 1

    @staticmethod
    def memory(policy: spec.CallPolicy) -> BudgetMemory | None:
        """A budget, where the policy has one."""
        return BudgetMemory(policy.retry.budget) if policy.retry is not None and policy.retry.budget is not None else None

    def run(self, task: Task) -> Activity:
        """`task.tries` counts the attempts that are over: the draws of an attempt are keyed by it."""
        if self.budgeted:
            budget = self._budget(task)
            budgets.deposit(budget.row, budget.tokens, self.call.env.now)
        pause = self.rule.base  # where decorrelated jitter begins
        while True:
            outcome = yield from self.inner(task)
            task.tries += 1
            if not self._may_go_on(task, outcome):
                break
            luck = self.jitter(task.request.id, link_chain(task.chain, self.call.salt, task.tries))
            pause = retries.backoff(self.rule, task.tries, luck, pause)
            if pause > 0.0 and (yield from self._pause(task, pause)):
                outcome = self.call.failed(task, TIMEOUT)
                break
        task.tries = 0
        return outcome

    def _may_go_on(self, task: Task, outcome: int) -> bool:
        """Whether an attempt that ended so may be followed by another."""
        if outcome == OK or task.tries >= self.rule.max_attempts or not retries.retryable(self.rule, outcome):
            return False
        if self.timed and reached(self.call.env.now, task.timed_call.deadline):
            return False
        return not self.budgeted or self._withdraw(task)

    def _pause(self, task: Task, seconds: float) -> Activity:
        """Back off; 1 where that took until the total timeout, and the call is over. A pause that could only end after it is cut short."""
        call = self.call
        cut = self.timed and reached(call.env.now + seconds, task.timed_call.deadline)
        call.recorder.stage(task, Stage.BACKOFF, call.target.where)
        if self.timed:
            task.timed_call.pausing = True
        call.env.schedule(task, delay=task.timed_call.deadline - call.env.now if cut else seconds)
        yield
        if call.frozen(task):
            yield from call.thaw(task)
        if not self.timed:
            return 0
        task.timed_call.pausing = False
        return int(cut or reached(call.env.now, task.timed_call.deadline))

    def _budget(self, task: Task) -> BudgetMemory:
        return self.call.guard(task).of(BudgetMemory)

    def _withdraw(self, task: Task) -> bool:
        """Take a retry from the budget; the beginning of a spell without any goes into the event log."""
        budget, now = self._budget(task), self.call.env.now
        if budgets.withdraw(budget.row, budget.tokens, now):
            return True
        if passed(now, budget.last_refusal + QUIET):
            self.call.note(EventKind.BUDGET_EXHAUSTED, task, now)
        budget.last_refusal = now
        return False
