"""Rows of what is to come: events in wheel, heap and queue of fixed delays, the ready queue, and timers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.compiled.rows.declaring import Perhaps, Reference, Row
from sim.compiled.rows.running import Task
from sim.compiled.rows.tables import Pool, Returning, Table, Taking

if TYPE_CHECKING:
    from sim.compiled.rows.traffic import Workload


class Event(Row):
    """Something that happens at a time; 32 bytes: two of them to a line of the cache."""

    time: float
    order: int  # rank and sequence: see calendar.py
    what: int  # kind and index of what it is about
    next: Perhaps[Event]  # of its bucket in the wheel, or of the free ones


class Timer(Row):
    """Ends a wait of a task, unless that is over before."""

    deadline: float
    ticket: int  # of the wait, or number of the call; an old one is stale
    task: Reference[Task]
    next: Perhaps[Timer]
    workload: Perhaps[Workload]  # whose client's patience it ends; said by timers with an event of their own


class TimerLane(Row):
    """Timers of one duration and purpose, which end in the order in which they begin."""

    duration: float
    due: float  # of its event, where it has one
    purpose: int  # OF_QUEUE ... in calendar.py
    owner: int  # the call, workload or host, by its purpose
    first: Perhaps[Timer]
    last: Perhaps[Timer]
    whole_call: bool  # its timers carry the number of a call, and not the ticket of a wait
    armed: bool  # it has an event


heap = Table("heap", Event)
fixed_delay_queue = Table("fixed_delay_queue", Event)
near_events = Table("near_events", Event)
wheel = Table("wheel", int)
"""The first event of each bucket; -1: none."""
used = Table("used", int)
"""A bit for each bucket of the wheel: there is something in it."""
ready = Table("ready", int)
"""The ready queue, a ring: a task, or a request r as -1 - r."""
timers = Table("timers", Timer, pool=Pool(1 << 10))
timer_lanes = Table("timer_lanes", TimerLane)

take_timer, give_back_timer = Taking(timers), Returning(timers)
