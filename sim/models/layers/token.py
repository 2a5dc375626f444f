"""The token: nobody calls before he has one."""

from __future__ import annotations

from sim.models.call import Call, Layer, Run
from sim.models.outcomes import OK
from sim.models.task import Activity, Task


class Token(Layer):
    """It is outside of all timeouts and retries of the call: a filter of the client has it before the call begins."""

    @staticmethod
    def wanted(call: Call) -> bool:
        """Where the step or the route names one."""
        return call.token is not None

    def __init__(self, call: Call, inner: Run):
        super().__init__(call, inner)
        self.token = call.token

    def run(self, task: Task) -> Activity:
        """The outcome of the call, or of the request for a token where there is none."""
        assert self.token is not None
        outcome = yield from self.token.run(task)
        if outcome != OK:
            return outcome
        if self.call.frozen(task):
            yield from self.call.thaw(task)
        return (yield from self.inner(task))
