"""The timeout of one attempt, from its beginning: a wait for the bulkhead counts."""

from __future__ import annotations

from sim.models.call import Call, Layer, Run
from sim.models.task import Activity, Task
from sim.models.timers import TimerQueue


class Timeout(Layer):
    """An attempt is waited for no longer than this."""

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        assert call.policy.timeout is not None
        self.timers = TimerQueue(call.env, call.policy.timeout, call.give_up)

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where the policy has one."""
        return call.policy.timeout is not None

    def run(self, task: Task) -> Activity:
        """Make the attempt, which ends as a timeout where it takes too long."""
        self.timers.arm(task)
        outcome = yield from self.inner(task)
        task.ticket += 1  # the timer is stale
        return outcome
