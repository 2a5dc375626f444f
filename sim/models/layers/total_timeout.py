"""The total timeout: all attempts and pauses of a call together have a time limit."""

from __future__ import annotations

import math

from sim.models.call import Call, Layer, Run
from sim.models.clock import TIMER, Signal
from sim.models.outcomes import TIMEOUT
from sim.models.task import Activity, Killed, Task, TimedCall
from sim.models.timers import TimerQueue
from sim.policies.base import reached


class TotalTimeout(Layer):
    """At the limit the attempt under way is given up.

    What comes after it, another attempt or a pause, `layers/retry.py` does not begin.
    """

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        total = call.policy.total_timeout
        self.timers = TimerQueue(call.env, total, self.expire) if total is not None else None

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where the policy has one, or hands on the deadline of whoever asked."""
        return call.policy.timed

    def run(self, task: Task) -> Activity:
        """Make the call, which has begun now."""
        call, now = self.call, self.call.env.now
        own = now + self.timers.duration if self.timers is not None else math.inf
        told = call.deadlines.get(task.attempt or task, math.inf) if call.propagates else math.inf
        if reached(now, told):
            return call.failed(task, TIMEOUT)  # nobody waits: it is not begun
        task.timed_call = timed = TimedCall(task, min(own, told))
        if told < own:
            call.env.late(Signal(lambda _: self._told_time_is_over(timed)), TIMER, told)
        elif self.timers is not None:
            self.timers.arm(timed)
        try:
            outcome = yield from self.inner(task)
        except Killed:
            self._end(timed)
            raise
        self._end(timed)
        return outcome

    def _told_time_is_over(self, timed: TimedCall) -> None:
        if timed.ticket == 0:
            self.expire(timed)

    def _end(self, timed: TimedCall) -> None:
        timed.end()
        for attempt in timed.attempts:
            self.call.deadlines.pop(attempt, None)

    def expire(self, timed: TimedCall) -> None:
        """No attempt goes on. In a pause, or frozen with an answer, the task finds out itself when it wakes."""
        task = timed.task
        if timed.pausing:
            return
        waiter = self.call.connecting.get(task)
        unused_place = waiter is None and task.permit is not None and task.callee is None
        unused_connection = waiter is not None and task.ticket == waiter.ticket
        if unused_place or unused_connection or task not in task.replica.parked:
            self.call.give_up(task)
