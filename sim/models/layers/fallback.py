"""A fallback: other steps in the place of a call that has failed."""

from __future__ import annotations

from sim.models.call import Call, Layer, Run
from sim.models.outcomes import OK, REFUSED
from sim.models.task import Activity, Task


class Fallback(Layer):
    """A refusal is a business answer, and needs no substitute; what the fallback makes of a failure is degraded."""

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        self.steps = call.fallback

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where the step names one."""
        return call.fallback is not None

    def run(self, task: Task) -> Activity:
        """The outcome of the call, or that of the steps in its place."""
        outcome = yield from self.inner(task)
        if outcome in (OK, REFUSED):
            return outcome
        assert self.steps is not None
        outcome = yield from self.steps.run(task)
        if outcome == OK:
            task.degraded = True
        return outcome
