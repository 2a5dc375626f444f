"""The total timeout: all attempts and pauses of a call together have a time limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.calendar import arm_total
from sim.compiled.codes import TIMEOUT
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.deadlines import begin_in_time, forget_deadline
from sim.compiled.flows.layer import IN_POOL_LINE, IN_VAIN, OPENING, PAUSED, Layer, Values, failed
from sim.compiled.flows.layers.pool import has_its_ticket
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
    whole = not (call.hedges and own.copy)  # a copy of an attempt knows the time limit of the whole
    if whole and call.propagates:
        if not begin_in_time(s, own, call):
            failed(s, own, call)
            return TIMEOUT  # nobody waits: it is not begun
    elif whole and call.total_lane is not None:
        arm_total(s, call.total_lane, own)
    outcome = yield from inner(s, own, call)
    own.call_number = 0  # its timer is stale
    return outcome


@flow
def out_of_time(s: State, own: Task, call: Call) -> None:
    """No attempt goes on. In a pause, or frozen with an answer, the task finds out itself when it wakes."""
    pausing = PAUSED <= own.phase <= IN_VAIN
    if call.pools and IN_POOL_LINE <= own.phase <= OPENING:
        unused = has_its_ticket(s, own)  # a connection
    else:
        unused = own.guard is not None and own.callee is None  # a place in a bulkhead
    if not pausing and (own.waits != PARKED or unused):
        give_up(s, own, call)


@flow
def call_is_over(s: State, own: Task, call: Call) -> None:
    """The call is over. What its attempt goes on with nobody waits for."""
    own.call_number = 0
    if call.propagates and own.child is not None:
        forget_deadline(s, own.child)


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
        return {
            "total_lane": tables.lane(TotalTimeout, call.policy.total_timeout, place),
            "timed": call.policy.timed,
            "propagates": call.propagates,
        }
