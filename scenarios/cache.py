"""A plug-in: `cached_call`, a call that first looks into a cache in the memory of its replica.

    - cached_call: catalogue.price     # whatever `call` takes (policy, fallback), and:
      per: item                        # what an entry is kept for: item or user
      ttl: 30s                         # how long it is good
      entries: 500                     # how many fit; the least recently used one goes first
      lookup: 0.2ms                    # what looking costs: work on the caller's worker

Nobody states a hit ratio: it comes about from how popular the items are, how often they are asked for, how long an
entry is good and how many fit. It is drawn in the timeline as `SERVICE.cache_hits` and `SERVICE.cache_misses`.

Only what is marked with (1) to (4) is needed by a step of your own, and all of it comes from `sim.plugin`; the built-in
steps register in the same way. With (5) to (7) it runs on the compiled engine too, and
`sim.testing.play_on_both` finds the first line in which the two differ.

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
    Frame,
    Many,
    Memory,
    Outcome,
    Part,
    Site,
    State,
    StepRow,
    TakesTime,
    Task,
    Total,
    Waits,
    Work,
    behaviour,
    compiled_as,
    policy,
    register,
    run,
)

OK = int(Outcome.OK)


@register("step", "cached_call")  # (1) what may be said: the word, and its fields with their types
class CachedCall(Call):
    """A call whose answers are remembered.

    A `Call` in every respect, so that its target and policy are checked as those of one.
    """

    example = """
    traffic:
      shoppers: {items: {count: 5000, popularity: {zipf: 1.1}}}
    services:
      orders:
        endpoints:
          create: [{cached_call: stock.look, ttl: 30s, entries: 500, lookup: 0.2ms}, {effect: ordered}]
      stock: {workers: 8, endpoints: {look: [{work: 3ms}]}}
    """  # `sim words cached_call --plugin scenarios/cache.py` shows it, and editors with the schema of the plug-in

    per: Literal["item", "user"] = "item"
    """What an entry is kept for."""
    ttl: Duration = Field(gt=0)
    """How long it is good."""
    entries: Many = 1000
    """How many fit; the least recently used one goes first."""
    lookup: AnyDistribution = Constant(value=0.0)
    """What looking costs: work on the caller's worker."""

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
        self.hits = self.misses = 0
        watch = site.world.recorder.watch
        watch(site.host.name, "cache_hits", "total", lambda _: self.hits)
        watch(site.host.name, "cache_misses", "total", lambda _: self.misses)

    def run(self, task: Task) -> Activity:  # (4) a generator: `yield from` whatever takes time, return the outcome
        """Look; on a miss make the call, and remember what it answered if that was good."""
        yield from self.look.run(task)
        key: Any = getattr(task.request, self.step.per)
        entries: OrderedDict[int, float] = task.replica.memory.setdefault(self, OrderedDict())  # a crash empties it
        if entries.get(key, 0.0) > self.env.now:
            entries.move_to_end(key)
            self.hits += 1
            return OK
        self.misses += 1
        outcome: int = yield from self.call.run(task)
        if outcome == OK:
            entries[key] = self.env.now + self.step.ttl
            entries.move_to_end(key)
            if len(entries) > self.step.entries:
                entries.popitem(last=False)
        return outcome


class CachedStep(StepRow):  # (5) what the flow of the compiled engine knows: one row for each step and replica
    """The numbers of one cache."""

    by_user: bool
    ttl: float
    entries: int
    look: Part
    call: Part
    memory: Memory
    cache_hits: Total
    cache_misses: Total

    @classmethod
    def begin(cls, behaviour: Cache) -> dict[str, Any]:
        """From the behaviour above, as the model has made it."""
        step = behaviour.step
        return {
            "by_user": step.per == "user",
            "ttl": step.ttl,
            "entries": step.entries,
            "look": behaviour.look,
            "call": behaviour.call,
            "memory": [0.0] * (1 + 3 * step.entries),  # how often it was used; then key, end and last use of each entry
        }


@compiled_as(Cache, CachedStep)  # (6) how it behaves there: `run` of above once more, with what a flow may say
def cached(s: State, own: Task, step: CachedStep, frame: Frame) -> Waits[int]:
    """Look; on a miss make the call, and remember what it answered if that was good."""
    yield from run(s, own, frame, step.look)
    key = own.request.user if step.by_user else own.request.item
    if is_remembered(step.memory, step.entries, key, s.now):
        step.cache_hits += 1
        return OK
    step.cache_misses += 1
    outcome = yield from run(s, own, frame, step.call)
    if outcome == OK:
        key = own.request.user if step.by_user else own.request.item
        remember(step.memory, step.entries, key, s.now + step.ttl)
    return outcome


@policy  # (7) what it decides: plain numbers, for machine code
def is_remembered(memory: Memory, entries: int, key: int, now: float) -> bool:
    """Whether there is an entry of this key that is good; it is then the one used last."""
    for place in range(1, 1 + 3 * entries, 3):
        if memory[place + 2] > 0.0 and memory[place] == key:
            if memory[place + 1] <= now:
                return False
            memory[0] += 1.0
            memory[place + 2] = memory[0]
            return True
    return False


@policy
def remember(memory: Memory, entries: int, key: int, good_until: float) -> None:
    """Keep it in its old place, else in one that is free, else in that of the entry which was used least recently."""
    oldest = 1
    for place in range(1, 1 + 3 * entries, 3):
        if memory[place + 2] > 0.0 and memory[place] == key:
            oldest = place
            break
        if memory[place + 2] < memory[oldest + 2]:
            oldest = place
    memory[0] += 1.0
    memory[oldest] = float(key)
    memory[oldest + 1] = good_until
    memory[oldest + 2] = memory[0]
