"""The rate limits of the gateway. A refusal is a 429 that tells the client how long to wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.models.context import Context
from sim.models.outcomes import OK, RATE_LIMITED
from sim.models.spell import Spell
from sim.models.task import Task
from sim.policies import limiter as limiters
from sim.spec.gateway import RateLimit
from sim.spec.sites import limit_name
from sim.vocabulary import EventKind


class Limits:
    """The limits of the gateway, as a step of one route."""

    def __init__(self, limits: Sequence[Limit], route: int, where: int):
        self.limits = limits
        self.route = route
        self.where = where

    def act(self, task: Task) -> int:
        """All limits are asked before any of them counts the request: one that is refused has used up nothing."""
        for limit in self.limits:
            wait = limit.refuses(task, self.route)
            if wait >= 0.0:
                task.request.retry_after = wait
                task.where = self.where
                task.root = 0
                return RATE_LIMITED
        for limit in self.limits:
            limit.count(task, self.route)
        return OK


class Limit:
    """One rate limit, with a row of state per user, per route, or one for all; per gateway replica if its scope is
    `node`.
    """

    def __init__(self, context: Context, index: int, spec: RateLimit):
        self.env = context.env
        self.spec = spec
        self.label = limit_name(spec, index)
        self.rows: dict[tuple[int, int], Any] = {}
        self.shared = limiters.new_limiter(spec) if spec.per == "all" and spec.scope == "cluster" else None
        self.limiting = Spell(
            context.recorder, EventKind.LIMITING_BEGAN, EventKind.LIMITING_ENDED, "gateway", self.label
        )
        self.passed = self.refused = 0
        watch, component = context.recorder.watch, f"gateway {self.label}"
        watch(component, "passed", "total", lambda _: self.passed)
        watch(component, "turned_away", "total", lambda _: self.refused)

    def refuses(self, task: Task, route: int) -> float:
        """Seconds to wait before a retry may succeed; negative: not refused. The request is not counted yet."""
        row, ring = self.shared or self._state(task, route)
        wait = limiters.look(row, ring, self.env.now)
        if wait >= 0.0:
            self.refused += 1
            self.limiting.note(self.env.now)
        return wait

    def count(self, task: Task, route: int) -> None:
        """Count a request that no limit refuses."""
        self.passed += 1
        row, ring = self.shared or self._state(task, route)
        limiters.take(row, ring, self.env.now)

    def _state(self, task: Task, route: int) -> Any:  # noqa: ANN401 - the row and ring of a limiter
        spec = self.spec
        whose = task.request.user if spec.per == "user" else route if spec.per == "route" else 0
        key = (whose, task.replica.index if spec.scope == "node" else 0)
        state = self.rows.get(key)
        if state is None:
            state = self.rows[key] = limiters.new_limiter(spec)
        return state
