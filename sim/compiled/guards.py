"""What callers remember about callees: which guard it is, and what event log and time series hear of it."""

from __future__ import annotations

from sim.compiled.base import handler
from sim.compiled.events import log_at
from sim.compiled.rows.calls import calls, guard_of, guards
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State


@handler
def guard_for(s: State, call: int, task: int) -> int:
    """The guard of the task's replica for this call; -1: it has none."""
    first = calls(s)[call].guards
    if first < 0:
        return -1
    return guard_of(s)[first + replicas(s)[tasks(s)[task].replica].index]


@handler
def places_over_time(s: State, first: int, count: int, each: int) -> float:
    """The integral of the places of a caller, so many under each of its guards: `places_over_time` of the models.

    Where its replicas come and go, each has its own only while it is there.
    """
    guard = guards(s)[guard_of(s)[first]]
    if guard.comes_with >= 0:
        host = hosts(s)[guard.comes_with]
        return each * (host.up_area + host.up * s.now)
    return each * count * s.now


@handler
def note(s: State, task: int, call: int, kind: int, time: float) -> None:
    """What the event log hears of the guards of a call."""
    log_at(s, time, kind, subject_of(s, task, call), calls(s)[call].about, 0.0)


@handler
def subject_of(s: State, task: int, call: int) -> int:
    """Who the event log tells of: the caller, or the replica of it that has a guard of its own."""
    row = calls(s)[call]
    if row.per_replica:
        return int(row.subject + replicas(s)[tasks(s)[task].replica].index)
    return int(row.subject)
