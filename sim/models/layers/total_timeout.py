"""The total timeout: all attempts and pauses of a call together have a time limit."""

from __future__ import annotations

from sim.models.call import Call, Layer, Run
from sim.models.task import Activity, Killed, Task, TimedCall
from sim.models.timers import TimerQueue


class TotalTimeout(Layer):
    """At the limit the attempt under way is given up.

    What comes after it, another attempt or a pause, `layers/retry.py` does not begin.
    """

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        assert call.policy.total_timeout is not None
        self.timers = TimerQueue(call.env, call.policy.total_timeout, self.expire)

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where the policy has one."""
        return call.policy.total_timeout is not None

    def run(self, task: Task) -> Activity:
        """Make the call, which has begun now."""
        task.timed_call = timed = TimedCall(task, self.call.env.now + self.timers.duration)
        self.timers.arm(timed)
        try:
            outcome = yield from self.inner(task)
        except Killed:
            timed.end()
            raise
        timed.end()
        return outcome

    def expire(self, timed: TimedCall) -> None:
        """No attempt goes on. In a pause, or frozen with an answer, the task finds out itself when it wakes."""
        task = timed.task
        if timed.pausing:
            return
        parked = task in task.replica.parked
        unused_place = task.permit is not None and task.callee is None
        if not parked or unused_place:
            self.call.give_up(task)
