"""Traffic: requests that arrive whatever the system does, and users who wait for their answer (`models/client.py`).

Latency counts from the intended arrival.

A visit is one arrival with several requests.

Not modelled: browsers' connection limits, and users who give up for good.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from sim.chance.arrivals import arrival_times
from sim.chance.keyed import stream_number
from sim.chance.people import NUMBER_BITS
from sim.chance.popularity import chooser
from sim.models.client import Client, Door
from sim.models.clock import Signal
from sim.models.context import Context
from sim.models.draws import Draw
from sim.models.identity import Identities
from sim.models.request import Request
from sim.models.task import Process, Task
from sim.models.virtual_users import VirtualUsers
from sim.spec.arrivals import Closed, Replay
from sim.spec.traffic import Traffic
from sim.spec.visit import MOST_REQUESTS, Visit
from sim.vocabulary import PASSED

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
        self.identities = Identities(context, {name: spec})
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
        self.virtual = VirtualUsers(spec.virtual_users) if spec.virtual_users is not None else None
        self._watch_virtual_users(self.virtual)
        self._prepare_visits(dict(zip(spec.mix, doors, strict=True)))

    def _watch_virtual_users(self, virtual: VirtualUsers | None) -> None:
        if virtual is not None:
            self.recorder.watch(self.name, "virtual_users", "level", lambda _: virtual.busy)
            self.recorder.watch(self.name, "dropped_iterations", "total", lambda _: virtual.dropped)

    def _prepare_visits(self, doors: Mapping[str, Door]) -> None:
        self.visit = visit = self.spec.visit
        if visit is None:
            return
        self.visits = 0  # that have begun
        self.left = 0  # of these, before their end, after a failure
        stream = f"traffic.{self.name}.visit"
        self.journey = [doors[target] for target in visit.journey or ()]
        self.falling = [-tail for tail in visit.requests.tails] if visit.requests is not None else []
        self.how_many = self.context.uniform(f"{stream}.requests")
        self.how_patient = self.context.uniform(f"{stream}.leaves")
        self.think = self.context.sampler(visit.think, f"{stream}.think")
        self.recorder.watch(self.name, "visits", "total", lambda _: self.visits)
        self.recorder.watch(self.name, "visits_left", "total", lambda _: self.left)

    def start(self, duration: float) -> None:
        """Schedule the first arrival of those who do not wait for answers."""
        if not self.spec.arrivals.population:
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
                task.begin(self._user(task, user, arrivals, think))
                self.env.wake(task)

    def _schedule_next(self, now: float) -> None:
        due = next(self.times, None)
        if due is not None:
            self.due = due
            self.env.schedule(self.signal, delay=due - now)

    def _arrive(self, _: object) -> None:
        dropped = 0
        if self.virtual is not None:
            dropped = self.virtual.dropped  # each keeps its number, so that all others are who they would have been
            if not self.virtual.take():
                self._schedule_next(self.env.now)
                return
        request, door = (
            self._first(dropped) if self.visit is not None else self._request(self.arrived + dropped, self.due)
        )
        self._schedule_next(self.env.now)
        if self.visit is not None:
            task = Task(request, 0, 0, None, self.client.replica)
            task.begin(self._visit_all(task, door, self.visit))
            self.env.wake(task)
        elif self.patient:
            task = Task(request, 0, 0, None, self.client.replica)
            task.begin(self._visit(task, door))
            self.env.wake(task)
        else:
            self.client.ask_once(request, door)

    def _first(self, dropped: int) -> tuple[Request, Door]:
        """The first request of the next visit, of which so many were dropped before."""
        number = (self.visits + dropped) * MOST_REQUESTS
        self.visits += 1
        return self._request(number, self.due, self.journey[0] if self.journey else None)

    def _visit_all(self, task: Task, door: Door, visit: Visit) -> Process:
        """Somebody who comes, asks, thinks and asks again, and goes at the end or after a failure."""
        first = task.request
        number = first.id - self.base
        count = len(self.journey) or bisect_left(self.falling, -self.how_many(first.id, 0))
        count = min(max(1, count), MOST_REQUESTS)
        for place in range(count):
            if place:
                pause = self.think(self.base | (number + place), 0)
                if pause > 0.0:
                    self.env.hold(task, pause)
                    yield
                step = self.journey[place] if self.journey else None
                task.request, door = self._request(number + place, self.env.now, step, first.user)
            outcome = yield from self.client.ask(task, door)
            failed = outcome not in PASSED
            if failed and self.how_patient(task.request.id, 0) < visit.leaves_after_failure:
                self.left += place + 1 < count
                break
        self._over(task)
        yield

    def _visit(self, task: Task, door: Door) -> Process:
        """Somebody who comes, asks, and goes."""
        yield from self.client.ask(task, door)
        self._over(task)
        yield

    def _over(self, task: Task) -> None:
        """Whoever came has gone."""
        if self.virtual is not None:
            self.virtual.give_back()
        task.silence()

    def _user(self, task: Task, number: int, spec: Closed, think: Draw) -> Process:
        """One of so many who stay: think, ask, and think again."""
        users, pacing = spec.users, spec.pacing
        if spec.ramp and number:
            self.env.hold(task, spec.ramp * number / users)
            yield
        began = -math.inf
        while True:
            pause = think(self.base | number, 0)
            if pacing:
                pause = max(pause, began + pacing - self.env.now)
                began = self.env.now + pause
            if pause > 0.0:
                self.env.hold(task, pause)
                yield
            else:
                self.env.go_on_at_once(task)
            task.request, door = self._request(number, self.env.now)
            yield from self.client.ask(task, door)
            number += users

    def _request(
        self, number: int, arrival: float, step: Door | None = None, user: int | None = None
    ) -> tuple[Request, Door]:
        """The request of this number, and what it asks for: that step of a journey, or what it happens to be. Of this
        user, if it is somebody who has asked before.
        """
        entity = self.base | number
        door = step or (self.doors[self.routes[number]] if self.routes else self._door(entity))
        request = Request(entity, arrival, self.client.name_index, door.route, door.needs, self.recorder)
        if user is not None:
            request.user = user
        elif self.users:
            request.user = self.users[number]
        elif self.user is not None:
            request.user = self.first_user + self.user(entity)
        if self.item is not None:
            request.item = self.item(entity)
        if door.narrower:
            door = self._narrower(door, request)
        self.arrived += 1
        self.recorder.open[request] = None
        return request, door

    def _door(self, entity: int) -> Door:
        if len(self.doors) == 1:
            return self.doors[0]
        index = bisect_right(self.thresholds, self.pick_door(entity, 0))
        return self.doors[min(index, len(self.doors) - 1)]

    def _narrower(self, door: Door, request: Request) -> Door:
        """The first that asks for what the request carries; else the one that it was sent to."""
        for wanted, other in door.narrower:
            if self.identities.has(request, wanted):
                request.route, request.needs = other.route, other.needs
                return other
        return door

    def _is_patient(self) -> bool:
        """Whether somebody waits for each answer, and may do something about it: not the request itself."""
        spec = self.spec
        waits = spec.gives_up or spec.retry is not None or spec.arrivals.population > 0
        waits = waits or spec.virtual_users is not None
        told = self.recorder.stages is not None  # the client's side of a request is told of too
        return waits or told or any(door.target.counts for door in self.doors)
