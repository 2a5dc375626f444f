"""What an endpoint does: one behaviour per step spec, registered as a plug-in registers its own.

A behaviour is a class made from (spec, site). It has either `act(task) -> outcome`, for what takes no time, or
`run(task)`, a generator that yields while it waits and returns the outcome: OK to go on, anything else ends the endpoint
with that outcome, whose place of origin the behaviour has put into `task.where`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import simpy

from sim.chance.chain import link_chain
from sim.models.task import ACT, ORDINARY, PASS, RUN, Act, Flow, Steps, Task
from sim.spec import step as spec
from sim.spec.policy import PRODUCER
from sim.spec.sites import named
from sim.vocabulary import Outcome, Stage

if TYPE_CHECKING:
    from sim.models.demand import Demand
    from sim.models.host import Host
    from sim.models.world import World
    from sim.spec.distribution import Distribution

OK, REFUSED, ERROR, DEGRADED = int(Outcome.OK), int(Outcome.REFUSED), int(Outcome.ERROR), int(Outcome.DEGRADED)

_behaviours: dict[type[spec.Step], Callable[[Any, Site], Any]] = {}
B = TypeVar("B", bound=Callable[..., Any])


def behaviour(step: type[spec.Step]) -> Callable[[B], B]:
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

    def sampler(self, distribution: Distribution, suffix: str = "") -> Callable[[int, int], float]:
        """Draws of this step: (request id, chain) -> seconds."""
        return self.world.sampler(distribution, self.name + suffix)

    def demand(self, distribution: Distribution, per: str) -> Demand:
        """The time of this step, `per` request or attempt."""
        return self.world.demand(distribution, self.name, per)

    def uniform(self, suffix: str = "") -> Callable[[int, int], float]:
        """Uniform draws of this step, in (0, 1): (request id, chain) -> u."""
        return self.world.uniform(self.name + suffix)

    def wait_for(self, task: Task, event: simpy.Event) -> Act:
        """`yield from site.wait_for(task, event)`: wait for a stock SimPy event; returns OK."""
        if event.callbacks is not None:
            self.world.recorder.stage(task, Stage.OTHER, self.host.name_index)
            event.callbacks.append(lambda _: self.world.ready.append(task))
            yield
        return OK


class StepSequence:
    """Steps, one after the other, until one does not end well."""

    __slots__ = ("host", "steps")

    def __init__(self, site: Site, steps: Sequence[spec.Step]):
        self.host = site.host
        self.steps: Steps = []
        for name, step in named(site.name, steps):
            made = _behaviours[type(step)](step, site.named(name))
            told = site.world.recorder.stages is not None and hasattr(made, "run")  # what is told apart is not just time
            if getattr(made, "just_time", False) and not told:
                self.steps.append((PASS, made.demand))
            elif type(made) is CallStep:
                self.steps += made.parts()
            else:
                self.steps.append((RUN if hasattr(made, "run") else ACT, made))

    def run(self, task: Task) -> Act:
        """OK, or the outcome of the first step that failed."""
        host = self.host
        watchful = host.may_hang
        for manner, step in self.steps:
            if manner == PASS:
                seconds = step.of(task) * host.slow
                host.schedule(task, ORDINARY, seconds)
                yield
                host.note_work(task, seconds)
                continue
            if watchful and task.replica.hung:
                yield from host.thaw(task, task.replica)
            outcome: int = step.act(task) if manner == ACT else (yield from step.run(task))
            if outcome:
                return outcome
        if watchful and task.replica.hung:
            yield from host.thaw(task, task.replica)
        return OK


@behaviour(spec.Work)
class Work:
    """Compute on a worker: in an event loop, take a loop thread first if none is held."""

    def __init__(self, step: spec.Work, site: Site):
        self.host = site.host
        self.demand = site.demand(step.time, step.per)
        self.just_time = site.host.plain_work

    def run(self, task: Task) -> Act:
        """Spend the drawn time."""
        host = self.host
        if host.event_loop and not task.granted and not task.own_thread:
            yield from host.take_place(task)
        return (yield from host.spend(task, self.demand.of(task), computing=True))


@behaviour(spec.Wait)
class Wait:
    """Time that passes elsewhere: a thread is held, a core or an event loop is not."""

    def __init__(self, step: spec.Wait, site: Site):
        self.host = site.host
        self.demand = site.demand(step.time, step.per)
        self.just_time = not site.host.may_hang and not site.host.event_loop

    def run(self, task: Task) -> Act:
        """Spend the drawn time."""
        host = self.host
        if host.event_loop and task.granted:
            host.leave(task, task.replica)
        return (yield from host.spend(task, self.demand.of(task), computing=False))


@behaviour(spec.Call)
class CallStep:
    """A synchronous call of another service's endpoint."""

    def __init__(self, step: spec.Call, site: Site):
        self.host = site.host
        self.call = site.world.call(site, site.world.endpoint(step.target), step.policy, step.fallback)

    def run(self, task: Task) -> Act:
        """Make the call; an event loop lets go of its worker meanwhile."""
        self.host.let_go(task)
        return (yield from self.call.run(task))

    def parts(self) -> Steps:
        """The same as steps, of which a call without a fallback needs no generator."""
        return [*([(ACT, LetGo(self.host))] if self.host.event_loop else []), self.call.as_step()]


