"""A cache: entries by key, who waits for one that is on its way, and what is found at a miss.

What it leaves out the spec says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.models.behaviours import behaviour
from sim.models.composed import Forks
from sim.models.outcomes import OK, REFUSED
from sim.models.sequence import StepSequence
from sim.models.site import Site
from sim.models.task import Activity, Killed, Process, Replica, Task
from sim.policies.eviction import EVICTIONS, ITEMS, Entries
from sim.spec import cache as spec
from sim.spec.step import Wait, Work
from sim.vocabulary import Stage


@dataclass(slots=True)
class Entry:
    """What is kept for a key."""

    outcome: int  # OK, or REFUSED
    good_until: float  # s


def key_of(step: spec.Keeping, task: Task) -> int:
    """What an entry is kept for; -1: for whoever comes, or for who has no such name."""
    request = task.request
    if step.key == "item_of_user":
        return request.user * ITEMS + request.item
    return -1 if step.key == "all" else int(request.user if step.key == "user" else request.item)


class Flight:
    """A look for a key that is under way, and who waits for what it finds."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: list[tuple[Task, int]] = []  # with their tickets: who has gone meanwhile is not woken


class Store:
    """The entries of one cache in one place: in a replica, or for all."""

    def __init__(self, step: spec.Keeping):
        self.entries: Entries = EVICTIONS[step.evict](step.size)
        self.flights: dict[int, Flight] = {}


class Counts:
    """A cache by its name: what is told of it, for all steps and replicas together."""

    def __init__(self, name: str, site: Site):
        self.shared: Store | None = None  # for all replicas; those in the memory of replicas stand there
        self.host = site.host
        self.hits = self.misses = self.stale = self.joined = self.loads = 0
        watch, host = site.world.recorder.watch, site.host.name
        watch(host, f"cache_hits {name}", "total", lambda _: self.hits)
        watch(host, f"cache_misses {name}", "total", lambda _: self.misses)
        watch(host, f"cache_stale {name}", "total", lambda _: self.stale)
        watch(host, f"cache_joined {name}", "total", lambda _: self.joined)
        watch(host, f"cache_loads {name}", "total", lambda _: self.loads)
        watch(host, f"cache_entries {name}", "level", lambda _: self._entries())

    def store(self, replica: Replica, step: spec.Keeping) -> Store:
        """Where a replica looks."""
        if step.scope == "shared":
            if self.shared is None:
                self.shared = Store(step)
            return self.shared
        store = replica.memory.get(self)
        if store is None:
            store = replica.memory[self] = Store(step)
        return store

    def flush(self) -> None:
        """Lose all; what is under way comes in afterwards."""
        for store in self._stores():
            store.entries.clear()

    def _entries(self) -> int:
        return sum(len(store.entries) for store in self._stores())

    def _stores(self) -> list[Store]:
        stores = [replica.memory.get(self) for replica in self.host.replicas]
        return [store for store in (*stores, self.shared) if store is not None]


