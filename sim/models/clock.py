"""The clock of a run: events in their one order, and the queue of the tasks that have been woken.

See ARCHITECTURE.md, the order of events.

SimPy's own Process, Resource and AnyOf are not used: they add events of their own, which no second engine could repeat,
and cost several times as much. Whatever has a `then` stands in the queue of the SimPy environment, again and again;
when its time has come, or its turn in the ready queue, `then` is called with it. A plug-in may use processes and
resources of SimPy on the same environment.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import islice, repeat
from typing import Any, Protocol

import simpy
from simpy.core import EmptySchedule

from sim.policies.base import noise

CONTROL, ORDINARY, TIMER, OBSERVATION = 0, 1, 2, 3
"""Ranks of events at one instant (SimPy's priority)."""

LOOK = 1 << 18  # turns between two looks at whether time goes on


class Done(Exception):  # noqa: N818 - not an error
    """The last observation is made: the run is over."""


class Turn(Protocol):
    """What can stand in the queues of a clock."""

    @property
    def then(self) -> Callable[[Any], Any]:
        """What is called, with itself, when its time or its turn has come."""


class Clock(simpy.Environment):
    """A SimPy environment with a loop of its own: after each event, and before the next, the woken tasks run.

    Its calendar, a heap, holds (time, rank, number, event). Beside it is a first-in-first-out queue: ordinary events of
    one fixed delay, the usual length of a hop, come due in the order in which they were scheduled, and need no heap.
    The next event is the lesser of the two heads, so that the order is the same as without that queue.

    Ranks hold for times that are equal on paper, not to the last bit (`policies/base.py`): timers stand in the calendar
    by the noise of their time later than they are due, observations by twice that, and the clock shows when they are
    due.
    """

    now: float = 0.0  # a property of the base class, read some thirty times a request

    def __init__(self, fixed_delay: float = math.nan) -> None:
        super().__init__()
        self.ready: deque[Turn] = deque()  # who has been woken; they run, in this order, before the next event
        self.calendar: list[Any] = self._queue
        self.numbers: Iterator[int] = self._eid
        self.fixed_delay_queue: deque[Any] = deque()  # as in the calendar, and due after `fixed_delay`, nothing else
        self.fixed_delay = fixed_delay  # s; nan: there is none
        self.look: Callable[[int], None] = (
            _nothing  # is told now and then how many turns were taken, and raises where time stands still
        )
        self.going_on: Turn | None = None  # who goes on at once, where such a one is looked at
        self._without_pause = 0

    # -- scheduling ------------------------------------------------------------------------------------------------

    def wake(self, task: Turn) -> None:
        """Its turn comes in the ready queue: before the next event, after all who were woken before."""
        self.ready.append(task)

    def hold(self, task: Turn, delay: float) -> None:
        """Its turn comes as an ordinary event, `delay` seconds from now. Of no length it is an event all the same."""
        if delay == self.fixed_delay:
            self.fixed_delay_queue.append((self.now + delay, ORDINARY, next(self.numbers), task))
        else:
            heappush(self.calendar, (self.now + delay, ORDINARY, next(self.numbers), task))

    def schedule(self, event: Turn | simpy.Event, priority: int = ORDINARY, delay: float = 0.0) -> None:
        """Put an event into the calendar. SimPy's own processes and timeouts come here too."""
        if isinstance(event, simpy.Event):
            event = SimpyEvent(event, self.now + delay)
        heappush(self.calendar, (self.now + delay, priority, next(self.numbers), event))

    def late(self, signal: Signal, rank: int, time: float) -> None:
        """A timer or an observation at this time."""
        signal.due = time
        heappush(self.calendar, (time + (rank - ORDINARY) * noise(time), rank, next(self.numbers), signal))

    # -- running ---------------------------------------------------------------------------------------------------

    def run_tasks(self) -> None:
        """Run until somebody raises `Done`: one event, then the ready queue. A turn is an event or a task."""
        ready, calendar, fixed = self.ready, self.calendar, self.fixed_delay_queue
        event: Any
        while True:
            for _ in repeat(None, LOOK):
                if ready:
                    event = ready.popleft()
                elif fixed and fixed[0] < calendar[0]:  # which is never empty: there is an observation to come
                    self.now, _, _, event = fixed.popleft()
                else:
                    event = self._next_of_calendar()
                then = event.then
                then(event)
            self.look(LOOK)

    def go_on_at_once(self, task: Turn) -> None:
        """A task goes on without an event or a turn, where mostly there is a pause: it could be for ever."""
        self._without_pause += 1
        if self._without_pause % LOOK == 0:
            self.going_on = task
            self.look(LOOK)
            self.going_on = None

    def step(self) -> None:
        """One event and no task: SimPy's own `run` works, for those who have no world."""
        fixed = self.fixed_delay_queue
        if not fixed and not self.calendar:
            raise EmptySchedule
        event: Any
        if fixed and (not self.calendar or fixed[0] < self.calendar[0]):
            self.now, _, _, event = fixed.popleft()
        else:
            event = self._next_of_calendar()
        self._now = self.now
        event.then(event)

    def peek(self) -> float:
        """When the next event is due, s; infinite if there is none."""
        return min((head[0] for head in (*self.calendar[:1], *islice(self.fixed_delay_queue, 1))), default=math.inf)

    def _next_of_calendar(self) -> Any:  # noqa: ANN401 - a Turn
        """The first event of the calendar, whose time it is now.

        The clock does not go back for a timer whose noise others came to lie in.
        """
        before = self.now
        self.now, rank, _, event = heappop(self.calendar)
        if rank > ORDINARY:
            self.now = event.due if event.due > before or rank == OBSERVATION else before
        return event


class SimpyEvent:
    """A stock event of SimPy in the calendar: its turn is what SimPy's `step` makes of it."""

    __slots__ = ("due", "event")

    def __init__(self, event: simpy.Event, due: float):
        self.event = event
        self.due = due  # s; a plug-in may give it any rank

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
    """A re-armable event that calls one function: arrivals, faults, ticks, queues of timers."""

    __slots__ = ("due", "then")

    def __init__(self, function: Callable[[Any], None]):
        self.then = function
        self.due = 0.0  # s; of a timer or an observation: its time

    @classmethod
    def calling(cls, function: Callable[..., None], *arguments: object) -> Signal:
        """One that calls it with these arguments, as they are now: for signals that are made in a loop."""
        return cls(lambda _: function(*arguments))


def _nothing(_: object) -> None:
    """Looks at nothing."""