class LetGo:
    """An event loop gives its worker back before it waits for others."""

    def __init__(self, host: Host):
        self.host = host

    def act(self, task: Task) -> int:
        """Always OK."""
        return self.host.let_go(task)


@behaviour(spec.Publish)
class Publish:
    """Publish an event, through the broker's ack or by a row in the outbox; without a policy, under that of Kafka's producer."""

    def __init__(self, step: spec.Publish, site: Site):
        self.host = site.host
        topic = site.world.topic(step.topic)
        self.outbox = site.world.outbox(site, topic, step) if step.via == "outbox" else None
        policy = PRODUCER if step.policy is None else step.policy
        self.call = None if self.outbox else site.world.call(site, topic.target(step.key), policy, step.fallback)
        self.unheard = topic.broker.acks == "0"  # there is no ack to wait for

    def run(self, task: Task) -> Act:
        """Write the row, or call the broker as a service is called."""
        if self.outbox is not None:
            self.outbox.write(task)
            return OK
        assert self.call is not None
        if self.unheard:
            self.call.send_and_forget(task)
            return OK
        if self.host.event_loop and task.granted:
            self.host.leave(task, task.replica)
        return (yield from self.call.run(task))


@behaviour(spec.Perform)
class Perform:
    """Run the steps of an endpoint here: the same draws as a call would make, no network, no request queue."""

    def __init__(self, step: spec.Perform, site: Site):
        self.endpoint = site.world.endpoint(step.target)
        self.salt = site.world.salt(site.name)

    def run(self, task: Task) -> Act:
        """Run them under the chain that a call from here would have."""
        steps = self.endpoint.sequence
        if not self.salt:
            return (yield from steps.run(task))
        chain, path = task.chain, task.path
        task.chain, task.path = link_chain(chain, self.salt, 0), link_chain(path, self.salt, 0)
        outcome = yield from steps.run(task)
        task.chain, task.path = chain, path
        return outcome


@behaviour(spec.Effect)
class Effect:
    """A durable business fact; a second time it is a no-op if idempotent, and on record twice if not."""

    def __init__(self, step: spec.Effect, site: Site):
        world = site.world
        self.env = world.env
        self.recorder = world.recorder
        self.bit = world.effect_bit(step.name)
        self.idempotent = step.options.idempotent
        self.charge = step.name == world.scenario.ledger.charge
        self.reservation = step.name == world.scenario.ledger.reservation

    def act(self, task: Task) -> int:
        """Let it be so."""
        request = task.request
        if request.effects & self.bit and self.idempotent:
            return OK
        request.effects |= self.bit
        if self.charge:
            request.charges += 1
        elif self.reservation:
            request.reservations += 1
        needs = request.needs
        if needs and request.effects & needs == needs and request.completion != request.completion:
            request.completion = self.env.now
            self.recorder.stage(task, Stage.COMPLETED, -1)
        return OK


@behaviour(spec.Take)
class Take:
    """Take a unit of stock: at once, or check first and write a moment later, as the article does."""

    def __init__(self, step: spec.Take, site: Site):
        self.host = site.host
        self.stock = site.world.stock(site.host)
        self.where = site.where
        gap = step.options.check_to_write
        self.gap = site.sampler(gap) if gap is not None else None

    def run(self, task: Task) -> Act:
        """REFUSED when there is none left."""
        stock, item = self.stock, max(task.request.item, 0)
        seen = stock.look(item)
        if seen <= 0:
            task.where = self.where
            task.root = 0
            return REFUSED
        if self.gap is not None:
            if self.host.event_loop and task.granted:
                self.host.leave(task, task.replica)
            yield from self.host.spend(task, self.gap(task.request.id, task.chain), computing=False)
        stock.write(item, seen - 1)
        return OK


