"""Traffic: requests that arrive whatever the system does, users who wait for their answer, and clients with patience of their own.

Latency counts from the intended arrival. A client's attempt goes to the gateway's route, or straight to a service's endpoint, without
a hop: the network behind the client is not modelled, nor are browsers' connection limits, sessions, and users who give up for good.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from sim.chance.arrivals import arrival_times
from sim.chance.chain import link_chain
from sim.chance.popularity import chooser
from sim.models.clock import Signal
from sim.models.outcomes import OK, RATE_LIMITED, TIMEOUT, UNREACHABLE
from sim.models.recorder import NUMBER_BITS
from sim.models.request import Request
from sim.models.task import Activity, Process, Task, abandon
from sim.policies import budget as budgets
from sim.policies import retry as retries
from sim.policies.base import passed
from sim.spec.policy import Retry
from sim.spec.traffic import Closed, Replay
from sim.vocabulary import QUIET, EventKind, Stage

if TYPE_CHECKING:
    from sim.models.call import Target
    from sim.models.link import Hop
    from sim.models.task import Replica
    from sim.models.world import World
    from sim.spec.traffic import Traffic



class Door:
    """A target of the traffic: what is called, under which name it is recorded, and which effects complete an order."""

    __slots__ = ("hop", "mark", "needs", "route", "target")

    def __init__(self, target: Target, hop: Hop, route: int, needs: int, mark: int):
        self.target = target
        self.hop = hop
        self.route = route
        self.needs = needs
        self.mark = mark  # of the client's attempts; 0: it makes one only


class Workload:
    """One population of clients."""

    def __init__(self, world: World, name: str, spec: Traffic):
        self.world = world
        self.env = world.env
        self.recorder = world.recorder
        self.name = name
        self.spec = spec
        self.source = world.recorder.name(name)
        self.base = world.source_base(name) << NUMBER_BITS
        self.doors = [world.door(target, spec) for target in spec.mix]
        self.thresholds = list(accumulate(spec.mix.values()))
        self.pick_door = world.uniform(f"traffic.{name}.mix")
        self.user = chooser(spec.users, world.key(f"traffic.{name}.users")) if spec.users else None
        self.first_user = world.first_users.get(name, 0)  # the number of the most popular one, in its population
        self.item = chooser(spec.items, world.key(f"traffic.{name}.items")) if spec.items else None
        rows = spec.arrivals.data if isinstance(spec.arrivals, Replay) else None  # of a recording: what each request asks for, and whose it is
        self.routes = rows.route if rows is not None else ()
        self.users = [self.first_user + user for user in rows.user] if rows is not None else []
        self.gateway = world.gateway
        self.caller = world.outsider()  # the client's side of balancers
        retry = spec.retry or Retry(max_attempts=1)
        self.retry = retries.new_retry(retry)
        self.max_attempts = retry.max_attempts
        self.budget: Any
        self.tokens: Any
        self.budget, self.tokens = budgets.new_budget(spec.retry.budget) if spec.retry and spec.retry.budget else (None, None)
        self.spent = -math.inf  # s; when the budget refused last
        self.jitter = world.uniform(f"traffic.{name}.backoff")
        self.timers = world.timers(spec.timeout, self._timed_out) if spec.timeout is not None else None
        self.patient = spec.timeout is not None or spec.retry is not None or isinstance(spec.arrivals, Closed) or any(door.target.counts for door in self.doors)
        if world.recorder.stages is not None:
            self.patient = True  # the client's side of a request is told of too
        self.arrived = 0

    def start(self) -> None:
        """Schedule the first arrival, or let the users begin to think."""
        arrivals = self.spec.arrivals
        if isinstance(arrivals, Closed):
            think = self.world.sampler(arrivals.think, f"traffic.{self.name}.think")
            for user in range(arrivals.users):
                self._spawn_user(user, arrivals.users, think)
        else:
            times = arrival_times(arrivals, self.world.key(f"traffic.{self.name}.arrivals"), self.world.scenario.duration)
            self.signal = Signal(self._arrive)
            self.times: Iterator[float] = iter(times)
            self._schedule_next(0.0)

    # -- open arrivals ----------------------------------------------------------------------------------------------------

    def _schedule_next(self, now: float) -> None:
        due = next(self.times, None)
        if due is not None:
            self.due = due
            self.env.schedule(self.signal, delay=due - now)

    def _arrive(self, _: object) -> None:
        request, door = self._request(self.arrived, self.due)
        self._schedule_next(self.env.now)
        if self.patient:
            task = Task(request, 0, 0, None, self.caller)
            task.begin(self._client(task, door))
            self.env.wake(task)
        elif (replica := self._choose(door, request, 0)) is None:
            request.outcome = UNREACHABLE
            request.where = door.target.where
            request.then(request)
        elif (child := self._attempt(door, request, request, replica, 0)) is not None:
            door.target.arrive(child)

    def _client(self, task: Task, door: Door) -> Process:
        """A client with a timeout or retries of its own."""
        yield from self._ask(task, door)
        task.silence()
        yield

    # -- closed users -----------------------------------------------------------------------------------------------------

    def _spawn_user(self, user: int, users: int, think: Callable[[int, int], float]) -> None:
        task = Task(None, 0, 0, None, self.caller)
        task.begin(self._user(task, user, users, think))
        self.env.wake(task)

    def _user(self, task: Task, user: int, users: int, think: Callable[[int, int], float]) -> Process:
        """Think, send, wait for the answer, and think again."""
        number = user
        while True:
            pause = think(self.base | number, 0)
            if pause > 0.0:
                self.env.hold(task, pause)
                yield
            else:
                self.env.go_on_at_once(task)
            task.request, door = self._request(number, self.env.now)
            yield from self._ask(task, door)
            number += users

    # -- one logical request ----------------------------------------------------------------------------------------------

    def _request(self, number: int, arrival: float) -> tuple[Request, Door]:
        """The request of this number, and what it asks for."""
        entity = self.base | number
        door = self.doors[self.routes[number]] if self.routes else self.doors[0] if len(self.doors) == 1 else self._door(entity)
        request = Request(entity, arrival, self.source, door.route, door.needs, self.recorder)
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
        index = bisect_right(self.thresholds, self.pick_door(entity, 0))
        return self.doors[min(index, len(self.doors) - 1)]

    def _ask(self, task: Task, door: Door) -> Activity:
        """Attempts until one is good, or hopeless, or one too many; then the request has its answer."""
        request = task.request
        if self.recorder.stages is not None:
            task.flow = self.recorder.next_flow()
        if self.budget is not None:
            budgets.deposit(self.budget, self.tokens, self.env.now)
        attempt = 0
        pause = self.retry.base  # where decorrelated jitter begins
        while True:
            request.attempts = attempt + 1
            task.root = 0
            if self.timers is not None:
                self.timers.arm(task)
            replica = self._choose(door, request, attempt)
            if replica is None:
                outcome = UNREACHABLE
                task.where = door.target.where
            else:
                if (child := self._attempt(door, request, task, replica, attempt)) is not None:
                    task.children = child
                    child.then = door.target.arrive
                    self.env.wake(child)
                if task.flow >= 0:
                    self.recorder.sent(task, child, door.target.where, attempt)
                yield
                outcome = task.outcome
                task.children = None
                door.target.over(self.caller, replica)
            task.ticket += 1
            attempt += 1
            if attempt >= self.max_attempts or not retries.retryable(self.retry, outcome):
                break
            if self.budget is not None and not budgets.withdraw(self.budget, self.tokens, self.env.now):
                self._note_budget()
                break
            pause = retries.backoff(self.retry, attempt, self.jitter(request.id, attempt), pause)
            wait = max(pause, request.retry_after) if outcome == RATE_LIMITED and self.spec.honor_retry_after else pause
            if wait > 0.0:
                self.recorder.stage(task, Stage.BACKOFF, self.source)
                self.env.hold(task, wait)
                yield
        request.outcome = outcome
        request.root = task.root
        request.where = task.where
        request.then(request)
        return OK

    def _note_budget(self) -> None:
        """Write the beginning of a spell without retries into the event log."""
        now = self.env.now
        if passed(now, self.spent + QUIET):
            self.recorder.event(EventKind.BUDGET_EXHAUSTED, self.name)
        self.spent = now

    def _choose(self, door: Door, request: Request, attempt: int) -> Replica | None:
        """The replica that takes this attempt; None: nobody is there."""
        target = door.target
        replica = target.only
        if replica is None or replica.down:
            replica = target.choose(self.caller, request.id, link_chain(0, 0, attempt))
        return replica

    def _attempt(self, door: Door, request: Request, caller: Task | Request, replica: Replica, attempt: int) -> Task | None:
        """One attempt at the door; None: a black hole has swallowed it."""
        hop = door.hop
        if hop.fixed < 0.0:
            return None
        child = Task(request, link_chain(0, 0, attempt), 0, caller, replica)
        child.mark = door.mark
        child.back = hop
        request.alive += 1
        return child

    def _timed_out(self, task: Task) -> None:
        """The client's patience is over: a gateway stops, a service does not know, and goes on (as Tomcat and Spring do)."""
        child = task.children
        if child is not None:
            child.caller = None
            if self.gateway is not None:
                self.gateway.client_gone(child)
            else:
                abandon(child)
        task.ticket += 1
        task.outcome = TIMEOUT
        task.where = self.source
        self.env.wake(task)
