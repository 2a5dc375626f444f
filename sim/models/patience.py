"""How long clients wait for an answer where each has a patience of its own, and so a timer of its own.

Timers of one length stand in a queue (`models/timers.py`); these end in no order that is known before.

Not modelled: patience that runs out over several attempts, or that depends on how often somebody was kept waiting.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sim.chance.people import person_of
from sim.models.clock import TIMER, Clock, Signal
from sim.models.draws import Draw
from sim.models.request import Request
from sim.models.task import Task
from sim.spec.traffic import Traffic
from sim.spec.visit import MOST_REQUESTS


class OwnPatience:
    """The patience of all clients of one traffic."""

    def __init__(self, env: Clock, spec: Traffic, draw: Draw, give_up: Callable[[Task], None]):
        self.env = env
        self.draw = draw
        self.give_up = give_up  # called for a task that still waits for what it waited for when its timer was armed
        self.most = math.inf if spec.timeout is None else spec.timeout  # s; what the program of a client allows
        self.of_a_visit = MOST_REQUESTS if spec.visit is not None else 0
        self.staying = spec.arrivals.population

    def arm(self, task: Task) -> float:
        """Give up the task's present wait when the patience of whoever asks is over; when that is, s."""
        until = self.env.now + min(self.most, self.draw(self._whose(task.request), 0))
        ticket = task.ticket
        self.env.late(Signal(lambda _: self._over(task, ticket)), TIMER, until)
        return until

    def _over(self, task: Task, ticket: int) -> None:
        if task.ticket == ticket:
            self.give_up(task)

    def _whose(self, request: Request) -> int:
        """The number of the person: a user, a visit, one of those who stay; or the request, where it has nobody."""
        if request.user >= 0:
            return request.user
        return person_of(request.id, self.of_a_visit, self.staying)
