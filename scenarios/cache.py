"""A plug-in: `cached_call`, a call that first looks into a cache in the memory of its replica.

    - cached_call: catalogue.price     # whatever `call` takes (policy, fallback), and:
      per: item                        # what an entry is kept for: item or user
      ttl: 30s                         # how long it is good
      entries: 500                     # how many fit; the least recently used one goes first
      lookup: 0.2ms                    # what looking costs: work on the caller's worker

Nobody states a hit ratio: it comes about from how popular the items are, how often they are asked for, how long an
entry is good and how many fit. It is drawn in the timeline as `SERVICE.cache_hits` and `SERVICE.cache_misses`.

Only what is marked with (1) to (4) is needed by a step of your own, and all of it comes from `sim.plugin`; the built-in
steps register in the same way.

Not modelled: several requests that miss the same item at once (each of them calls), and writes that make an entry
stale.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Literal

from sim.plugin import (
    Action,
    Activity,
    AnyDistribution,
    Call,
    Calls,
    CallStep,
    Constant,
    Duration,
    Field,
    Many,
    Outcome,
    Replica,
    Site,
    TakesTime,
    Task,
    Work,
    behaviour,
    register,
)


@register("step", "cached_call")  # (1) what may be said: the word, and its fields with their types
class CachedCall(Call):
    """A call whose answers are remembered.

    A `Call` in every respect, so that its target and policy are checked as those of one.
    """

    per: Literal["item", "user"] = "item"
    ttl: Duration = Field(gt=0)
    entries: Many = 1000
    lookup: AnyDistribution = Constant(value=0.0)

    @property  # (2) what it asks of the system: its load on paper, its arrow in the drawing, whom it refers to
    def actions(self) -> tuple[Action, ...]:
        """On paper, and in the drawing: it looks, and calls each time, for nobody states how often it would find
        something.
        """
        return (
            TakesTime(self.lookup, computes=True, kept=True),
            Calls(self.target, self.policy, self.fallback, remembered=self.ttl),
        )


@behaviour(CachedCall)  # (3) how it behaves: a class made from (spec, site)
class Cache:
    """One cache per replica, from the key to the time at which the entry expires, least recently used first."""

    def __init__(self, step: CachedCall, site: Site) -> None:
        self.step = step
        self.env = site.env
        self.look = site.named(f"{site.name}.lookup").sequence([Work(time=step.lookup)])
        self.call = CallStep(step, site)
        self.memory: dict[Replica, OrderedDict[int, float]] = {}
        self.hits = self.misses = 0
        watch = site.world.recorder.watch
        watch(site.host.name, "cache_hits", "total", lambda _: self.hits)
        watch(site.host.name, "cache_misses", "total", lambda _: self.misses)

    def run(self, task: Task) -> Activity:  # (4) a generator: `yield from` whatever takes time, return the outcome
        """Look; on a miss make the call, and remember what it answered if that was good."""
        yield from self.look.run(task)
        key: Any = getattr(task.request, self.step.per)
        entries = self.memory.setdefault(task.replica, OrderedDict())
        if entries.get(key, 0.0) > self.env.now:
            entries.move_to_end(key)
            self.hits += 1
            return int(Outcome.OK)
        self.misses += 1
        outcome: int = yield from self.call.run(task)
        if outcome == Outcome.OK:
            entries[key] = self.env.now + self.step.ttl
            entries.move_to_end(key)
            if len(entries) > self.step.entries:
                entries.popitem(last=False)
        return outcome
