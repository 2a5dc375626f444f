"""Writes through a cache: at once, or collected and written behind the answer.

What it leaves out the spec says.
"""

from __future__ import annotations

import math

from sim.models.behaviours import behaviour
from sim.models.cache import Counts, Entry, key_of
from sim.models.composed import Forks
from sim.models.outcomes import OK
from sim.models.sequence import StepSequence
from sim.models.site import Site
from sim.models.task import Activity, Process, Replica, Task
from sim.spec import cache_write as spec
from sim.spec.cache_references import cache_of
from sim.spec.distribution import Constant
from sim.spec.step import Wait


class Collected:
    """What a replica has still to write."""

    __slots__ = ("has_timer", "waiting", "writes")

    def __init__(self) -> None:
        self.writes = 0  # that no run of `then` has taken yet
        self.waiting = 0  # these, and those that a run is writing
        self.has_timer = False


class WriteCounts:
    """What is told of the writes to a cache, of all replicas together."""

    def __init__(self, name: str, site: Site):
        self.host = site.host
        self.accepted = self.stored = 0
        watch, host = site.world.recorder.watch, site.host.name
        watch(host, f"cache_writes {name}", "total", lambda _: self.accepted)
        watch(host, f"cache_writes_stored {name}", "total", lambda _: self.stored)
        watch(host, f"cache_writes_waiting {name}", "level", lambda _: self._waiting())

    def of(self, replica: Replica) -> Collected:
        """What a replica has collected: a crash empties its memory."""
        found = replica.memory.get(self)
        if found is None:
            found = replica.memory[self] = Collected()
        return found

    def _waiting(self) -> int:
        return sum(self.of(replica).waiting for replica in self.host.replicas if self in replica.memory)


@behaviour(spec.CacheWrite)
class CacheWrite:
    """One step that writes."""

    def __init__(self, step: spec.CacheWrite, site: Site):
        self.step = step
        self.env = site.world.env
        self.host = site.host
        self.forks = Forks(site)
        cache = cache_of(site.world.scenario.services[site.host.name], step.name)
        assert cache is not None
        self.cache = cache
        self.chance = site.uniform()
        self.then = site.named(f"{site.name}.then").sequence(step.then)
        pause = Wait(time=Constant.model_construct(value=step.every or 0.0), per="request")
        self.pause = site.named(f"{site.name}.every").sequence([pause] if step.every else [])
        caches, writes = site.host.caches, site.host.cache_writes
        if step.name not in caches:
            caches[step.name] = Counts(step.name, site)
        if step.name not in writes:
            writes[step.name] = WriteCounts(step.name, site)
        self.counts: Counts = caches[step.name]
        self.writes: WriteCounts = writes[step.name]

    def run(self, task: Task) -> Activity:
        """As `then` ends, or OK at once."""
        self.writes.accepted += 1
        if self.step.how == "through":
            outcome = yield from self.then.run(task)
            if outcome == OK and not task.degraded:
                self.writes.stored += 1
                self._put(task)
            return outcome
        self._put(task)
        collected = self.writes.of(task.replica)
        collected.writes += 1
        collected.waiting += 1
        if self.step.batch is not None and collected.writes >= self.step.batch:
            self._begin(task, timed=False)
        elif not collected.has_timer:
            collected.has_timer = True
            self._begin(task, timed=True)
        return OK

    def _put(self, task: Task) -> None:
        lasts = math.inf if self.cache.ttl is None else self.cache.ttl
        if self.cache.jitter:
            lasts *= 1.0 + self.cache.jitter * (2.0 * self.chance(task.request.id, task.chain) - 1.0)
        entries = self.counts.store(task.replica, self.cache).entries
        entries.put(key_of(self.cache, task), Entry(OK, self.env.now + lasts))

    def _begin(self, task: Task, timed: bool) -> None:
        """Somebody who writes what is collected then: in the background, and a crash ends it."""
        forks = self.forks
        aside = Task(task.request, task.chain, task.path, None, task.replica)
        aside.flow = forks.recorder.follow(task.request, task.flow, self.host.name_index)
        forks.let_drift(aside)
        aside.begin(self._write(aside, self.pause if timed else None))
        forks.env.wake(aside)

    def _write(self, aside: Task, pause: StepSequence | None) -> Process:
        if pause is not None:
            yield from pause.run(aside)
        collected = self.writes.of(aside.replica)
        if pause is not None:
            collected.has_timer = False
        count, collected.writes = collected.writes, 0
        if count:
            outcome = yield from self.then.run(aside)
            collected.waiting -= count
            if outcome == OK:
                self.writes.stored += count
        self.forks.end(aside)
        self.forks.come_home(aside)
        aside.silence()
        yield
