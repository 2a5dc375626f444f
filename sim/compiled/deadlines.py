"""Deadlines that are handed on: who was told until when its answer is waited for."""

from __future__ import annotations

import math

from sim.compiled.apart import by_address
from sim.compiled.base import handler
from sim.compiled.calendar import arm_at, arm_total
from sim.compiled.rows.calls import calls
from sim.compiled.rows.events import timer_lanes
from sim.compiled.rows.running import tasks, told
from sim.compiled.rows.state import State
from sim.policies import base

reached = base.reached.compiled


@by_address
@handler
def begin_in_time(s: State, task: int, call: int) -> bool:
    """Begin a call that ends by its own time limit, or when nobody waits for its caller; False: nobody does now."""
    own, row = tasks(s)[task], calls(s)[call]
    until = told(s)[own.attempt if own.attempt >= 0 else task].until
    if reached(s.now, until):
        return False
    limit = s.now + timer_lanes(s)[row.total_lane].duration if row.total_lane >= 0 else math.inf
    if until < limit:
        arm_at(s, task, until)
    elif row.total_lane >= 0:
        arm_total(s, row.total_lane, task)
    else:
        own.deadline = math.inf
    return True


@by_address
@handler
def tell_deadline(s: State, task: int, call: int, attempt: int) -> None:
    """Until when the answer of an attempt is waited for."""
    row = calls(s)[call]
    until = tasks(s)[task].deadline
    if row.lane >= 0:
        until = min(until, s.now + timer_lanes(s)[row.lane].duration)
    told(s)[attempt].until = until


@handler
def tell_patience(s: State, attempt: int, until: float) -> None:
    """How long a client waits for it."""
    told(s)[attempt].until = until


@handler
def forget_deadline(s: State, attempt: int) -> None:
    """Nobody waits for it any more."""
    told(s)[attempt].until = math.inf
