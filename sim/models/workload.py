"""Traffic: requests that arrive whatever the system does, and users who wait for their answer (`models/client.py`).

Latency counts from the intended arrival.

Not modelled: browsers' connection limits, sessions, and users who give up for good.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from sim.chance.arrivals import arrival_times
from sim.chance.keyed import stream_number
from sim.chance.popularity import chooser
from sim.models.client import Client, Door
from sim.models.clock import Signal
from sim.models.context import Context
from sim.models.draws import Draw
from sim.models.recorder import NUMBER_BITS
from sim.models.request import Request
from sim.models.task import Process, Task
from sim.spec.traffic import Closed, Replay, Traffic

SOURCE_BITS = 23  # of a request id above its running number, so that ids stay below 2**63


class Workload:
    """The requests of one population of clients."""

    def __init__(
        self, context: Context, name: str, spec: Traffic, client: Client, doors: Sequence[Door], first_user: int
    ):
        self.context = context
        self.env = context.env
        self.recorder = context.recorder
        self.name = name
        self.spec = spec
        self.client = client
        self.base = stream_number(name) >> (64 - SOURCE_BITS) << NUMBER_BITS  # of the ids of its requests
        self.doors = doors  # one for each target of its mix
        self.thresholds = list(accumulate(spec.mix.values()))
        self.pick_door = context.uniform(f"traffic.{name}.mix")
        self.user = chooser(spec.users, context.key(f"traffic.{name}.users")) if spec.users else None
        self.first_user = first_user  # the number of the most popular one, in its population
        self.item = chooser(spec.items, context.key(f"traffic.{name}.items")) if spec.items else None
        # Of a recording: what each request asks for, and whose it is.
        rows = spec.arrivals.data if isinstance(spec.arrivals, Replay) else None
        self.routes = rows.route if rows is not None else ()
        self.users = [first_user + user for user in rows.user] if rows is not None else []
        self.patient = self._is_patient()
        self.arrived = 0

    def start(self, duration: float) -> None:
        """Schedule the first arrival of those who do not wait for answers."""
        if not isinstance(self.spec.arrivals, Closed):
            times = arrival_times(self.spec.arrivals, self.context.key(f"traffic.{self.name}.arrivals"), duration)
            self.signal = Signal(self._arrive)
            self.times: Iterator[float] = iter(times)
            self._schedule_next(0.0)

    def let_users_in(self) -> None:
        """Let those who wait for their answers begin to think."""
        arrivals = self.spec.arrivals
        if isinstance(arrivals, Closed):
            think = self.context.sampler(arrivals.think, f"traffic.{self.name}.think")
            for user in range(arrivals.users):
                task = Task(None, 0, 0, None, self.client.replica)
                task.begin(self._user(task, user, arrivals.users, think))
                self.env.wake(task)

    def _schedule_next(self, now: float) -> None:
        due = next(self.times, None)
        if due is not None:
            self.due = due
            self.env.schedule(self.signal, delay=due - now)

    def _arrive(self, _: object) -> None:
        request, door = self._request(self.arrived, self.due)
        self._schedule_next(self.env.now)
        if self.patient:
            task = Task(request, 0, 0, None, self.client.replica)
            task.begin(self._visit(task, door))
            self.env.wake(task)
        else:
            self.client.ask_once(request, door)

    def _visit(self, task: Task, door: Door) -> Process:
        """Somebody who comes, asks, and goes."""
        yield from self.client.ask(task, door)
        task.silence()
        yield

    def _user(self, task: Task, number: int, users: int, think: Draw) -> Process:
        """One of so many who stay: think, ask, and think again."""
        while True:
            pause = think(self.base | number, 0)
            if pause > 0.0:
                self.env.hold(task, pause)
                yield
            else:
                self.env.go_on_at_once(task)
            task.request, door = self._request(number, self.env.now)
            yield from self.client.ask(task, door)
            number += users

    def _request(self, number: int, arrival: float) -> tuple[Request, Door]:
        """The request of this number, and what it asks for."""
        entity = self.base | number
        door = self.doors[self.routes[number]] if self.routes else self._door(entity)
        request = Request(entity, arrival, self.client.name_index, door.route, door.needs, self.recorder)
        if self.users:
            request.user = self.users[number]
        elif self.user is not None:
            request.user = self.first_user + self.user(entity)
        if self.item is not None:
            request.item = self.item(entity)
        self.arrived += 1
        self.recorder.open[request] = None
        return request, door

    def _door(self, entity: int) -> Door:
        if len(self.doors) == 1:
            return self.doors[0]
        index = bisect_right(self.thresholds, self.pick_door(entity, 0))
        return self.doors[min(index, len(self.doors) - 1)]

    def _is_patient(self) -> bool:
        """Whether somebody waits for each answer, and may do something about it: not the request itself."""
        spec = self.spec
        waits = spec.timeout is not None or spec.retry is not None or isinstance(spec.arrivals, Closed)
        told = self.recorder.stages is not None  # the client's side of a request is told of too
        return waits or told or any(door.target.counts for door in self.doors)
