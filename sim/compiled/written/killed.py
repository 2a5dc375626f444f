"""Written by `python sim/compiled/cutting/write.py` from `sim/compiled/flows`: do not edit.

What a call gives back when its caller is killed in the midst of it.
"""

from __future__ import annotations

from sim.compiled.base import NONE, handler, whole
from sim.compiled.deadlines import forget_deadline
from sim.compiled.flows.layers.breaker import free_probe, leave_test, note_turns
from sim.compiled.flows.layers.bulkhead import leave_bulkhead, leave_line
from sim.compiled.flows.layers.pool import drop_connection
from sim.compiled.flows.layers.rate_limit import stop_waiting
from sim.compiled.flows.layers.retry import forget_attempt
from sim.compiled.guards import guard_for
from sim.compiled.network import leave_balancer
from sim.compiled.races import close_race
from sim.compiled.rows.calls import breakers, calls, guards, rings, targets
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import rows_from
from sim.policies import breaker

IN_BREAKER = whole(8)
IN_BULKHEAD = whole(3)
IN_TURN = whole(2)
IN_VAIN = whole(3)
breaker_give_back = breaker.give_back.compiled


@handler
def attempt_killed(s: State, own: int, call: int) -> None:
    """For the balancer the attempt is over."""
    own_row = tasks(s)[own]
    call_row = calls(s)[call]
    if targets(s)[call_row.target].counts and own_row.callee >= 0:
        leave_balancer(s, call_row.target, own_row.replica, own_row.callee, NONE, 0.0)


@handler
def pool_killed(s: State, own: int, call: int) -> None:
    """A connection under way is closed; one that it has been given meanwhile is for the next."""
    call_row = calls(s)[call]
    if call_row.pools:
        drop_connection(s, own, call)


@handler
def bulkhead_killed(s: State, own: int, call: int) -> None:
    """Its place is free for the next, or its place in the line."""
    own_row = tasks(s)[own]
    if own_row.waits == IN_BULKHEAD:
        leave_line(s, own)
    if own_row.guard >= 0:
        leave_bulkhead(s, own)


@handler
def rate_limit_killed(s: State, own: int, call: int) -> None:
    """The turn of a task that is killed is used up; in line it stands no longer."""
    own_row = tasks(s)[own]
    call_row = calls(s)[call]
    if call_row.limits and IN_TURN <= own_row.phase <= IN_VAIN:
        stop_waiting(s, own, call)


@handler
def breaker_killed(s: State, own: int, call: int) -> None:
    """A probe that nobody will hear of is free again; who waits for the end of another's stands in line no longer."""
    own_row = tasks(s)[own]
    call_row = calls(s)[call]
    if own_row.waits == IN_BREAKER:
        leave_test(s, own)
    if call_row.breaks and own_row.admitted >= 0:
        guard = guard_for(s, call, own)
        guard_row = guards(s)[guard]
        if guard_row.library >= 0:
            free_probe(s, own, call)
        else:
            period = breakers(s)[guard_row.breaker].period
            breaker_give_back(breakers(s)[guard_row.breaker], rows_from(rings(s), guard_row.ring), s.now, own_row.admitted)
            if breakers(s)[guard_row.breaker].period != period:
                note_turns(s, own, call, breakers(s)[guard_row.breaker], period)


@handler
def hedge_killed(s: State, own: int, call: int) -> None:
    """Its copies end with it."""
    own_row = tasks(s)[own]
    call_row = calls(s)[call]
    if call_row.hedges and own_row.branching:
        close_race(s, own)


@handler
def retry_killed(s: State, own: int, call: int) -> None:
    """Its attempt or pause counts no longer; a copy of an attempt has nothing to do with the budget."""
    own_row = tasks(s)[own]
    call_row = calls(s)[call]
    if call_row.hears and (not (call_row.hedges and own_row.copy)):
        forget_attempt(s, own, call)


@handler
def total_timeout_killed(s: State, own: int, call: int) -> None:
    """The call is over. What its attempt goes on with nobody waits for."""
    own_row = tasks(s)[own]
    call_row = calls(s)[call]
    own_row.call_number = 0
    if call_row.propagates and own_row.child >= 0:
        forget_deadline(s, own_row.child)


@handler
def call_killed(s: State, own: int, call: int) -> None:
    """All that its layers hold, from the innermost outwards."""
    attempt_killed(s, own, call)
    pool_killed(s, own, call)
    bulkhead_killed(s, own, call)
    rate_limit_killed(s, own, call)
    breaker_killed(s, own, call)
    hedge_killed(s, own, call)
    retry_killed(s, own, call)
    total_timeout_killed(s, own, call)
