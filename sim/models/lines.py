"""Queues before workers that are neither first in first out nor last in first out: who is next, and who is dropped.

A `Line` is the queue of one replica. Entries of tasks that gave up stay in it and are skipped, as in the plain queues.
Places are handed over when they are given back; only a newcomer of a preemptive queue interrupts somebody.

Not modelled: the time that an interruption takes, the growing drop rate of RFC 8289, weights of fair queueing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from functools import partial
from heapq import heappop, heappush
from typing import Protocol

from sim.models.identity import Identities
from sim.models.recorder import Recorder
from sim.models.task import Replica, Task
from sim.policies import codel as controlled
from sim.policies.base import passed
from sim.spec.queueing import Queue

Entry = tuple[Task, int]  # with its ticket: an older one is stale
KeyOf = Callable[[Task], Hashable | None]


class Line(Protocol):
    """The queue of one replica."""

    def join(self, task: Task, now: float, first: bool) -> None:
        """Stand in it; `first`: nobody else does."""

    def next(self, now: float) -> tuple[Task | None, bool]:
        """Who is next, and whether he is dropped rather than served; None: nobody who is still there."""

    def give_way(self, task: Task) -> Task | None:
        """Who has to leave a full line for this newcomer; None: nobody, it is refused itself."""


class Lines:
    """The lines of all replicas of one host."""

    def __init__(self, spec: Queue, recorder: Recorder, name: str, identities: Identities):
        self.spec = spec
        self.recorder = recorder
        self.identities = identities
        self.by_endpoint = spec.key == "endpoint" and spec.discipline in ("priority", "edf")
        self.prefix = f"{name}."  # of the names of endpoints in the records
        self.lines: dict[Replica, Line] = {}
        self.midway: set[Task] = set()  # who waits for a worker again: what is begun is not dropped
        self.interrupted: dict[Task, float] = {}  # core-seconds that their work has still to last
        if spec.discipline == "priority":
            self._watch(name)

    def join(self, task: Task, replica: Replica, now: float, midway: bool) -> None:
        """Stand in the line of a replica."""
        if midway:
            self.midway.add(task)
        self.of(replica).join(task, now, replica.waiting == 0)

    def interrupt(self, task: Task, replica: Replica, seconds: float) -> None:
        """Stand before the others of one's class, with so much work to do."""
        line = self.of(replica)
        assert isinstance(line, Priorities)
        self.midway.add(task)
        self.interrupted[task] = seconds
        line.join_first(task)

    def victim(self, newcomer: Task, replica: Replica) -> Task | None:
        """Whose work a newcomer interrupts: of the last class after his own, who began last; None: nobody's."""
        line, cpu = self.of(replica), replica.cpu
        assert isinstance(line, Priorities)
        assert cpu is not None
        mine = line.class_of(newcomer)
        at_work = ((line.class_of(task), sequence, task) for sequence, task in cpu.at_work() if task.granted)
        found = max(((rank, began, task) for rank, began, task in at_work if rank > mine), default=None, key=_last)
        return None if found is None else found[2]

    def part(self, task: Task) -> bool:
        """A task waits no longer; whether it might have been dropped."""
        droppable = task not in self.midway
        self.midway.discard(task)
        return droppable

    def of(self, replica: Replica) -> Line:
        """That of a replica."""
        line = self.lines.get(replica)
        if line is None:
            line = self.lines[replica] = self._made()
        return line

    def forget(self, replica: Replica) -> None:
        """A crashed one begins with an empty line that remembers nothing."""
        self.lines.pop(replica, None)

    def _watch(self, name: str) -> None:
        """How many of each class wait, in all replicas together."""
        classes: dict[int, list[str]] = {}
        for which, number in self.spec.classes.items():
            classes.setdefault(number, []).append(which)

        def waiting(number: int, _: float) -> float:
            lines = [line for line in self.lines.values() if isinstance(line, Priorities)]
            return sum(task.ticket == ticket for line in lines for task, ticket in line.queues[number])

        for number, names in sorted(classes.items()):
            self.recorder.watch(name, f"queue of {', '.join(names)}", "level", partial(waiting, number))

    def _made(self) -> Line:
        spec = self.spec
        if spec.discipline == "priority":
            return Priorities(spec, self._key, self.midway)
        if spec.discipline == "edf":
            return Deadlines(spec, self._key)
        if spec.discipline == "fair":
            return Turns(self._key)
        return ControlledDelay(spec) if spec.discipline == "codel" else AdaptiveLifo(spec.interval)

    def _key(self, task: Task) -> Hashable | None:
        """What the class, the deadline or the turn of a task goes by. Steps in the middle of a flow keep that of their
        attempt.
        """
        key = self.spec.key
        if key == "endpoint":
            where = task.replica.inside.get(task.attempt or task)
            name = "" if where is None else self.recorder.names[where]
            return self.route_of(task) if name + "." == self.prefix else name.removeprefix(self.prefix)
        return self.identities.key_of(key, self.spec.header)(task.request)

    def route_of(self, task: Task) -> str:
        """Of a gateway, whose attempts are all at one place: the route."""
        return self.recorder.names[task.request.route]


def _last(found: tuple[int, int, Task]) -> tuple[int, int]:
    return found[:2]


