"""What an endpoint does: one behaviour per step spec (`models/site.py`), registered as a plug-in registers its own."""

from __future__ import annotations

import math

from sim.chance.chain import link_chain
from sim.models.behaviours import behaviour
from sim.models.credentials import token_of
from sim.models.ending import answer
from sim.models.outcomes import DEGRADED, ERROR, OK, REFUSED
from sim.models.site import Site
from sim.models.task import Activity, Process, Task, answer_delay
from sim.spec import step as spec
from sim.vocabulary import Stage


@behaviour(spec.Work)
class Work:
    """Compute on a worker: in an event loop, take a loop thread first if none is held."""

    def __init__(self, step: spec.Work, site: Site):
        self.host = site.host
        self.demand = site.demand(step.time, step.per)
        self.just_time = site.host.plain_work

    def run(self, task: Task) -> Activity:
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
        self.just_time = not site.host.may_hang and not site.host.event_loop and site.host.uneven is None

    def run(self, task: Task) -> Activity:
        """Spend the drawn time."""
        host = self.host
        host.let_go(task)
        return host.spend(task, self.demand.of(task), computing=False)


@behaviour(spec.Call)
class CallStep:
    """A synchronous call of another service's endpoint."""

    def __init__(self, step: spec.Call, site: Site):
        self.host = site.host
        token = token_of(step.token, step.asks, site) if step.token is not None else None
        self.call = site.call(site.world.endpoint(step.target), step.policy, step.fallback, token)

    def run(self, task: Task) -> Activity:
        """Make the call; an event loop gives its worker back meanwhile."""
        self.host.let_go(task)
        return self.call.run(task)


@behaviour(spec.Publish)
class Publish:
    """Publish an event, through the broker's ack or by a row in the outbox; without a policy, under that of the
    destination.
    """

    def __init__(self, step: spec.Publish, site: Site):
        self.host = site.host
        destination = site.world.destination(step.topic)
        self.outbox = site.world.outbox(site.name, site.host, destination, step) if step.via == "outbox" else None
        policy = destination.policy if step.policy is None else step.policy
        self.call = None if self.outbox else site.call(destination.target(step), policy, step.fallback)
        self.unheard = destination.hearing(self.call, step) if self.call is not None else None

    def run(self, task: Task) -> Activity:
        """Write the row, or call the broker as a service is called."""
        if self.outbox is not None:
            self.outbox.write(task)
            return OK
        if self.unheard is not None:
            return (yield from self.unheard.run(task))
        assert self.call is not None
        self.host.let_go(task)
        return (yield from self.call.run(task))


@behaviour(spec.Perform)
class Perform:
    """Run the steps of an endpoint here: the same draws as a call would make, no network, no request queue."""

    def __init__(self, step: spec.Perform, site: Site):
        self.endpoint = site.world.endpoint(step.target)
        self.salt = site.world.salt(site.name)

    def run(self, task: Task) -> Activity:
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
        self.ledger = world.ledger if self.charge or self.reservation else None

    def act(self, task: Task) -> int:
        """Let it be so."""
        if self.ledger is None:
            return self._let_be(task)
        self.ledger.take_out(task.request)
        self._let_be(task)
        self.ledger.enter(task.request)
        return OK

    def _let_be(self, task: Task) -> int:
        request = task.request
        if request.effects & self.bit and self.idempotent:
            return OK
        request.effects |= self.bit
        if self.charge:
            request.charges += 1
        elif self.reservation:
            request.reservations += 1
        needs = request.needs
        if needs and request.effects & needs == needs and math.isnan(request.completion):
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

    def run(self, task: Task) -> Activity:
        """REFUSED when there is none left."""
        stock, item = self.stock, max(task.request.item, 0)
        seen = stock.look(item)
        if seen <= 0:
            task.where = self.where
            task.root = 0
            return REFUSED
        if self.gap is not None:
            self.host.let_go(task)
            yield from self.host.spend(task, self.gap(task.request.id, task.chain), computing=False)
        stock.write(item, seen - 1)
        return OK


class _ByChance:
    """End with an outcome for a share of attempts."""

    outcome = OK

    def __init__(self, step: spec.Fail | spec.Refuse, site: Site):
        self.share = step.share
        self.kept = getattr(step, "per", "attempt") == "request"
        self.chance = site.uniform()
        self.where = site.where

    def act(self, task: Task) -> int:
        """The outcome, or OK."""
        chance = self.chance
        if chance(task.request.id, task.path if self.kept else task.chain) >= self.share:
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
        self.env = site.world.env
        self.recorder = site.world.recorder
        self.host = site.host
        self.deadlines = site.world.calls.deadlines

    def act(self, task: Task) -> int:
        """Send a courier with the answer of the attempt, of which this may be a branch; only the first reply is one."""
        attempt = task.attempt or task
        caller, attempt.caller = attempt.caller, None
        if caller is None:
            return OK
        if self.deadlines:
            self.deadlines.pop(attempt, None)  # nobody waits for what it does from now on
        self.recorder.stage(attempt, Stage.ANSWER, self.host.name_index, about=task.flow)
        delay = answer_delay(task, attempt.back, caller) if attempt.back is not None else 0.0
        if delay < 0.0:  # it is lost, and what follows the reply is nothing that the caller could cancel
            if isinstance(caller, Task):
                caller.children = None
            return OK
        courier = Task(task.request, task.chain, task.path, caller, task.replica)
        task.request.alive += 1
        courier.begin(self._carry(courier, delay, DEGRADED if task.degraded or attempt.degraded else OK))
        if isinstance(caller, Task):
            caller.children = courier
        self.env.wake(courier)
        return OK

    def _carry(self, courier: Task, delay: float, outcome: int) -> Process:
        if delay > 0.0:
            self.env.hold(courier, delay)
            yield
        answer(courier, outcome, self.env)
        courier.request.done()
        courier.silence()
        yield
