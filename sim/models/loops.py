"""Event loops to which connections are pinned: a request waits for its connection's thread, though others are idle.

Not modelled: work that a loop hands to another (thread pools of Netty or libuv), connections that are moved, and how
long connections last: of a user it is one for the whole run; a service that calls has several to each replica, and
takes any of them for a call.
"""

from __future__ import annotations

from collections import deque

from sim.models.context import Context
from sim.models.request import Request
from sim.models.task import Outside, Replica, Task


class Loops:
    """The threads of all replicas of a host, each with a line of its own."""

    def __init__(self, context: Context, name: str, workers: int, replicas: int):
        self.workers = workers
        self.chance = context.uniform(f"{name}.loop")
        self.taken = [[False] * workers for _ in range(replicas)]
        self.lines: list[list[deque[tuple[Task, int]]]] = [[deque() for _ in range(workers)] for _ in range(replicas)]

    def choose(self, task: Task) -> None:
        """The loop of an attempt that arrives: that of its user's connection where a client asks, else any."""
        caller, request = task.caller, task.request
        outside = isinstance(caller, Task) and isinstance(caller.replica.host, Outside)
        if (outside or isinstance(caller, Request)) and request.user >= 0:
            task.loop = request.user % self.workers
        else:
            task.loop = min(int(self.chance(request.id, task.chain) * self.workers), self.workers - 1)

    def of(self, task: Task) -> int:
        """The loop of a task: that of its attempt, if it is a branch of one."""
        if task.loop < 0:
            if task.attempt is not None and task.attempt.loop >= 0:
                task.loop = task.attempt.loop
            else:
                self.choose(task)
        return task.loop

    def is_free(self, task: Task, replica: Replica) -> bool:
        """Whether its loop is idle."""
        return not self.taken[replica.index][self.of(task)]

    def take(self, task: Task, replica: Replica) -> None:
        """It is busy from now on."""
        self.taken[replica.index][self.of(task)] = True

    def join(self, task: Task, replica: Replica) -> None:
        """Stand in its line."""
        self.lines[replica.index][self.of(task)].append((task, task.ticket))

    def leave(self, task: Task, replica: Replica) -> Task | None:
        """Who has the loop of this task next; None: nobody, it is idle."""
        line = self.lines[replica.index][task.loop]
        while line:
            heir, ticket = line.popleft()
            if heir.ticket == ticket:
                return heir
        self.taken[replica.index][task.loop] = False
        return None