class Priorities:
    """One queue for each class; who is not named stands in the last."""

    def __init__(self, spec: Queue, key: KeyOf, midway: set[Task]):
        self.classes, self.key, self.midway = spec.classes, key, midway
        self.push_out = spec.push_out
        self.last = max(spec.classes.values()) + 1
        self.queues: list[deque[Entry]] = [deque() for _ in range(self.last + 1)]

    def join(self, task: Task, _now: float, _first: bool) -> None:
        """At the end of its class."""
        self.queues[self.class_of(task)].append((task, task.ticket))

    def join_first(self, task: Task) -> None:
        """Before the others of its class."""
        self.queues[self.class_of(task)].appendleft((task, task.ticket))

    def next(self, _now: float) -> tuple[Task | None, bool]:
        """The first of the first class in which somebody is."""
        for queue in self.queues:
            while queue:
                task, ticket = queue.popleft()
                if task.ticket == ticket:
                    return task, False
        return None, False

    def give_way(self, task: Task) -> Task | None:
        """The newest of the last class in which somebody is, if that comes after the one of the newcomer."""
        if not self.push_out:
            return None
        for queue in reversed(self.queues[self.class_of(task) + 1 :]):
            victim = next(
                (task for task, ticket in reversed(queue) if task.ticket == ticket and task not in self.midway), None
            )
            if victim is not None:
                return victim
        return None

    def class_of(self, task: Task) -> int:
        """Its number; who is not named comes last."""
        return self.classes.get(str(self.key(task)), self.last)


class Deadlines:
    """A heap by deadline; of one deadline in the order of arrival."""

    def __init__(self, spec: Queue, key: KeyOf):
        self.deadlines, self.key, self.drop_late = spec.deadlines, key, spec.drop_late
        self.heap: list[tuple[float, int, Task, int]] = []
        self.number = 0

    def join(self, task: Task, now: float, _first: bool) -> None:
        """By its deadline, counted from now."""
        due = now + self.deadlines.get(str(self.key(task)), float("inf"))
        self.number += 1
        heappush(self.heap, (due, self.number, task, task.ticket))

    def next(self, now: float) -> tuple[Task | None, bool]:
        """The earliest deadline; dropped where that is over and the queue says so."""
        while self.heap:
            due, _, task, ticket = heappop(self.heap)
            if task.ticket == ticket:
                return task, self.drop_late and passed(now, due)
        return None, False

    def give_way(self, _task: Task) -> Task | None:
        """Nobody."""
        return None


class Turns:
    """A queue for each key; keys take turns, and one that comes anew is the last of them."""

    def __init__(self, key: KeyOf):
        self.key = key
        self.queues: dict[Hashable, deque[Entry]] = {}
        self.turns: deque[Hashable] = deque()

    def join(self, task: Task, _now: float, _first: bool) -> None:
        """At the end of its own queue."""
        key = self.key(task)
        queue = self.queues.get(key)
        if queue is None:
            queue = self.queues[key] = deque()
            self.turns.append(key)
        queue.append((task, task.ticket))

    def next(self, _now: float) -> tuple[Task | None, bool]:
        """The first of the key whose turn it is; a key with nobody left loses its turn."""
        while self.turns:
            key = self.turns.popleft()
            queue = self.queues[key]
            found = None
            while queue and found is None:
                task, ticket = queue.popleft()
                found = task if task.ticket == ticket else None
            while queue and queue[0][0].ticket != queue[0][1]:
                queue.popleft()  # who has given up: where nobody else is left, the key loses its turn
            if queue:
                self.turns.append(key)
            else:
                del self.queues[key]
            if found is not None:
                return found, False
        return None, False

    def give_way(self, _task: Task) -> Task | None:
        """Nobody."""
        return None


class ControlledDelay:
    """In the order of arrival; told of every wait, it says who is dropped."""

    def __init__(self, spec: Queue):
        self.row = controlled.CodelRow(target=spec.target, interval=spec.interval)
        self.queue: deque[tuple[Task, int, float]] = deque()

    def join(self, task: Task, now: float, _first: bool) -> None:
        """At the end."""
        self.queue.append((task, task.ticket, now))

    def next(self, now: float) -> tuple[Task | None, bool]:
        """The first, dropped or not."""
        while self.queue:
            task, ticket, since = self.queue.popleft()
            if task.ticket == ticket:
                return task, controlled.overloaded(self.row, now, now - since)
        return None, False

    def no_wait(self, now: float) -> None:
        """Somebody has found a free worker."""
        controlled.overloaded(self.row, now, 0.0)

    def give_way(self, _task: Task) -> Task | None:
        """Nobody."""
        return None


class AdaptiveLifo:
    """In the order of arrival, or the other way round while there is a standing queue."""

    def __init__(self, interval: float):
        self.interval = interval
        self.queue: deque[Entry] = deque()
        self.since = 0.0  # s; when it was last empty

    def join(self, task: Task, now: float, first: bool) -> None:
        """At the end."""
        if first:
            self.queue.clear()
            self.since = now
        self.queue.append((task, task.ticket))

    def next(self, now: float) -> tuple[Task | None, bool]:
        """The newest where the queue has been there for longer than the interval."""
        turned = passed(now, self.since + self.interval)
        while self.queue:
            task, ticket = self.queue.pop() if turned else self.queue.popleft()
            if task.ticket == ticket:
                return task, False
        return None, False

    def give_way(self, _task: Task) -> Task | None:
        """Nobody."""
        return None
