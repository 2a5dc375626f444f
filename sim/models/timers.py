"""Timeouts of one length stand in a queue, first in first out, with a single armed event for the head.

A timer is never cancelled: it holds the ticket of what its task was waiting for, and an older ticket is stale when its
turn comes. So a timeout that does not happen costs one append, whatever the load.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from sim.models.clock import TIMER, Clock, Signal


class TimerQueue:
    """All timers of one duration and one purpose, of tasks or of whatever else has a `ticket` that changes when it need
    not expire any more.
    """

    __slots__ = ("armed", "duration", "entries", "env", "expire", "signal")

    def __init__(self, env: Clock, duration: float, expire: Callable[[Any], None]):
        self.env = env
        self.duration = duration
        self.expire = expire  # called for a task that still waits for what it waited for when the timer was armed
        self.entries: deque[tuple[float, Any, int]] = deque()
        self.armed = False
        self.signal = Signal(self._fire)

    def arm(self, task: Any) -> float:  # noqa: ANN401 - it has a ticket
        """Expire the task's present wait `duration` from now, unless it ends before; when that is, s."""
        due = self.env.now + self.duration
        self.entries.append((due, task, task.ticket))
        if not self.armed:
            self.armed = True
            self.env.late(self.signal, TIMER, due)
        return due

    def _fire(self, _: object) -> None:
        now = self.env.now
        entries = self.entries
        while entries:
            deadline, task, ticket = entries[0]
            if task.ticket != ticket:
                entries.popleft()
            elif deadline <= now:
                entries.popleft()
                self.expire(task)
            else:
                self.env.late(self.signal, TIMER, deadline)
                return
        self.armed = False
