"""Where a step stands, what it may ask for there, and how steps follow one another.

A behaviour is a class made from (spec, site). It has either `act(task) -> outcome`, for what takes no time, or
`run(task)`, a generator that yields while it waits and returns the outcome: OK to go on, anything else ends the
endpoint with that outcome, whose place of origin the behaviour has put into `task.where`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import simpy

from sim.models.behaviours import behaviour_of
from sim.models.call import Call, Target, Token
from sim.models.calls import Calls
from sim.models.context import Context
from sim.models.demand import Demand
from sim.models.destination import Destination
from sim.models.draws import Draw
from sim.models.host import Host
from sim.models.ledger import Ledger
from sim.models.lock_manager import LockManager
from sim.models.outbox import Outbox
from sim.models.outcomes import OK
from sim.models.sequence import StepSequence
from sim.models.stock import Stock
from sim.models.task import Activity, Replica, Task
from sim.spec.distribution import Distribution
from sim.spec.policy import CallPolicy
from sim.spec.scenario import Scenario
from sim.spec.sites import named
from sim.spec.step import Publish, Step
from sim.vocabulary import Stage


class Endpoint(Target, Protocol):
    """An endpoint of a service, as steps know it (`models/service.py`)."""

    sequence: StepSequence  # its steps, known when all endpoints are made


class System(Context, Protocol):
    """Other components, for those that must find them when they are made: steps, routes, endpoints."""

    @property
    def scenario(self) -> Scenario:
        """What was said."""

    @property
    def views(self) -> dict[str, Any]:
        """What lags behind what is written, by name (`models/view.py`)."""

    @property
    def ledger(self) -> Ledger | None:
        """What follows charges and reservations; None: nobody does."""

    @property
    def calls(self) -> Calls:
        """Where calls are put together."""

    @property
    def locks(self) -> LockManager:
        """All locks of the run."""

    def endpoint(self, target: str) -> Endpoint:
        """`service.endpoint`"""

    def destination(self, name: str) -> Destination:
        """What can be published to, of any broker."""

    def stock(self, host: Host) -> Stock:
        """The stock of a service."""

    def outbox(self, site: str, host: Host, topic: Destination, spec: Publish) -> Outbox:
        """A new outbox of a service, with its relay."""

    def forget(self, replica: Replica) -> None:
        """A replica is gone: what it remembered about others is, too."""

    def effect_bit(self, name: str) -> int:
        """The bit of an effect in the mask of a request."""


class Site:
    """Where a step stands: its host, its name (from which its draws are keyed), and what it may ask the world for."""

    def __init__(self, world: System, host: Host, name: str, where: int):
        self.world = world
        self.host = host
        self.name = name
        self.where = where  # the name under which failures of this step are recorded: its endpoint's

    @property
    def env(self) -> simpy.Environment:
        """The stock SimPy environment: a plug-in may run processes and resources of its own on it."""
        return self.world.env

    def named(self, name: str) -> Site:
        """The site of a step, or of a nested list of steps, in this endpoint."""
        return Site(self.world, self.host, name, self.where)

    def sequence(self, steps: Sequence[Step]) -> StepSequence:
        """These steps, one after the other, with names that begin with that of this site."""
        return StepSequence(self.host, [self._made(name, step) for name, step in named(self.name, steps)])

    def call(
        self,
        target: Target,
        policy: str | CallPolicy | None,
        fallback: Sequence[Step] | None,
        token: Token | None = None,
    ) -> Call:
        """A guarded call from here."""
        steps = self.named(f"{self.name}.fallback").sequence(fallback) if fallback is not None else None
        return self.world.calls.make(self.name, self.host, target, policy, steps, token)

    def sampler(self, distribution: Distribution, suffix: str = "") -> Draw:
        """Draws of this step: (request id, chain) -> seconds."""
        return self.world.sampler(distribution, self.name + suffix)

    def demand(self, distribution: Distribution, per: str) -> Demand:
        """The time of this step, `per` request or attempt."""
        return self.world.demand(distribution, self.name, per)

    def uniform(self, suffix: str = "") -> Draw:
        """Uniform draws of this step, in (0, 1): (request id, chain) -> u."""
        return self.world.uniform(self.name + suffix)

    def wait_for(self, task: Task, event: simpy.Event) -> Activity:
        """`yield from site.wait_for(task, event)`: wait for a stock SimPy event; returns OK."""
        if event.callbacks is not None:
            self.world.recorder.stage(task, Stage.OTHER, self.host.name_index)
            event.callbacks.append(lambda _: self.world.env.wake(task))
            yield
        return OK

    def _made(self, name: str, step: Step) -> Any:  # noqa: ANN401 - a behaviour has no type of its own
        return behaviour_of(step)(step, self.named(name))
