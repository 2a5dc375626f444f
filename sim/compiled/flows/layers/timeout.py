"""The timeout of one attempt, from its beginning: a wait for the bulkhead counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.calendar import arm, make_ready
from sim.compiled.codes import TIMEOUT
from sim.compiled.cutting.words import Waits, flow
from sim.compiled.ending import stop
from sim.compiled.flows.layer import IN_POOL_LINE, OPENING, Layer, Values, failed
from sim.compiled.flows.layers.breaker import leave_test
from sim.compiled.flows.layers.bulkhead import leave_bulkhead, leave_line
from sim.compiled.flows.layers.pool import let_go
from sim.compiled.racing import stop_copies
from sim.compiled.rows.state import State
from sim.compiled.tasks import IN_BREAKER, IN_BULKHEAD, PARKED, abandon

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Task
    from sim.compiled.flows.layer import Inner
    from sim.compiled.wiring.calls import CallTables
    from sim.models.call import Call as ModelCall


@flow
def in_time(s: State, own: Task, call: Call, inner: Inner) -> Waits[int]:
    """Make the attempt, which ends as a timeout where it takes too long."""
    if call.lane is not None:
        arm(s, call.lane, own)
    outcome = yield from inner(s, own, call)
    own.ticket += 1  # timers of the attempt are stale
    return outcome


@flow
def give_up(s: State, own: Task, call: Call) -> None:
    """Nobody waits any longer for the attempt that the task makes; whether that goes on is the policy's choice."""
    child = own.child
    if own.branching:  # copies of a hedged attempt
        stop_copies(s, own, call.cancels)
    elif child is not None:
        child.caller = None
        if call.cancels and child.replica.host is not None:
            stop(s, child, child.replica.host, True, TIMEOUT)
        else:
            abandon(s, child)
        own.child = None
    connecting = call.pools and IN_POOL_LINE <= own.phase <= OPENING
    if own.waits == IN_BULKHEAD:
        leave_line(s, own)
    elif own.waits == IN_BREAKER:
        leave_test(s, own)
    elif connecting:
        let_go(s, own, call)
    own.ticket += 1
    own.outcome = TIMEOUT
    failed(s, own, call)
    if own.guard is not None and own.callee is None and not connecting:
        leave_bulkhead(s, own)  # frozen, with a place that it has not used: it goes on at the thaw
    elif own.waits != PARKED:  # likewise, with a connection
        make_ready(s, own)


class Timeout(Layer):
    """An attempt is waited for no longer than this."""

    name = "timeout"
    flow = in_time
    expired = give_up

    @staticmethod
    def of_call(call: ModelCall, tables: CallTables, place: int) -> Values:
        """Its timers, and what becomes of an attempt that was given up."""
        return {
            "lane": tables.lane(Timeout, call.policy.timeout, place),
            "cancels": call.cancels,
        }
