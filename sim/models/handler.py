"""What consumers of a log and of a queue have in common: they handle one message after the other."""

from __future__ import annotations

from typing import Protocol

from sim.chance.chain import link_chain
from sim.chance.keyed import stream_number
from sim.models.clock import Clock
from sim.models.host import Host
from sim.models.outcomes import OK, REFUSED
from sim.models.request import Request
from sim.models.sequence import StepSequence
from sim.models.task import Activity, Replica, Task
from sim.spec.service import Consume

DONE_WITH = (OK, REFUSED)  # outcomes of the steps that no redelivery follows


class Published(Protocol):
    """What was published, as whoever handles it knows it."""

    request: Request
    chain: int
    path: int

    @property
    def event(self) -> tuple[int, int]:
        """What an order publishes from one place is one event, however often it is sent: (order, site)."""


class Source(Protocol):
    """Where messages come from: a group of a topic, or a queue."""

    busy: int  # consumers that handle something now
    busy_area: float  # the integral of that, less the times when they began
    known: set[tuple[int, int]]  # events that are processed already, for idempotent consumers


class Handler:
    """A thread in a replica of its service, which handles messages."""

    def __init__(
        self, env: Clock, source: Source, service: Host, replica: Replica, spec: Consume, steps: StepSequence, name: str
    ):
        self.env = env
        self.source = source
        self.service = service
        self.replica = replica
        self.spec = spec
        self.steps = steps
        self.salt = stream_number(name) >> 33  # of the draws of error faults
        self.busy_area = 0.0
        self.processing = False

    def busy_until(self, now: float) -> float:
        """Seconds in which it was handling something."""
        return self.busy_area + (now if self.processing else 0.0)

    def handle(self, task: Task, message: Published, tries: int, flow: int) -> Activity:
        """The outcome of the steps, gone through for a message that was tried so often before."""
        task.request = message.request
        task.chain = link_chain(message.chain, 0, tries)
        task.path = link_chain(message.path, 0, 0)
        task.degraded = False
        task.flow = flow
        outcome = OK
        if not (self.spec.idempotent and message.event in self.source.known):
            if self.service.error_faults:
                outcome = self.service.error_fault_hits(task, self.salt)
            if not outcome:
                outcome = yield from self.steps.run(task)
        task.flow = -1
        return outcome

    def remember(self, message: Published) -> None:
        """It was handled well: an idempotent consumer passes it over when it comes again."""
        if self.spec.idempotent:
            self.source.known.add(message.event)

    def _begin(self) -> None:
        """It handles something from now on."""
        self.processing = True
        self.busy_area -= self.env.now
        self.source.busy += 1
        self.source.busy_area -= self.env.now

    def _rest(self) -> None:
        """What it had in hand is over, one way or another."""
        self.processing = False
        self.busy_area += self.env.now
        self.source.busy -= 1
        self.source.busy_area += self.env.now
