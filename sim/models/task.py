"""Threads of control: a task is one attempt (or one consumer, relay, user), and knows what it will do `then`, when its turn comes.

SimPy's own Process, Resource and AnyOf are not used: they add events of their own, which no second engine could repeat, and cost
several times as much. A task itself stands in the queue of the SimPy environment, again and again; when its time has come, or its turn
in the ready queue, `task.then(task)` is called. Most tasks are generators, which `then` resumes:

    hold:   self.hold(task, seconds); yield      come back after some time
    park:   yield                                come back when somebody puts the task into `world.ready`

A generator never returns to the event loop: its last statement is a bare `yield`, after which the task is simply forgotten.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator
from heapq import heappop, heappush
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any

import simpy
from simpy.core import EmptySchedule

from sim.policies.base import noise
from sim.vocabulary import Outcome

if TYPE_CHECKING:
    from sim.models.call import Call
    from sim.models.host import Replica
    from sim.models.link import Hop
    from sim.models.request import Request

Flow = Generator[None, None, None]
Schedule = Callable[["Signal | Task | simpy.Event", int, float], None]
Steps = list[tuple[int, Any]]  # (manner, a behaviour; for PASS its Demand, for CALL its Call)
Act = Generator[None, None, int]  # a part of a flow that ends with an outcome code

CONTROL, ORDINARY, TIMER, OBSERVATION = 0, 1, 2, 3
"""Ranks of events at one instant (SimPy's priority): see ARCHITECTURE.md, the order of events."""


ACT, RUN, PASS, CALL = 0, 1, 2, 3
"""A step takes no time, or is a generator; or needs none, since it is nothing but time, or a call without a fallback."""

WAITING = -1
"""In the place of an outcome code: not over yet, the task will be woken."""

LOOK = 1 << 18  # turns between two looks at whether time goes on

OK, DEGRADED, SHED, ERROR, UNREACHABLE = int(Outcome.OK), int(Outcome.DEGRADED), int(Outcome.SHED), int(Outcome.ERROR), int(Outcome.UNREACHABLE)
NOWHERE, IN_QUEUE, ON_CPU, OUTSIDE = 0, 1, 2, 3


class Done(Exception):  # noqa: N818 - not an error
    """The last observation is made: the run is over."""


class Clock(simpy.Environment):
    """A SimPy environment with a loop of its own: after each event, and before the next, the woken tasks run.

    Its calendar, a heap, holds (time, rank, number, event), where an event has a `then`. Beside it is a first-in-first-out queue: ordinary events of one
    fixed delay, the usual length of a hop, come due in the order in which they were scheduled, and need no heap. The next event is the lesser of
    the two heads, so that the order is the same as without that queue. Processes and resources of SimPy run on it as ever.

    Ranks hold for times that are equal on paper, not to the last bit (`policies/base.py`): timers stand in the queue by the noise of their time later
    than they are due, observations by twice that, and the clock shows when they are due.
    """

    now: float = 0.0  # a property of the base class, read some thirty times a request
    schedule: Schedule  # type: ignore[assignment]  # ranks of our own, for SimPy's two

    def __init__(self, fixed_delay: float = math.nan) -> None:
        super().__init__()
        queue: list[Any] = self._queue
        numbers: Iterator[int] = self._eid

        def schedule(event: Any, priority: int = ORDINARY, delay: float = 0.0) -> None:  # noqa: ANN401 - whatever has a `then`
            if isinstance(event, simpy.Event):
                event = Stock(event, self.now + delay)
            heappush(queue, (self.now + delay, priority, next(numbers), event))

        def late(signal: Signal, rank: int, time: float) -> None:
            signal.due = time
            heappush(queue, (time + (rank - ORDINARY) * noise(time), rank, next(numbers), signal))

        self.ready: deque[Any] = deque()  # woken tasks; they run, in this order, before the next event
        self.schedule = schedule
        self.late: Callable[[Signal, int, float], None] = late  # a timer or an observation, at this time
        self.calendar: list[Any] = queue  # for those few who push (time, rank, next(numbers), event) themselves
        self.numbers = numbers
        self.fixed_delay_queue: deque[Any] = deque()  # the same, due after `fixed_delay`, nothing else
        self.fixed_delay = fixed_delay  # s
        self.look: Callable[[int], None] = nothing  # is told now and then how many turns were taken, and raises where time stands still
        self.dallying: Task | None = None  # who goes on at once, where such a one is looked at
        self._dallied = 0

    def run_tasks(self) -> None:
        """Run until somebody raises `Done`: one event, then the ready queue. A turn is an event or a task."""
        queue = self._queue
        fixed_delay_queue = self.fixed_delay_queue
        next_fixed = fixed_delay_queue.popleft
        ready = self.ready
        next_ready = ready.popleft
        while True:
            for _ in repeat(None, LOOK):
                if ready:
                    task: Any = next_ready()
                    then = task.then
                    then(task)
                    continue
                event: Any
                if fixed_delay_queue and fixed_delay_queue[0] < queue[0]:  # the queue is never empty: there is always an observation to come
                    self.now, _, _, event = next_fixed()
                else:
                    before = self.now
                    self.now, rank, _, event = heappop(queue)
                    if rank > ORDINARY:
                        self.now = event.due if event.due > before or rank == OBSERVATION else before
                then = event.then
                then(event)
            self.look(LOOK)

    def dally(self, task: Task) -> None:
        """A task goes on at once, without an event or a turn, where mostly there is a pause: it could be for ever."""
        self._dallied += 1
        if self._dallied % LOOK == 0:
            self.dallying = task
            self.look(LOOK)
            self.dallying = None

    def step(self) -> None:
        """One event and no task: SimPy's own `run` works, for those who have no world."""
        if not self.fixed_delay_queue and not self._queue:
            raise EmptySchedule
        fixed = self.fixed_delay_queue and (not self._queue or self.fixed_delay_queue[0] < self._queue[0])
        event: Any
        before = self.now
        self.now, rank, _, event = self.fixed_delay_queue.popleft() if fixed else heappop(self._queue)
        if rank > ORDINARY:
            self.now = event.due if event.due > before or rank == OBSERVATION else before
        self._now = self.now
        event.then(event)

    def peek(self) -> float:
        """When the next event is due, s; infinite if there is none."""
        return min((head[0] for head in (*self._queue[:1], *islice(self.fixed_delay_queue, 1))), default=math.inf)


class Stock:
    """An event of SimPy's own in the queue, of a plug-in: it calls back whoever waits for it."""

    __slots__ = ("due", "event")

    def __init__(self, event: simpy.Event, due: float):
        self.event = event
        self.due = due  # s

    def then(self, _: object) -> None:
        """What SimPy's `step` does."""
        event: Any = self.event
        callbacks = event.callbacks
        event.callbacks = None
        for callback in callbacks:
            callback(event)
        if not event._ok and not hasattr(event, "_defused"):  # a failed event that nobody looked after
            raise event._value


class Signal:
    """A re-armable event that calls one function: arrivals, faults, ticks, lanes of timers."""

    __slots__ = ("due", "then")

    def __init__(self, function: Callable[[Any], None]):
        self.then = function
        self.due = 0.0  # s; of a timer or an observation: its time

    def at(self, schedule: Schedule, rank: int, delay: float) -> None:
        """Fire once, `delay` seconds from now."""
        schedule(self, rank, delay)


class Task:
    """One attempt at something, and what it holds while it is at it."""

    __slots__ = (
        "abandoned",  # nobody waits for what this does, or for what that is part of
        "admitted",  # the ticket that the breaker of the call that it makes has given to the present attempt
        "arrived",  # s; at the replica; set where the host keeps track
        "attempt",  # the attempt that it is a branch of
        "back",  # the hop that its answer takes
        "began",  # s; when it made the present attempt of its call
        "callee",  # the replica to which it has sent the present attempt of its call; None: not sent
        "caller",  # who is woken by the answer: a Task or a Request; None: nobody any more
        "calling",  # the call of which it makes an attempt; None: none
        "chain",  # the retry and redelivery numbers along its path, folded into one number: the `attempt` of its draws
        "children",  # the attempt, or the list of branches, that it waits for now; None
        "degraded",  # a fallback stood in for something below
        "errand",  # the call that it makes, where all of it together has a time limit
        "flow",  # its number, where spans are kept and it is part of a request's way
        "generator",  # until it has started
        "granted",  # holds a place at its replica
        "guard",  # the guard whose bulkhead permit it holds
        "mark",  # of its site and path, for what goes to a host; 0: its request cannot come that way twice
        "memory",  # the guard of the call that it makes
        "outcome",  # of what it waited for, and at last its own: as it is answered
        "own_thread",  # a consumer or relay: runs on a thread of its own, not on a worker of its replica
        "path",  # its chain without retry and redelivery numbers: the same for every attempt of the same
        "pause",  # s; the last back-off of its call
        "producer",  # of a publication: the replica that sends it
        "replica",  # where it runs
        "request",
        "root",  # why it failed in the first place, where that is another outcome than the one that is answered; 0: it is not
        "seconds",  # how long the present step takes, where steps need no generator
        "started",  # s; when it got its place, nan while it has none; set where the host keeps track
        "then",  # what is called, with the task, when its time or its turn has come
        "ticket",  # counts what it has waited for: a timer of an older ticket is stale
        "tries",  # how many attempts of the call that it makes are over
        "waits",  # where it stands: NOWHERE, IN_QUEUE of its replica, ON_CPU, OUTSIDE of it, which is frozen
        "where",  # index of the name of the place where `outcome` arose
        "worked",  # s; before it was abandoned
    )
    admitted: int
    arrived: float
    attempt: Task | None
    back: Hop | None
    began: float
    callee: Replica | None
    caller: Any
    calling: Call | None
    children: Any
    errand: Any
    generator: Flow | None
    guard: Any
    mark: int
    memory: Any
    outcome: int
    pause: float
    producer: Replica
    replica: Replica
    root: int
    request: Request  # consumers, relays and users have another one from time to time, and none before the first
    seconds: float
    started: float
    then: Callable[[Any], Any]
    tries: int

    def __init__(self, request: Request | None, chain: int, path: int, caller: Task | Request | None, replica: Replica | None):
        self.request = request  # type: ignore[assignment]  # None only until there is one: a test at each use would cost more than it tells
        self.chain = chain
        self.path = path
        self.caller = caller
        self.replica = replica  # type: ignore[assignment]  # the same
        self.abandoned = False
        self.attempt = None
        self.back = None
        self.calling = None
        self.children = None
        self.degraded = False
        self.flow = -1
        self.granted = False
        self.guard = None
        self.own_thread = False
        self.root = 0
        self.ticket = 0
        self.waits = NOWHERE
        self.where = -1
        self.worked = 0.0

    def begin(self, flow: Flow) -> None:
        """Bind the generator; it runs when the task is held or put into the ready queue."""
        self.generator = flow
        self.then = start

    def silence(self) -> None:
        """Never run again, whatever is still scheduled for it. Breaks the cycle task -> generator -> task, so that both are freed at once."""
        self.generator = None
        self.then = nothing


def start(task: Task) -> None:
    """The first turn of a generator; afterwards it is resumed straight."""
    flow, task.generator = task.generator, None
    assert flow is not None
    task.then = flow.send
    next(flow)


def nothing(_: object) -> None:
    """What a silenced task does when its time or its turn comes."""


def abandon(task: Task) -> None:
    """Nobody waits for this task any more: what it and its children have done, and still do, is wasted. It goes on."""
    if not task.abandoned:
        task.abandoned = True
        task.replica.host.account.work_wasted += task.worked
    children = task.children
    if children is None:
        return
    for child in children if isinstance(children, list) else (children,):
        if not child.abandoned:
            abandon(child)