class Looking:
    """Look, and on a miss find out, keep what was found, and tell those who wait for the same."""

    def __init__(self, step: spec.Keeping, name: str, site: Site, then: StepSequence):
        """`name` is that of the cache, within its host; `then` what is done at a miss."""
        self.step = step
        self.env = site.world.env
        self.host = site.host
        self.where = site.where
        self.forks = Forks(site)
        look = Work(time=step.lookup) if step.scope == "replica" else Wait(time=step.lookup, per="request")
        self.look = site.named(f"{site.name}.lookup").sequence([look] if step.lookup.mean > 0.0 else [])
        self.then = then
        self.chance = site.uniform()
        caches = site.host.caches
        if name not in caches:
            caches[name] = Counts(name, site)
        self.counts: Counts = caches[name]

    def run(self, task: Task) -> Activity:
        """As what is in the cache says, or as the steps of the miss end."""
        yield from self.look.run(task)
        if self.step.hit is not None:
            return (yield from self._by_share(task, self.step.hit))
        key = key_of(self.step, task)
        while True:
            found = self._found(task, key)
            if found is not None:
                return found
            store = self.counts.store(task.replica, self.step)
            flight = store.flights.get(key) if self.step.coalesce else None
            if flight is None:
                self.counts.misses += 1
                return (yield from self._find(task, key, store))
            if (yield from self._join(task, flight)):
                return self._heard(task, task.outcome)

    def _by_share(self, task: Task, share: float) -> Activity:
        if self.chance(task.request.id, task.chain) < share:
            self.counts.hits += 1
            return OK
        self.counts.misses += 1
        self.counts.loads += 1
        return (yield from self.then.run(task))

    # -- what is kept ----------------------------------------------------------------------------------------------

    def _found(self, task: Task, key: int) -> int | None:
        """What a good entry says, or one that is stale but may be given; None: nothing."""
        entry = self.counts.store(task.replica, self.step).entries.look(key)
        if not isinstance(entry, Entry):
            return None
        late = self.env.now - entry.good_until
        if late < 0.0:
            self.counts.hits += 1
        elif entry.outcome == OK and late < self.step.stale_while_revalidate:
            self.counts.stale += 1
            self._revalidate(task, key)
        else:
            return None
        return self._heard(task, entry.outcome)

    def _heard(self, task: Task, outcome: int) -> int:
        """An answer that this task did not find itself."""
        if outcome:
            task.where = self.where
            task.root = 0
        return outcome

    def _keep(self, task: Task, key: int, store: Store, outcome: int) -> None:
        step = self.step
        if outcome == OK and not task.degraded:
            lasts = math.inf if step.ttl is None else step.ttl
            if step.jitter:
                lasts *= 1.0 + step.jitter * (2.0 * self.chance(task.request.id, task.chain) - 1.0)
        elif outcome == REFUSED and step.negative_ttl is not None:
            lasts = step.negative_ttl
        else:  # an error, and what a fallback stood in for
            return
        store.entries.put(key, Entry(outcome, self.env.now + lasts))

    # -- what is found ---------------------------------------------------------------------------------------------

    def _find(self, task: Task, key: int, store: Store) -> Activity:
        """The steps of a miss; those who wait for the same hear of it; where it is killed one of them takes over."""
        self.counts.loads += 1
        flight = Flight()
        first = store.flights.setdefault(key, flight) is flight
        before, task.degraded = task.degraded, False
        try:
            outcome = yield from self.then.run(task)
        except Killed:
            if first:
                self._land(store, key, flight, None, task)
            raise
        self._keep(task, key, store, outcome)
        task.degraded = task.degraded or before
        if outcome not in (OK, REFUSED) and self._may_give_stale(store, key):
            self.counts.stale += 1
            outcome = OK
        if first:
            self._land(store, key, flight, outcome, task)
        return outcome

    def _may_give_stale(self, store: Store, key: int) -> bool:
        entry = store.entries.look(key) if self.step.stale_if_error else None
        if not isinstance(entry, Entry) or entry.outcome != OK:
            return False
        return self.env.now - entry.good_until < self.step.stale_if_error

    def _land(self, store: Store, key: int, flight: Flight, outcome: int | None, task: Task) -> None:
        """It is over: who still waits is woken, in the order in which they came. None: nothing was found out."""
        del store.flights[key]
        for waiting, ticket in flight.waiting:
            if waiting.ticket == ticket:
                waiting.ticket += 1
                waiting.outcome = -1 if outcome is None else outcome
                waiting.degraded = waiting.degraded or task.degraded
                self.env.wake(waiting)

    def _join(self, task: Task, flight: Flight) -> Activity:
        """Wait for another's answer; whether there was one."""
        self.counts.joined += 1
        self.host.let_go(task)
        flight.waiting.append((task, task.ticket))
        self.forks.recorder.stage(task, Stage.OTHER, self.host.name_index)
        yield
        return int(task.outcome >= 0)

    def _revalidate(self, task: Task, key: int) -> None:
        """Bring a new entry in the background, unless somebody does already."""
        store = self.counts.store(task.replica, self.step)
        if key in store.flights:
            return
        forks = self.forks
        aside = Task(task.request, task.chain, task.path, None, task.replica)
        aside.flow = forks.recorder.follow(task.request, task.flow, self.host.name_index)
        forks.let_drift(aside)
        aside.begin(self._bring(aside, key, store))
        forks.env.wake(aside)

    def _bring(self, aside: Task, key: int, store: Store) -> Process:
        if key not in store.flights:
            yield from self._find(aside, key, store)
        self.forks.end(aside)
        self.forks.come_home(aside)
        aside.silence()
        yield


@behaviour(spec.Cache)
class Cache(Looking):
    """A step of an endpoint that looks into a cache of its service."""

    def __init__(self, step: spec.Cache, site: Site):
        super().__init__(step, step.name, site, site.named(f"{site.name}.then").sequence(step.then))
