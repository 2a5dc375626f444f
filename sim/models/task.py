"""Threads of control: a task is one attempt (or one consumer, relay, user), written as a generator on a single re-armed event.

SimPy's own Process, Resource and AnyOf are not used: they add events of their own, which no second engine could repeat, and cost
several times as much. A task *is* a `simpy.Event` that is scheduled again and again; its callback resumes the generator.

    hold:   self.hold(task, seconds); yield      come back after some time
    park:   yield                                come back when somebody puts the task into `world.ready`

A generator never returns to the event loop: its last statement is a bare `yield`, after which the task is simply forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import simpy

from sim.vocabulary import Outcome

if TYPE_CHECKING:
    from sim.models.host import Replica
    from sim.models.link import Hop
    from sim.models.request import Request

Flow = Generator[None, None, None]
Schedule = Callable[[simpy.Event, int, float], None]
Steps = list[tuple[int, Callable[..., Any]]]
Act = Generator[None, None, int]  # a part of a flow that ends with an outcome code

CONTROL, ORDINARY, TIMER, OBSERVATION = 0, 1, 2, 3
"""Ranks of events at one instant (SimPy's priority): see ARCHITECTURE.md, the order of events."""


ACT, RUN, PASS = 0, 1, 2
"""A step takes no time, or is a generator, or is nothing but time (passed without a generator of its own)."""

OK, DEGRADED, SHED, ERROR, UNREACHABLE = int(Outcome.OK), int(Outcome.DEGRADED), int(Outcome.SHED), int(Outcome.ERROR), int(Outcome.UNREACHABLE)
NOWHERE, IN_QUEUE, ON_CPU = 0, 1, 2


class Done(Exception):  # noqa: N818 - not an error
    """The last observation is made: the run is over."""


class Clock(simpy.Environment):
    """A SimPy environment with a loop of its own: after each event, and before the next, the woken tasks run.

    `now` is a plain attribute and `schedule` a closure, which is all that makes it faster; processes and resources run on it as ever.
    """

    now: float = 0.0  # a property of the base class, read some thirty times a request
    schedule: Schedule  # type: ignore[assignment]  # ranks of our own, for SimPy's two

    def __init__(self) -> None:
        super().__init__()
        queue: list[Any] = self._queue
        next_number: Callable[[], int] = self._eid.__next__

        def schedule(event: simpy.Event, priority: int = ORDINARY, delay: float = 0.0) -> None:
            heappush(queue, (self.now + delay, priority, next_number(), event))

        self.schedule = schedule
        self.calendar: list[Any] = queue  # for those few who push (time, rank, number(), event) themselves
        self.number = next_number

    def run_tasks(self, ready: deque[Any]) -> None:
        """Run until somebody raises `Done`: what `step()` does, then the ready queue."""
        queue = self._queue
        next_ready = ready.popleft
        while ready:
            next_ready().send(None)
        while True:
            event: Any
            self.now, _, _, event = heappop(queue)
            callbacks = event.callbacks
            event.callbacks = None
            for callback in callbacks:
                callback(event)
            if not event._ok and not hasattr(event, "_defused"):  # a failed event of a plug-in that nobody looked after
                raise event._value
            while ready:
                next_ready().send(None)


class Signal(simpy.Event):
    """A re-armable event that calls one function: arrivals, faults, ticks, lanes of timers."""

    __slots__ = ("callbacks", "calls")
    _ok = True
    _value = None

    def __init__(self, function: Callable[[Any], None]):  # super().__init__ would make a one-shot event
        self.calls = [function]
        self.callbacks = self.calls

    def at(self, schedule: Schedule, rank: int, delay: float) -> None:
        """Fire once, `delay` seconds from now."""
        self.callbacks = self.calls
        schedule(self, rank, delay)


class Task(simpy.Event):
    """One attempt at something, and what it holds while it is at it."""

    __slots__ = (
        "arrived",  # s; at the replica; set where the host keeps track
        "back",  # the hop that its answer takes
        "callbacks",
        "caller",  # who is woken by the answer: a Task or a Request; None: nobody any more
        "calling",  # (call, ticket of its breaker, replica) of a guarded attempt that it waits for; unset or None: none
        "chain",  # the retry and redelivery numbers along its path, folded into one number: the `attempt` of its draws
        "children",  # the attempt, or the list of branches, that it waits for now; None
        "granted",  # holds a place at its replica
        "outcome",  # of what it waited for, and at last its own
        "position",  # of the next step, where steps are walked without a generator
        "replica",  # where it runs
        "request",
        "seconds",  # how long the present step takes, where steps are walked without a generator
        "send",  # resumes the generator
        "started",  # s; when it got its place, nan while it has none; set where the host keeps track
        "ticket",  # counts what it has waited for: a timer of an older ticket is stale
        "wake",  # the callback list that resumes it
        "where",  # index of the name of the place where `outcome` arose
    )
    arrived: float
    back: Hop | None
    callbacks: Any
    caller: Any
    chain: int
    children: Any
    granted: bool
    outcome: int
    position: int
    replica: Replica
    seconds: float
    request: Request  # consumers, relays and users have another one from time to time, and none before the first
    send: Callable[[Any], Any]
    calling: Any
    started: float
    ticket: int
    wake: Any
    where: int
    _ok = True
    _value = None
    # what is rarely set is not a slot, so that making a task costs nothing for it
    abandoned = False  # nobody waits for what this does, or for what that is part of
    again = False  # a retry or redelivery stands somewhere on its path
    attempt: Any = None  # the attempt that it is a branch of
    degraded = False  # a fallback stood in for something below
    flow = -1  # its number, where spans are kept and it is part of a request's way
    guard: Any = None  # the guard whose bulkhead permit it holds
    own_thread = False  # a consumer or relay: runs on a thread of its own, not on a worker of its replica
    waits = 0  # where it stands: NOWHERE, IN_QUEUE of its replica, ON_CPU

    def __init__(
        self, request: Request | None, chain: int, caller: Task | Request | None, replica: Replica | None
    ):  # super().__init__ would make a one-shot event
        self.request = request  # type: ignore[assignment]
        self.chain = chain
        self.caller = caller
        self.replica = replica  # type: ignore[assignment]
        self.back = None
        self.children = None
        self.granted = False
        self.where = -1
        self.ticket = 0

    def begin(self, flow: Flow) -> None:
        """Bind the generator; it runs when the task is held or put into the ready queue."""
        self.send = flow.send
        self.wake = [flow.send]

    def forget(self) -> None:
        """Break the cycle task -> generator -> task, so that both are freed at once."""
        self.send = nothing
        self.wake = None

    def silence(self) -> None:
        """Never run again, whatever is still scheduled for it."""
        self.callbacks = []
        self.send = nothing
        self.wake = [nothing]


def at_once(task: Task, go: Callable[[Task], None]) -> None:
    """When its turn in the ready queue comes, let the task `go`."""

    def send(_: object) -> None:
        task.send = nothing  # breaks the cycle task -> send -> task
        go(task)

    task.send = send


def nothing(_: object) -> None:
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
