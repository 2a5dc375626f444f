"""The rate limits of the gateway, of a route, and of a service. A refusal tells the client how long to wait, unless the
library that it is after does not. Where clocks go wrong, a limit that goes by the clock of its node is told what the
replica reads that asks (`policies/clocked.py`).

Not modelled: races between check and increment, stale copies; that Flask-Limiter sorts the rates of several entries as
one list (here entry by entry, by the shortest unit of each).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from sim.models.context import Context
from sim.models.counters import Counter, counter_of
from sim.models.identity import Identities
from sim.models.limit_store import LimitStore
from sim.models.outcomes import ERROR, OK, RATE_LIMITED, SHED
from sim.models.spell import Spell
from sim.models.task import Activity, Task
from sim.policies import limiter as limiters
from sim.spec.clock import NO_SKEW, SkewRange
from sim.spec.limits import RateLimit
from sim.spec.sites import limit_name
from sim.vocabulary import EventKind, Stage

_FURTHER = ("window_from", "wait", "header", "when", "anonymous", "status", "retry_after")  # words of keyed limits


class Limits:
    """The limits that the requests of one route or endpoint must pass, as a step."""

    def __init__(self, limits: Sequence[Limit], route: int, where: int):
        self.limits = sorted(limits, key=lambda limit: limit.spec.periods[0].unit if limit.spec.in_turn else 0.0)
        self.route = route
        self.where = where

    def act(self, task: Task) -> int:
        """All limits are asked before any of them counts the request: one that is refused has used up nothing, but of
        limits that are hit in turn.
        """
        for place, limit in enumerate(self.limits):
            wait = limit.refuses(task, self.route)
            if wait >= 0.0:
                self.charge(task, self.limits[:place])
                return self.refused(task, limit, wait)
        for limit in self.limits:
            limit.count(task, self.route)
        return OK

    def charge(self, task: Task, passed: Sequence[Limit]) -> None:
        """Those that it has passed before one refused it may have counted it."""
        for limit in passed:
            if limit.spec.in_turn:
                limit.charge(task, self.route)

    def refused(self, task: Task, limit: Limit, wait: float) -> int:
        """Its answer: 429, or 503, for which the reason stays that it was limited."""
        task.request.retry_after, task.request.told_by = wait, limit.answer
        if isinstance(task.caller, Task):
            task.caller.told = wait
        task.where = self.where
        task.root = RATE_LIMITED if limit.answer == SHED else 0
        return limit.answer


class HoldingLimits(Limits):
    """Limits of which some hold a request until its turn comes: without a worker in an event loop, else on it."""

    def run(self, task: Task) -> Activity:
        """What `act` would do, and the time for which it is held."""
        return self.decide(task, self.limits)

    def decide(self, task: Task, limits: Sequence[Limit]) -> Activity:
        """The same by these of them."""
        for place, limit in enumerate(limits):
            wait = limit.refuses(task, self.route)
            if wait >= 0.0:
                self.charge(task, limits[:place])
                if limit.held_in_vain > 0.0:
                    yield from self._hold(task, limit.held_in_vain)
                return self.refused(task, limit, wait)
        held = max((limit.held(task, self.route) for limit in limits), default=0.0)
        for limit in limits:
            limit.count(task, self.route)
        if held > 0.0:
            yield from self._hold(task, held)
        return OK

    def _hold(self, task: Task, seconds: float) -> Activity:
        host: Any = task.replica.host
        host.recorder.stage(task, Stage.OTHER, self.where)
        host.let_go(task)
        host.env.hold(task, seconds)
        yield
        return OK


class StoredLimits(HoldingLimits):
    """Limits of which some are counted in a store: that is asked first, one after the other, and then all decide."""

    def run(self, task: Task) -> Activity:
        """Wait for the stores; those that do not answer let the request pass, or end it."""
        decide, seconds, goes_on = [], 0.0, True
        for limit in self.limits:
            store = limit.store
            if store is not None:
                seconds += store.takes(task)
                if not store.answers:
                    store.undecided += 1
                    goes_on = store.spec.fault_tolerant
                    if not goes_on:
                        break
                    continue
            decide.append(limit)
        if seconds > 0.0:
            yield from self._hold(task, seconds)
        if not goes_on:
            task.where = self.where
            task.root = 0
            return ERROR
        return (yield from self.decide(task, decide))


class Limit:
    """One rate limit, with a row of state per user, per route, or one for all; per gateway replica if its scope is
    `node`.
    """

    answer = RATE_LIMITED
    holds = False  # whether a request may be held
    held_in_vain = 0.0  # s for which one is held that is refused then

    def __init__(self, context: Context, index: int, spec: RateLimit, owner: str = "gateway", prefix: str = ""):
        self.env = context.env
        self.spec = spec
        self.owner = owner
        self.label = f"{prefix}{limit_name(spec, index)}"
        self.rows: dict[Any, Any] = {}
        plain = spec.per == "all" and spec.scope == "cluster" and not is_keyed(spec)
        self.shared = limiters.new_limiter(spec) if plain else None
        self.limiting = Spell(context.recorder, EventKind.LIMITING_BEGAN, EventKind.LIMITING_ENDED, owner, self.label)
        self.passed = self.refused = 0
        watch, component = context.recorder.watch, f"{owner} {self.label}"
        watch(component, "passed", "total", lambda _: self.passed)
        watch(component, "turned_away", "total", lambda _: self.refused)
        self.store = LimitStore(context, spec, component) if spec.store is not None else None

    def refuses(self, task: Task, route: int) -> float:
        """Seconds to wait before a retry may succeed; negative: not refused. The request is not counted yet."""
        row, ring = self.shared or self._state(task, route)
        wait = limiters.look(row, ring, self.env.now)
        if wait >= 0.0:
            self._note()
        return wait

    def held(self, _task: Task, _route: int) -> float:
        """Seconds for which a request that it does not refuse is held, asked before it is counted."""
        return 0.0

    def count(self, task: Task, route: int) -> None:
        """Count a request that no limit refuses."""
        self.passed += 1
        self.charge(task, route)

    def charge(self, task: Task, route: int) -> None:
        """Use up what a request takes, of limits that are hit in turn also one that a later limit refuses."""
        row, ring = self.shared or self._state(task, route)
        limiters.take(row, ring, self.env.now)

    def _note(self) -> None:
        """One more that is refused."""
        self.refused += 1
        self.limiting.note(self.env.now)

    def _state(self, task: Task, route: int) -> Any:  # noqa: ANN401 - the row and ring of a limiter
        spec = self.spec
        whose = task.request.user if spec.per == "user" else route if spec.per == "route" else 0
        key = (whose, task.replica.index if spec.scope == "node" else 0)
        state = self.rows.get(key)
        if state is None:
            state = self.rows[key] = limiters.new_limiter(spec)
        return state


class KeyedLimit(Limit):
    """A limit that counts by more than one thing, keeps several rates at once, or decides as one library does."""

    def __init__(
        self,
        context: Context,
        index: int,
        spec: RateLimit,
        identities: Identities,
        owner: str = "gateway",
        prefix: str = "",
        clocks: SkewRange = NO_SKEW,
    ):
        super().__init__(context, index, spec, owner, prefix)
        self.identities = identities
        self.answer = SHED if spec.status == 503 else RATE_LIMITED
        self.readers = [identities.key_of(word, spec.header) if word != "route" else None for word in spec.keys]
        self.node = spec.scope == "node"
        self.by_node = goes_by_node(spec, clocks)
        self.apart = clocks[1] - clocks[0] if self.by_node else None  # s
        made = [counter_of(its, self.apart) for its in spec.periods]
        self.holds = any(counter.holds for counter in made)
        self.held_in_vain = max(counter.held_in_vain for counter in made)

    def refuses(self, task: Task, route: int) -> float:
        """All rates that it keeps are asked; of those that refuse the longest wait is told. Where they are hit in turn,
        those before the first that refuses have counted the request, and those after it are not asked.
        """
        counters = self._counters(task, route)
        if not counters:
            return self._without_key(task, route)
        now, clock, longest = self.env.now, self._clock(task), limiters.ALLOWED
        for place, counter in enumerate(counters):
            wait = counter.look(clock, now)
            if wait >= 0.0 and longest < 0.0:
                for counted in counters[: place + 1]:
                    if self.spec.in_turn and counted is not counter:
                        counted.take(clock, now)
                    else:
                        counted.deny(clock, now)
            longest = max(longest, wait)
            if longest >= 0.0 and self.spec.in_turn:
                break
        if longest >= 0.0:
            self._note()
            if self.spec.retry_after == "none":
                return 0.0
            return longest if self.spec.retry_after == "exact" else limiters.in_whole_seconds(longest)
        return limiters.ALLOWED

    def held(self, task: Task, route: int) -> float:
        """The longest that one of its rates asks for."""
        now, clock = self.env.now, self._clock(task)
        return max((counter.hold(clock, now) for counter in self._counters(task, route)), default=0.0)

    def charge(self, task: Task, route: int) -> None:
        """All rates that it keeps count the request."""
        clock = self._clock(task)
        for counter in self._counters(task, route):
            counter.take(clock, self.env.now)

    def _clock(self, task: Task) -> float:
        """What the clock that it reads says, s."""
        return self.env.now + task.replica.skew if self.by_node else self.env.now

    def _counters(self, task: Task, route: int) -> Sequence[Counter]:
        """One for each rate, of the key of this request; none where it has no key that is counted."""
        request, spec = task.request, self.spec
        if spec.when and not self.identities.has(request, spec.when):
            return ()
        parts: list[Hashable] = [task.replica.index if self.node else -1]
        for reader in self.readers:
            part: Hashable = route if reader is None else reader(request)
            if part is None:
                if spec.anonymous in ("free", "refused"):
                    return ()
                part = ("ip", self.identities.ip(request)) if spec.anonymous == "ip" else None
            parts.append(part)
        key = tuple(parts)
        counters: list[Counter] | None = self.rows.get(key)
        if counters is None:
            counters = self.rows[key] = [counter_of(its, self.apart) for its in spec.periods]
        return counters

    def _without_key(self, task: Task, _route: int) -> float:
        """A request that is not counted passes, unless one without a key is refused."""
        spec = self.spec
        if spec.anonymous == "refused" and not (spec.when and not self.identities.has(task.request, spec.when)):
            self._note()
            return 0.0
        return limiters.ALLOWED


def is_keyed(spec: RateLimit) -> bool:
    """Whether a limit says more than the three keys and the five counters of old."""
    if spec.preset is not None or spec.rates or spec.algorithm == "leaky_bucket":
        return True
    return spec.per not in ("user", "route", "all") or any(
        getattr(spec, name) != RateLimit.model_fields[name].get_default(call_default_factory=True) for name in _FURTHER
    )


def goes_by_node(spec: RateLimit, clocks: SkewRange) -> bool:
    """Whether it reads clocks that are not always right."""
    return clocks != NO_SKEW and spec.reads == "node"


def limits_of(
    context: Context,
    specs: Sequence[RateLimit],
    identities: Identities,
    owner: str,
    prefix: str = "",
    clocks: SkewRange = NO_SKEW,
) -> list[Limit]:
    """A limit for each that is written. `clocks`: between what those of the replicas can be."""
    return [
        KeyedLimit(context, index, spec, identities, owner, prefix, clocks)
        if is_keyed(spec) or goes_by_node(spec, clocks)
        else Limit(context, index, spec, owner, prefix)
        for index, spec in enumerate(specs)
    ]


def step_of(limits: Sequence[Limit], route: int, where: int) -> Limits:
    """The step that asks them."""
    if any(limit.store is not None for limit in limits):
        return StoredLimits(limits, route, where)
    return (HoldingLimits if any(limit.holds for limit in limits) else Limits)(limits, route, where)
