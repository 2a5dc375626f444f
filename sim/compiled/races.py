"""Races of hedged calls: copies of one attempt, each a task that comes to the same call (`models/layers/hedge.py`).

What is told of one from outside; how it is run, and who wins, stands in `racing.py`.
"""

from __future__ import annotations

from sim.compiled.answers import PARK
from sim.compiled.apart import by_address
from sim.compiled.base import handler
from sim.compiled.calendar import make_ready
from sim.compiled.lists import add_last, unlink
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.running import races, tasks
from sim.compiled.rows.state import State
from sim.compiled.tasks import FINISHED, forget


@handler
def copy_due(s: State, timer: int) -> None:
    """It is time for one more copy, unless the race is over, or that was found out by other means."""
    task = tasks(s)[timer].caller
    if races(s)[task].number == tasks(s)[timer].tries:
        wake_racing(s, task)
    forget(s, timer)


@handler
def wake_racing(s: State, task: int) -> None:
    """Let it look at its copies, once."""
    row = races(s)[task]
    if row.open and not row.woken:
        row.woken = True
        make_ready(s, task)


@by_address
@handler
def copy_over(s: State, copy: int) -> int:
    """It has ended, and its race looks how. It comes back no more."""
    task = tasks(s)[copy].caller
    leave_running(s, task, copy)
    add_last(tasks(s), races(s)[task].over, copy)
    tasks(s)[copy].caller = NOBODY
    tasks(s)[copy].on_wake = FINISHED
    wake_racing(s, task)
    return int(PARK)


@handler
def leave_running(s: State, task: int, copy: int) -> None:
    """It runs no longer."""
    own, following = tasks(s)[task], tasks(s)[copy].sibling
    tasks(s)[copy].sibling = NOBODY
    if own.child == copy:
        own.child = following
        return
    before = own.child
    while tasks(s)[before].sibling != copy:
        before = tasks(s)[before].sibling
    tasks(s)[before].sibling = following


@handler
def close_race(s: State, task: int) -> None:
    """Forget those that are over."""
    row = races(s)[task]
    row.open = False
    while row.over.first >= 0:
        copy = row.over.first
        unlink(tasks(s), row.over, copy)
        forget(s, copy)
    if row.latest >= 0:
        forget(s, row.latest)
        row.latest = NOBODY
