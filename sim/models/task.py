"""Threads of control: a task is one attempt (or one consumer, relay, user), written as a generator on a single re-armed event.

SimPy's own Process, Resource and AnyOf are not used: they add events of their own, which no second engine could repeat, and cost
several times as much. A task *is* a `simpy.Event` that is scheduled again and again; its callback resumes the generator.

    hold:   self.hold(task, seconds); yield      come back after some time
    park:   yield                                come back when somebody puts the task into `world.ready`

A generator never returns to the event loop: its last statement is a bare `yield`, after which the task is simply forgotten. The
flow of an attempt also begins with one, at which it stands while the attempt is on its way to the callee.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import simpy

if TYPE_CHECKING:
    from sim.models.host import Replica
    from sim.models.request import Request

Flow = Generator[None, None, None]
Act = Generator[None, None, int]  # a part of a flow that ends with an outcome code

CONTROL, ORDINARY, TIMER, OBSERVATION = 0, 1, 2, 3
"""Ranks of events at one instant (SimPy's priority): see ARCHITECTURE.md, the order of events."""


NOWHERE, IN_QUEUE, ON_CPU = 0, 1, 2


class Signal(simpy.Event):
    """A re-armable event that calls one function: arrivals, faults, ticks, lanes of timers."""

    __slots__ = ("callbacks", "calls")
    _ok = True
    _value = None

    def __init__(self, function: Callable[[Any], None]):  # super().__init__ would make a one-shot event
        self.calls = [function]
        self.callbacks = self.calls

    def at(self, schedule: Callable[[Any, int, float], None], rank: int, delay: float) -> None:
        """Fire once, `delay` seconds from now."""
        self.callbacks = self.calls
        schedule(self, rank, delay)


class Task(simpy.Event):
    """One attempt at something, and what it holds while it is at it."""

    __slots__ = (
        "abandoned",  # nobody waits for what this does, or for what that is part of
        "again",  # a retry or redelivery stands somewhere on its path
        "arrived",  # s; at the replica
        "back",  # the hop that its answer takes
        "callbacks",
        "caller",  # who is woken by the answer: a Task or a Request; None: nobody any more
        "chain",  # the retry and redelivery numbers along its path, folded into one number: the `attempt` of its draws
        "children",  # the attempts, or branches, that it waits for now: a Task, a list of them, or None
        "degraded",  # a fallback stood in for something below
        "granted",  # holds a place at its replica
        "guard",  # the guard whose bulkhead permit it holds
        "outcome",  # of what it waited for
        "own_thread",  # a consumer or relay: runs on a thread of its own, not on a worker of its replica
        "replica",  # where it runs
        "request",
        "send",  # resumes the generator
        "started",  # s; when it got its place
        "ticket",  # counts what it has waited for: a timer of an older ticket is stale
        "waits",  # where it stands: NOWHERE, IN_QUEUE of its replica, ON_CPU
        "wake",  # the callback list that resumes it
        "where",  # index of the name of the place where `outcome` arose
    )
    _ok = True
    _value = None

    def __init__(self, request: Request | None, chain: int, caller: Any, replica: Replica | None):
        self.request = request
        self.chain = chain
        self.caller = caller
        self.replica = replica
        self.abandoned = False
        self.again = False
        self.children = None
        self.degraded = False
        self.back = None
        self.granted = False
        self.own_thread = False
        self.waits = NOWHERE
        self.guard = None
        self.outcome = 0
        self.where = -1
        self.ticket = 0
        self.arrived = math.nan
        self.started = math.nan

    def begin(self, flow: Flow) -> None:
        """Bind the generator; it runs when the task is held or put into the ready queue."""
        self.send = flow.send
        self.wake = [flow.send]

    def forget(self) -> None:
        """Break the cycle task -> generator -> task, so that both are freed at once."""
        self.send = _nothing
        self.wake = None

    def silence(self) -> None:
        """Never run again, whatever is still scheduled for it."""
        self.callbacks = []
        self.send = _nothing
        self.wake = [_nothing]


def _nothing(_: Any) -> None:
    """What a silenced task does when its event fires."""


def abandon(task: Task) -> None:
    """Nobody waits for this task any more: what it and its children still do is wasted. It goes on."""
    task.abandoned = True
    children = task.children
    if children is None:
        return
    for child in children if isinstance(children, list) else (children,):
        if not child.abandoned:
            abandon(child)
