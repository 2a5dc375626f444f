"""Clients: where they call, how long they wait for an answer, and how often they ask again.

A client's attempt goes to the gateway's route, or straight to a service's endpoint, without a hop: the network behind
the client is not modelled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.chance.chain import link_chain
from sim.models.budget import RetryBudget, Spending
from sim.models.call import Target
from sim.models.context import Context
from sim.models.ending import kill
from sim.models.gateway import Gateway
from sim.models.link import Hop
from sim.models.outcomes import TIMEOUT, UNREACHABLE
from sim.models.patience import OwnPatience
from sim.models.pausing import Pauses
from sim.models.request import Request
from sim.models.task import Activity, Outside, Replica, Task, abandon
from sim.models.timers import TimerQueue
from sim.policies import retry as retries
from sim.policies import retry_after
from sim.spec.policy import Retry
from sim.spec.traffic import Traffic
from sim.vocabulary import EventKind, Stage


@dataclass(frozen=True, slots=True)
class Door:
    """A target of the traffic."""

    target: Target
    hop: Hop  # to it: of no length, but faults may cut it
    route: int  # index of the name under which it is recorded
    needs: int  # mask of the effects that complete an order
    mark: int  # of the client's attempts; 0: it makes one only
    narrower: tuple[tuple[Mapping[str, Sequence[str]], Door], ...] = ()  # for those whose headers have these values


class Client:
    """What all clients of one traffic have in common: patience, retries, and the budget for these."""

    def __init__(
        self,
        context: Context,
        name: str,
        spec: Traffic,
        gateway: Gateway | None,
        deadlines: dict[Task, float],
        place: int,  # of the traffic among all
    ):
        self.env = context.env
        self.recorder = context.recorder
        self.name = name
        self.name_index = context.recorder.name(name)
        self.gateway = gateway
        self.replica = Replica(Outside(place), 0, 0)  # its side of balancers
        self.deadlines = deadlines if spec.deadline is not None else None  # None: nobody is told how long it waits
        retry = spec.retry or Retry(max_attempts=1)
        self.pauses = Pauses(retry)
        self.rule = self.pauses.rule
        self.budget = RetryBudget(retry.budget) if retry.budget is not None else None
        self.jitter = context.uniform(f"traffic.{name}.backoff")
        self.honors = spec.honors_retry_after
        self.timers = self._timers(context, spec)

    def _timers(self, context: Context, spec: Traffic) -> TimerQueue | OwnPatience | None:
        """What ends the patience of clients; None: they wait for ever."""
        if spec.patience is not None:
            self.own_patience = context.sampler(spec.patience, f"traffic.{spec.population(self.name)}.patience")
            return OwnPatience(self.env, spec, self.own_patience, self._timed_out)
        return TimerQueue(self.env, spec.timeout, self._timed_out) if spec.timeout is not None else None

    def ask_once(self, request: Request, door: Door) -> None:
        """Make the only attempt of a request, which itself waits for the answer, without an end to its patience."""
        replica = self._choose(door, request, 0)
        if replica is None:
            request.outcome = UNREACHABLE
            request.where = door.target.where
            request.then(request)
        elif (attempt := self._attempt(door, request, request, replica, 0)) is not None:
            door.target.arrive(attempt)

    def ask(self, task: Task, door: Door) -> Activity:
        """Attempts until one is good, or hopeless, or one too many; then the request has its answer."""
        request = task.request
        if self.recorder.stages is not None:
            task.flow = self.recorder.next_flow()
        spending = None
        if self.budget is not None:
            self.budget.deposit(self.env.now)
            spending = Spending(self.budget)
        tries = 0
        kept = self.rule.begin
        while True:
            if spending is not None:
                spending.begin()
            outcome = yield from self._try(task, door, tries)
            tries += 1
            if spending is not None:
                spending.hear(outcome, retries.retryable(self.rule, outcome))
            told = retry_after.heard_by_client(outcome, request.told_by, request.retry_after) if self.honors else 0.0
            if not self._may_go_on(tries, outcome, told, spending):
                break
            pause, kept = self.pauses.next(outcome, tries, self.jitter(request.id, tries), kept)
            request.told_by = 0
            if (wait := retry_after.at_least(self.rule, pause, told)) > 0.0:
                self.recorder.stage(task, Stage.BACKOFF, self.name_index)
                self.env.hold(task, wait)
                yield
        request.outcome = outcome
        request.root = task.root
        request.where = task.where
        request.then(request)
        return outcome

    def _try(self, task: Task, door: Door, tries: int) -> Activity:
        """One attempt, after so many others."""
        request, target = task.request, door.target
        request.attempts = tries + 1
        began = self.env.now
        task.root = 0
        until = self.timers.arm(task) if self.timers is not None else math.inf
        replica = self._choose(door, request, tries)
        if replica is None:
            task.where = target.where
            outcome = UNREACHABLE
        else:
            if (attempt := self._attempt(door, request, task, replica, tries)) is not None:
                task.children = attempt
                if self.deadlines is not None:
                    self.deadlines[attempt] = until
                attempt.then = target.arrive
                self.env.wake(attempt)
            self.recorder.sent(task, attempt, target.where, tries)
            yield
            outcome = task.outcome
            task.children = None
            if self.deadlines is not None and attempt is not None:
                self.deadlines.pop(attempt, None)
            target.over(self.replica, replica, outcome, began)
        task.ticket += 1  # the timer is stale
        return outcome

    def _may_go_on(self, tries: int, outcome: int, told: float, spending: Spending | None) -> bool:
        """Whether an attempt that ended so may be followed by another."""
        if tries >= self.rule.max_attempts or not retries.retryable(self.rule, outcome):
            return False
        if retry_after.gives_up(self.rule, told):
            return False
        return spending is None or spending.withdraw(outcome, self.env.now, self._tell_of_budget)

    def _tell_of_budget(self) -> None:
        self.recorder.event(EventKind.BUDGET_EXHAUSTED, self.name)

    def _choose(self, door: Door, request: Request, tries: int) -> Replica | None:
        """The replica that takes this attempt; None: nobody is there."""
        replica = door.target.only
        if replica is None or replica.down:
            chain = link_chain(0, 0, tries)
            by_request = getattr(door.target, "by_request", None)
            if by_request is not None:
                chosen: Replica | None = by_request(self.replica, request, chain)
                return chosen
            replica = door.target.choose(self.replica, request.id, chain)
        return replica

    def _attempt(
        self, door: Door, request: Request, caller: Task | Request, replica: Replica, tries: int
    ) -> Task | None:
        """One attempt at the door; None: a black hole has swallowed it."""
        if door.hop.fixed < 0.0:
            return None
        attempt = Task(request, link_chain(0, 0, tries), 0, caller, replica)
        attempt.mark = door.mark
        attempt.back = door.hop
        request.alive += 1
        return attempt

    def _timed_out(self, task: Task) -> None:
        """Its patience is over: a gateway stops, a service does not know, and goes on (as Tomcat and Spring do)."""
        attempt = task.children
        if attempt is not None:
            attempt.caller = None
            told = self.deadlines is not None
            if self.deadlines is not None:
                self.deadlines.pop(attempt, None)
            if self.gateway is not None:
                self.gateway.client_gone(attempt, told)
            elif told:
                kill(attempt, TIMEOUT, cancel=True)
            else:
                abandon(attempt)
        task.ticket += 1
        task.outcome = TIMEOUT
        task.where = self.name_index
        self.env.wake(task)
