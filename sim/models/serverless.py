"""The instances of a function: who has one, who starts one, and when they are gone.

What it leaves out the spec says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.models.context import Context
from sim.models.outcomes import OK, RATE_LIMITED
from sim.models.task import Activity, Task
from sim.policies.base import passed
from sim.policies.serverless import StartsRow, may_start
from sim.spec.serverless import Serverless as Spec
from sim.vocabulary import Stage


class Instance:
    """One of them."""

    __slots__ = ("active", "ready_at", "since")

    def __init__(self, ready_at: float):
        self.active = 0  # requests in it
        self.ready_at = ready_at  # s
        self.since = 0.0  # s; when somebody came or went last


class Function:
    """All of a service."""

    def __init__(self, context: Context, host: Any, spec: Spec):  # noqa: ANN401 - the service whose it is
        self.env = context.env
        self.host = host
        self.spec = spec
        self.cold_start = context.sampler(spec.cold_start, f"{host.name}.cold_start")
        most = float(spec.scaling.starts)
        self.starts = StartsRow(most, most / spec.scaling.per, most)
        self.there = 0
        self.roomy: list[Instance] = []  # those with room; who was used last stands last
        self.of: dict[Task, Instance] = {}
        self.cold_starts = self.throttled = 0
        self.paid_area = 0.0
        watch = context.recorder.watch
        watch(host.name, "instances", "mean", self.area)
        watch(host.name, "cold_starts", "total", lambda _: self.cold_starts)
        watch(host.name, "throttles", "total", lambda _: self.throttled)

    def run(self, task: Task) -> Activity:
        """OK with an instance that is ready, or 429."""
        now = self.env.now
        self.expire(now)
        if not self.roomy and not self._start(task, now):
            self.throttled += 1
            task.where = self.host.name_index
            task.root = 0
            return RATE_LIMITED
        instance = self.of[task] = self.roomy.pop()
        instance.active += 1
        instance.since = now
        if instance.active < self.spec.concurrency:
            self.roomy.append(instance)
        if instance.ready_at > now:
            self.host.recorder.stage(task, Stage.OTHER, self.host.name_index)
            self.env.hold(task, instance.ready_at - now)
            yield
        return OK

    def give_back(self, task: Task) -> None:
        """An attempt has ended, with an instance or without."""
        instance = self.of.pop(task, None)
        if instance is None:
            return
        if instance in self.roomy:
            self.roomy.remove(instance)
        self.roomy.append(instance)
        instance.active -= 1
        instance.since = self.env.now

    def forget(self) -> None:
        """A crash: nobody is inside any more."""
        self.expire(self.env.now)
        self.paid_area += self.there * self.env.now
        self.there = 0
        self.roomy = []

    def area(self, now: Any) -> Any:  # noqa: ANN401 - a time, or many
        """The integral of how many there are, those left out that nobody has used for long."""
        area = self.paid_area + self.there * now
        for instance in self.roomy:
            if instance.active == 0:
                area = area - np.maximum(0.0, now - (instance.since + self.spec.idle_timeout))
        return area

    def expire(self, now: float) -> None:
        """Those that nobody has used for long are gone since then."""
        gone = []
        for instance in self.roomy:
            if not passed(now, instance.since + self.spec.idle_timeout):
                break
            if instance.active == 0:
                gone.append(instance)
        for instance in gone:
            self.roomy.remove(instance)
            self.there -= 1
            self.paid_area += instance.since + self.spec.idle_timeout

    def _start(self, task: Task, now: float) -> bool:
        if self.there >= self.spec.limit or not may_start(self.starts, now):
            return False
        self.cold_starts += 1
        self.there += 1
        self.paid_area -= now
        self.roomy.append(Instance(now + self.cold_start(task.request.id, task.chain)))
        return True
