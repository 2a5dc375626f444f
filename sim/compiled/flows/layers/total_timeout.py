"""The total timeout: all attempts and pauses of a call together have a time limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.calendar import arm_total
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.flows.layer import IN_VAIN, PAUSED, Layer, Values
from sim.compiled.flows.layers.timeout import give_up
from sim.compiled.rows.state import State
from sim.compiled.tasks import PARKED

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Task
    from sim.compiled.flows.layer import Inner
    from sim.compiled.wiring.calls import CallTables
    from sim.models.call import Call as ModelCall


@flow
def in_total_time(s: State, own: Task, call: Call, inner: Inner) -> Waits[int]:
    """Make the call, which has begun now."""
    if call.total_lane is not None:
        arm_total(s, call.total_lane, own)
    outcome = yield from inner(s, own, call)
    own.call_number = 0  # its timer is stale
    return outcome


@flow
def out_of_time(s: State, own: Task, call: Call) -> None:
    """No attempt goes on. In a pause, or frozen with an answer, the task finds out itself when it wakes."""
    unused_place = own.guard is not None and own.callee is None
    pausing = PAUSED <= own.phase <= IN_VAIN
    if not pausing and (own.waits != PARKED or unused_place):
        give_up(s, own, call)


@flow
def call_is_over(s: State, own: Task, call: Call) -> None:
    """The call is over."""
    own.call_number = 0


class TotalTimeout(Layer):
    """At the limit the attempt under way is given up; what comes after it, `retry.py` does not begin."""

    name = "total_timeout"
    flow = in_total_time
    expired = out_of_time
    killed = call_is_over
    whole_call = True

    @staticmethod
    def of_call(call: ModelCall, tables: CallTables, place: int) -> Values:
        """Its timers."""
        return {"total_lane": tables.lane(TotalTimeout, call.policy.total_timeout, place)}
