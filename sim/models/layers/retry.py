"""Retries: another attempt, at once or after a pause, as long as rule, budget and total timeout allow it."""

from __future__ import annotations

from sim.chance.chain import link_chain
from sim.models.budget import RetryBudget, Spending
from sim.models.call import Call, Layer, Run
from sim.models.outcomes import OK, TIMEOUT
from sim.models.pausing import Pauses
from sim.models.task import Activity, Killed, Task
from sim.policies import retry as retries
from sim.policies import retry_after
from sim.policies.base import reached
from sim.spec.policy import CallPolicy
from sim.vocabulary import EventKind, Stage


class Retry(Layer):
    """Attempts until one is good, or hopeless, or one too many."""

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        assert call.policy.retry is not None
        self.pauses = Pauses(call.policy.retry)
        self.rule = self.pauses.rule
        self.budgeted = call.policy.retry.budget is not None
        self.timed = call.policy.timed
        self.honors = call.policy.retry.honor_retry_after
        self.jitter = call.context.uniform(f"{call.site}.backoff")

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where there may be a second attempt."""
        return call.policy.retry is not None and call.policy.retry.max_attempts > 1

    @staticmethod
    def memory(policy: CallPolicy) -> RetryBudget | None:
        """A budget, where the policy has one."""
        budget = policy.retry.budget if policy.retry is not None else None
        return RetryBudget(budget) if budget is not None else None

    def run(self, task: Task) -> Activity:
        """`task.tries` counts the attempts that are over: the draws of an attempt are keyed by it."""
        if not self.budgeted:
            return (yield from self._attempts(task, None))
        budget = self.call.guard(task).of(RetryBudget)
        budget.deposit(self.call.env.now)
        spending = Spending(budget)
        try:
            return (yield from self._attempts(task, spending))
        except Killed:
            spending.forget()
            raise

    def _attempts(self, task: Task, spending: Spending | None) -> Activity:
        """One after the other."""
        kept = self.rule.begin
        while True:
            if spending is not None:
                spending.begin()
            if self.honors:
                task.told = 0.0
            outcome = yield from self.inner(task)
            task.tries += 1
            if spending is not None:
                spending.hear(outcome, retries.retryable(self.rule, outcome))
            if not self._may_go_on(task, outcome, spending):
                break
            luck = self.jitter(task.request.id, link_chain(task.chain, self.call.salt, task.tries))
            pause, kept = self.pauses.next(outcome, task.tries, luck, kept)
            if self.honors:
                pause = retry_after.at_least(self.rule, pause, retry_after.heard(outcome, task.told))
            if pause > 0.0 and (yield from self._pause(task, pause)):
                if spending is not None:
                    spending.forget()
                outcome = self.call.failed(task, TIMEOUT)
                break
        task.tries = 0
        return outcome

    def _may_go_on(self, task: Task, outcome: int, spending: Spending | None) -> bool:
        """Whether an attempt that ended so may be followed by another."""
        if outcome == OK or task.tries >= self.rule.max_attempts or not retries.retryable(self.rule, outcome):
            return False
        if self.honors and retry_after.gives_up(self.rule, retry_after.heard(outcome, task.told)):
            return False
        now = self.call.env.now
        if self.timed and reached(now, task.timed_call.deadline):
            return False
        return spending is None or spending.withdraw(
            outcome, now, lambda: self.call.note(EventKind.BUDGET_EXHAUSTED, task, now)
        )

    def _pause(self, task: Task, seconds: float) -> Activity:
        """Back off; 1 where that took until the total timeout, and the call is over.

        A pause that could only end after it is cut short.
        """
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
