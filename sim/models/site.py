"""Where a step stands, what it may ask for there, and how steps follow one another.

A behaviour is a class made from (spec, site). It has either `act(task) -> outcome`, for what takes no time, or
`run(task)`, a generator that yields while it waits and returns the outcome: OK to go on, anything else ends the endpoint
with that outcome, whose place of origin the behaviour has put into `task.where`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import simpy

from sim.models.demand import Demand
from sim.models.draws import Draw
from sim.models.host import Host
from sim.models.outcomes import OK
from sim.models.task import Activity, Task
from sim.spec.distribution import Distribution
from sim.spec.sites import named
from sim.spec.step import Step
from sim.vocabulary import Stage

if TYPE_CHECKING:
    from sim.models.world import World

ACT, RUN, PASS = 0, 1, 2
"""How a step is taken: `act` at once; `run` as a generator; nothing but time passes, for which a `Demand` is enough."""

B = TypeVar("B", bound=Callable[..., Any])
_behaviours: dict[type[Step], Callable[[Any, Site], Any]] = {}


def behaviour(step: type[Step]) -> Callable[[B], B]:
    """Class decorator: this is how that step behaves. A later registration for the same spec replaces the earlier one."""

    def add(cls: B) -> B:
        _behaviours[step] = cls
        return cls

    return add


class Site:
    """Where a step stands: its host, its name (from which its draws are keyed), and what it may ask the world for."""

    def __init__(self, world: World, host: Host, name: str, where: int):
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
        return _behaviours[type(step)](step, self.named(name))


@behaviour(Step)
class _Nothing:
    """The base class itself is no step; here so that a missing registration names the spec."""

    def __init__(self, step: Step, site: Site):
        raise TypeError(f"{type(step).__name__} at {site.name} has no behaviour: register one with @behaviour({type(step).__name__})")


class StepSequence:
    """Steps, one after the other, until one does not end well."""

    __slots__ = ("host", "steps")

    def __init__(self, host: Host, behaviours: Sequence[Any]):
        self.host = host
        self.steps: list[tuple[int, Any]] = [_manner(host, made) for made in behaviours]  # the second a behaviour; for PASS its Demand

    def run(self, task: Task) -> Activity:
        """OK, or the outcome of the first step that failed."""
        host = self.host
        may_hang = host.may_hang
        for manner, step in self.steps:
            if may_hang and task.replica.hung:
                yield from host.thaw(task, task.replica)
            if manner == PASS:  # what Work and Wait do where there is nothing to look out for, without another generator
                seconds = step.of(task) * host.slow
                host.env.hold(task, seconds)
                yield
                host.note_work(task, seconds)
                continue
            outcome: int = step.act(task) if manner == ACT else (yield from step.run(task))
            if outcome:
                return outcome
        if may_hang and task.replica.hung:
            yield from host.thaw(task, task.replica)
        return OK


def _manner(host: Host, made: Any) -> tuple[int, Any]:  # noqa: ANN401 - a behaviour
    """How a step is taken. Where spans are kept time is told of, and so is not just time."""
    if getattr(made, "just_time", False) and host.spans is None:
        return PASS, made.demand
    return (RUN if hasattr(made, "run") else ACT), made
