"""The kernel's side of a listening socket: connections that a full or a frozen process has not accepted.

Not modelled: the connect timeout begins when the first SYN arrives, not when it was sent; SYNs that are sent again are
not lost on their way; a restart of the process resets at once what its kernel kept, and those who knock; whoever has
given up stays in the backlog, and is accepted in his turn; tcp_abort_on_overflow.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from sim.models.clock import Clock
from sim.models.context import Context
from sim.models.outcomes import OK, UNREACHABLE
from sim.models.spell import Spell
from sim.models.task import Activity, Replica, Task
from sim.models.timers import TimerQueue
from sim.policies.connecting import FIRST_PAUSE, GROWTH
from sim.vocabulary import EventKind


class Process(Protocol):
    """What is asked of the host whose process accepts."""

    env: Clock
    name: str
    capacity: float
    patience: TimerQueue | None

    def grant(self, task: Task, replica: Replica) -> None:
        """Take a place, of which there is a free one."""

    def wait_in_queue(self, task: Task, replica: Replica, midway: bool = False) -> None:
        """Join the queue."""

    def count_outside(self, task: Task, replica: Replica) -> None:
        """One more waits outside of the process."""

    def come_inside(self, task: Task, replica: Replica) -> None:
        """One less."""


class Listening:
    """The backlogs of all replicas of a host."""

    def __init__(self, context: Context, host: Process, backlog: int, replicas: Sequence[Replica]):
        self.host = host
        self.env = context.env
        self.most = backlog + 1  # Linux refuses where there are more than the backlog (sk_acceptq_is_full)
        self.lines: list[deque[tuple[Task, int]]] = [deque() for _ in replicas]  # with tickets; old ones have left
        self.inside = [0] * len(replicas)  # connections that the kernel of each keeps
        self.dropped = 0  # SYNs
        self.overflow = Spell(
            context.recorder, EventKind.LISTEN_OVERFLOW_BEGAN, EventKind.LISTEN_OVERFLOW_ENDED, host.name
        )
        context.recorder.watch(host.name, "listen_overflows", "total", lambda _: self.dropped)

    def connect(self, task: Task, replica: Replica) -> Activity:
        """OK when the kernel takes the connection, or when there is no process any more to ask for one; UNREACHABLE
        when whoever asks gives up.
        """
        left, pause = task.connect, FIRST_PAUSE
        task.started = math.nan
        while self.inside[replica.index] >= self.most:
            self.dropped += 1
            self.overflow.note(self.env.now)
            self.env.hold(task, min(pause, left))
            yield
            if left <= pause or (task.caller is None and task.abandoned):
                task.back = None  # no answer travels: the kernel of whoever asks says so
                return UNREACHABLE
            left -= pause
            pause *= GROWTH
        return OK

    def wait(self, task: Task, replica: Replica) -> None:
        """Be the last of those whom the process has yet to accept; who is, has a place or stands in the queue."""
        self.lines[replica.index].append((task, task.ticket))
        self.host.count_outside(task, replica)

    def accept(self, replica: Replica) -> None:
        """The process takes as many connections as it has room for, in the order in which they came."""
        host, line = self.host, self.lines[replica.index]
        while line and not replica.closed and (replica.free or replica.waiting < host.capacity):
            task, ticket = line.popleft()
            if task.ticket != ticket:
                continue
            host.come_inside(task, replica)
            if replica.free:
                host.grant(task, replica)
                task.outcome = OK
                self.env.wake(task)
                continue
            host.wait_in_queue(task, replica)
            if host.patience is not None:
                host.patience.arm(task)
