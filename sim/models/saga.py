"""Sagas: who orchestrates one, what is undone, and for how long a business is between two states."""

from __future__ import annotations

from collections.abc import Sequence

from sim.chance.chain import link_chain
from sim.chance.keyed import stream_number
from sim.models.behaviours import behaviour
from sim.models.composed import Forks
from sim.models.host import Host
from sim.models.outcomes import OK
from sim.models.sequence import StepSequence
from sim.models.site import Site
from sim.models.task import Activity, Killed, Process, Task
from sim.spec import saga as spec
from sim.vocabulary import Stage


class Sagas:
    """What is told of all sagas of one service."""

    def __init__(self, host: Host):
        self.completed = self.compensated = self.stuck = 0
        self.open = 0  # between their first transaction and their end; those that are stuck, too
        watch = host.recorder.watch
        watch(host.name, "sagas_completed", "total", lambda _: self.completed)
        watch(host.name, "sagas_compensated", "total", lambda _: self.compensated)
        watch(host.name, "sagas_stuck", "total", lambda _: self.stuck)
        watch(host.name, "sagas_open", "level", lambda _: self.open)


@behaviour(spec.Saga)
class Saga:
    """Its transactions one after the other, and back where one does not come about."""

    def __init__(self, step: spec.Saga, site: Site):
        self.step = step
        self.forks = Forks(site)
        self.salt = stream_number(site.name) >> 33
        host = site.host
        if host.sagas is None:
            host.sagas = Sagas(host)
        self.told: Sagas = host.sagas
        self.steps = [
            (
                site.named(f"{site.name}.{place}.do").sequence(its.do),
                site.named(f"{site.name}.{place}.undo").sequence(its.undo),
            )
            for place, its in enumerate(step.steps)
        ]

    def run(self, task: Task) -> Activity:
        """OK, or the outcome of the transaction that did not come about."""
        done: list[StepSequence] = []
        try:
            outcome = yield from self._forwards(task, done)
            if not outcome or not done:
                return outcome
            where, root = task.where, task.root
            if self.step.answers_first:
                self._undo_aside(task, done)
            else:
                yield from self._backwards(task, done)
        except Killed:
            self.told.stuck += bool(done)
            raise
        task.where, task.root = where, root
        return outcome

    def _forwards(self, task: Task, done: list[StepSequence]) -> Activity:
        for do, undo in self.steps:
            outcome = yield from do.run(task)
            if outcome:
                return outcome
            if not done:
                self.told.open += 1
            done.append(undo)
        self.told.open -= 1
        self.told.completed += 1
        done.clear()
        return OK

    def _backwards(self, task: Task, done: Sequence[StepSequence]) -> Activity:
        """Undo one after the other, each until that ends well."""
        forks, step = self.forks, self.step
        chain, path = task.chain, task.path
        for undo in reversed(done):
            attempt = 0
            while (yield from undo.run(task)):
                attempt += 1
                if attempt == step.undo_attempts:
                    self.told.stuck += 1
                    return OK
                forks.host.let_go(task)
                forks.recorder.stage(task, Stage.BACKOFF, forks.host.name_index)
                forks.env.hold(task, step.undo_pause)
                yield
                task.chain = link_chain(chain, self.salt, attempt)
                task.path = link_chain(path, self.salt, attempt)
            task.chain, task.path = chain, path
        self.told.open -= 1
        self.told.compensated += 1
        return OK

    def _undo_aside(self, task: Task, done: Sequence[StepSequence]) -> None:
        forks = self.forks
        aside = Task(task.request, task.chain, task.path, None, task.replica)
        aside.flow = forks.recorder.follow(task.request, task.flow, forks.host.name_index)
        forks.let_drift(aside)
        aside.begin(self._go_back(aside, done))
        forks.env.wake(aside)

    def _go_back(self, aside: Task, done: Sequence[StepSequence]) -> Process:
        try:
            yield from self._backwards(aside, done)
        except Killed:
            self.told.stuck += 1
            raise
        self.forks.end(aside)
        self.forks.come_home(aside)
        aside.silence()
        yield


@behaviour(spec.Retract)
class Retract:
    """The effect does not exist any more."""

    def __init__(self, step: spec.Retract, site: Site):
        world = site.world
        self.bit = world.effect_bit(step.effect)
        self.charge = step.effect == world.scenario.ledger.charge
        self.reservation = step.effect == world.scenario.ledger.reservation
        self.ledger = world.ledger if self.charge or self.reservation else None

    def act(self, task: Task) -> int:
        """Take it back, if it is there."""
        if self.ledger is None:
            return self._take_back(task)
        self.ledger.take_out(task.request)
        self._take_back(task)
        self.ledger.enter(task.request)
        return OK

    def _take_back(self, task: Task) -> int:
        request = task.request
        if request.effects & self.bit:
            request.charges -= self.charge and request.charges > 0
            request.reservations -= self.reservation and request.reservations > 0
            counted = request.charges if self.charge else request.reservations if self.reservation else 0
            if not counted:
                request.effects &= ~self.bit
        return OK