class _ByChance:
    """End with an outcome for a share of attempts."""

    outcome = OK

    def __init__(self, step: spec.Fail | spec.Refuse, site: Site):
        self.share = step.share
        self.chance = site.uniform()
        self.where = site.where

    def act(self, task: Task) -> int:
        """The outcome, or OK."""
        chance = self.chance
        if chance(task.request.id, task.chain) >= self.share:
            return OK
        task.where = self.where
        task.root = 0
        return self.outcome


@behaviour(spec.Fail)
class Fail(_ByChance):
    """End with an error."""

    outcome = ERROR


@behaviour(spec.Refuse)
class Refuse(_ByChance):
    """End with a business refusal."""

    outcome = REFUSED


@behaviour(spec.Reply)
class Reply:
    """Answer the caller now; the rest goes on in the background, on the worker it holds."""

    def __init__(self, _step: spec.Reply, site: Site):
        self.world = site.world

    def act(self, task: Task) -> int:
        """Send a courier with the answer of the attempt, of which this may be a branch; only the first reply is one."""
        attempt = task.attempt or task
        caller, attempt.caller = attempt.caller, None
        if caller is None:
            return OK
        self.world.recorder.stage(attempt, Stage.ANSWER, task.replica.host.name_index, about=task.flow)
        delay = attempt.back.delay(task.request.id, task.chain) if attempt.back is not None else 0.0
        if delay < 0.0:  # it is lost, and what follows the reply is nothing that the caller could cancel
            if isinstance(caller, Task):
                caller.children = None
            return OK
        courier = Task(task.request, task.chain, task.path, caller, task.replica)
        task.request.alive += 1
        courier.begin(self._carry(courier, delay, DEGRADED if task.degraded or attempt.degraded else OK))
        if isinstance(caller, Task):
            caller.children = courier
        self.world.ready.append(courier)
        return OK

    def _carry(self, courier: Task, delay: float, outcome: int) -> Flow:
        if delay > 0.0:
            self.world.env.schedule(courier, ORDINARY, delay)
            yield
        self.world.answer(courier, outcome)
        courier.request.done()
        courier.silence()
        yield


@behaviour(spec.Parallel)
class Parallel:
    """Branches at once, on the same worker; the first failure in branch order is the outcome, when all are over."""

    def __init__(self, step: spec.Parallel, site: Site):
        self.host = site.host
        self.ready = site.world.ready
        self.recorder = site.world.recorder
        self.branches = [StepSequence(site.named(f"{site.name}.{index}"), steps) for index, steps in enumerate(step.branches)]

    def run(self, task: Task) -> Act:
        """Start all, wait for all."""
        if self.host.event_loop and task.granted:
            self.host.leave(task, task.replica)
        branches: list[Task] = []
        for steps in self.branches:
            branch = Task(task.request, task.chain, task.path, task, task.replica)
            branch.abandoned = task.abandoned
            branch.attempt = task.attempt or task
            branch.begin(self._branch(branch, steps, branches))
            branches.append(branch)
        task.children = branches
        if task.flow >= 0:
            for branch in branches:
                branch.flow = self.recorder.next_flow()
            self.recorder.stage(task, Stage.PARALLEL, self.host.name_index, len(branches), branches[0].flow)
        self.ready.extend(branches)
        yield
        task.children = None
        task.degraded = task.degraded or any(branch.degraded for branch in branches)
        for branch in branches:
            if branch.outcome:
                task.where = branch.where
                task.root = branch.root
                return branch.outcome
        return OK

    def _branch(self, branch: Task, steps: StepSequence, branches: list[Task]) -> Flow:
        branch.outcome = yield from steps.run(branch)
        self.recorder.stage(branch, Stage.END, self.host.name_index)
        if branch.granted:
            self.host.leave(branch, branch.replica)
        task, branch.caller = branch.caller, None
        if task is not None and all(other.caller is None for other in branches):
            self.ready.append(task)
        branch.silence()
        yield


@behaviour(spec.Step)
class _Nothing:
    """The base class itself is no step; here so that a missing registration names the spec."""

    def __init__(self, step: spec.Step, site: Site):
        raise TypeError(f"{type(step).__name__} at {site.name} has no behaviour: register one with @behaviour({type(step).__name__})")
